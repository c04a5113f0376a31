//! The blobs of calendars and lists in genuine files: what is read is written again byte for byte.

use super::support::blobs::{BLOBS, again};
use super::support::{corpus, files};
use pst_core::mapi::distlist::checksum;
use pst_core::mapi::goid::GlobalObjectId;
use pst_core::mapi::recurrence::AppointmentRecurrence;
use pst_core::mapi::timezone::ZoneDefinition;
use pst_core::mapi::{Message, Value, lid};
use pst_core::messaging::Store;
use std::collections::BTreeMap;

/// A message and all messages inside it.
fn each(message: &Message, depth: usize, f: &mut impl FnMut(&Message)) {
    f(message);
    for inner in message.attachments.iter().filter_map(|a| a.embedded.as_deref()).filter(|_| depth < 20) {
        each(inner, depth + 1, f);
    }
}

#[test]
fn blobs_of_genuine_files_come_out_as_they_went_in() {
    let mut found: BTreeMap<u32, usize> = BTreeMap::new();
    let mut lists = 0;
    for top in ["pst", "pst-derived"] {
        let Some(top) = corpus(top) else { return };
        for path in files(&top, &[".pst", ".ost"]) {
            let Ok(store) = Store::open(&path) else { continue };
            let mut errors = Vec::new();
            for folder in store.folders(&mut errors).into_iter().filter(|f| !f.search) {
                for listed in [false, true].into_iter().flat_map(|a| store.contents(folder.nid, a, &mut Vec::new())) {
                    let Ok((message, _)) = store.message(listed.nid) else { continue };
                    each(&message, 0, &mut |m| {
                        for lid in BLOBS {
                            let Some(Value::Binary(blob)) = m.props.lid(lid) else { continue };
                            let bytes = blob.to_vec(1 << 20).unwrap();
                            assert_eq!(again(lid, &bytes).as_ref(), Some(&bytes), "{} {lid:?}", path.display());
                            *found.entry(lid.id).or_default() += 1;
                        }
                        if let (Some(Value::Multi(ids)), Some(Value::I32(sum))) =
                            (m.props.lid(lid::LIST_MEMBERS), m.props.lid(lid::LIST_CHECKSUM))
                        {
                            assert_eq!(checksum(Value::multi_parts(ids).unwrap()), *sum);
                            lists += 1;
                        }
                    });
                }
            }
        }
    }
    eprintln!("blobs by number: {found:X?}; checksums of {lists} lists");
    assert!(
        found.get(&lid::ZONE_START.id).is_some_and(|n| *n > 5) && found.get(&3).is_some_and(|n| *n > 5) && lists > 0
    );
}

/// The blobs of an appointment that Outlook wrote into a winmail.dat; each stands behind its size.
#[test]
fn blobs_of_a_genuine_yearly_appointment() {
    let Some(path) = corpus("tnef/jstedfast__MimeKit/UnitTests/TestData/tnef/christmas.tnef") else { return };
    let file = std::fs::read(path).unwrap();
    let find = |start: &[u8]| -> Vec<Vec<u8>> {
        memchr::memmem::find_iter(&file, start)
            .map(|at| {
                let size = u32::from_le_bytes(file[at - 4..at].try_into().unwrap()) as usize;
                file[at..at + size].to_vec()
            })
            .collect()
    };
    let [recur] = find(&[4, 0x30, 4, 0x30]).try_into().unwrap();
    assert_eq!(again(lid::APPOINTMENT_RECUR, &recur), Some(recur.clone()));
    let read = AppointmentRecurrence::decode(&recur).unwrap();
    assert_eq!(read.pattern.first, read.pattern.first_date_time());
    let dates: Vec<String> = read
        .pattern
        .occurrences()
        .unwrap()
        .take(3)
        .map(|m| pst_core::mapi::recurrence::date_of(m).to_string())
        .collect();
    assert_eq!(dates, ["2018-12-25", "2019-12-25", "2020-12-25"]);
    let zones = find(&[2, 1, 0x30, 0, 2, 0]);
    assert_eq!(zones.len(), 3);
    for zone in zones {
        assert_eq!(again(lid::ZONE_START, &zone), Some(zone.clone()));
        assert_eq!(ZoneDefinition::decode(&zone).unwrap().key(), "Eastern Standard Time");
    }
    let ids = find(&[4, 0, 0, 0, 0x82, 0, 0xE0, 0]);
    assert_eq!(GlobalObjectId::decode(&ids[0]).unwrap().uid(), "4447-07E20C0F-019F-0E31-FF17-00739");
    assert_eq!(again(lid::GLOBAL_OBJECT_ID, &ids[0]), Some(ids[0].clone()));
}
