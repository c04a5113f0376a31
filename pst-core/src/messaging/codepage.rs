//! The code page of 8-bit strings that do not say theirs: folder names of ANSI stores, and old messages.

use super::store::Store;
use crate::ltp::PropContext;
use crate::mapi::{Attachment, Message, PropBag, Value, codepage, tag};
use crate::ndb::{Nid, nid_type};
use std::collections::BTreeMap;

/// What stands for western languages, and where nothing is known.
const WESTERN: u32 = 1252;
/// Messages that are asked what their code page is.
const ASKED: usize = 1000;

impl Store {
    /// The same store, whose 8-bit strings are in this code page where they do not say theirs.
    #[must_use]
    pub fn with_codepage(self, page: u32) -> Self {
        // A store that was asked already keeps what it said.
        let _ = self.codepage.set(page);
        self
    }

    /// The code page of 8-bit strings that do not say theirs: the one that was given, else the one that most messages
    /// name, in their code page, their language or their Internet charset.
    pub fn codepage(&self) -> u32 {
        *self.codepage.get_or_init(|| self.vote().unwrap_or(WESTERN))
    }

    fn vote(&self) -> Option<u32> {
        let mut votes: [BTreeMap<u32, u32>; 3] = Default::default();
        let messages = self.ndb().nodes().flatten().filter(|n| n.nid.ty() == nid_type::NORMAL_MESSAGE);
        for node in messages.take(ASKED) {
            let Ok(pc) = PropContext::open(self.ndb(), node.data, node.sub) else { continue };
            let number = |t: crate::mapi::PropTag| {
                pc.get(t.id()).ok().flatten().and_then(|v| v.as_i32()).and_then(|n| u32::try_from(n).ok())
            };
            let pages = [
                number(tag::MESSAGE_CODEPAGE).filter(|p| codepage::is_ascii_based(*p) && *p != 65001),
                number(tag::MESSAGE_LOCALE_ID).filter(|l| *l != 0).map(codepage::of_locale),
                number(tag::INTERNET_CODEPAGE).and_then(codepage::windows_of),
            ];
            for (page, votes) in pages.into_iter().zip(&mut votes) {
                if let Some(page) = page {
                    *votes.entry(page).or_default() += 1;
                }
            }
        }
        votes.iter().find(|v| !v.is_empty())?.iter().max_by_key(|(_, n)| **n).map(|(page, _)| *page)
    }

    /// Gives a message the code page of its store, where it has 8-bit strings that need one and names none.
    pub(super) fn settle(&self, message: &mut Message) {
        let needs = |bag: &PropBag| bag.0.iter().any(|p| is_foreign(&p.value));
        let in_attachments = |a: &Attachment| needs(&a.props);
        if message.props.i32(tag::MESSAGE_CODEPAGE).is_none()
            && (needs(&message.props)
                || message.recipients.iter().any(needs)
                || message.attachments.iter().any(in_attachments))
        {
            let page = self.codepage();
            if page != WESTERN {
                message.props.set(tag::MESSAGE_CODEPAGE, Value::I32(page as i32));
            }
        }
    }

    /// Makes the 8-bit strings of a folder or store Unicode, where they are not in the western code page.
    pub(super) fn texts(&self, mut bag: PropBag) -> PropBag {
        for prop in bag.0.iter_mut().filter(|p| is_foreign(&p.value)) {
            if let Value::String8(bytes) = &prop.value
                && self.codepage() != WESTERN
            {
                prop.value = Value::text(&codepage::decode(self.codepage(), bytes));
                prop.tag = crate::mapi::PropTag::new(prop.tag.id(), crate::mapi::PropType::STRING);
            }
        }
        bag
    }

    /// The text of a string of an item whose own code page is `own`.
    pub(super) fn text_of(&self, value: &Value, own: Option<u32>) -> Option<String> {
        match value {
            Value::String8(bytes) if !bytes.is_ascii() => {
                Some(codepage::decode(own.unwrap_or_else(|| self.codepage()), bytes))
            }
            other => other.to_text(),
        }
    }
}

/// True for 8-bit strings that mean something else in another code page.
fn is_foreign(value: &Value) -> bool {
    match value {
        Value::String8(bytes) => !bytes.is_ascii(),
        _ => false,
    }
}

impl Store {
    /// The properties of a folder, its texts in Unicode.
    ///
    /// # Errors
    /// As [`Store::node_props`].
    pub(super) fn folder_props(&self, nid: Nid) -> crate::Result<PropBag> {
        self.node_props(nid).map(|bag| self.texts(bag))
    }
}
