//! The items of a folder: what they are found by, read back and deleted.

use super::client::{Graph, LONGEST, Said, encoded};
use super::letter::{PROBE, UNFINISHED};
use crate::endpoint::ews::prepare::{of_message_id, probes};
use crate::endpoint::ews::{Field, ItemId, KEY, Probe};
use crate::endpoint::net::http::{Body, base64_length};
use crate::error::{Error, Kind, Result};
use serde_json::{Value, json};
use std::collections::HashMap;

/// Items of a page.
const PAGE: usize = 100;
/// Items of a folder at most.
const MOST: usize = 10_000_000;
/// Items of one export at most, which is what Graph allows.
pub(super) const EXPORTED: usize = 20;

/// The value of what is true.
pub(super) const YES: &str = "yes";
/// PidTagInternetMessageId and PidTagSearchKey as Graph calls them.
pub(super) const MESSAGE_ID: &str = "String 0x1035";
const SEARCH_KEY: &str = "Binary 0x300B";

/// A named property of this program as Graph calls it.
pub(super) fn own(name: &str) -> String {
    let set = match KEY {
        Field::Named(set, _) => set,
        Field::Tag(..) => "",
    };
    format!("String {{{set}}} Name {name}")
}

/// What this program finds its items by ([`KEY`]).
fn key() -> String {
    match KEY {
        Field::Named(_, name) => own(name),
        Field::Tag(..) => String::new(),
    }
}

/// The part of a query that asks for properties.
pub(super) fn expand(properties: &[&str]) -> String {
    let filter: Vec<String> = properties.iter().map(|p| format!("id eq '{p}'")).collect();
    format!("$expand=singleValueExtendedProperties($filter={})", encoded(&filter.join(" or ")))
}

/// A property of an item that was asked for.
pub(super) fn property<'v>(item: &'v Value, id: &str) -> Option<&'v str> {
    let all = item.get("singleValueExtendedProperties")?.as_array()?;
    let mine = |p: &&Value| p.get("id").and_then(Value::as_str).is_some_and(|said| is_same(said, id));
    all.iter().find(mine)?.get("value")?.as_str()
}

/// True for two ids of one property: "String 0x0E1D" may come back as "String 0xe1d".
fn is_same(one: &str, other: &str) -> bool {
    let number = |id: &str| {
        let (ty, tag) = id.split_once(' ')?;
        let tag = tag.to_ascii_lowercase();
        Some((ty.to_ascii_lowercase(), u16::from_str_radix(tag.strip_prefix("0x")?, 16).ok()?))
    };
    one.eq_ignore_ascii_case(other) || number(one).is_some_and(|n| number(other) == Some(n))
}

/// A text of an answer.
pub(super) fn text(of: &Value, name: &str) -> Option<String> {
    of.get(name).and_then(Value::as_str).map(str::to_owned)
}

/// An item of a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Held {
    pub id: String,
    /// What it may be looked for by.
    pub probes: Vec<String>,
    /// Attachments of it never came.
    pub unfinished: bool,
}

impl Held {
    /// An item by what the server says of it; `more` is what it is found by beside what this program has given it.
    pub(super) fn of(item: &Value, more: impl IntoIterator<Item = String>) -> Option<Self> {
        let mut probes: Vec<String> = property(item, &own(PROBE)).map(str::to_owned).into_iter().chain(more).collect();
        probes.sort();
        probes.dedup();
        Some(Self { id: text(item, "id")?, probes, unfinished: property(item, &own(UNFINISHED)) == Some(YES) })
    }

    /// What a mail is found by.
    pub(super) fn of_mail(item: &Value) -> Option<Self> {
        let id = text(item, "internetMessageId").filter(|id| !id.is_empty());
        Self::of(item, id.map(|id| of_message_id(&id)))
    }
}

impl Graph {
    /// The items of a folder, and what they are found by.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub(super) fn items(&mut self, folder: &str) -> Result<Vec<Held>> {
        let (mailbox, key) = (self.mailbox()?, key());
        let wanted = expand(&[MESSAGE_ID, SEARCH_KEY, &key, &own(PROBE), &own(UNFINISHED)]);
        let folder = encoded(folder);
        let path = format!("admin/exchange/mailboxes/{mailbox}/folders/{folder}/items?$top={PAGE}&{wanted}");
        let held = |item: &Value| {
            let value = |id: &str| property(item, id).map(str::to_owned);
            let probe = Probe {
                item: ItemId::default(),
                key: value(&key),
                message_id: value(MESSAGE_ID),
                search_key: value(SEARCH_KEY),
            };
            Held::of(item, probes(&probe))
        };
        Ok(self.pages(&path, MOST)?.iter().filter_map(held).collect())
    }

    /// Items as Exchange exports them, up to 20 by their ids; `bytes` is about what they have together. The refusal stands
    /// inside.
    ///
    /// # Errors
    /// When the connection breaks, or the answer makes no sense.
    pub fn export(&mut self, ids: &[&str], bytes: u64) -> Result<Said<HashMap<String, Vec<u8>>>> {
        let mailbox = self.mailbox()?;
        let path = format!("admin/exchange/mailboxes/{mailbox}/exportItems");
        let body = json!({ "itemIds": ids }).to_string();
        let longest = LONGEST + 2 * base64_length(bytes);
        let answer = self.patiently(|graph| graph.ask_for("POST", &path, Body::from(body.as_str()), longest))?;
        let mut answer = match answer {
            Ok(answer) => answer,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let mut out = HashMap::new();
        for item in answer.get_mut("value").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default() {
            let (Some(id), Some(data)) = (text(&item, "itemId"), item.get("data").and_then(Value::as_str)) else {
                continue;
            };
            let wrong = |_| Error::new(Kind::Server, "an item that the server has exported is no base64");
            out.insert(id, base64_simd::STANDARD.decode_to_vec(data).map_err(wrong)?);
        }
        Ok(Ok(out))
    }

    /// Deletes an item, which can be recovered for as long as the mailbox keeps such; the refusal stands inside.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn delete_item(&mut self, folder: &str, id: &str) -> Result<Said<()>> {
        let (mailbox, folder, id) = (self.mailbox()?, encoded(folder), encoded(id));
        let path = format!("admin/exchange/mailboxes/{mailbox}/folders/{folder}/items/{id}?disposalType=softDelete");
        Ok(self.patiently(|graph| graph.ask("DELETE", &path, Body::default()))?.map(drop))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_of_items() {
        let asked = expand(&["String 0x1035", &own("X")]);
        assert!(
            asked.starts_with("$expand=singleValueExtendedProperties($filter=id%20eq%20%27String%200x1035%27%20or%20")
        );
        assert!(asked.ends_with("%7D%20Name%20X%27)") && asked.bytes().all(|b| b.is_ascii_graphic()), "{asked}");
        let item = json!({ "singleValueExtendedProperties": [{ "id": "Binary 0x300b", "value": "AA==" }] });
        assert_eq!((property(&item, SEARCH_KEY), property(&item, MESSAGE_ID)), (Some("AA=="), None));
        assert!(is_same("SystemTime 0xe06", "SystemTime 0x0E06") && is_same(&own("X").to_lowercase(), &own("X")));
        assert!(!is_same("SystemTime 0xe06", "Integer 0x0E06") && !is_same(&own("X"), &own("Y")));
    }
}
