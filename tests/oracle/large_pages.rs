//! An OST of 4096-byte pages, made from a PST of ours by the documents, reads as that PST does: by us and by libpff.

use super::oracle;
use super::ost4k;
use super::support::corpus;
use super::written::convert;
use std::path::{Path, PathBuf};

fn prove(source: &Path) {
    let scratch = tempfile::tempdir().unwrap();
    let at = |name: &str| scratch.path().join(name);
    let (pst, copy) = (at("a.pst"), at("copy.pst"));
    convert(&[source], &pst);
    convert(&[&pst], &copy);
    let expected = oracle::ours(&pst);
    assert!(expected.iter().any(|f| !f.messages.is_empty()));
    for pack_all in [true, false] {
        // The name goes into the copy's name and keys.
        let ost = at("a.ost");
        std::fs::write(&ost, ost4k::make(&pst, pack_all)).unwrap();
        assert_eq!(oracle::ours(&ost), expected, "{}", source.display());
        if !pack_all && let Some(theirs) = oracle::libpff(&ost) {
            assert_eq!(theirs.unwrap(), oracle::libpff(&pst).unwrap().unwrap(), "{}: libpff", source.display());
        }
        // All properties: the copies are equal byte for byte.
        let from_ost = at("from_ost.pst");
        convert(&[&ost], &from_ost);
        assert!(std::fs::read(&copy).unwrap() == std::fs::read(&from_ost).unwrap(), "{}: copies", source.display());
        std::fs::remove_file(&from_ost).unwrap();
        let report = pst_core::check::check(&ost, &pst_core::check::Options::default()).unwrap();
        let text: Vec<&str> = report.findings.iter().map(|f| f.text.as_str()).collect();
        assert_eq!((report.variant, report.total()), ("4K", 0), "{text:#?}");
    }
}

#[test]
fn fixtures() {
    prove(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/mail"));
}

#[test]
fn real_mail_in_a_large_folder() {
    // 2,000 messages in one folder: a table over several blocks.
    if let Some(mbox) = corpus("mbox/linux-usb-2000.mbox") {
        prove(&mbox);
    }
}
