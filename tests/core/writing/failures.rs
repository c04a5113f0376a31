//! Sources that break off, targets that exist or give out: nothing half is left.

use super::{Maker, file_attachment, folder, message, options, read, write};
use pst_core::io::Output;
use pst_core::mapi::{Blob, Stream};
use pst_core::messaging::Store;
use pst_core::messaging::write::{Options, StoreWriter};
use pst_core::{Error, Kind, Result};
use std::io::Read;
use std::sync::Arc;

/// A stream that ends before it should.
struct Short;

impl Stream for Short {
    fn len(&self) -> u64 {
        900_000
    }

    fn open(&self) -> Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(Maker { at: 0, end: 700_000 }))
    }
}

/// A source that turns out damaged while its attachment is copied costs one message, not the file.
#[test]
fn a_stream_that_ends_early_leaves_no_trace() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (dir.path().join("a.pst"), dir.path().join("b.pst"));
    let fill = |w: &mut StoreWriter, fail: bool| {
        let f = folder(w, "F");
        for i in 0..20 {
            w.add(f, &message(&format!("{i}"), "x"), false).unwrap();
            if fail {
                let mut m = message("lost", "x");
                m.attachments.push(file_attachment("a.bin", Blob::Stream(Arc::new(Short))));
                let e = w.add(f, &m, false).unwrap_err();
                assert_eq!(e.kind(), Kind::Truncated);
                assert!(!w.failed());
            }
        }
    };
    write(&a, |w| fill(w, false));
    write(&b, |w| fill(w, true));
    assert!(std::fs::read(&a).unwrap() == std::fs::read(&b).unwrap());
}

#[test]
fn an_existing_target_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    std::fs::write(&path, "mine").unwrap();
    let e = StoreWriter::create(&path, options()).err().unwrap();
    assert_eq!(e.kind(), Kind::Exists);
    assert!(e.to_string().contains("--overwrite"), "{e}");
    // One that appears while the file is written is not lost either.
    let late = dir.path().join("b.pst");
    let w = StoreWriter::create(&late, options()).unwrap();
    std::fs::write(&late, "mine").unwrap();
    assert_eq!(w.finish().unwrap_err().kind(), Kind::Exists);
    assert_eq!(std::fs::read(&late).unwrap(), b"mine");
    let w = StoreWriter::create(&path, Options { overwrite: true, ..options() }).unwrap();
    drop(w);
    assert_eq!(std::fs::read(&path).unwrap(), b"mine");
    StoreWriter::create(&path, Options { overwrite: true, ..options() }).unwrap().finish().unwrap();
    assert!(Store::open(&path).is_ok());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
}

/// An output on which the disk fills up after some writes, or the power goes.
struct Failing {
    file: pst_core::io::NewFile,
    left: usize,
}

impl Failing {
    fn step(&mut self) -> Result<()> {
        if self.left == 0 {
            let e = std::io::Error::from(std::io::ErrorKind::StorageFull);
            return Err(Error::io("cannot write", "a.pst", e));
        }
        self.left -= 1;
        Ok(())
    }
}

impl Output for Failing {
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> Result<()> {
        self.step()?;
        self.file.write_at(bytes, offset)
    }

    fn set_len(&mut self, len: u64) -> Result<()> {
        self.step()?;
        Output::set_len(&mut self.file, len)
    }

    fn sync(&mut self) -> Result<()> {
        self.step()?;
        self.file.sync()
    }

    fn commit(mut self: Box<Self>) -> Result<()> {
        self.step()?;
        self.file.commit()
    }
}

#[test]
fn a_failing_output_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst");
    for left in 0.. {
        let file = pst_core::io::NewFile::create(&path, false).unwrap();
        let mut w = StoreWriter::create_on(Box::new(Failing { file, left }), options()).unwrap();
        let f = folder(&mut w, "F");
        let mut failed = None;
        for i in 0..40 {
            if let Err(e) = w.add(f, &message(&format!("{i}"), &"text ".repeat(5000)), false) {
                assert!(w.failed());
                failed = Some(e);
                break;
            }
        }
        match failed.map_or_else(|| w.finish(), Err) {
            Ok(_) => break,
            Err(e) => assert_eq!(e.kind(), Kind::Io, "{e}"),
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "after {left} writes");
    }
    assert_eq!(read(&path).values().map(Vec::len).sum::<usize>(), 40);
}
