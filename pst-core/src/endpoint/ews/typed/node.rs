//! Elements that are made before they are written, because the schema has extended properties stand before them.

use crate::endpoint::ews::document::Document;

/// An element.
#[derive(Debug, Clone, Default)]
pub(super) struct Node {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    text: String,
    children: Vec<Node>,
}

impl Node {
    pub fn text(name: &'static str, text: impl Into<String>) -> Self {
        Self { name, text: text.into(), ..Self::default() }
    }

    pub fn of(name: &'static str, children: Vec<Self>) -> Self {
        Self { name, children, ..Self::default() }
    }

    pub fn with(mut self, attribute: &'static str, value: impl Into<String>) -> Self {
        self.attributes.push((attribute, value.into()));
        self
    }

    /// One that is left out where it has nothing in it.
    pub fn some(name: &'static str, children: Vec<Self>) -> Option<Self> {
        (!children.is_empty()).then(|| Self::of(name, children))
    }

    /// A list of texts (ArrayOfStringsType).
    pub fn strings(name: &'static str, texts: Vec<String>) -> Option<Self> {
        Self::some(name, texts.into_iter().map(|t| Self::text("t:String", t)).collect())
    }

    pub fn write(&self, it: &mut Document<'_>) {
        let attributes: Vec<(&str, &str)> = self.attributes.iter().map(|(n, v)| (*n, v.as_str())).collect();
        if self.children.is_empty() {
            return it.text(self.name, &attributes, &self.text);
        }
        it.element(self.name, &attributes, |it| self.children.iter().for_each(|child| child.write(it)));
    }
}
