//! The power goes while a conversion makes a new PST, or one that is to replace another: under the target's name there is
//! nothing, or the old file, or a whole one in which the judge finds nothing. The disk is that of [`super::power`].

use super::power::{Contents, Recorder, Step, contents, image, message, ways};
use super::support::Seeded;
use super::support::moving::{Given, moved};
use pst_core::check;
use pst_core::endpoint::pst::PstSink;
use pst_core::io::Input;
use pst_core::messaging::write::Options;
use pst_core::mime::ImportOptions;
use pst_core::ndb::Ndb;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// What a conversion of so many messages asks of the disk, and what it makes.
fn conversion(messages: usize) -> (Vec<Step>, Contents) {
    let log = Arc::new(Mutex::new(Vec::new()));
    let file = Box::new(Recorder(Arc::clone(&log)));
    let sink = PstSink::create_on(file, Path::new("new.pst"), Options::default(), ImportOptions::default()).unwrap();
    let report = moved(Arc::new(Given((0..messages).map(message).collect())), Box::new(sink)).unwrap();
    assert_eq!(report.written, messages as u64);
    let steps = std::mem::take(&mut *log.lock().unwrap());
    let whole = Ndb::new(Input::from_bytes(image(&steps, &mut || true), "new.pst")).unwrap();
    (steps, contents(whole))
}

/// What the target's name leads to after some steps: the new file, or `None` for what was there before.
fn named(steps: &[Step], survives: &mut dyn FnMut() -> bool) -> Option<Vec<u8>> {
    let renamed = steps.iter().any(|s| matches!(s, Step::Rename));
    let durable = steps.iter().any(|s| matches!(s, Step::SyncFolder));
    (renamed && (durable || survives())).then(|| image(steps, survives))
}

fn is_right(bytes: &[u8]) -> bool {
    let ndb = Ndb::new(Input::from_bytes(bytes.to_vec(), "new.pst"));
    ndb.is_ok_and(|ndb| ndb.header().crc_full_ok && ndb.header().crc_partial_ok)
}

/// A new file is whole, and so is each that has a right header, whatever it is called.
fn holds(steps: &[Step], survives: &mut dyn FnMut() -> bool, made: &Contents, at: &str) -> bool {
    let new = named(steps, survives);
    let is_new = new.is_some();
    let bytes = new.unwrap_or_else(|| image(steps, survives));
    if !is_new && !is_right(&bytes) {
        return false;
    }
    let report = check::judge(Input::from_bytes(bytes.clone(), "new.pst")).expect(at);
    assert!(report.findings.is_empty(), "{at}: {:?}", report.findings);
    assert!(contents(Ndb::new(Input::from_bytes(bytes, "new.pst")).expect(at)) == *made, "{at}");
    is_new
}

#[test]
fn the_power_goes_at_every_point_of_a_conversion() {
    let (steps, made) = conversion(24);
    let mut whole = 0;
    for cut in 0..=steps.len() {
        for (way, mut survives) in ways().enumerate() {
            let at = format!("cut after {cut} of {} steps, way {way}", steps.len());
            whole += usize::from(holds(&steps[..cut], &mut *survives, &made, &at));
        }
    }
    assert!(steps.len() > 8 && whole > 25, "{} steps, {whole} times a whole file", steps.len());
}

#[test]
#[ignore = "2,000 points of a conversion of 15 MB; a minute or more"]
fn the_power_goes_at_two_thousand_points_of_a_large_conversion() {
    let (steps, made) = conversion(150);
    let mut random = Seeded(1);
    let (mut whole, mut size) = (0, 0);
    for point in 0..2000u64 {
        // Every other one near the end, where the header is written and the name is given.
        let last = steps.len() as u64 + 1;
        let cut = if point % 2 == 0 { random.below(last) } else { last - 1 - random.below(8) } as usize;
        let (mut lost, odds) = (Seeded(point), random.below(10));
        let at = format!("point {point}: cut after {cut} of {} steps", steps.len());
        whole += usize::from(holds(&steps[..cut], &mut || lost.below(9) < odds, &made, &at));
        size = size.max(cut);
    }
    assert!(whole > 100, "{whole} times a whole file");
    eprintln!("{} steps, {whole} of 2,000 times a whole file", steps.len());
}
