//! The items of a folder: what they are found by, read back and deleted.

use super::client::{Ews, first};
use super::document::Document;
use super::element::Element;
use super::folders::{FolderId, folder_id};
use super::refusal::{Meaning, Refusal};
use crate::error::Result;
use crate::mapi::Guid;
use std::time::Duration;

/// Items of one page, which is the most that Exchange gives.
const PAGE: usize = 1000;
/// Items of a folder at most.
const MOST: usize = 10_000_000;

/// An item of a mailbox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ItemId {
    /// Its id.
    pub id: String,
    /// What stands for its state.
    pub change_key: String,
}

impl ItemId {
    /// The ItemId inside an element.
    pub(super) fn of(element: &Element) -> Option<Self> {
        let found = element.find("ItemId")?;
        Some(Self {
            id: found.attribute("Id")?.to_owned(),
            change_key: found.attribute("ChangeKey").unwrap_or_default().to_owned(),
        })
    }

    pub(super) fn write(&self, it: &mut Document<'_>) {
        let mut attributes = vec![("Id", self.id.as_str())];
        if !self.change_key.is_empty() {
            attributes.push(("ChangeKey", &self.change_key));
        }
        it.empty("t:ItemId", &attributes);
    }
}

/// A property, as it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// One by its id (below 0x8000), and its type ("String").
    Tag(u16, &'static str),
    /// A string by property set and name.
    Named(&'static str, &'static str),
}

/// What this program finds its items by.
pub const KEY: Field = Field::Named("5ea1fbd5-4f4e-4bd0-9e39-1dbb7a8d2f60", "PstItem");

/// PidTagInternetMessageId.
pub(super) const MESSAGE_ID: Field = Field::Tag(0x1035, "String");
/// PidTagSearchKey.
const SEARCH_KEY: Field = Field::Tag(0x300B, "Binary");

impl Field {
    pub(super) fn write(self, it: &mut Document<'_>) {
        match self {
            Self::Tag(tag, ty) => {
                let tag = format!("0x{tag:04X}");
                it.empty("t:ExtendedFieldURI", &[("PropertyTag", &tag), ("PropertyType", ty)]);
            }
            Self::Named(set, name) => {
                let attributes = [("PropertySetId", set), ("PropertyName", name), ("PropertyType", "String")];
                it.empty("t:ExtendedFieldURI", &attributes);
            }
        }
    }

    /// Property set and name of one that has a name.
    pub(super) fn named(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Named(set, name) => Some((set, name)),
            Self::Tag(..) => None,
        }
    }

    /// An ExtendedProperty of this field.
    pub(super) fn set(self, it: &mut Document<'_>, value: &str) {
        it.element("t:ExtendedProperty", &[], |it| {
            self.write(it);
            it.text("t:Value", &[], value);
        });
    }

    /// True for an ExtendedFieldURI of this field. Servers write numbers in their own ways.
    fn is(self, uri: &Element) -> bool {
        let attribute = |name| uri.attribute(name).unwrap_or_default();
        match self {
            Self::Tag(tag, _) => {
                let said = attribute("PropertyTag");
                let number = match said.strip_prefix("0x").or_else(|| said.strip_prefix("0X")) {
                    Some(digits) => u16::from_str_radix(digits, 16).ok(),
                    None => said.parse().ok(),
                };
                number == Some(tag)
            }
            Self::Named(set, name) => {
                attribute("PropertySetId").eq_ignore_ascii_case(set) && attribute("PropertyName") == name
            }
        }
    }

    /// Its value in an item.
    pub fn of(self, item: &Element) -> Option<&str> {
        let properties = item.children.iter().filter(|c| c.name == "ExtendedProperty");
        let mut mine = properties.filter(|p| p.child("ExtendedFieldURI").is_some_and(|uri| self.is(uri)));
        mine.next()?.text_of("Value")
    }
}

/// A property set from its text form ([MS-DTYP] 2.3.4.3).
pub(super) fn guid(text: &str) -> Option<Guid> {
    uuid::Uuid::parse_str(text).ok().map(|set| Guid(set.to_bytes_le()))
}

/// What an item is found by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Probe {
    /// The item.
    pub item: ItemId,
    /// What this program has given it ([`KEY`]).
    pub key: Option<String>,
    /// PidTagInternetMessageId.
    pub message_id: Option<String>,
    /// PidTagSearchKey, base64.
    pub search_key: Option<String>,
}

/// The elements of items in a response message.
fn items(message: &Element) -> impl Iterator<Item = &Element> {
    message.find("Items").into_iter().flat_map(|items| &items.children)
}

