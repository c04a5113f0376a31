//! Numbers named properties and writes the name-to-id map ([MS-PST] 2.4.7).

use crate::error::{Error, Kind, Result};
use crate::ltp::build::PcBuilder;
use crate::mapi::named::{PS_PUBLIC_STRINGS, PSETID_COMMON, PSETID_TASK};
use crate::mapi::namemap::{Map, Streams};
use crate::mapi::{NamedProp, PropBag, PropTag, PropType, Value, namemap};
use crate::ndb::Crypt;
use crate::ndb::crc::crc;
use crate::ndb::write::NodeImage;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

/// Buckets of the map; Outlook's number.
const BUCKETS: u32 = 251;

/// The named properties of a store being written: each name's id.
#[derive(Debug, Clone)]
pub struct Names {
    ids: HashMap<NamedProp, u16>,
    /// Names that are numbered here, in the order of their ids.
    order: Vec<NamedProp>,
    /// The map that was there before, in an existing store.
    base: Option<Box<Base>>,
    /// Columns that contents tables of an existing store have beyond the template.
    columns: Vec<PropTag>,
}

/// The map of an existing store: its numbers stay, and what it holds stays as it is.
#[derive(Debug, Clone)]
struct Base {
    streams: Streams,
    buckets: u32,
    /// Properties of the map that are none of its streams.
    others: PropBag,
    /// Ids in use.
    count: usize,
    names: Map,
}

/// The names of a store being written, shared with the threads that build its messages. A name that one of them finds
/// keeps its id; only the writer, which goes by the order of the items, numbers new ones.
#[derive(Debug, Clone, Default)]
pub struct SharedNames(Arc<RwLock<Names>>);

impl From<Names> for SharedNames {
    fn from(names: Names) -> Self {
        Self(Arc::new(RwLock::new(names)))
    }
}

impl SharedNames {
    /// The names as they are numbered; new ones wait until the guard is dropped.
    pub fn read(&self) -> RwLockReadGuard<'_, Names> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// As [`Names::register`].
    ///
    /// # Errors
    /// As [`Names::register`].
    pub(super) fn register(&self, name: &NamedProp) -> Result<u16> {
        if let Some(id) = self.read().get(name) {
            return Ok(id);
        }
        self.0.write().unwrap_or_else(PoisonError::into_inner).register(name)
    }
}

impl Default for Names {
    fn default() -> Self {
        Self::new()
    }
}

impl Names {
    /// The names that every store of ours has.
    pub fn new() -> Self {
        let mut new = Self { ids: HashMap::new(), order: Vec::new(), base: None, columns: Vec::new() };
        let common = [0x8501, 0x8502, 0x8503, 0x8506, 0x8514, 0x8516, 0x8517, 0x8530, 0x8560, 0x8580, 0x85A4, 0x85BF];
        let task = [0x8101, 0x8102, 0x811C];
        let base = common
            .iter()
            .map(|id| NamedProp::id(PSETID_COMMON, *id))
            .chain(task.iter().map(|id| NamedProp::id(PSETID_TASK, *id)))
            .chain([NamedProp::text(PS_PUBLIC_STRINGS, "Keywords")]);
        for name in base {
            let _ = new.register(&name);
        }
        new
    }

