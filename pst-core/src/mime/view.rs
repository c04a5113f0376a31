//! What a message shows: people, texts and files, as they go into its MIME form, for targets of other kinds.

use super::address::{self, Mailbox};
use super::attach::References;
use super::from_mapi::Options;
use super::outattach::Out;
use super::{charset, describe_class, outbody, outheader, outobject, state, text, to_mapi};
use crate::error::Result;
use crate::mapi::{Attachment, Blob, Code, Message, PropBag, Value, Warning, tag};

/// Signed mail up to this many bytes is opened.
const OPENED: u64 = 64 << 20;

/// A message as people see it.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// The subject without the mark of its prefix.
    pub subject: String,
    /// PidTagMessageClass.
    pub class: String,
    /// Who it is from; of a message sent for somebody else, that person.
    pub from: Option<Person>,
    /// Who sent it, if that is another.
    pub sender: Option<Person>,
    /// The recipients named first.
    pub to: Vec<Person>,
    /// Those who got a copy.
    pub cc: Vec<Person>,
    /// Those who got a copy unseen.
    pub bcc: Vec<Person>,
    /// When it was sent, else when it arrived or was made; seconds since 1970 UTC.
    pub date: Option<i64>,
    /// The plain text, with CRLF line ends; before it the main fields of items that are no mail.
    pub text: Option<String>,
    /// The HTML, before it those fields.
    pub html: Option<String>,
    /// Attachments, pictures of objects, and pictures of a rich text body.
    pub files: Vec<File>,
}

/// A person by name and address, each empty where it is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// Display name.
    pub name: String,
    /// Internet address, or what else is known.
    pub address: String,
}

/// An attachment.
#[derive(Debug, Clone)]
pub struct File {
    /// The name as it is stored; empty where there is none.
    pub stored: String,
    /// A name, made up where there is none; not yet one that every file system takes.
    pub name: String,
    /// Media type.
    pub mime: String,
    /// Content-ID without angle brackets.
    pub cid: Option<String>,
    /// Content-Location.
    pub location: Option<String>,
    /// True for pictures that the HTML shows.
    pub inline: bool,
    /// True for a picture of an object or of a rich text body, which is no attachment of its own.
    pub made: bool,
    /// What is in it.
    pub data: Data,
}

/// The content of an attachment.
#[derive(Debug, Clone)]
pub enum Data {
    /// A message.
    Message(Box<Message>),
    /// Bytes; for a file that is elsewhere, a note that says where.
    Bytes(Blob),
    /// Nothing.
    Missing,
}

impl Person {
    fn of(who: Mailbox) -> Self {
        let name = if who.name == who.address { String::new() } else { who.name };
        Self { name, address: who.address }
    }
}

impl std::fmt::Display for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.name.as_str(), self.address.as_str()) {
            (name, "") => f.write_str(name),
            ("", address) => f.write_str(address),
            (name, address) => write!(f, "{name} <{address}>"),
        }
    }
}

/// Takes a message apart; of the options, only the directory of addresses counts. What was lost goes to the warnings, one sentence each.
///
/// # Errors
/// When a body cannot be read.
pub fn view(mut message: Message, options: &Options, warnings: &mut Vec<Warning>) -> Result<View> {
    let page = text::page(&message.props);
    let class = text::get(&message.props, tag::MESSAGE_CLASS, page).unwrap_or_default();
    open_signed(&mut message, &class, warnings)?;
    let made = outobject::renderings(&message, page, warnings)?;
    let bodies = outbody::of(&message, &class, &made, warnings)?;
    let all = message.attachments.iter().chain(&made.parts).chain(&bodies.pictures);
    let mut all: Vec<Out<'_>> = all.enumerate().map(|(i, a)| Out::new(a, i, page)).collect();
    for (i, cid) in &bodies.placed {
        if let Some(out) = all.get_mut(*i) {
            out.cid = Some(cid.clone());
        }
    }
    let references = match &bodies.html {
        Some((html, _)) => References::of(html, all.iter().filter_map(|o| o.location().map(ToOwned::to_owned))),
        None => References::default(),
    };
    let own = message.attachments.len();
    let heads: Vec<File> =
        all.iter().enumerate().map(|(i, out)| File { made: i >= own, ..head(out, &references) }).collect();
    let mut view = View {
        subject: text::subject(&message.props).unwrap_or_default(),
        date: message.props.time(tag::CLIENT_SUBMIT_TIME).map(crate::mapi::time::to_unix),
        class,
        text: bodies.plain,
        html: bodies.html.map(|(html, label)| charset::decode(Some(&label), &html).0.into_owned()),
        ..View::default()
    };
    view.date = view.date.or_else(|| state::delivery_time(&message));
    people(&message, page, options, &mut view);
    let all = message.attachments.into_iter().chain(made.parts).chain(bodies.pictures);
    view.files =
        heads.into_iter().zip(all).map(|(head, attachment)| filled(head, attachment, page, warnings)).collect();
    Ok(view)
}

