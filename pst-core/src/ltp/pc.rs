//! Property contexts ([MS-PST] 2.3.3), and values as PCs and tables store them.

use super::bth::{Bth, number};
use super::heap::{Heap, MAX_VALUE, STREAMED, client, is_hid};
use crate::error::{Error, Kind, Result};
use crate::mapi::value::is_inline;
use crate::mapi::{Blob, PropTag, PropType, Value};
use crate::ndb::{Bid, DataStream, Ndb};
use std::sync::Arc;

/// The PC of a node: its records, whose values are read when asked for.
pub struct PropContext<'a> {
    heap: Heap<'a>,
    records: Vec<Record>,
}

/// One record of a PC ([MS-PST] 2.3.3.3).
#[derive(Debug, Clone, Copy)]
pub struct Record {
    /// Id and type.
    pub tag: PropTag,
    /// The value itself, a HID or a NID, by type.
    pub raw: u32,
}

impl<'a> PropContext<'a> {
    /// Opens the PC of a node given by its data and subnode BIDs.
    ///
    /// # Errors
    /// When the node holds no PC, or its heap or BTH is damaged.
    pub fn open(ndb: &'a Arc<Ndb>, data: Bid, sub: Bid) -> Result<Self> {
        let heap = Heap::open(ndb, data, sub)?;
        if heap.client != client::PC {
            let text = format!("the node holds a structure 0x{:02X}, not properties (0xBC)", heap.client);
            return Err(Error::new(Kind::Damaged, text).within("PC").id(data.0));
        }
        let bth = Bth::read(&heap, heap.root)?;
        if bth.key != 2 || bth.data != 6 {
            return Err(Error::damaged("PC", "the BTH is not one of properties").id(data.0));
        }
        let records = bth
            .iter()
            .map(|(key, data)| {
                let (ty, raw) = data.split_at(2);
                Record { tag: PropTag::new(number(key) as u16, number(ty) as u16), raw: number(raw) as u32 }
            })
            .collect();
        Ok(Self { heap, records })
    }

    /// The heap, with the subnodes of the node.
    pub fn heap(&self) -> &Heap<'a> {
        &self.heap
    }

    /// The records in order of their ids.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The record of an id.
    pub fn record(&self, id: u16) -> Option<Record> {
        self.records.iter().find(|r| r.tag.id() == id).copied()
    }

    /// The value of a record.
    ///
    /// # Errors
    /// When the value cannot be read.
    pub fn value(&self, record: Record) -> Result<Value> {
        value(&self.heap, record.tag.ty(), record.raw).map_err(|e| named(&e, record.tag))
    }

    /// The value of an id, if it is there.
    ///
    /// # Errors
    /// When the value cannot be read.
    pub fn get(&self, id: u16) -> Result<Option<Value>> {
        self.record(id).map(|r| self.value(r)).transpose()
    }
}

/// Adds the property to an error about its value.
pub(super) fn named(e: &Error, tag: PropTag) -> Error {
    e.retold(e.kind(), format!("property {tag}: {}", e.text()))
}

/// NID and size of a PtypObject ([MS-PST] 2.3.3.5).
///
/// # Errors
/// When the eight bytes are not there.
pub fn object(heap: &Heap<'_>, raw: u32) -> Result<(u32, u32)> {
    let bytes = heap.get(raw)?;
    match *bytes {
        [n0, n1, n2, n3, s0, s1, s2, s3, ..] => {
            Ok((u32::from_le_bytes([n0, n1, n2, n3]), u32::from_le_bytes([s0, s1, s2, s3])))
        }
        _ => Err(Error::damaged("PC", "an object reference is shorter than eight bytes")),
    }
}

/// A value from the four bytes of a record or cell. The data of an object that is an embedded message are not read.
///
/// # Errors
/// When the heap allocation or subnode cannot be read.
pub fn value(heap: &Heap<'_>, ty: u16, raw: u32) -> Result<Value> {
    if is_inline(ty) {
        return Ok(inline(ty, raw));
    }
    if ty == PropType::OBJECT {
        if raw == 0 {
            return Ok(Value::Object(Blob::Bytes(Vec::new())));
        }
        let (nid, _) = object(heap, raw)?;
        return blob(heap, nid).map(Value::Object);
    }
    if is_hid(raw) {
        return from_bytes(ty, &heap.get(raw)?);
    }
    if ty == PropType::BINARY {
        return blob(heap, raw).map(Value::Binary);
    }
    let bytes = heap.subnode(raw)?.to_vec(heap.ndb(), MAX_VALUE)?;
    from_bytes(ty, &bytes)
}

/// The bytes of a subnode, streamed when they are many.
fn blob(heap: &Heap<'_>, nid: u32) -> Result<Blob> {
    let tree = heap.subnode(nid)?;
    if tree.len() > STREAMED {
        return Ok(Blob::Stream(Arc::new(DataStream::new(Arc::clone(heap.ndb()), tree))));
    }
    tree.to_vec(heap.ndb(), STREAMED).map(Blob::Bytes)
}

/// A value that stands in its record or cell.
pub(super) fn inline(ty: u16, raw: u32) -> Value {
    match ty {
        PropType::INTEGER16 => Value::I16(raw as i16),
        PropType::INTEGER32 => Value::I32(raw as i32),
        PropType::FLOATING32 => Value::F32(f32::from_bits(raw)),
        PropType::ERROR => Value::Error(raw),
        PropType::BOOLEAN => Value::Bool(raw & 0xFF != 0),
        _ => Value::Null,
    }
}

/// A value from its bytes.
///
/// # Errors
/// When a fixed-size value has another number of bytes.
pub(super) fn from_bytes(ty: u16, bytes: &[u8]) -> Result<Value> {
    let eight = || -> Result<[u8; 8]> {
        // An absent allocation stands for zero in some genuine tables.
        if bytes.is_empty() {
            return Ok([0; 8]);
        }
        bytes
            .get(..8)
            .and_then(|b| b.try_into().ok())
            .ok_or_else(|| Error::new(Kind::Damaged, format!("{} bytes where 8 belong", bytes.len())).within("PC"))
    };
    Ok(match ty {
        PropType::FLOATING64 => Value::F64(f64::from_le_bytes(eight()?)),
        PropType::FLOATING_TIME => Value::FloatingTime(f64::from_le_bytes(eight()?)),
        PropType::CURRENCY => Value::Currency(i64::from_le_bytes(eight()?)),
        PropType::INTEGER64 => Value::I64(i64::from_le_bytes(eight()?)),
        PropType::TIME => Value::Time(u64::from_le_bytes(eight()?)),
        PropType::GUID => match bytes.try_into() {
            Ok(guid) => Value::Guid(guid),
            Err(_) => Value::Other(bytes.to_vec()),
        },
        PropType::STRING => Value::Unicode(bytes.to_vec()),
        PropType::STRING8 => Value::String8(bytes.to_vec()),
        PropType::BINARY => Value::binary(bytes),
        _ if ty & PropType::MULTI != 0 => Value::Multi(bytes.to_vec()),
        _ => Value::Other(bytes.to_vec()),
    })
}
