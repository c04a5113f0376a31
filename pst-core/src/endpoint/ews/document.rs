//! The XML of requests. Names and namespaces are those of the schemas; the prefixes `m`, `t` and `s` stand for them.

use crate::endpoint::net::http::Body;
use crate::error::Result;
use quick_xml::Writer;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};
use std::io::Write;

const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const MESSAGES: &str = "http://schemas.microsoft.com/exchange/services/2006/messages";
const TYPES: &str = "http://schemas.microsoft.com/exchange/services/2006/types";

/// A document while it is written.
pub struct Document<'a> {
    body: Body<'a>,
    xml: Writer<Vec<u8>>,
}

impl<'a> Document<'a> {
    /// An envelope with what the two closures write as header and body.
    pub fn envelope(header: impl FnOnce(&mut Self), body: impl FnOnce(&mut Self)) -> Body<'a> {
        let mut it = Self { body: Body::default(), xml: Writer::new(Vec::new()) };
        it.raw("<?xml version=\"1.0\" encoding=\"utf-8\"?>");
        it.element("s:Envelope", &[("xmlns:s", SOAP), ("xmlns:m", MESSAGES), ("xmlns:t", TYPES)], |it| {
            it.element("s:Header", &[], header);
            it.element("s:Body", &[], body);
        });
        it.body.push(it.xml.into_inner());
        it.body
    }

    /// An element with what the closure writes in it.
    pub fn element(&mut self, name: &str, attributes: &[(&str, &str)], inner: impl FnOnce(&mut Self)) {
        self.event(Event::Start(start(name, attributes)));
        inner(self);
        self.event(Event::End(BytesEnd::new(name)));
    }

    /// An element without content.
    pub fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.event(Event::Empty(start(name, attributes)));
    }

    /// An element of text.
    pub fn text(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.element(name, attributes, |it| it.event(Event::Text(BytesText::new(&possible(text)))));
    }

    /// An element with the base64 of what `make` writes, which has `length` bytes each time.
    pub fn encoded(
        &mut self,
        name: &str,
        attributes: &[(&str, &str)],
        length: u64,
        make: impl Fn(&mut dyn Write) -> Result<()> + Send + 'a,
    ) {
        self.element(name, attributes, |it| {
            it.body.push(std::mem::take(it.xml.get_mut()));
            it.body.push_encoded(length, make);
        });
    }

    fn raw(&mut self, text: &str) {
        self.xml.get_mut().extend_from_slice(text.as_bytes());
    }

    fn event(&mut self, event: Event<'_>) {
        // Memory takes all that is written to it.
        let _ = self.xml.write_event(event);
    }
}

fn start<'e>(name: &'e str, attributes: &[(&'e str, &str)]) -> BytesStart<'e> {
    let mut start = BytesStart::new(name);
    for (key, value) in attributes {
        start.push_attribute((*key, possible(value).as_str()));
    }
    start
}

/// Text without the characters that XML 1.0 cannot hold in any way.
fn possible(text: &str) -> String {
    let impossible = |c: char| matches!(c, '\0'..='\x08' | '\x0B' | '\x0C' | '\x0E'..='\x1F' | '\u{FFFE}' | '\u{FFFF}');
    text.chars().map(|c| if impossible(c) { '\u{FFFD}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written() {
        let body = Document::envelope(
            |it| it.empty("t:RequestServerVersion", &[("Version", "Exchange2013")]),
            |it| {
                it.element("m:X", &[("A", "\"<&")], |it| {
                    it.text("t:Name", &[], "a<b>&\u{1}c");
                    it.encoded("t:Data", &[], 4, |out| {
                        out.write_all(b"data").map_err(|e| crate::Error::system("x", e))
                    });
                });
            },
        );
        let mut out = Vec::new();
        body.write_to(&mut out).unwrap();
        assert_eq!(body.length(), out.len() as u64);
        let text = String::from_utf8(out).unwrap();
        let inner = "<s:Body><m:X A=\"&quot;&lt;&amp;\"><t:Name>a&lt;b&gt;&amp;\u{FFFD}c</t:Name><t:Data>ZGF0YQ==</t:Data></m:X>\
                     </s:Body></s:Envelope>";
        assert!(text.ends_with(inner), "{text}");
    }
}