fn people(message: &Message, page: u32, options: &Options, view: &mut View) {
    let person = |group| {
        let found = outheader::person(&message.props, group, page);
        found.map(|who| Person::of(outheader::known(outheader::learn(who, &message.recipients, page), options)))
    };
    let sender = person(&address::SENDER);
    view.from = person(&address::REPRESENTING).or_else(|| sender.clone());
    view.sender = sender.filter(|s| view.from.as_ref().is_some_and(|f| !f.address.eq_ignore_ascii_case(&s.address)));
    for row in &message.recipients {
        let Some(who) = outheader::of_row(row, page).map(|who| Person::of(outheader::known(who, options))) else {
            continue;
        };
        match outheader::recipient_kind(row) {
            2 => view.cc.push(who),
            3 => view.bcc.push(who),
            _ => view.to.push(who),
        }
    }
    // Mail that was never delivered may have names only.
    let shown = |t| text::some(&message.props, t, page).map(|name| Person { name, address: String::new() });
    if message.recipients.is_empty() {
        view.to.extend(shown(tag::DISPLAY_TO));
        view.cc.extend(shown(tag::DISPLAY_CC));
        view.bcc.extend(shown(tag::DISPLAY_BCC));
    }
}

fn head(out: &Out<'_>, references: &References) -> File {
    let data = out.stub.as_ref().map_or(Data::Missing, |stub| Data::Bytes(Blob::Bytes(stub.data.clone())));
    File {
        stored: String::new(),
        name: out.name.clone().unwrap_or_default(),
        mime: out.mime.clone(),
        cid: out.cid.clone(),
        location: out.location().map(ToOwned::to_owned),
        inline: out.is_inline(references),
        made: false,
        data,
    }
}

/// Puts the content in.
fn filled(mut file: File, attachment: Attachment, page: u32, warnings: &mut Vec<Warning>) -> File {
    let names = [tag::ATTACH_LONG_FILENAME, tag::ATTACH_FILENAME, tag::DISPLAY_NAME];
    if !file.made {
        file.stored = names.into_iter().find_map(|t| text::some(&attachment.props, t, page)).unwrap_or_default();
    }
    if let Some(inner) = attachment.embedded {
        if file.name.is_empty() {
            let subject = text::subject(&inner.props).filter(|s| !s.trim().is_empty());
            file.name = format!("{}.eml", subject.unwrap_or_else(|| "message".to_owned()));
        }
        file.data = Data::Message(inner);
        return file;
    }
    if file.name.is_empty() {
        "message.eml".clone_into(&mut file.name);
    }
    match data_of(attachment.props) {
        Some(blob) => file.data = Data::Bytes(blob),
        None if matches!(file.data, Data::Missing) => {
            warnings.push(Code::NoData.with(format!("the attachment {} has no data", file.name)));
        }
        None => warnings.push(Code::NoData.with(format!("the attachment {} has no data: its path is kept", file.name))),
    }
    file
}

fn data_of(props: PropBag) -> Option<Blob> {
    let data = props.0.into_iter().find(|p| p.tag.id() == tag::ATTACH_DATA_BINARY.id() && p.name.is_none())?;
    match data.value {
        Value::Binary(blob) | Value::Object(blob) => Some(blob),
        _ => None,
    }
}

/// Puts what a clear-signed message holds in place of its one attachment ([MS-OXOSMIME] 2.1.3.1).
fn open_signed(message: &mut Message, class: &str, warnings: &mut Vec<Warning>) -> Result<()> {
    if !describe_class::is_signed(class) {
        return Ok(());
    }
    let [only] = message.attachments.as_slice() else { return Ok(()) };
    let Some(Value::Binary(data)) = only.props.get(tag::ATTACH_DATA_BINARY) else { return Ok(()) };
    if data.len() > OPENED {
        warnings.push(Code::Signature.with("a signed message is too large to be opened; it is kept in one file"));
        return Ok(());
    }
    let bytes = data.to_vec(OPENED)?;
    let Some(start) = bytes.get(..64.min(bytes.len())).map(<[u8]>::to_ascii_lowercase) else { return Ok(()) };
    // What is signed is a multipart of the message itself and its signature.
    let kind = b"multipart/signed";
    let Some(at) = memchr::memmem::find(&start, kind).filter(|_| start.starts_with(b"content-type:")) else {
        return Ok(());
    };
    let rest = bytes.get(at + kind.len()..).unwrap_or_default();
    let opened = [bytes.get(..at).unwrap_or_default(), b"multipart/mixed", rest].concat();
    let converted = to_mapi::to_mapi(&opened, &state::State::default(), None)?;
    warnings.extend(converted.warnings);
    let inner = converted.message;
    message.attachments = inner.attachments;
    let bodies = [tag::BODY, tag::HTML, tag::RTF_COMPRESSED];
    if bodies.iter().all(|t| message.props.any(t.id()).is_none_or(|v| v.size() == 0)) {
        for t in bodies.into_iter().chain([tag::INTERNET_CODEPAGE, tag::NATIVE_BODY, tag::RTF_IN_SYNC]) {
            message.props.remove(t.id());
            message.props.0.extend(inner.props.0.iter().filter(|p| p.tag.id() == t.id() && p.name.is_none()).cloned());
        }
    }
    Ok(())
}
