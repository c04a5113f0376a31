//! The blobs that calendars, tasks and lists keep in named properties, each read and written again.

use pst_core::mapi::distlist::ListStream;
use pst_core::mapi::goid::GlobalObjectId;
use pst_core::mapi::recurrence::{AppointmentRecurrence, RecurrencePattern};
use pst_core::mapi::timezone::{ZoneDefinition, ZoneStruct};
use pst_core::mapi::{Lid, lid};
use std::fmt::Debug;

/// The properties that hold them.
pub const BLOBS: [Lid; 9] = [
    lid::APPOINTMENT_RECUR,
    lid::TASK_RECURRENCE,
    lid::TIME_ZONE_STRUCT,
    lid::ZONE_START,
    lid::ZONE_END,
    lid::ZONE_RECUR,
    lid::GLOBAL_OBJECT_ID,
    lid::CLEAN_GLOBAL_OBJECT_ID,
    lid::LIST_STREAM,
];

/// A blob read and written again, which must read the same; `None` if it is not understood.
pub fn again(lid: Lid, bytes: &[u8]) -> Option<Vec<u8>> {
    match lid {
        lid::APPOINTMENT_RECUR => same(bytes, AppointmentRecurrence::decode, AppointmentRecurrence::encode),
        lid::TASK_RECURRENCE => same(bytes, RecurrencePattern::decode, RecurrencePattern::encode),
        lid::TIME_ZONE_STRUCT => same(bytes, ZoneStruct::decode, ZoneStruct::encode),
        lid::ZONE_START | lid::ZONE_END | lid::ZONE_RECUR => {
            same(bytes, ZoneDefinition::decode, ZoneDefinition::encode)
        }
        lid::GLOBAL_OBJECT_ID | lid::CLEAN_GLOBAL_OBJECT_ID => {
            same(bytes, GlobalObjectId::decode, GlobalObjectId::encode)
        }
        _ => same(bytes, ListStream::decode, ListStream::encode),
    }
}

fn same<T: PartialEq + Debug>(
    bytes: &[u8],
    decode: fn(&[u8]) -> Option<T>,
    encode: fn(&T) -> Vec<u8>,
) -> Option<Vec<u8>> {
    let read = decode(bytes)?;
    let written = encode(&read);
    assert_eq!(decode(&written), Some(read), "a blob is written otherwise than it was read");
    Some(written)
}
