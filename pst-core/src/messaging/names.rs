//! The name-to-id map ([MS-PST] 2.4.7).

use crate::error::Result;
use crate::ltp::PropContext;
use crate::mapi::namemap::{self, Map};
use crate::mapi::{NamedProp, Value};
use crate::ndb::{Ndb, Nid};
use std::sync::Arc;

/// Which name each property id from 0x8000 stands for in one store.
#[derive(Debug, Clone, Default)]
pub struct NameMap(Map);

impl NameMap {
    /// Reads the map; entries that point nowhere are left out, and their ids stay unresolved.
    ///
    /// # Errors
    /// When the node or one of its streams cannot be read.
    pub fn read(ndb: &Arc<Ndb>) -> Result<Self> {
        let mut out = Self::default();
        let Some(node) = ndb.node(Nid::NAME_TO_ID_MAP)? else { return Ok(out) };
        let pc = PropContext::open(ndb, node.data, node.sub)?;
        let stream = |id: u16| -> Result<Vec<u8>> {
            match pc.get(id)? {
                Some(Value::Binary(blob)) => blob.to_vec(namemap::LONGEST),
                _ => Ok(Vec::new()),
            }
        };
        let (guids, entries, strings) = (stream(2)?, stream(3)?, stream(4)?);
        out.0 = namemap::parse(&guids, &entries, &strings);
        Ok(out)
    }

    /// The name of an id.
    pub fn get(&self, id: u16) -> Option<&Arc<NamedProp>> {
        self.0.get(&id)
    }

    /// All names, sorted.
    pub fn names(&self) -> Vec<NamedProp> {
        let mut all: Vec<NamedProp> = self.0.values().map(|n| (**n).clone()).collect();
        all.sort();
        all.dedup();
        all
    }
}
