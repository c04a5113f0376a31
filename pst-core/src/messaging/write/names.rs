//! Numbers named properties and writes the name-to-id map ([MS-PST] 2.4.7).

use crate::error::{Error, Kind, Result};
use crate::ltp::build::PcBuilder;
use crate::mapi::named::{PS_PUBLIC_STRINGS, PSETID_COMMON, PSETID_TASK};
use crate::mapi::{NamedProp, PropType, Value, namemap};
use crate::ndb::Crypt;
use crate::ndb::crc::crc;
use crate::ndb::write::NodeImage;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

/// Buckets of the map; Outlook's number.
const BUCKETS: u32 = 251;

/// The named properties of a store being written: each name's id.
#[derive(Debug, Clone)]
pub struct Names {
    ids: HashMap<NamedProp, u16>,
    order: Vec<NamedProp>,
}

/// The names of a store being written, shared with the threads that build its messages. A name that one of them finds
/// keeps its id; only the writer, which goes by the order of the items, numbers new ones.
#[derive(Debug, Clone, Default)]
pub struct SharedNames(Arc<RwLock<Names>>);

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
        let mut new = Self { ids: HashMap::new(), order: Vec::new() };
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

    /// The id of a name, numbering it if it is new.
    ///
    /// # Errors
    /// [`Kind::Limit`] when all 32,767 ids are taken.
    pub fn register(&mut self, name: &NamedProp) -> Result<u16> {
        if let Some(id) = self.ids.get(name) {
            return Ok(*id);
        }
        if self.order.len() >= namemap::MOST {
            return Err(Error::new(
                Kind::Limit,
                format!("a store has no room for more than {} named properties", namemap::MOST),
            ));
        }
        let id = 0x8000 + self.order.len() as u16;
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
        let streams = namemap::streams(self.order.iter(), BUCKETS, crc);
        let mut pc = PcBuilder::new(crypt, 4 + streams.buckets.len())?;
        pc.add(1, PropType::INTEGER32, &Value::I32(BUCKETS as i32))?;
        pc.add(2, PropType::BINARY, &Value::binary(streams.guids))?;
        pc.add(3, PropType::BINARY, &Value::binary(streams.entries))?;
        pc.add(4, PropType::BINARY, &Value::binary(streams.strings))?;
        for (bucket, bytes) in streams.buckets {
            pc.add(0x1000 + bucket, PropType::BINARY, &Value::binary(bytes))?;
        }
        pc.finish(None, Vec::new()).map(|(image, _)| image)
    }
}
