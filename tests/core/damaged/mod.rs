//! Damaged variants of genuine files: nothing panics or hangs, and each item whose own bytes are whole is delivered as it
//! was. Which those are, the undamaged file's own trees tell.

mod kinds;
mod model;

use crate::support::Seeded;
use kinds::Kind;
use model::{Original, deliver, originals};
use pst_core::check;
use pst_core::io::Input;
use pst_core::ndb::Ndb;
use pst_core::salvage::salvage;
use std::collections::BTreeMap;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

#[path = "../../support/ost4k.rs"]
mod ost4k;

/// What came of the variants of one kind.
#[derive(Debug, Default, Clone, Copy)]
struct Count {
    variants: usize,
    opened: usize,
    /// Items of the undamaged files.
    items: usize,
    /// Those whose bytes are whole, trees included.
    expected: usize,
    delivered: usize,
    /// Those whose own bytes are whole, whatever became of the trees that lead to them.
    left: usize,
    salvaged: usize,
}

/// What is left of a damaged file is found without its trees.
fn salvaged(
    original: &Original,
    kind: Kind,
    bytes: Vec<u8>,
    hit: &[Range<usize>],
    count: &mut Count,
) -> Result<(), String> {
    let expected = original.expected(hit, true);
    count.left = expected.len();
    let opened = match salvage(Input::from_bytes(bytes, "damaged.pst")) {
        Ok(opened) => opened,
        Err(_) if expected.is_empty() => return Ok(()),
        Err(e) => return Err(format!("{} items are left, but {e}", expected.len())),
    };
    let found = deliver(opened.ndb);
    count.salvaged = found.items.len();
    for (nid, hash) in &expected {
        // Where sums are right, a page that leads astray may stand for the newer one.
        if found.items.get(nid).map(|(other, _)| other) != Some(hash) && kind.is_seen() {
            return Err(format!("0x{nid:X} is left, but was not salvaged; {:?}", found.errors));
        }
    }
    match found.items.keys().find(|nid| !original.needs.contains_key(nid)) {
        Some(nid) if kind.is_seen() => Err(format!("0x{nid:X} was salvaged, but never was there")),
        _ => Ok(()),
    }
}

fn one(original: &Original, kind: Kind, seed: u64) -> Result<Count, String> {
    let (bytes, hit) = kind.damage(original, &mut Seeded(seed));
    let expected = original.expected(&hit, false);
    let mut count =
        Count { variants: 1, items: original.items.items.len(), expected: expected.len(), ..Count::default() };
    let _ = check::judge(Input::from_bytes(bytes.clone(), "damaged.pst"));
    salvaged(original, kind, bytes.clone(), &hit, &mut count)?;
    let Ok(ndb) = Ndb::new(Input::from_bytes(bytes, "damaged.pst")) else {
        return if expected.is_empty() {
            Ok(count)
        } else {
            Err(format!("{} items are whole, and the file does not open", expected.len()))
        };
    };
    count.opened = 1;
    let found = deliver(ndb);
    count.delivered = found.items.len();
    for (nid, hash) in &expected {
        match found.items.get(nid) {
            None => return Err(format!("0x{nid:X} is whole, but was not delivered; {:?}", found.errors)),
            Some((other, _)) if other != hash => return Err(format!("0x{nid:X} is whole, but came otherwise")),
            Some(_) => {}
        }
    }
    if kind.is_seen() {
        for (nid, (hash, said)) in &found.items {
            // What folders outside of the mailbox hold is not delivered unless something is damaged.
            let same = original.items.items.get(nid).map_or(original.needs.contains_key(nid), |(was, _)| was == hash);
            if !same && !said {
                return Err(format!("0x{nid:X} came otherwise, and nothing is said of it"));
            }
        }
        let lost: Vec<u32> =
            original.items.items.keys().filter(|nid| !found.items.contains_key(nid)).copied().collect();
        if !lost.is_empty() && found.errors.is_empty() {
            return Err(format!("{lost:X?} are lost, and nothing is said of it"));
        }
    }
    match found.twice.as_slice() {
        [] => Ok(count),
        _ if !original.items.twice.is_empty() => Ok(count),
        twice => Err(format!("{twice:X?} came twice")),
    }
}

/// As many damaged variants, spread over files and kinds; the seed of each is its number.
fn variants(numbers: Range<u64>, originals: &[Original]) -> BTreeMap<Kind, Count> {
    let (counts, failures) = (Mutex::new(BTreeMap::<Kind, Count>::new()), Mutex::new(Vec::new()));
    let next = std::sync::atomic::AtomicU64::new(numbers.start);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, Into::into) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    if number >= numbers.end {
                        break;
                    }
                    let kind = Kind::ALL[number as usize % Kind::ALL.len()];
                    let original = &originals[number as usize / Kind::ALL.len() % originals.len()];
                    let at = format!("{}, {kind:?}, seed {number}", original.name);
                    match catch_unwind(AssertUnwindSafe(|| one(original, kind, number))) {
                        Ok(Ok(count)) => counts.lock().unwrap().entry(kind).or_default().add(count),
                        Ok(Err(e)) => failures.lock().unwrap().push(format!("{at}: {e}")),
                        Err(_) => failures.lock().unwrap().push(format!("{at}: a panic")),
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(
        failures.is_empty(),
        "{} of {numbers:?} fail:\n{}",
        failures.len(),
        failures[..failures.len().min(40)].join("\n")
    );
    counts.into_inner().unwrap()
}

impl Count {
    fn add(&mut self, other: Self) {
        self.variants += other.variants;
        self.opened += other.opened;
        self.items += other.items;
        self.expected += other.expected;
        self.delivered += other.delivered;
        self.left += other.left;
        self.salvaged += other.salvaged;
    }
}

#[test]
fn what_is_whole_in_damaged_files_is_delivered() {
    let originals = originals();
    if originals.is_empty() {
        return;
    }
    let counts = variants(0..440, &originals);
    assert!(counts.values().all(|c| c.variants == 40 && c.expected > 0 && c.expected <= c.delivered), "{counts:#?}");
}

#[test]
#[ignore = "10,000 damaged files; some minutes"]
fn what_is_whole_in_ten_thousand_damaged_files_is_delivered() {
    let originals = originals();
    if originals.is_empty() {
        return;
    }
    let counts = variants(440..10_440, &originals);
    for (kind, count) in &counts {
        eprintln!("{kind:?}: {count:?}");
    }
    if let Some(peak) = peak() {
        eprintln!("{peak} KB of memory at most");
        assert!(peak < 600 << 10, "{peak} KB");
    }
}

/// The most memory that this process has had resident, KB, where the system tells.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|l| l.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok())
}
