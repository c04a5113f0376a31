//! Content lines: what iCalendar (RFC 5545 3.1) and vCard (RFC 6350 3.2, RFC 2426, vCard 2.1) are made of.
//!
//! Values stay as they are written until someone who knows their type asks, so that a line that nobody understands is
//! written again as it was read.

mod logical;
mod read;
mod write;

pub(super) use logical::{Logical, logical};
pub(super) use read::parse;
pub(super) use write::{escaped, write, write_inside};

use crate::mapi::Blob;

/// Components deeper than this are left out.
const DEPTH: usize = 16;

/// A parameter of a line. vCard 2.1 has parameters without values (`TEL;WORK`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Param {
    /// The name, as it is written.
    pub name: String,
    /// The values, without quotes.
    pub values: Vec<String>,
}

/// One line, unfolded.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    /// The group of vCard: `item1` of `item1.TEL`.
    pub group: Option<String>,
    /// The name, as it is written.
    pub name: String,
    /// The parameters.
    pub params: Vec<Param>,
    /// The value as it is written, escapes included.
    pub value: String,
    /// Bytes that are written in base64 after the value.
    pub data: Option<Blob>,
}

/// What stands between BEGIN and END.
#[derive(Debug, Clone, Default)]
pub(super) struct Component {
    /// `VCALENDAR`, `VEVENT`... in upper case.
    pub name: String,
    /// The lines, in order.
    pub lines: Vec<Line>,
    /// The components inside, in order.
    pub parts: Vec<Component>,
}

impl Line {
    /// A line of a value that needs no escapes.
    pub fn new(name: &str, value: impl Into<String>) -> Self {
        Self { name: name.to_owned(), value: value.into(), ..Self::default() }
    }

    /// A line of a text.
    pub fn text(name: &str, text: &str) -> Self {
        Self::new(name, escaped(text))
    }

    /// The same with one more parameter.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.params.push(Param { name: name.to_owned(), values: vec![value.into()] });
        self
    }

    /// True for a line of this name.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The first value of a parameter.
    pub fn param(&self, name: &str) -> Option<&str> {
        let named = self.params.iter().filter(|p| p.name.eq_ignore_ascii_case(name));
        named.flat_map(|p| &p.values).next().map(String::as_str)
    }

    /// All values of a parameter, wherever they stand.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.params.iter().filter(move |p| p.name.eq_ignore_ascii_case(name));
        named.flat_map(|p| p.values.iter().map(String::as_str))
    }

    /// The value as text, escapes resolved.
    pub fn plain(&self) -> String {
        unescaped(&self.value)
    }

    /// The parts of a value of several texts (`CATEGORIES:a,b`), escapes resolved.
    pub fn list(&self, separator: char) -> Vec<String> {
        split(&self.value, separator).into_iter().map(unescaped).collect()
    }
}

impl Component {
    /// An empty component.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// The first line of a name.
    pub fn line(&self, name: &str) -> Option<&Line> {
        self.lines.iter().find(|l| l.is(name))
    }

    /// All lines of a name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Line> {
        self.lines.iter().filter(move |l| l.is(name))
    }

    /// The text of the first line of a name, if it is not empty.
    pub fn text(&self, name: &str) -> Option<String> {
        self.line(name).map(Line::plain).filter(|t| !t.is_empty())
    }

    /// The components inside that have a name.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Component> {
        self.parts.iter().filter(move |p| p.name == name)
    }

    /// Appends a line of a text, unless it is empty.
    pub fn put_text(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text.filter(|t| !t.is_empty()) {
            self.lines.push(Line::text(name, text));
        }
    }

    /// Appends a line of a value that needs no escapes.
    pub fn put(&mut self, name: &str, value: impl Into<String>) {
        self.lines.push(Line::new(name, value));
    }
}

/// Resolves the escapes of a text.
fn unescaped(value: &str) -> String {
    if !value.contains('\\') {
        return value.to_owned();
    }
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => out.push('\n'),
                Some(c @ ('\\' | ';' | ',' | ':' | '"')) => out.push(c),
                // A backslash before anything else is one, as in a path of Windows.
                Some(other) => out.extend(['\\', other]),
                None => out.push('\\'),
            },
            c => out.push(c),
        }
    }
    out
}

