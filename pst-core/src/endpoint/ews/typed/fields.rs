//! The properties of an item, each marked once an element says it.

use crate::mapi::named::PS_PUBLIC_STRINGS;
use crate::mapi::{Lid, NamedProp, Prop, PropBag, Value, codepage, time};
use std::cell::RefCell;

/// The last second that a time may mean; later ones stand for "no time" ([MS-OXOTASK] 2.2.1).
const LAST: i64 = 79_870_665_600;

pub(super) struct Fields<'a> {
    props: &'a PropBag,
    pub page: u32,
    said: RefCell<Vec<bool>>,
}

impl<'a> Fields<'a> {
    pub fn new(props: &'a PropBag) -> Self {
        Self { props, page: codepage::of_item(props), said: RefCell::new(vec![false; props.0.len()]) }
    }

    fn find(&self, fits: impl Fn(&Prop) -> bool) -> Option<&'a Value> {
        let mut said = self.said.borrow_mut();
        let mut found = None;
        for (prop, said) in self.props.0.iter().zip(said.iter_mut()).filter(|(prop, _)| fits(prop)) {
            *said = true;
            found = found.or(Some(&prop.value));
        }
        found
    }

    /// A property by its id, whatever its type.
    pub fn tag(&self, id: u16) -> Option<&'a Value> {
        self.find(|p| p.tag.id() == id && p.name.is_none())
    }

    pub fn lid(&self, lid: Lid) -> Option<&'a Value> {
        let name = lid.name();
        self.find(|p| p.name.as_deref() == Some(&name))
    }

    /// The categories.
    pub fn keywords(&self) -> Vec<String> {
        let name = NamedProp::text(PS_PUBLIC_STRINGS, "Keywords");
        texts(self.find(|p| p.name.as_deref() == Some(&name)))
    }

    /// Marks what elements say otherwise.
    pub fn hide(&self, ids: &[u16], lids: &[Lid]) {
        for id in ids {
            self.tag(*id);
        }
        for lid in lids {
            self.lid(*lid);
        }
    }

    pub fn string(&self, value: &Value) -> Option<String> {
        text(value, self.page)
    }

    /// A text, if it is not empty.
    pub fn text(&self, id: u16) -> Option<String> {
        self.tag(id).and_then(|v| self.string(v)).filter(|t| !t.is_empty())
    }

    pub fn text_of(&self, lid: Lid) -> Option<String> {
        self.lid(lid).and_then(|v| self.string(v)).filter(|t| !t.is_empty())
    }

    pub fn number(&self, lid: Lid) -> Option<i32> {
        self.lid(lid).and_then(Value::as_i32)
    }

    pub fn is(&self, lid: Lid) -> bool {
        self.lid(lid).and_then(Value::as_bool) == Some(true)
    }

    pub fn bytes(&self, lid: Lid) -> Option<&'a [u8]> {
        self.lid(lid).and_then(Value::as_bytes)
    }

    /// A time as the schema has it.
    pub fn moment(&self, lid: Lid) -> Option<String> {
        self.lid(lid).and_then(Value::as_time).and_then(moment)
    }

    pub fn moment_of(&self, id: u16) -> Option<String> {
        self.tag(id).and_then(Value::as_time).and_then(moment)
    }

    /// What no element says.
    pub fn rest(&self) -> Vec<&'a Prop> {
        self.props.0.iter().zip(self.said.borrow().iter()).filter(|(_, said)| !**said).map(|(prop, _)| prop).collect()
    }
}

/// The texts of a PtypMultipleString.
pub(super) fn texts(value: Option<&Value>) -> Vec<String> {
    let Some(Value::Multi(bytes)) = value else { return Vec::new() };
    let parts = Value::multi_parts(bytes).unwrap_or_default();
    parts.into_iter().filter_map(|p| Value::Unicode(p.to_vec()).to_text()).collect()
}

/// A text in whatever type it is stored.
pub(super) fn text(value: &Value, page: u32) -> Option<String> {
    let text = match value {
        Value::String8(bytes) => codepage::decode(page, bytes),
        value => value.to_text()?,
    };
    Some(text.trim_end_matches('\0').to_owned())
}

/// A FILETIME as xs:dateTime; `None` for what stands for no time.
pub(super) fn moment(filetime: u64) -> Option<String> {
    let fits = filetime != 0 && time::to_unix(filetime) < LAST;
    time::to_timestamp(filetime).filter(|_| fits).map(|t| t.to_string())
}
