//! The blobs of calendars, lists and addresses: what is read is written again as it was; the first byte chooses one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pst_core::mapi::distlist::{ListStream, unwrap};
use pst_core::mapi::goid::GlobalObjectId;
use pst_core::mapi::recurrence::{AppointmentRecurrence, RecurrencePattern};
use pst_core::mapi::timezone::{ZoneDefinition, ZoneStruct};
use pst_core::mapi::{Message, PropTag, Value, lid, namemap, tag};
use std::fmt::Debug;

/// What was read reads the same once it is written.
fn same<T: PartialEq + Debug>(read: &T, encode: fn(&T) -> Vec<u8>, decode: fn(&[u8]) -> Option<T>) {
    assert_eq!(decode(&encode(read)).as_ref(), Some(read), "a blob is written otherwise than it was read");
}

fn pattern(bytes: &[u8]) {
    let Some(read) = RecurrencePattern::decode(bytes) else { return };
    same(&read, RecurrencePattern::encode, RecurrencePattern::decode);
    read.first_date_time();
    let dates: Vec<u32> = read.occurrences().into_iter().flatten().take(5000).collect();
    assert!(dates.is_sorted_by(|a, b| a < b), "dates ascend");
}

fn zone(bytes: &[u8]) {
    let Some(read) = ZoneDefinition::decode(bytes) else { return };
    same(&read, ZoneDefinition::encode, ZoneDefinition::decode);
    for at in [i64::MIN, -1 << 33, 0, 1 << 30, i64::MAX] {
        read.to_utc(read.to_local(at));
    }
}

/// An item that carries the bytes wherever such blobs stand.
fn carrier(class: &str, bytes: &[u8]) -> Message {
    let mut message = Message::default();
    message.props.set(tag::MESSAGE_CLASS, Value::text(class));
    for lid in [
        lid::APPOINTMENT_RECUR,
        lid::TASK_RECURRENCE,
        lid::TIME_ZONE_STRUCT,
        lid::ZONE_START,
        lid::ZONE_END,
        lid::ZONE_RECUR,
        lid::GLOBAL_OBJECT_ID,
        lid::LIST_STREAM,
    ] {
        message.props.set_lid(lid, Value::binary(bytes));
    }
    message.props.set_lid(lid::LIST_MEMBERS, Value::Multi(bytes.to_vec()));
    for start in [lid::START_WHOLE, lid::END_WHOLE, lid::COMMON_START, lid::COMMON_END] {
        message.props.set_lid(start, Value::Time(133_000_000_000_000_000));
    }
    for entry in [0x004F_0102, 0x0041_0102, 0x003F_0102, 0x0C19_0102, 0x0071_0102] {
        message.props.set(PropTag(entry), Value::binary(bytes));
    }
    message
}

fuzz_target!(|data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    match choice % 8 {
        0 => pattern(bytes),
        1 => {
            if let Some(read) = AppointmentRecurrence::decode(bytes) {
                same(&read, AppointmentRecurrence::encode, AppointmentRecurrence::decode);
            }
        }
        2 => zone(bytes),
        3 => {
            if let Some(read) = ZoneStruct::decode(bytes) {
                same(&read, ZoneStruct::encode, ZoneStruct::decode);
            }
        }
        4 => {
            if let Some(read) = GlobalObjectId::decode(bytes) {
                same(&read, GlobalObjectId::encode, GlobalObjectId::decode);
                GlobalObjectId::of_uid(&read.uid());
                read.clean().encode();
            }
        }
        5 => {
            if let Some(read) = ListStream::decode(bytes) {
                same(&read, ListStream::encode, ListStream::decode);
            }
            unwrap(bytes);
            let (guids, rest) = bytes.split_at(bytes.len() / 3);
            let (entries, strings) = rest.split_at(rest.len() / 2);
            namemap::parse(guids, entries, strings);
        }
        6 => pst_fuzz::written(&carrier("IPM.Appointment", bytes), bytes.len()),
        _ => {
            let class =
                ["IPM.Task", "IPM.DistList", "IPM.Note", "IPM.Schedule.Meeting.Request"][usize::from(choice >> 6)];
            pst_fuzz::written(&carrier(class, bytes), bytes.len());
        }
    }
});