impl Ews {
    /// What the items of a folder are found by; `associated` for those that are hidden, and `only` for those of one value.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub fn probes(
        &mut self,
        folder: FolderId<'_>,
        associated: bool,
        only: Option<(Field, &str)>,
    ) -> Result<Vec<Probe>> {
        let mailbox = self.shared();
        let traversal = if associated { "Associated" } else { "Shallow" };
        let mut found: Vec<Probe> = Vec::new();
        let mut offset = 0;
        loop {
            let messages = self.must("FindItem", |it| {
                it.element("m:FindItem", &[("Traversal", traversal)], |it| {
                    it.element("m:ItemShape", &[], |it| wanted(it, false, &[KEY, MESSAGE_ID, SEARCH_KEY]));
                    let (page, at) = (PAGE.to_string(), offset.to_string());
                    let view = [("MaxEntriesReturned", page.as_str()), ("Offset", &at), ("BasePoint", "Beginning")];
                    it.empty("m:IndexedPageItemView", &view);
                    if let Some((field, value)) = only {
                        it.element("m:Restriction", &[], |it| equal(it, field, value));
                    }
                    it.element("m:ParentFolderIds", &[], |it| folder_id(it, folder, mailbox.as_deref()));
                });
            })?;
            let message = first(messages).map_err(|r| r.error())?;
            let before = offset;
            for item in items(&message) {
                offset += 1;
                let value = |field: Field| field.of(item).map(str::to_owned);
                let (key, message_id, search_key) = (value(KEY), value(MESSAGE_ID), value(SEARCH_KEY));
                found.extend(ItemId::of(item).map(|item| Probe { item, key, message_id, search_key }));
            }
            let more =
                message.child("RootFolder").and_then(|r| r.attribute("IncludesLastItemInRange")) == Some("false");
            if !more || offset == before || offset > MOST {
                return Ok(found);
            }
        }
    }

    /// Items with properties of them, in the order of their ids; with their MIME where that is wanted.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn get(
        &mut self,
        ids: &[ItemId],
        mime: bool,
        fields: &[Field],
    ) -> Result<Vec<std::result::Result<Element, Refusal>>> {
        let messages = self.must("GetItem", |it| {
            it.element("m:GetItem", &[], |it| {
                it.element("m:ItemShape", &[], |it| wanted(it, mime, fields));
                it.element("m:ItemIds", &[], |it| ids.iter().for_each(|id| id.write(it)));
            });
        })?;
        let item = |message: Element| items(&message).next().cloned().ok_or_else(Refusal::silence);
        Ok(each(ids.len(), messages, item))
    }

    /// An item as Exchange exports it; the refusal stands inside.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn export(&mut self, id: &ItemId) -> Result<std::result::Result<Vec<u8>, Refusal>> {
        let (asked, mut data) = self.ask_for_data("ExportItems", |it| {
            it.element("m:ExportItems", &[], |it| it.element("m:ItemIds", &[], |it| id.write(it)));
        })?;
        // "=== Truncated Data ===", says Microsoft, is over in a while.
        let again = || Refusal {
            code: "truncated".to_owned(),
            words: "the server has cut the item short".to_owned(),
            meaning: Meaning::Again(Duration::ZERO),
        };
        let decoded = |_: Element| {
            data.retain(|b| !b.is_ascii_whitespace());
            if data.is_empty() {
                return Err(Refusal::silence());
            }
            let length = base64_simd::STANDARD.decode_inplace(&mut data).map_err(|_| again())?.len();
            data.truncate(length);
            Ok(data)
        };
        Ok(asked.and_then(first).and_then(decoded))
    }

    /// Deletes items in such a way that their owner can get them back; a refusal for each that stays.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn delete(&mut self, ids: &[ItemId]) -> Result<Vec<std::result::Result<(), Refusal>>> {
        let attributes = [
            ("DeleteType", "SoftDelete"),
            ("SendMeetingCancellations", "SendToNone"),
            ("AffectedTaskOccurrences", "AllOccurrences"),
        ];
        let messages = self.must("DeleteItem", |it| {
            it.element("m:DeleteItem", &attributes, |it| {
                it.element("m:ItemIds", &[], |it| ids.iter().for_each(|id| id.write(it)));
            });
        })?;
        Ok(each(ids.len(), messages, |_| Ok(())))
    }
}

/// What each of `count` things brought that were asked for at once.
pub(super) fn each<T>(
    count: usize,
    messages: Vec<Element>,
    taken: impl Fn(Element) -> std::result::Result<T, Refusal>,
) -> Vec<std::result::Result<T, Refusal>> {
    let mut messages = messages.into_iter();
    let mut one = || {
        let message = messages.next().ok_or_else(Refusal::silence)?;
        Refusal::of(&message).map_or_else(|| taken(message), Err)
    };
    (0..count).map(|_| one()).collect()
}

/// The content of an ItemShape.
fn wanted(it: &mut Document<'_>, mime: bool, fields: &[Field]) {
    it.text("t:BaseShape", &[], "IdOnly");
    if mime {
        it.text("t:IncludeMimeContent", &[], "true");
    }
    if !fields.is_empty() {
        it.element("t:AdditionalProperties", &[], |it| fields.iter().for_each(|field| field.write(it)));
    }
}

fn equal(it: &mut Document<'_>, field: Field, value: &str) {
    it.element("t:IsEqualTo", &[], |it| {
        field.write(it);
        it.element("t:FieldURIOrConstant", &[], |it| it.empty("t:Constant", &[("Value", value)]));
    });
}
