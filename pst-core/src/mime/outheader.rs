//! The header of a message on its way out: as it was stored, or made of properties ([MS-OXCMAIL] 2.1.3).

use super::address::{self, Group, Mailbox};
use super::encode::LONGEST_LINE;
use super::{date, describe_class, from_mapi::Options, outfield, outside, state, text, voice};
use crate::mapi::{Code, Message, PropBag, Value, Warning, tag, time};
use std::borrow::Cow;

/// Stored headers larger than this are not used.
const LONGEST_BLOCK: usize = 64 << 20;

/// Appends the header of a message, without the MIME fields and the final blank line.
pub(super) fn write(message: &Message, options: &Options, warnings: &mut Vec<Warning>, out: &mut Vec<u8>) {
    let page = text::page(&message.props);
    let stored = text::get(&message.props, tag::TRANSPORT_MESSAGE_HEADERS, page);
    let fields = stored.as_deref().filter(|s| s.len() <= LONGEST_BLOCK).map(split).unwrap_or_default();
    let stored_id = fields.iter().find(|f| f.is("message-id")).map(|f| unfold(f.value()));
    let id = text::some(&message.props, tag::INTERNET_MESSAGE_ID, page);
    let usable = match (&stored_id, &id) {
        (Some(stored), Some(id)) => stored.trim() == id.trim(),
        _ => true,
    };
    if fields.is_empty() || !usable {
        if !usable {
            warnings.push(Code::Header.with("the stored header belongs to another message: a new one was made"));
        }
        generate(message, options, page, &|_| true, warnings, out);
        if message.props.time(tag::CLIENT_SUBMIT_TIME).is_none() {
            let at = [tag::REPORT_TIME, tag::MESSAGE_DELIVERY_TIME, tag::CREATION_TIME]
                .into_iter()
                .find_map(|t| message.props.time(t).and_then(time::known));
            if let Some(date) = at.and_then(|t| date::format(time::to_unix(t))) {
                outfield::field("Date", &date, out);
            }
        }
        return;
    }
    for field in &fields {
        if !field.is_mime() && (options.bcc || !field.is("bcc")) {
            field.write(warnings, out);
        }
    }
    let has = |name: &str| fields.iter().any(|f| f.is(name));
    let dated = has("date") || has("received");
    let signed = has("from") || has("sender");
    let wanted = |name: &str| match name {
        "Date" => !dated,
        "From" | "Sender" | "X-PST-EX-Address" => !signed,
        "Importance" => !["importance", "priority", "x-priority", "x-msmail-priority"].iter().any(|n| has(n)),
        "To" | "Cc" | "Bcc" | "Subject" | "X-Message-Class" | "Message-ID" | "In-Reply-To" | "References"
        | "Keywords" | "Sensitivity" => !has(&name.to_ascii_lowercase()),
        _ => false,
    };
    generate(message, options, page, &wanted, warnings, out);
    if let Some(edited) = edited_subject(&fields, message) {
        outfield::field(EDITED_SUBJECT, &outfield::words(&edited), out);
    }
}

/// Says a subject that was changed after the header came; the header keeps the one that was sent.
const EDITED_SUBJECT: &str = "X-PST-Subject";

