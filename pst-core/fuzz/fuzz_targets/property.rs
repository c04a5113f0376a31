//! A small store whose blocks and pages are damaged with right sums, read to the end. The input is a list of changes:
//! which block or page, where in it (2 bytes), how many bytes, and those.
#![no_main]

#[path = "../../../tests/support/forge.rs"]
#[allow(dead_code, reason = "the target uses its part")]
mod forge;

use forge::Forge;
use libfuzzer_sys::fuzz_target;
use pst_core::check;
use pst_core::io::Input;
use pst_core::mapi::message::attach_method;
use pst_core::mapi::{Attachment, Blob, Message, NamedProp, PropBag, PropType, Role, Value, named, rtf, tag};
use pst_core::messaging::Store;
use pst_core::messaging::write::{Options, StoreWriter};
use pst_core::mime;
use pst_core::ndb::Ndb;
use std::sync::{Arc, LazyLock};

const MOST_CHANGES: usize = 16;

#[derive(Clone, Copy)]
enum Spot {
    Block(u64),
    Page(usize),
    Header,
}

fn message(subject: &str) -> Message {
    let mut message = Message::default();
    let props = &mut message.props;
    props.set(tag::MESSAGE_CLASS, Value::text("IPM.Note"));
    props.set(tag::SUBJECT, Value::text(subject));
    props.set(tag::BODY, Value::text("A body."));
    props.set(tag::RTF_COMPRESSED, Value::binary(rtf::compress(b"{\\rtf1 A body.}")));
    props.set(tag::HTML, Value::binary(*b"<p>A body.</p>"));
    let name = NamedProp::text(named::PS_PUBLIC_STRINGS, "Keywords");
    props.set_named(Arc::new(name), PropType::MULTI | PropType::STRING, Value::texts(&["a", "b"]));
    let mut recipient = PropBag::default();
    recipient.set(tag::RECIPIENT_TYPE, Value::I32(1));
    recipient.set(tag::DISPLAY_NAME, Value::text("Ann"));
    message.recipients = vec![recipient; 3];
    message
}

fn attachment(method: i32) -> Attachment {
    let mut new = Attachment::default();
    new.props.set(tag::ATTACH_METHOD, Value::I32(method));
    new.props.set(tag::ATTACH_LONG_FILENAME, Value::text("file.bin"));
    match method {
        attach_method::OLE => new.props.set(tag::ATTACH_DATA_OBJECT, Value::Object(Blob::Bytes(vec![8; 9000]))),
        attach_method::EMBEDDED => new.embedded = Some(Box::new(message("Inside"))),
        _ => new.props.set(tag::ATTACH_DATA_BINARY, Value::binary(vec![7; 20_000])),
    }
    new
}

/// The sound store, and all that can be changed in it.
static SOUND: LazyLock<(Vec<u8>, Vec<Spot>)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sound.pst");
    let options = Options { display_name: "a".into(), record_key: Some([7; 16]), ..Options::default() };
    let mut writer = StoreWriter::create(&path, options).unwrap();
    let top = writer.top();
    let inbox = writer.add_folder(top, "Inbox", Role::Inbox, None, &PropBag::default()).unwrap();
    let inner = writer.add_folder(inbox, "Inner", Role::Calendar, None, &PropBag::default()).unwrap();
    let mut full = message("Full");
    let methods = [attach_method::BY_VALUE, attach_method::OLE, attach_method::EMBEDDED];
    full.attachments = methods.into_iter().map(attachment).collect();
    writer.add(inbox, &full, false).unwrap();
    writer.add(inbox, &message("Hidden"), true).unwrap();
    writer.add(inner, &message("Plain"), false).unwrap();
    writer.finish().unwrap();
    let forge = Forge { bytes: std::fs::read(&path).unwrap() };
    let mut spots = vec![Spot::Header];
    for (page, level) in forge.bbt() {
        spots.push(Spot::Page(page));
        let entries = (0..forge.bytes[page + 488] as usize).filter(|_| level == 0);
        spots.extend(entries.map(|i| Spot::Block(forge.u64(page + 24 * i))));
    }
    spots.extend(forge.nbt().into_iter().map(|(page, _)| Spot::Page(page)));
    (forge.bytes, spots)
});

fn damaged(data: &[u8]) -> Vec<u8> {
    let (bytes, spots) = &*SOUND;
    let mut forge = Forge { bytes: bytes.clone() };
    let mut rest = data;
    for _ in 0..MOST_CHANGES {
        let [which, low, high, count, after @ ..] = rest else { break };
        let (new, after) = after.split_at(after.len().min(usize::from(*count)));
        rest = after;
        let at = usize::from(u16::from_le_bytes([*low, *high]));
        let change = |part: &mut [u8]| {
            let at = at % part.len().max(1);
            let count = new.len().min(part.len() - at);
            part[at..at + count].copy_from_slice(&new[..count]);
        };
        match spots[usize::from(*which) % spots.len()] {
            Spot::Block(bid) => sound(bytes, bid, &mut forge, change),
            Spot::Page(page) => forge.page(page, change),
            Spot::Header => {
                let mut head = forge.bytes[8..0x200].to_vec();
                change(&mut head);
                forge.header(8, &head);
            }
        }
    }
    forge.bytes
}

/// Changes a block that stands where the sound store has it, whatever became of the tree.
fn sound(bytes: &[u8], bid: u64, forge: &mut Forge, change: impl FnOnce(&mut [u8])) {
    let tree = std::mem::replace(&mut forge.bytes, bytes.to_vec());
    let forge::Block { ib, cb, .. } = forge.block(bid);
    forge.data(bid, change);
    let end = ib + (cb + 16).next_multiple_of(64);
    let block = forge.bytes[ib..end].to_vec();
    forge.bytes = tree;
    forge.put(ib, &block);
}

fuzz_target!(|data: &[u8]| {
    let bytes = damaged(data);
    let _ = check::judge(Input::from_bytes(bytes.clone(), "fuzz.pst"));
    let Ok(ndb) = Ndb::new(Input::from_bytes(bytes, "fuzz.pst")) else { return };
    let store = Store::new(Arc::new(ndb));
    store.display_name();
    store.has_password();
    store.names().names();
    let mut errors = Vec::new();
    for folder in store.folders(&mut errors) {
        for listed in [false, true].into_iter().flat_map(|hidden| store.contents(folder.nid, hidden, &mut Vec::new())) {
            let _ = store.summary(listed.nid);
            let Ok((message, _)) = store.message(listed.nid) else { continue };
            let _ = mime::from_mapi(&message, &mut Vec::new(), &Default::default());
            let _ = mime::view(message, &Default::default(), &mut Vec::new());
        }
    }
});