/// The parts of a value between separators that are not escaped.
fn split(value: &str, separator: char) -> Vec<&str> {
    let mut out = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, c) in value.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == separator => {
                out.push(value.get(start..at).unwrap_or_default());
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    out.push(value.get(start..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::read::Text;
    use super::*;

    fn read(text: &str) -> Text {
        parse(text.as_bytes())
    }

    fn written(component: &Component) -> String {
        let mut out = Vec::new();
        write(component, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn lines_come_out_as_they_went_in() {
        let text = concat!(
            "BEGIN:VCALENDAR\r\n",
            "X-A;CN=DOMAIN\\;X-P=\"C:\\new;1\",b:mailto:a@b\r\n",
            "URL:https://example.org/a,b;c?x=1:2\r\n",
            "BEGIN:VEVENT\r\n",
            "SUMMARY:a\\, b\\; c \\\\ d\\ne\r\n",
            "ATTENDEE;CN=Bob ^'the^^' Smith:mailto:b@c\r\n",
            "END:VEVENT\r\n",
            "END:VCALENDAR\r\n",
        );
        let read = read(text);
        let [calendar] = read.components.as_slice() else { panic!() };
        assert_eq!((written(calendar).as_str(), read.odd.len()), (text, 0));
        let event = &calendar.parts[0];
        assert_eq!(event.text("summary").as_deref(), Some("a, b; c \\ d\ne"));
        assert_eq!(event.lines[1].param("cn"), Some("Bob \"the^' Smith"));
        assert_eq!(calendar.lines[0].all("X-P").collect::<Vec<_>>(), ["C:\\new;1", "b"]);
        assert_eq!(calendar.lines[0].value, "mailto:a@b");
        let escaped = parse(b"BEGIN:X\r\nA;CN=B\\; C;ROLE=D:e\r\nEND:X\r\n");
        let [line] = escaped.components[0].lines.as_slice() else { panic!() };
        assert_eq!((line.param("CN"), line.param("ROLE"), line.value.as_str()), (Some("B\\; C"), Some("D"), "e"));
    }

    #[test]
    fn lines_are_folded_and_unfolded() {
        let long = format!("BEGIN:VEVENT\r\nSUMMARY:{}\r\nEND:VEVENT\r\n", "日本語 text ".repeat(40));
        let folded = written(&read(&long).components[0]);
        assert!(folded.lines().all(|l| l.len() <= 75), "{folded}");
        assert_eq!(folded.replace("\r\n ", ""), long);
        assert_eq!(read(&folded).components[0].lines[0].value, read(&long).components[0].lines[0].value);
        let odd = "BEGIN:VEVENT\nSUMMARY:a\n\tb\r\n c\rX:1\nno line\n\nEND:VEVENT";
        let event = &read(odd).components[0];
        assert_eq!((event.lines[0].value.as_str(), event.lines[1].value.as_str()), ("abc", "1"));
        assert_eq!(read(odd).odd, ["no line"]);
        let spaced = read("BEGIN:VEVENT\nUID\n\n :1\nDTSTART\n\n ;VALUE=DATE\n :20031225\n\nEND:VEVENT");
        let event = &spaced.components[0];
        assert_eq!((event.lines[0].value.as_str(), event.lines[1].param("VALUE")), ("1", Some("DATE")));
        let doubled = read("BEGIN:VEVENT\r\r\nSUMMARY:a\r\r\n b\r\r\nEND:VEVENT\r\r\n");
        assert_eq!((doubled.components[0].lines[0].value.as_str(), doubled.odd.len()), ("ab", 0));
    }

    #[test]
    fn old_vcards() {
        let text = concat!(
            "BEGIN:VCARD\nVERSION:2.1\nNOTE;QUOTED-PRINTABLE;CHARSET=ISO-8859-1:caf=E9=0D=0A=\nnext, =3D;\n",
            "TEL;WORK;VOICE:1\nPHOTO;TYPE=JPEG;ENCODING=BASE64:\n SGVs\n bG8=\n\nKEY;BASE64:SGVs\nbG8=\n",
            "item1.URL:x\nEND:VCARD\n",
        );
        let card = &read(text).components[0];
        assert_eq!(card.text("NOTE").as_deref(), Some("café\nnext, =;"));
        assert_eq!(card.line("PHOTO").unwrap().value, "SGVsbG8=");
        assert_eq!(card.line("KEY").unwrap().value, "SGVsbG8=");
        assert_eq!(card.line("TEL").unwrap().params[1].name, "VOICE");
        assert_eq!(card.line("URL").unwrap().group.as_deref(), Some("item1"));
        let latin = parse(b"BEGIN:VCARD\r\nFN:Z\xF6\xEB\r\nORG;CHARSET=KOI8-R:\xC1\r\nEND:VCARD\r\n");
        assert_eq!(latin.components[0].text("FN").as_deref(), Some("Zöë"));
        assert_eq!(latin.components[0].text("ORG").as_deref(), Some("а"));
    }

    #[test]
    fn hostile_text_is_bounded() {
        let deep = "BEGIN:X\r\n".repeat(100_000);
        assert!(!read(&deep).odd.is_empty());
        let unclosed = read("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\n");
        assert_eq!(unclosed.components[0].parts[0].text("UID").as_deref(), Some("1"));
        for text in ["", ":", ";", "BEGIN", "END:VEVENT", "A;=\":b", "A;B=\"", "BEGIN:\r\nEND:", "\u{feff}BEGIN:VCARD"]
        {
            read(text);
        }
        assert_eq!(read("\u{feff}BEGIN:VCARD\r\nFN:x\r\nEND:VCARD").components.len(), 1);
        let utf16: Vec<u8> =
            [0xFF, 0xFE].into_iter().chain("BEGIN:VCARD\nFN:x".encode_utf16().flat_map(u16::to_le_bytes)).collect();
        assert_eq!(parse(&utf16).components[0].text("FN").as_deref(), Some("x"));
    }
}