fn edited_subject(fields: &[Field<'_>], message: &Message) -> Option<String> {
    let last = |name| fields.iter().rfind(|f: &&Field<'_>| f.is(name));
    let sent = last(EDITED_SUBJECT).or_else(|| last("subject"))?;
    let now = text::subject(&message.props)?;
    let alike = |a: &str, b: &str| a.split_whitespace().eq(b.split_whitespace());
    if alike(sent.value(), &now) {
        return None;
    }
    let sent = super::header::text(sent.value().as_bytes(), &mut Vec::new());
    (!alike(&sent, &now)).then_some(now)
}

const MIME: [&str; 7] = [
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Content-Disposition",
    "Content-Length",
    "Content-MD5",
    "Content-ID",
];

/// Appends the fields of a part that were kept as they were.
pub(super) fn write_kept(fields: &str, warnings: &mut Vec<Warning>, out: &mut Vec<u8>) {
    for field in split(fields).iter().filter(|f| f.name.is_some_and(|n| !outside::is_known(n))) {
        field.write(warnings, out);
    }
}

/// One stored field with its folded lines, or a line that is none.
struct Field<'a> {
    name: Option<&'a str>,
    text: &'a str,
}

impl Field<'_> {
    fn is(&self, name: &str) -> bool {
        self.name.is_some_and(|n| n.eq_ignore_ascii_case(name))
    }

    /// True for fields that say how the body is written; those are made anew.
    fn is_mime(&self) -> bool {
        self.name.is_some_and(|n| MIME.iter().any(|m| n.eq_ignore_ascii_case(m)))
    }

    fn value(&self) -> &str {
        self.text.split_once(':').map_or("", |(_, v)| v)
    }

    /// True for a field that can be written as it is: no line is blank or too long, nothing in it is odd.
    fn is_ready(&self) -> bool {
        let bytes = self.text.as_bytes();
        // Summed in bytes, so that many are looked at at once.
        let control = |b: &u8| u8::from(*b < 0x20 || *b == 0x7F) - u8::from(matches!(b, b'\t' | b'\r' | b'\n'));
        let shown = |line: &[u8]| line.iter().find(|b| !matches!(b, b' ' | b'\t')).is_some_and(u8::is_ascii_graphic);
        let mut start = 0;
        let mut lines = memchr::memchr_iter(b'\n', bytes).chain([bytes.len()]).map(|end| {
            let line = bytes.get(start..end).unwrap_or_default();
            start = end + 1;
            line
        });
        self.name.is_some_and(|name| bytes.get(name.len()) == Some(&b':'))
            && super::header::is_crlf(bytes)
            && bytes.chunks(255).all(|part| part.iter().map(control).sum::<u8>() == 0)
            && lines.all(|line| line.len() <= LONGEST_LINE && shown(line))
    }

    fn write(&self, warnings: &mut Vec<Warning>, out: &mut Vec<u8>) {
        if self.is_ready() {
            out.extend_from_slice(self.text.as_bytes());
            out.extend_from_slice(b"\r\n");
            return;
        }
        if self.name.is_none() {
            let line = self.text.trim();
            if !line.is_empty() {
                outfield::field("X-PST-Malformed", &outfield::words(line), out);
            }
            return;
        }
        // Blanks before the colon would end the header for strict readers.
        let strict = self.text.split_once(':').filter(|(n, _)| n.ends_with([' ', '\t']));
        let strict = strict.map(|(name, value)| format!("{}:{value}", name.trim_end_matches([' ', '\t'])));
        let text = strict.as_deref().unwrap_or(self.text);
        let controls = text.bytes().any(|b| b < 0x20 && !matches!(b, b'\t' | b'\r' | b'\n') || b == 0x7F);
        if controls {
            warnings.push(Code::Header.with("control characters in the header were replaced"));
        }
        for line in text.split("\r\n").filter(|l| !l.trim().is_empty()) {
            let visible = |c: char| if c.is_ascii_control() && c != '\t' { '?' } else { c };
            let line = if controls || memchr::memchr2(b'\r', b'\n', line.as_bytes()).is_some() {
                Cow::Owned(line.chars().map(visible).collect())
            } else {
                Cow::Borrowed(line)
            };
            if line.len() > LONGEST_LINE {
                outfield::fold(&line, LONGEST_LINE, out);
            } else {
                out.extend_from_slice(line.as_bytes());
            }
            out.extend_from_slice(b"\r\n");
        }
    }
}

