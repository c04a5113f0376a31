//! What the fuzz targets (pst-core/fuzz) found, with the bytes they found it by, cut down.

use pst_core::mapi::recurrence::{AppointmentRecurrence, Exception, Frequency, Pattern, RecurrencePattern};
use pst_core::mime::Options;
use pst_core::mime::calendar::{Entry, Kind, read};

/// An event inside an event came out beside it: each export and import made more items.
#[test]
fn an_event_inside_an_event_makes_no_second_item() {
    let source = b"BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:a\r\nBEGIN:VEVENT\r\nSUMMARY:b\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nUID:2\r\nRECURRENCE-ID:20150708T120000Z\r\nEND:VEVENT\r\nEND:VEVENT\r\n";
    let (items, _) = read(source);
    let [(Kind::Event, item)] = items.as_slice() else { panic!("{items:?}") };
    let mut out = Vec::new();
    Entry::of(&item.message, &Options::default()).unwrap().unwrap().write(&mut out).unwrap();
    let (again, _) = read(&out);
    assert_eq!(again.len(), 1, "{}", String::from_utf8_lossy(&out));
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.matches("BEGIN:VEVENT").count(), 3, "{text}");
}

/// The start of what follows the exceptions was written twice where its end is missing.
#[test]
fn a_recurrence_that_is_cut_short_keeps_its_length() {
    let pattern = RecurrencePattern::new(Frequency::Daily, Pattern::Day, 1440, 0, 1440);
    let mut series = AppointmentRecurrence::new(pattern, 540, 600);
    series.exceptions.push(Exception { start: 2000, end: 2060, original: 1980, ..Exception::default() });
    series.reserved1 = vec![1, 2, 3];
    let whole = series.encode();
    let bare = AppointmentRecurrence { whole: false, ..series }.encode().len();
    for cut in bare..=whole.len() {
        let bytes = &whole[..cut];
        assert_eq!(AppointmentRecurrence::decode(bytes).unwrap().encode(), bytes, "cut at {cut}");
    }
}
