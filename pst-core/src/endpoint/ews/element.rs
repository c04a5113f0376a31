//! The XML of answers: read without regard to prefixes and order, because servers differ in both.

use quick_xml::events::Event;
use quick_xml::{Reader, XmlVersion, escape};

/// Elements inside each other, and elements in all, at most.
const DEEPEST: usize = 64;
const MOST: usize = 1 << 20;

/// An element with what is in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    /// The name without prefix.
    pub name: String,
    /// The attributes, by names without prefix.
    pub attributes: Vec<(String, String)>,
    /// The text directly in it.
    pub text: String,
    /// The elements in it, in order.
    pub children: Vec<Element>,
}

impl Element {
    /// The first element of a document; `None` where it is no XML, has a document type, or is deeper than 64 elements.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)).ok()?;
        let mut reader = Reader::from_str(text);
        // The elements around the place that is read.
        let mut open: Vec<Self> = Vec::new();
        let mut left = MOST;
        loop {
            let done = match reader.read_event().ok()? {
                Event::Start(start) => {
                    if open.len() == DEEPEST {
                        return None;
                    }
                    left = left.checked_sub(1)?;
                    open.push(Self::begun(&start)?);
                    None
                }
                Event::Empty(start) => {
                    left = left.checked_sub(1)?;
                    Some(Self::begun(&start)?)
                }
                Event::End(_) => open.pop(),
                Event::Text(text) => {
                    add(&mut open, &text.xml10_content());
                    None
                }
                Event::CData(text) => {
                    add(&mut open, &text.xml10_content());
                    None
                }
                Event::GeneralRef(name) => {
                    let mut held = [0; 4];
                    let known = match name.resolve_char_ref() {
                        Ok(Some(c)) => Some(&*c.encode_utf8(&mut held)),
                        Ok(None) => escape::resolve_xml_entity(&name.into_inner()),
                        Err(_) => None,
                    };
                    // Exchange refers to characters that XML cannot hold.
                    add(&mut open, known.unwrap_or("\u{FFFD}"));
                    None
                }
                Event::Decl(_) | Event::Comment(_) | Event::PI(_) => None,
                Event::DocType(_) | Event::Eof => return None,
            };
            if let Some(done) = done {
                match open.last_mut() {
                    Some(parent) => parent.children.push(done),
                    None => return Some(done),
                }
            }
        }
    }

    fn begun(start: &quick_xml::events::BytesStart<'_>) -> Option<Self> {
        let mut it = Self { name: bare(start.name().as_ref()).to_owned(), ..Self::default() };
        for attribute in start.attributes() {
            let attribute = attribute.ok()?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?;
            it.attributes.push((bare(attribute.key.as_ref()).to_owned(), value.into_owned()));
        }
        Some(it)
    }

    /// The first child of a name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|c| c.name == name)
    }

    /// What a path of names leads to.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |at, name| at.child(name))
    }

    /// The text of the first child of a name.
    pub fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|c| c.text.trim())
    }

    /// An attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The first element of a name anywhere in it.
    pub fn find(&self, name: &str) -> Option<&Self> {
        let mut open = vec![self];
        while let Some(at) = open.pop() {
            if at.name == name {
                return Some(at);
            }
            open.extend(at.children.iter().rev());
        }
        None
    }
}

fn add(open: &mut [Element], text: &str) {
    if let Some(at) = open.last_mut() {
        at.text.push_str(text);
    }
}

fn bare(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read() {
        let text =
            "<?xml version='1.0'?><a:b x:c=\"1&amp;2\"><d>x&lt;&#xE9;&#x0;<![CDATA[<>]]></d><e/><f><d>y</d></f></a:b>";
        let it = Element::parse(text.as_bytes()).unwrap();
        assert_eq!((it.name.as_str(), it.attribute("c")), ("b", Some("1&2")));
        assert_eq!(it.text_of("d"), Some("x<é\u{FFFD}<>"));
        assert_eq!(it.at(&["f", "d"]).unwrap().text, "y");
        assert_eq!(it.find("f").unwrap().children.len(), 1);
    }

    #[test]
    fn what_is_refused() {
        let deep = format!("{}{}", "<a>".repeat(100), "</a>".repeat(100));
        let many = format!("<a>{}</a>", "<b/>".repeat(MOST + 1));
        let bomb = "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>";
        for text in ["", "no", "<a>", "<a></b>", "<a b></a>", bomb, &deep, &many] {
            assert!(Element::parse(text.as_bytes()).is_none(), "{}", &text[..text.len().min(80)]);
        }
        assert!(Element::parse(b"<a>\xFF</a>").is_none());
    }
}
