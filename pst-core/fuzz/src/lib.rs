//! What several targets do with a message.

pub mod files;

use pst_core::io::Output;
use pst_core::mapi::Message;
use pst_core::messaging::write::StoreWriter;
use pst_core::mime::{Options, calendar, contact, from_mapi, to_mapi, view};
use std::io::Cursor;

/// The message as mail, which is read again. What is written for each byte has a bound.
pub fn mailed(message: &Message, options: &Options, input: usize) -> Vec<u8> {
    let mut mail = Vec::new();
    from_mapi(message, &mut mail, options).expect("a message in memory can be written");
    bounded(mail.len(), input);
    to_mapi(&mail, &Default::default(), None).expect("mail that was written can be read");
    mail
}

/// The message in every form that something writes.
pub fn written(message: &Message, input: usize) {
    mailed(message, &Options::default(), input);
    view(message.clone(), &Options::default(), &mut Vec::new()).expect("a message in memory can be shown");
    let mut out = Vec::new();
    if let Some(entry) = calendar::Entry::of(message, &Options::default()).expect("an entry") {
        entry.write(&mut out).expect("an entry in memory can be written");
    }
    if let Some(card) = contact::Card::of(message, &Options::default()).expect("a card") {
        card.write(&mut out).expect("a card in memory can be written");
    }
    bounded(out.len(), input);
    filed(message);
    stored(message);
}

/// More rows than this would make a .msg file of many thousand streams: it takes its time, if not more for each.
const ROWS: usize = 500;

/// The message as a .msg file, which is read again.
fn filed(message: &Message) {
    if message.recipients.len() + message.attachments.len() > ROWS {
        return;
    }
    let Ok((file, _)) = pst_core::endpoint::msg::write(message, Cursor::new(Vec::new())) else { return };
    let (again, _) = pst_core::endpoint::msg::read_bytes(file.into_inner(), "again.msg").expect("a file can be read");
    assert_eq!(again.recipients.len(), message.recipients.len(), "recipients of a .msg file");
    assert_eq!(again.attachments.len(), message.attachments.len(), "attachments of a .msg file");
}

/// A file that nobody reads.
struct Nowhere;

impl Output for Nowhere {
    fn write_at(&mut self, _bytes: &[u8], _offset: u64) -> pst_core::Result<()> {
        Ok(())
    }

    fn set_len(&mut self, _len: u64) -> pst_core::Result<()> {
        Ok(())
    }

    fn sync(&mut self) -> pst_core::Result<()> {
        Ok(())
    }

    fn commit(self: Box<Self>) -> pst_core::Result<()> {
        Ok(())
    }
}

/// The message as an item of a PST.
fn stored(message: &Message) {
    let mut writer = StoreWriter::create_on(Box::new(Nowhere), Default::default()).expect("a store can be started");
    let top = writer.top();
    let _ = writer.add(top, message, false);
    assert!(!writer.failed());
}

/// Output that grows faster than its input is a mistake.
pub fn bounded(output: usize, input: usize) {
    assert!(output <= (1 << 20) + 256 * input, "{output} bytes of output for {input} bytes of input");
}
