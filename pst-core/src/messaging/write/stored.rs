//! The properties of an object on their way into a store: its own ids for names, Unicode strings, one property for an
//! id. Values that stay as they are, are borrowed.

use crate::error::Result;
use crate::ltp::build::PcBuilder;
use crate::ltp::build::heap::MAX_ALLOC;
use crate::mapi::{Blob, Prop, PropBag, PropTag, PropType, Value, codepage};
use crate::ndb::write::{NodeImage, Subnode, TreeImage};
use crate::ndb::{Nid, nid_type};
use std::borrow::Cow;
use std::sync::Arc;

/// Properties in the order in which they are stored.
#[derive(Default)]
pub(super) struct StoredBag<'m>(pub Vec<(PropTag, Cow<'m, Value>)>);

impl<'m> StoredBag<'m> {
    /// The value of a property by its tag.
    pub fn get(&self, tag: PropTag) -> Option<&Value> {
        self.0.iter().find(|(t, _)| *t == tag).map(|(_, v)| &**v)
    }

    /// The value of a property by id, whatever its type.
    pub fn any(&self, id: u16) -> Option<&Value> {
        self.0.iter().find(|(t, _)| t.id() == id).map(|(_, v)| &**v)
    }

    /// The integer of a property by tag.
    pub fn i32(&self, tag: PropTag) -> Option<i32> {
        self.get(tag).and_then(Value::as_i32)
    }

    /// The boolean of a property by tag.
    pub fn bool(&self, tag: PropTag) -> Option<bool> {
        self.get(tag).and_then(Value::as_bool)
    }

    /// The FILETIME of a property by tag.
    pub fn time(&self, tag: PropTag) -> Option<u64> {
        self.get(tag).and_then(Value::as_time)
    }

    /// The in-memory bytes of a binary property by tag.
    pub fn bytes(&self, tag: PropTag) -> Option<&[u8]> {
        self.get(tag).and_then(Value::as_bytes)
    }

    /// The text of a string property by the id of `tag`.
    pub fn text(&self, tag: PropTag) -> Option<String> {
        self.0.iter().filter(|(t, _)| t.id() == tag.id()).find_map(|(_, v)| v.to_text())
    }

    /// Adds a property whose id is not there yet.
    pub fn push(&mut self, tag: PropTag, value: Cow<'m, Value>) {
        self.0.push((tag, value));
    }

    /// Sets a property and removes others of its id: a property context has one of each.
    pub fn set(&mut self, tag: PropTag, value: Value) {
        self.0.retain(|(t, _)| t.id() != tag.id() || *t == tag);
        match self.0.iter_mut().find(|(t, _)| *t == tag) {
            Some((_, old)) => *old = Cow::Owned(value),
            None => self.0.push((tag, Cow::Owned(value))),
        }
    }

    /// Removes every property with an id.
    pub fn remove(&mut self, id: u16) {
        self.0.retain(|(t, _)| t.id() != id);
    }

    /// Removes every property with one of these ids.
    pub fn remove_all(&mut self, ids: &[u16]) {
        self.0.retain(|(t, _)| !ids.contains(&t.id()));
    }

    /// The properties that `wanted` names, owned.
    pub fn only(self, wanted: impl Fn(PropTag) -> bool) -> PropBag {
        let kept = self.0.into_iter().filter(|(t, _)| wanted(*t));
        PropBag(kept.map(|(tag, value)| Prop { tag, name: None, value: value.into_owned() }).collect())
    }

    /// Bytes of the values that will stand in the heap, about.
    pub fn in_heap(&self) -> usize {
        let sizes = self.0.iter().map(|(_, value)| value.size() as usize);
        sizes.filter(|size| (5..=MAX_ALLOC).contains(size)).sum()
    }

    /// Adds all of them to a property context.
    ///
    /// # Errors
    /// When a value cannot be stored.
    pub fn add_to(&self, pc: &mut PcBuilder) -> Result<()> {
        add_all(pc, self.0.iter().map(|(tag, value)| (*tag, &**value)))
    }
}

/// Adds properties whose ids do not repeat.
///
/// # Errors
/// When a value cannot be stored.
pub(super) fn add_all<'v>(pc: &mut PcBuilder, props: impl Iterator<Item = (PropTag, &'v Value)>) -> Result<()> {
    let crypt = pc.overflow().crypt();
    let mut objects = 0;
    for (tag, value) in props {
        if tag.ty() == PropType::OBJECT
            && let Value::Object(blob) = value
        {
            objects += 1;
            let nid = Nid::new(nid_type::OLE_DATA, 0x400 + objects);
            let data = match blob {
                Blob::Bytes(bytes) => TreeImage::of_bytes(bytes, crypt),
                Blob::Stream(s) => TreeImage::Stream(Arc::clone(s)),
            };
            let size = data.size().min(u64::from(u32::MAX)) as u32;
            pc.overflow().subs.push(Subnode { nid, node: NodeImage::leaf(data) });
            pc.add_object(tag.id(), nid.0, size)?;
            continue;
        }
        pc.add(tag.id(), tag.ty(), value)?;
    }
    Ok(())
}

/// Type and value in a Unicode store: 8-bit strings are decoded by the message's code page.
pub(super) fn unicode(prop: &Prop, page: u32) -> (u16, Cow<'_, Value>) {
    match (&prop.value, prop.tag.ty()) {
        (Value::String8(bytes), _) => (PropType::STRING, Cow::Owned(Value::text(&codepage::decode(page, bytes)))),
        (Value::Multi(bytes), ty) if ty == PropType::MULTI | PropType::STRING8 => match Value::multi_parts(bytes) {
            Some(parts) => {
                let texts: Vec<String> = parts.iter().map(|p| codepage::decode(page, p)).collect();
                (PropType::MULTI | PropType::STRING, Cow::Owned(Value::texts(&texts)))
            }
            None => (ty, Cow::Borrowed(&prop.value)),
        },
        (value, ty) => (ty, Cow::Borrowed(value)),
    }
}
