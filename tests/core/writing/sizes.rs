//! Many items, many names, and files of gigabytes.

use super::{Made, file_attachment, folder, libpst_opens, message, only, others_open, read, recipient, write};
use pst_core::Kind;
use pst_core::mapi::message::flag;
use pst_core::mapi::named::{Guid, Name, NamedProp};
use pst_core::mapi::{Blob, Stream, Value, tag};
use pst_core::messaging::Store;
use std::io::Read;
use std::sync::Arc;

#[test]
fn three_thousand_messages_in_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    write(&path, |w| {
        let f = folder(w, "Many");
        for i in 0..3000 {
            let mut m = message(&format!("Subject {i}"), &"body ".repeat(i % 300));
            m.props.set(tag::MESSAGE_FLAGS, Value::I32(if i % 3 == 0 { 0 } else { flag::READ }));
            m.recipients.push(recipient(i));
            if i % 500 == 0 {
                m.props.set(tag::DISPLAY_TO, Value::text(&"To; ".repeat(2500)));
            }
            w.add(f, &m, false).unwrap();
        }
    });
    let all = read(&path);
    let items = all.iter().find(|(n, _)| n.ends_with("Many")).unwrap().1;
    assert_eq!(items.len(), 3000);
    for (i, m) in items.iter().enumerate() {
        assert_eq!(m.props.text(tag::SUBJECT).unwrap(), format!("\u{1}\u{1}Subject {i}"));
        assert_eq!(m.props.text(tag::BODY).unwrap_or_default(), "body ".repeat(i % 300));
        assert_eq!(m.recipients[0].text(tag::EMAIL_ADDRESS).unwrap(), format!("person{i}@example.org"));
    }
    others_open(&path, 3000);
}

#[test]
fn thirty_thousand_named_properties_and_no_more_than_fit() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    // Numbers above 0xFFFF: libpst takes smaller ones for property ids.
    let name = |i: u32| {
        let guid = Guid([(i % 300) as u8, (i % 7) as u8, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
        let name = if i.is_multiple_of(2) {
            Name::Id(0x1_0000 + i)
        } else {
            Name::Text(format!("x-{i}").encode_utf16().collect())
        };
        Arc::new(NamedProp { guid, name })
    };
    write(&path, |w| {
        let f = folder(w, "F");
        for i in 0..300 {
            let mut m = message("named", "x");
            for n in i * 100..(i + 1) * 100 {
                m.props.set_named(name(n), 3, Value::I32(n as i32));
            }
            w.add(f, &m, false).unwrap();
        }
        let mut m = message("too many", "x");
        for n in 30_000..33_000 {
            m.props.set_named(name(n), 3, Value::I32(n as i32));
        }
        assert_eq!(w.add(f, &m, false).unwrap_err().kind(), Kind::Limit);
        w.add(f, &message("last", "x"), false).unwrap();
    });
    let all = read(&path);
    let items = all.iter().find(|(n, _)| n.ends_with('F')).unwrap().1;
    assert_eq!(items.len(), 301);
    for (i, m) in items.iter().take(300).enumerate() {
        for n in i * 100..(i + 1) * 100 {
            assert_eq!(m.props.named(&name(n as u32)).and_then(Value::as_i32), Some(n as i32));
        }
    }
    // libpff of 2018 forgets the records while it reads values from more than 32 blocks; later versions do not.
    libpst_opens(&path, 301);
}

/// The first FPMap page stands at 2,080,393,216.
#[test]
#[ignore = "writes 2.3 GB"]
fn past_the_first_fpmap() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    let size = write(&path, |w| {
        let f = folder(w, "F");
        for i in 0..230 {
            let mut m = message(&format!("{i}"), "x");
            m.attachments.push(file_attachment("a.bin", Blob::Stream(Arc::new(Made(10_000_000 + i)))));
            w.add(f, &m, false).unwrap();
        }
    });
    assert!(size > 2_200_000_000);
    if let Ok(keep) = std::env::var("PST_KEEP") {
        std::fs::copy(&path, keep).unwrap();
    }
    let all = read(&path);
    let items = all.iter().find(|(n, _)| n.ends_with('F')).unwrap().1;
    assert_eq!(items.len(), 230);
    let Some(Value::Binary(data)) = items[229].attachments[0].props.get(tag::ATTACH_DATA_BINARY) else { panic!() };
    let (mut is, mut should) = (Vec::new(), Vec::new());
    data.open().unwrap().read_to_end(&mut is).unwrap();
    Made(10_000_229).open().unwrap().read_to_end(&mut should).unwrap();
    assert!(is == should);
}

/// Most memory this process has held, in MB, where the system says so. The tests that ask run alone.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

#[test]
#[ignore = "200,000 messages; run alone, it measures memory"]
fn two_hundred_thousand_messages_in_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    let start = std::time::Instant::now();
    let size = write(&path, |w| {
        let f = folder(w, "F");
        for i in 0..200_000 {
            let mut m = message(&format!("Subject of message {i}"), "a short body");
            m.props.set(tag::DISPLAY_TO, Value::text(&format!("Person {i}; Another person {i}")));
            m.recipients.push(recipient(i));
            w.add(f, &m, false).unwrap();
        }
    });
    eprintln!("{size} bytes in {:?}, peak {} MB", start.elapsed(), peak());
    assert!(peak() < 300, "{} MB", peak());
    let store = Store::open(&path).unwrap();
    let mut errors = Vec::new();
    let folders = store.folders(&mut errors);
    let f = folders.iter().find(|f| f.name == "F").unwrap();
    assert_eq!(f.props.i32(tag::CONTENT_COUNT), Some(200_000));
    let listed = store.contents(f.nid, false, &mut errors);
    assert_eq!(listed.len(), 200_000);
    assert!(errors.is_empty());
    for i in [0, 1, 99_999, 199_999] {
        let (m, _) = store.message(listed[i].nid).unwrap();
        assert_eq!(m.props.text(tag::SUBJECT).unwrap(), format!("\u{1}\u{1}Subject of message {i}"));
    }
    if let Ok(keep) = std::env::var("PST_KEEP") {
        std::fs::copy(&path, keep).unwrap();
    }
}

#[test]
#[ignore = "writes 1 GiB; run alone, it measures memory"]
fn a_gibibyte_in_one_attachment() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    let start = std::time::Instant::now();
    let size = write(&path, |w| {
        let f = folder(w, "F");
        let mut m = message("huge", "x");
        m.attachments.push(file_attachment("a.bin", Blob::Stream(Arc::new(Made(1 << 30)))));
        w.add(f, &m, false).unwrap();
    });
    eprintln!("{size} bytes in {:?}, peak {} MB", start.elapsed(), peak());
    assert!(peak() < 100, "{} MB", peak());
    let m = only(&path, "F");
    let Some(Value::Binary(data)) = m.attachments[0].props.get(tag::ATTACH_DATA_BINARY) else { panic!() };
    assert_eq!(data.len(), 1 << 30);
    let (mut is, mut should) = (data.open().unwrap(), Made(1 << 30).open().unwrap());
    let (mut a, mut b) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    for _ in 0..(1 << 14) {
        is.read_exact(&mut a).unwrap();
        should.read_exact(&mut b).unwrap();
        assert!(a == b);
    }
}
