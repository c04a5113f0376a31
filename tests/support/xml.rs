//! XML for the test servers: a tree, and text that is safe in it.

use quick_xml::Reader;
use quick_xml::events::Event;

/// An element: its name without prefix, its attributes, what is in it.
#[derive(Debug, Default, Clone)]
pub struct Node {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub text: String,
    pub children: Vec<Node>,
}

impl Node {
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|e| e.to_string())?;
        let mut reader = Reader::from_str(text);
        let mut open = vec![Node::default()];
        loop {
            match reader.read_event().map_err(|e| e.to_string())? {
                Event::Start(s) => open.push(Self::begun(&s)?),
                Event::Empty(s) => {
                    let node = Self::begun(&s)?;
                    open.last_mut().unwrap().children.push(node);
                }
                Event::End(_) => {
                    let node = open.pop().unwrap();
                    open.last_mut().unwrap().children.push(node);
                }
                Event::Text(t) => open.last_mut().unwrap().text += &t.xml10_content(),
                Event::GeneralRef(r) => {
                    let c = match r.resolve_char_ref().map_err(|e| e.to_string())? {
                        Some(c) => c.to_string(),
                        None => quick_xml::escape::resolve_xml_entity(&r.into_inner()).unwrap().to_owned(),
                    };
                    open.last_mut().unwrap().text += &c;
                }
                Event::Eof => break,
                _ => {}
            }
        }
        let top = open.pop().unwrap().children;
        top.into_iter().next().ok_or_else(|| "no element".into())
    }

    fn begun(s: &quick_xml::events::BytesStart<'_>) -> Result<Self, String> {
        let bare = |name: &str| name.rsplit(':').next().unwrap().to_owned();
        let mut node = Self { name: bare(s.name().as_ref()), ..Self::default() };
        for attribute in s.attributes() {
            let a = attribute.map_err(|e| e.to_string())?;
            let value = a.normalized_value(quick_xml::XmlVersion::Implicit1_0).map_err(|e| e.to_string())?;
            node.attributes.push((bare(a.key.as_ref()), value.into_owned()));
        }
        Ok(node)
    }

    pub fn child(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|c| c.name == name)
    }

    pub fn at(&self, path: &str) -> Option<&Node> {
        path.split('/').try_fold(self, |at, name| at.child(name))
    }

    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Every element of a name in it.
    pub fn all<'a>(&'a self, name: &str, out: &mut Vec<&'a Node>) {
        if self.name == name {
            out.push(self);
        }
        self.children.iter().for_each(|c| c.all(name, out));
    }
}

pub fn safe(text: &str) -> String {
    text.chars()
        .filter(|c| *c >= ' ' || "\t\r\n".contains(*c))
        .collect::<String>()
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
