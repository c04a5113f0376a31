//! Contacts and distribution lists: items to vCards (RFC 6350, RFC 2426) and back ([MS-OXVCARD], [MS-OXOCNTC]).

mod effect;
mod export;
mod fields;
mod import;
mod list;
mod photo;
mod verify;

pub use export::{Card, Version};
pub use import::{Directory, read};

use crate::mapi::{Message, tag};
use crate::mime::lines::logical;
use crate::mime::text;
use std::ops::Range;

/// Where the cards of a vCard file in UTF-8 stand, in order.
pub fn index(text: &[u8]) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let (mut depth, mut start) = (0usize, 0);
    for line in logical(text) {
        match line.named(&["BEGIN", "END"]) {
            Some(("BEGIN", name)) if name.eq_ignore_ascii_case("VCARD") => {
                if depth == 0 {
                    start = line.range.start;
                }
                depth += 1;
            }
            Some(("END", name)) if name.eq_ignore_ascii_case("VCARD") && depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    out.push(start..line.range.end);
                }
            }
            _ => {}
        }
    }
    if depth > 0 {
        out.push(start..text.len());
    }
    out
}

/// What an item is in an address book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A contact.
    Contact,
    /// A personal distribution list.
    List,
}

impl Kind {
    /// What a message class is in an address book; classes derived from one are like it.
    pub fn of_class(class: &str) -> Option<Self> {
        let class = class.to_ascii_uppercase();
        let is = |base: &str| class.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        match () {
            () if is("IPM.CONTACT") => Some(Self::Contact),
            () if is("IPM.DISTLIST") => Some(Self::List),
            () => None,
        }
    }

    /// What an item is in an address book.
    pub fn of(message: &Message) -> Option<Self> {
        Self::of_class(&text::get(&message.props, tag::MESSAGE_CLASS, text::page(&message.props))?)
    }

    /// The message class that a card of this kind gets.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Contact => "IPM.Contact",
            Self::List => "IPM.DistList",
        }
    }
}
