//! The name-to-id map ([MS-PST] 2.4.7).

use crate::error::Result;
use crate::ltp::PropContext;
use crate::ltp::bth::number;
use crate::mapi::named::{PS_MAPI, PS_PUBLIC_STRINGS};
use crate::mapi::{Guid, Name, NamedProp, Value};
use crate::ndb::{Ndb, Nid};
use std::collections::HashMap;
use std::sync::Arc;

/// Streams of the map are not longer than this: 32,767 names of 256 characters.
const MAX_STREAM: u64 = 32 << 20;

/// Which name each property id from 0x8000 stands for in one store.
#[derive(Debug, Clone, Default)]
pub struct NameMap(HashMap<u16, Arc<NamedProp>>);

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
                Some(Value::Binary(blob)) => blob.to_vec(MAX_STREAM),
                _ => Ok(Vec::new()),
            }
        };
        let (guids, entries, strings) = (stream(2)?, stream(3)?, stream(4)?);
        for entry in entries.chunks_exact(8) {
            let (id, rest) = entry.split_at(4);
            let (kind, index) = rest.split_at(2);
            let (id, kind, index) = (number(id) as u32, number(kind) as u16, number(index) as u16);
            let guid = match kind >> 1 {
                0 => Some(Guid::default()),
                1 => Some(PS_MAPI),
                2 => Some(PS_PUBLIC_STRINGS),
                k => {
                    let at = usize::from(k - 3) * 16;
                    guids.get(at..at + 16).and_then(|g| g.try_into().ok()).map(Guid)
                }
            };
            let name = if kind & 1 == 0 { Some(Name::Id(id)) } else { text(&strings, id as usize).map(Name::Text) };
            if let (Some(guid), Some(name), Some(id)) = (guid, name, 0x8000u16.checked_add(index)) {
                out.0.insert(id, Arc::new(NamedProp { guid, name }));
            }
        }
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

/// The string at an offset of the string stream: a length in bytes, then UTF-16.
fn text(strings: &[u8], at: usize) -> Option<Vec<u16>> {
    let len = number(strings.get(at..at.checked_add(4)?)?) as usize;
    let bytes = strings.get(at + 4..(at + 4).checked_add(len)?)?;
    Some(bytes.chunks_exact(2).map(|c| number(c) as u16).collect())
}
