//! Runs that the user stops: what they say, and what is then in the target.

use super::support::moving::{Given, Silent, messages};
use pst_core::mapi::{Message, Value, tag};
use pst_core::pipeline::dedupe::Key;
use pst_core::pipeline::journal::{Change, Journal, Taken};
use pst_core::pipeline::{self, Event, Folder, Mounted, Observer, RunOptions};
use pst_core::{Error, Kind, Result, endpoint};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A journal on a disk that is full.
struct Full;

impl Journal for Full {
    fn knows(&self, _place: u64) -> bool {
        false
    }

    fn there(&self, _folder: &Folder, _content: &Key) -> Option<u64> {
        None
    }

    fn taken(&self, _taken: &Taken<'_>) {}

    fn changed(&self, _folder: &Folder, _change: &Change) {}

    fn complete(&self, _folder: &Folder) -> Vec<Change> {
        Vec::new()
    }

    fn save(&self, _next: &[u32]) -> Result<()> {
        Err(Error::new(Kind::Io, "the disk is full"))
    }

    fn settle(&self) -> Result<()> {
        Ok(())
    }
}

/// Somebody who stops the run as soon as an item is through.
struct Impatient(Arc<AtomicBool>);

impl Observer for Impatient {
    fn event(&self, event: &Event<'_>) {
        if matches!(event, Event::Progress { .. }) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
}

fn source() -> Arc<Given> {
    let message = |n: usize| {
        let mut message = Message::default();
        message.props.set(tag::SUBJECT, Value::text(&format!("message {n}")));
        message
    };
    Arc::new(Given((0..100).map(message).collect()))
}

fn target(path: &str, append: bool) -> Box<dyn pipeline::Sink> {
    let options = endpoint::TargetOptions { append, ..endpoint::TargetOptions::default() };
    endpoint::create(path, &[], &options).unwrap()
}

fn stopped(path: &str, journal: Option<Arc<dyn Journal>>) -> Error {
    let stop = Arc::new(AtomicBool::new(false));
    let options = RunOptions { stop: Arc::clone(&stop), ..RunOptions::default() };
    let mounted = [Mounted { source: source(), under: Vec::new(), journal }];
    pipeline::run(&mounted, target(path, true), &options, &Impatient(stop)).unwrap_err()
}

fn items(path: &str) -> usize {
    messages(path).len()
}

#[test]
fn a_commit_that_fails_at_the_stop_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst").display().to_string();
    let error = stopped(&path, Some(Arc::new(Full)));
    assert_eq!((error.kind(), error.text()), (Kind::Io, "the disk is full"));
}

#[test]
fn what_is_said_of_a_stop_is_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pst").display().to_string();
    let says = |error: Error| {
        assert_eq!(error.kind(), Kind::Interrupted);
        assert!(error.text().contains("nothing of this run is in the target"), "{error}");
    };
    says(stopped(&path, None));
    assert!(!dir.path().join("a.pst").exists());
    let mounted = [Mounted { source: source(), under: Vec::new(), journal: None }];
    pipeline::run(&mounted, target(&path, false), &RunOptions::default(), &Silent).unwrap();
    assert_eq!(items(&path), 100);
    says(stopped(&path, None));
    assert_eq!(items(&path), 100, "what was there is there, and nothing else");
    let again = [Mounted { source: source(), under: Vec::new(), journal: None }];
    pipeline::run(&again, target(&path, true), &RunOptions::default(), &Silent).unwrap();
    assert_eq!(items(&path), 200);
}