fn split(block: &str) -> Vec<Field<'_>> {
    let mut fields = Vec::new();
    let mut rest = block;
    while !rest.is_empty() {
        let mut end = 0;
        loop {
            let line = rest.get(end..).unwrap_or_default();
            end += memchr::memchr(b'\n', line.as_bytes()).map_or(line.len(), |n| n + 1);
            if !rest.get(end..).unwrap_or_default().starts_with([' ', '\t']) {
                break;
            }
        }
        let (text, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
        rest = tail;
        let text = text.trim_end_matches(['\r', '\n']);
        if text.trim().is_empty() {
            continue;
        }
        let name = text.split_once(':').map(|(n, _)| n.trim_end_matches([' ', '\t'])).filter(|n| is_name(n));
        fields.push(Field { name, text });
    }
    if fields.iter().all(|f| f.name.is_none()) {
        fields.clear();
    }
    fields
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && b != b':')
}

fn unfold(value: &str) -> String {
    value.split(['\r', '\n']).collect::<String>().trim().to_owned()
}

/// Appends the fields that `wanted` asks for, made of properties.
fn generate(
    message: &Message,
    options: &Options,
    page: u32,
    wanted: &dyn Fn(&str) -> bool,
    warnings: &mut Vec<Warning>,
    out: &mut Vec<u8>,
) {
    let props = &message.props;
    let mut unresolved = Vec::new();
    let learned = |who: Mailbox| known(learn(who, &message.recipients, page), options);
    let sender = person(props, &address::SENDER, page).map(learned);
    let from = person(props, &address::REPRESENTING, page).map(learned);
    // A name alone says less than the sender of the same name.
    let from = from.map(|f| match &sender {
        Some(s) if f.address.is_empty() && s.name == f.name => s.clone(),
        _ => f,
    });
    let mut mailbox = |who: &Mailbox| written(who, &mut unresolved);
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|v| !v.is_empty() && wanted(name)) {
            outfield::field(name, &value, out);
        }
    };
    let main = from.as_ref().or(sender.as_ref());
    put("From", main.map(&mut mailbox));
    let differs = |s: &&Mailbox| main.is_some_and(|m| !m.address.eq_ignore_ascii_case(&s.address));
    put("Sender", sender.as_ref().filter(differs).map(&mut mailbox));
    if wanted("Reply-To") {
        let list = props.bytes(tag::REPLY_RECIPIENT_ENTRIES).map(address::entries).unwrap_or_default();
        let list: Vec<Mailbox> = list.into_iter().filter_map(|e| Mailbox::from_entry(e, page)).map(learned).collect();
        put("Reply-To", joined(list.iter().map(&mut mailbox)));
    }
    let class = text::some(props, tag::MESSAGE_CLASS, page).unwrap_or_default();
    // The rows of a delivery report are whom it is about; it went to the owner of the mailbox.
    let owner =
        person(props, &address::RECEIVED_BY, page).map(learned).filter(|_| describe_class::is_delivery_report(&class));
    put("To", owner.as_ref().map(&mut mailbox));
    for (kind, name) in [(1, "To"), (2, "Cc"), (3, "Bcc")] {
        if owner.is_some() || !wanted(name) || (kind == 3 && !options.bcc) {
            continue;
        }
        let rows = message.recipients.iter().filter(|r| recipient_kind(r) == kind);
        put(name, joined(rows.filter_map(|r| of_row(r, page)).map(|who| mailbox(&known(who, options)))));
    }
    // Most messages have a stored header: what it has is not made again.
    if wanted("Subject") {
        put("Subject", text::subject(props).map(|s| outfield::words(&s.replace(['\r', '\n'], " "))));
    }
    if wanted("Date") {
        put("Date", props.time(tag::CLIENT_SUBMIT_TIME).and_then(|t| date::format(time::to_unix(t))));
    }
    let plain = |t| text::some(props, t, page).map(|v| outfield::words(&unfold(&v)));
    for (name, tag) in [
        ("Message-ID", tag::INTERNET_MESSAGE_ID),
        ("In-Reply-To", tag::IN_REPLY_TO_ID),
        ("References", tag::INTERNET_REFERENCES),
        ("Thread-Topic", tag::CONVERSATION_TOPIC),
    ] {
        if wanted(name) {
            put(name, plain(tag));
        }
    }
    if wanted("Thread-Index") {
        let index = props.bytes(tag::CONVERSATION_INDEX).filter(|i| (22..1000).contains(&i.len()));
        put("Thread-Index", index.map(|i| base64_simd::STANDARD.encode_to_string(i)));
    }
    put("Importance", level(props.i32(tag::IMPORTANCE), &[(0, "low"), (2, "high")]));
    let sensitivity = [(1, "Personal"), (2, "Private"), (3, "Company-Confidential")];
    put("Sensitivity", level(props.i32(tag::SENSITIVITY), &sensitivity));
    put("Keywords", joined(state::categories(&message.props).iter().map(|k| outfield::words(k))));
    if props.bool(tag::READ_RECEIPT_REQUESTED) == Some(true) {
        let who = person(props, &address::READ_RECEIPT, page).map(learned).or_else(|| main.cloned());
        put("Disposition-Notification-To", who.as_ref().map(&mut mailbox));
    }
    for (name, tag) in [
        ("List-Help", tag::LIST_HELP),
        ("List-Subscribe", tag::LIST_SUBSCRIBE),
        ("List-Unsubscribe", tag::LIST_UNSUBSCRIBE),
        ("Precedence", tag::PRECEDENCE),
    ] {
        if wanted(name) {
            put(name, plain(tag));
        }
    }
    for (name, value) in voice::fields(props, &class, page) {
        put(name, Some(outfield::words(&unfold(&value))));
    }
    let special = !class.is_empty() && !describe_class::is_plain_mail(&class);
    put("X-Message-Class", special.then(|| outfield::words(&class)));
    unresolved.dedup();
    for who in unresolved {
        warnings.push(Code::Address.with(format!("no Internet address is known for {}", who.address)));
        put("X-PST-EX-Address", Some(outfield::words(&who.address)));
    }
}

