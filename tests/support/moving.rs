//! Runs of the pipeline, for tests.

use pst_core::Result;
use pst_core::endpoint::{self, TargetOptions};
use pst_core::mapi::{Blob, Message, Prop, PropBag, PropTag, Value};
use pst_core::pipeline::{
    self, Body, Event, Folder, Item, ItemRef, Mounted, Observer, Report, RunOptions, Sink, Source,
};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// Watches nothing.
pub struct Silent;

impl Observer for Silent {
    fn event(&self, _event: &Event<'_>) {}
}

/// Moves everything from a source into a sink.
pub fn moved(source: Arc<dyn Source>, sink: Box<dyn Sink>) -> Result<Report> {
    pipeline::run(&[Mounted { source, under: Vec::new(), journal: None }], sink, &RunOptions::default(), &Silent)
}

/// Opens a source.
pub fn open(spec: &str) -> Result<Arc<dyn Source>> {
    endpoint::open(spec, endpoint::SourceOptions::default())
}

/// Moves a file or folder into a target.
pub fn convert(source: &str, target: &str) -> Report {
    let opened = open(source).unwrap_or_else(|e| panic!("{source}: {e}"));
    let options = TargetOptions { overwrite: true, title: opened.title(), ..TargetOptions::default() };
    let sink = endpoint::create(target, &[source.to_owned()], &options).unwrap();
    moved(opened, sink).unwrap_or_else(|e| panic!("{source} to {target}: {e}"))
}

/// A source of messages that are at hand, in one folder.
pub struct Given(pub Vec<Message>);

impl Source for Given {
    fn folders(&self) -> Result<Vec<Folder>> {
        Ok(vec![Folder { path: vec!["Given".to_owned()], ..Folder::default() }])
    }

    fn items<'a>(&'a self, _folder: &'a Folder) -> Result<Box<dyn Iterator<Item = Result<ItemRef>> + Send + 'a>> {
        Ok(Box::new(
            (0..self.0.len()).map(|i| Ok(ItemRef { id: format!("message {i}"), key: i as u64, ..ItemRef::default() })),
        ))
    }

    fn load(&self, _folder: &Folder, item: &ItemRef) -> Result<Item> {
        let message = self.0[item.key as usize].clone();
        Ok(Item { id: item.id.clone(), body: Body::Mapi(Box::new(message)), associated: false, warnings: vec![] })
    }

    fn title(&self) -> String {
        "Given".to_owned()
    }
}

/// Folders and items of a source, whole, in order.
pub fn all(spec: &str) -> Vec<(Folder, Vec<Item>)> {
    let source = open(spec).unwrap_or_else(|e| panic!("{spec}: {e}"));
    let mut out = Vec::new();
    for folder in source.folders().unwrap() {
        let items = source.items(&folder).unwrap().map(|i| source.load(&folder, &i.unwrap()).unwrap()).collect();
        out.push((folder, items));
    }
    out
}

/// The messages of a source.
pub fn messages(spec: &str) -> Vec<Message> {
    let message = |item: Item| match item.body {
        Body::Mapi(message) => *message,
        Body::Mime(_) => panic!("no MAPI message"),
    };
    all(spec).into_iter().flat_map(|(_, items)| items).map(message).collect()
}

/// Everything in a bag, each property in a line, exact in every bit.
pub fn show_bag(bag: &PropBag) -> Vec<String> {
    bag.0.iter().map(show_prop).collect()
}

fn show_prop(prop: &Prop) -> String {
    let value = match &prop.value {
        Value::F32(n) => format!("F32 {:08x}", n.to_bits()),
        Value::F64(n) => format!("F64 {:016x}", n.to_bits()),
        Value::FloatingTime(n) => format!("FloatingTime {:016x}", n.to_bits()),
        Value::Binary(b) => format!("Binary {}", show_blob(b)),
        Value::Object(b) => format!("Object {}", show_blob(b)),
        v => format!("{v:?}"),
    };
    format!("{} {:?} {value}", prop.tag, prop.name)
}

fn show_blob(blob: &Blob) -> String {
    format!("{} bytes {}", blob.len(), pst_core::mapi::value::sha256(blob).unwrap())
}

/// Everything in a message, and in those inside it.
pub fn show(message: &Message) -> Vec<String> {
    let mut out = show_bag(&message.props);
    for row in &message.recipients {
        out.push("recipient".to_owned());
        out.extend(show_bag(row));
    }
    for attachment in &message.attachments {
        out.push("attachment".to_owned());
        out.extend(show_bag(&attachment.props));
        if let Some(inner) = &attachment.embedded {
            out.push("message".to_owned());
            out.extend(show(inner));
            out.push("end of message".to_owned());
        }
    }
    out
}

/// Data that come in pieces, of which none but the current one exists; `breaks` is where reading fails.
pub struct Pattern {
    pub len: u64,
    pub breaks: Option<u64>,
}

impl pst_core::mapi::Stream for Pattern {
    fn len(&self) -> u64 {
        self.len
    }

    fn open(&self) -> Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(PatternReader { pattern: self, at: 0 }))
    }
}

struct PatternReader<'a> {
    pattern: &'a Pattern,
    at: u64,
}

impl Read for PatternReader<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let end = self.pattern.breaks.unwrap_or(self.pattern.len);
        let n = (end - self.at).min(out.len() as u64) as usize;
        if n == 0 && end < self.pattern.len {
            return Err(std::io::Error::other("the pattern breaks"));
        }
        for byte in &mut out[..n] {
            *byte = (self.at ^ (self.at >> 9)) as u8;
            self.at += 1;
        }
        Ok(n)
    }
}

/// A message with an attachment of some data.
pub fn with_data(subject: &str, name: &str, data: Blob) -> Message {
    use pst_core::mapi::{Attachment, tag};
    let mut message = Message::default();
    message.props.set(tag::MESSAGE_CLASS, Value::text("IPM.Note"));
    message.props.set(tag::SUBJECT, Value::text(subject));
    message.props.set(tag::BODY, Value::text("The text."));
    let mut attachment = Attachment::default();
    attachment.props.set(tag::ATTACH_METHOD, Value::I32(1));
    attachment.props.set(tag::ATTACH_LONG_FILENAME, Value::text(name));
    attachment.props.set(tag::ATTACH_DATA_BINARY, Value::Binary(data));
    message.attachments.push(attachment);
    message
}

/// A tag above those that are known.
pub fn spare(i: usize, ty: u16) -> PropTag {
    PropTag::new(0x6700 + i as u16, ty)
}

/// A path as a specification of a kind.
pub fn spec(kind: &str, path: &Path) -> String {
    format!("{kind}:{}", path.display())
}