    /// The names of an existing store, from the properties of node 0x61.
    ///
    /// # Errors
    /// When a stream is longer than any is.
    pub(super) fn of_existing(props: PropBag, columns: Vec<PropTag>) -> Result<Self> {
        let stream = |id: u16| match props.any(id) {
            Some(Value::Binary(blob)) => blob.to_vec(namemap::LONGEST),
            _ => Ok(Vec::new()),
        };
        let mut streams =
            Streams { guids: stream(2)?, entries: stream(3)?, strings: stream(4)?, buckets: BTreeMap::new() };
        let buckets = props.i32(PropTag(0x0001_0003)).and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0);
        let buckets = buckets.unwrap_or(BUCKETS).min(0x7000);
        let mut others = PropBag::default();
        for prop in props.0 {
            match prop.tag.id() {
                1..=4 => {}
                id if id >= 0x1000 && u32::from(id) < 0x1000 + buckets => {
                    if let Value::Binary(blob) = &prop.value {
                        streams.buckets.insert(id - 0x1000, blob.to_vec(namemap::LONGEST)?);
                    }
                }
                _ => others.0.push(prop),
            }
        }
        let names = namemap::parse(&streams.guids, &streams.entries, &streams.strings);
        let highest = names.keys().map(|id| usize::from(id - 0x8000) + 1).max().unwrap_or_default();
        let count = highest.max(streams.entries.len() / 8);
        let mut ids = HashMap::with_capacity(names.len());
        for (id, name) in &names {
            let known = ids.entry((**name).clone()).or_insert(*id);
            *known = *id.min(known);
        }
        Ok(Self {
            ids,
            order: Vec::new(),
            base: Some(Box::new(Base { streams, buckets, others, count, names })),
            columns,
        })
    }

    /// The name of an id.
    pub(super) fn name(&self, id: u16) -> Option<Arc<NamedProp>> {
        if let Some(name) = self.base.as_ref().and_then(|b| b.names.get(&id)) {
            return Some(Arc::clone(name));
        }
        let index = usize::from(id).checked_sub(0x8000 + self.before())?;
        self.order.get(index).cloned().map(Arc::new)
    }

    /// Ids that were in use before.
    fn before(&self) -> usize {
        self.base.as_ref().map_or(0, |b| b.count)
    }

    /// Names that are numbered here.
    pub(super) fn added(&self) -> usize {
        self.order.len()
    }

    /// True for a column that some contents table of the store has beyond the template.
    pub(super) fn is_column(&self, tag: PropTag) -> bool {
        self.columns.contains(&tag)
    }

    /// The id of a name, numbering it if it is new.
    ///
    /// # Errors
    /// [`Kind::Limit`] when all 32,767 ids are taken.
    pub fn register(&mut self, name: &NamedProp) -> Result<u16> {
        if let Some(id) = self.ids.get(name) {
            return Ok(*id);
        }
        if self.before() + self.order.len() >= namemap::MOST {
            return Err(Error::new(
                Kind::Limit,
                format!("a store has no room for more than {} named properties", namemap::MOST),
            ));
        }
        let id = 0x8000 + (self.before() + self.order.len()) as u16;
        self.ids.insert(name.clone(), id);
        self.order.push(name.clone());
        Ok(id)
    }

    /// The id of a name.
    pub fn get(&self, name: &NamedProp) -> Option<u16> {
        self.ids.get(name).copied()
    }

    /// The PC of node 0x61.
    ///
    /// # Errors
    /// As [`PcBuilder::add`].
    pub fn image(&self, crypt: Crypt) -> Result<NodeImage> {
        let (mut streams, buckets, others) = match self.base.as_deref() {
            Some(base) => (base.streams.clone(), base.buckets, base.others.0.as_slice()),
            None => (Streams::default(), BUCKETS, [].as_slice()),
        };
        streams.extend(self.before(), self.order.iter(), buckets, crc);
        let mut pc = PcBuilder::new(crypt, 4 + streams.buckets.len() + others.len())?;
        pc.add(1, PropType::INTEGER32, &Value::I32(buckets as i32))?;
        pc.add(2, PropType::BINARY, &Value::binary(streams.guids))?;
        pc.add(3, PropType::BINARY, &Value::binary(streams.entries))?;
        pc.add(4, PropType::BINARY, &Value::binary(streams.strings))?;
        for (bucket, bytes) in streams.buckets {
            pc.add(0x1000 + bucket, PropType::BINARY, &Value::binary(bytes))?;
        }
        for prop in others {
            pc.add(prop.tag.id(), prop.tag.ty(), &prop.value)?;
        }
        pc.finish(None, Vec::new()).map(|(image, _)| image)
    }
}