fn level(value: Option<i32>, names: &[(i32, &str)]) -> Option<String> {
    names.iter().find(|(v, _)| Some(*v) == value).map(|(_, name)| (*name).to_owned())
}

fn joined(items: impl Iterator<Item = String>) -> Option<String> {
    let all: Vec<String> = items.collect();
    (!all.is_empty()).then(|| all.join(", "))
}

/// 1 for To, 2 for Cc, 3 for Bcc.
pub(super) fn recipient_kind(row: &PropBag) -> i32 {
    match row.i32(tag::RECIPIENT_TYPE).unwrap_or(1) & 0xF {
        kind @ (2 | 3) => kind,
        _ => 1,
    }
}

/// A person described by a group of properties, with the best address known ([MS-OXCMAIL] 2.1.3.1).
pub(super) fn person(props: &PropBag, group: &Group, page: u32) -> Option<Mailbox> {
    let entry = props.any(group.entry.id()).and_then(Value::as_bytes);
    resolve(
        text::some(props, group.name, page),
        text::some(props, group.kind, page),
        text::some(props, group.address, page),
        text::some(props, group.smtp, page),
        entry.and_then(|e| Mailbox::from_entry(e, page)),
    )
}

/// The SMTP address that a recipient row knows for the same X.500 address.
pub(super) fn learn(who: Mailbox, rows: &[PropBag], page: u32) -> Mailbox {
    if who.kind == "SMTP" || who.address.is_empty() {
        return who;
    }
    let same =
        |r: &&PropBag| text::some(r, tag::EMAIL_ADDRESS, page).is_some_and(|a| a.eq_ignore_ascii_case(&who.address));
    match rows.iter().find(same).and_then(|r| text::some(r, tag::SMTP_ADDRESS, page)) {
        Some(smtp) => Mailbox::smtp(&who.name, &smtp),
        None => who,
    }
}

/// With the SMTP address that the directory has for an address of Exchange.
pub(super) fn known(who: Mailbox, options: &Options) -> Mailbox {
    if who.kind == "SMTP" || who.address.is_empty() {
        return who;
    }
    match options.directory.as_ref().and_then(|d| d.smtp(&who.address)) {
        Some(smtp) => Mailbox::smtp(&who.name, &smtp),
        None => who,
    }
}

