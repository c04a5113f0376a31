//! The blobs of calendars, lists and addresses: what is read is written again as it was; the first byte chooses one.
#![no_main]

#[path = "../../../tests/support/blobs.rs"]
mod blobs;

use blobs::{BLOBS, again};
use libfuzzer_sys::fuzz_target;
use pst_core::mapi::distlist::unwrap;
use pst_core::mapi::goid::GlobalObjectId;
use pst_core::mapi::recurrence::RecurrencePattern;
use pst_core::mapi::timezone::ZoneDefinition;
use pst_core::mapi::{Message, PropTag, Value, lid, namemap, tag};

fn pattern(bytes: &[u8]) {
    again(lid::TASK_RECURRENCE, bytes);
    let Some(read) = RecurrencePattern::decode(bytes) else { return };
    read.first_date_time();
    let dates: Vec<u32> = read.occurrences().into_iter().flatten().take(5000).collect();
    assert!(dates.is_sorted_by(|a, b| a < b), "dates ascend");
}

fn zone(bytes: &[u8]) {
    again(lid::ZONE_START, bytes);
    let Some(read) = ZoneDefinition::decode(bytes) else { return };
    for at in [i64::MIN, -1 << 33, 0, 1 << 30, i64::MAX] {
        read.to_utc(read.to_local(at));
    }
}

/// An item that carries the bytes wherever such blobs stand.
fn carrier(class: &str, bytes: &[u8]) -> Message {
    let mut message = Message::default();
    message.props.set(tag::MESSAGE_CLASS, Value::text(class));
    for lid in BLOBS {
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
        1 => drop(again(lid::APPOINTMENT_RECUR, bytes)),
        2 => zone(bytes),
        3 => drop(again(lid::TIME_ZONE_STRUCT, bytes)),
        4 => {
            again(lid::GLOBAL_OBJECT_ID, bytes);
            if let Some(read) = GlobalObjectId::decode(bytes) {
                GlobalObjectId::of_uid(&read.uid());
                read.clean().encode();
            }
        }
        5 => {
            again(lid::LIST_STREAM, bytes);
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