pub(super) fn of_row(row: &PropBag, page: u32) -> Option<Mailbox> {
    let entries = [tag::ENTRY_ID, tag::RECIPIENT_ENTRY_ID];
    let mut entries = entries.into_iter().filter_map(|t| row.any(t.id()).and_then(Value::as_bytes));
    let name = text::some(row, tag::DISPLAY_NAME, page)
        .or_else(|| text::some(row, tag::RECIPIENT_DISPLAY_NAME, page))
        .or_else(|| text::some(row, tag::TRANSMITTABLE_DISPLAY_NAME, page));
    resolve(
        name,
        text::some(row, tag::ADDRESS_TYPE, page),
        text::some(row, tag::EMAIL_ADDRESS, page),
        text::some(row, tag::SMTP_ADDRESS, page),
        entries.find_map(|e| Mailbox::from_entry(e, page)),
    )
}

fn resolve(
    name: Option<String>,
    kind: Option<String>,
    address: Option<String>,
    smtp: Option<String>,
    entry: Option<Mailbox>,
) -> Option<Mailbox> {
    let is_smtp = |k: &str| k.eq_ignore_ascii_case("SMTP");
    let entry_smtp = entry.as_ref().filter(|e| is_smtp(&e.kind) && !e.address.is_empty()).map(|e| e.address.clone());
    let own = address.clone().filter(|a| kind.as_deref().is_some_and(is_smtp) || (kind.is_none() && a.contains('@')));
    let name = name.or_else(|| entry.as_ref().map(|e| e.name.clone()).filter(|n| !n.is_empty()));
    if let Some(found) = smtp.or(own).or(entry_smtp) {
        return Some(Mailbox::smtp(name.as_deref().unwrap_or_default(), &found));
    }
    let address = address.or(entry.map(|e| e.address)).unwrap_or_default();
    if name.is_none() && address.is_empty() {
        return None;
    }
    let name = name.unwrap_or_else(|| address.clone());
    if address.is_empty() && is_address(&name) {
        return Some(Mailbox::smtp(&name, &name));
    }
    Some(Mailbox { name, kind: kind.unwrap_or_else(|| "EX".to_owned()), address })
}

fn is_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(l, d)| !l.is_empty() && d.contains('.'))
        && text.bytes().all(|b| b.is_ascii_graphic() && !b"<>(),;:\"".contains(&b))
}

/// A mailbox as it stands in a field. An address that is not known stays visible, and can be told from a real one.
fn written(who: &Mailbox, unresolved: &mut Vec<Mailbox>) -> String {
    if who.kind != "SMTP" {
        if !who.address.is_empty() {
            unresolved.push(who.clone());
        }
        return format!("{} <{}>", outfield::phrase(&who.name), routable(who));
    }
    // What is written between angle brackets must not end them.
    let address: String = who.address.chars().filter(|c| !c.is_control() && !matches!(c, '<' | '>')).collect();
    let address = address.trim();
    if address.is_empty() {
        return format!("{}: ;", outfield::phrase(&who.name));
    }
    if who.name.is_empty() || who.name == address {
        return if address.contains([' ', ',']) || !address.is_ascii() {
            format!("<{address}>")
        } else {
            address.to_owned()
        };
    }
    format!("{} <{address}>", outfield::phrase(&who.name))
}

/// The address alone, in a form that mail systems take.
pub(super) fn routable(who: &Mailbox) -> String {
    if who.kind == "SMTP" { who.address.clone() } else { format!("{}@unresolved.invalid", imcea(who)) }
}

/// An address of another type in the form of IMCEA ("IMCEAEX-_O=ORG_CN=NAME").
pub(super) fn imcea(who: &Mailbox) -> String {
    use std::fmt::Write;
    let text = if who.address.is_empty() { &who.name } else { &who.address };
    let mut out = format!("IMCEA{}-", who.kind.chars().filter(char::is_ascii_alphanumeric).collect::<String>());
    for byte in text.bytes() {
        match byte {
            b'/' => out.push('_'),
            b if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'=') => out.push(char::from(b)),
            _ => {
                let _ = write!(out, "+{byte:02X}");
            }
        }
    }
    out
}
