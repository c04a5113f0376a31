//! The events of a run as lines of JSON on standard error.

use super::json;
use pst_core::pipeline::{Event, Observer};
use serde_json::{Value, json};
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Time between two lines of progress.
const EVERY: Duration = Duration::from_millis(500);

/// Prints each event as one line; progress about twice a second, and once at the end.
pub struct Events {
    /// Each line names this mailbox, where there are several.
    mailbox: Option<String>,
    state: Mutex<State>,
}

struct State {
    started: Instant,
    said: Option<Instant>,
    planned: u64,
    items: u64,
    bytes: u64,
    there: u64,
}

impl Events {
    /// Starts the clock.
    pub fn new() -> Self {
        let started = Instant::now();
        let state = Mutex::new(State { started, said: None, planned: 0, items: 0, bytes: 0, there: 0 });
        Self { mailbox: None, state }
    }

    /// Starts the clock of a mailbox, one of several.
    #[cfg(feature = "network")]
    pub fn of(mailbox: &str) -> Self {
        Self { mailbox: Some(mailbox.to_owned()), ..Self::new() }
    }

    fn say(&self, event: Value) {
        let event = match &self.mailbox {
            Some(mailbox) => with(event, "mailbox", mailbox),
            None => event,
        };
        let _ = writeln!(std::io::stderr().lock(), "{}", json::line(&event));
    }
}

impl State {
    fn progress(&self) -> Value {
        let seconds = self.started.elapsed().as_secs_f64();
        let left = self.planned.saturating_sub(self.items + self.there);
        let per_second = if seconds > 0.0 { self.items as f64 / seconds } else { 0.0 };
        let time_left = (per_second > 0.0 && self.planned > 0).then(|| left as f64 / per_second);
        json!({"event": "progress", "items": self.items, "bytes": self.bytes, "there": self.there, "of": self.planned,
               "seconds": seconds, "items_per_second": per_second, "seconds_left": time_left})
    }
}

/// The same object with one more field.
fn with(mut object: Value, field: &str, value: &str) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(field.to_owned(), value.into());
    }
    object
}

impl super::Talk for Events {
    fn end(&self) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.say(state.progress());
    }
}

impl Observer for Events {
    fn event(&self, event: &Event<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Planned { folders, items } => {
                state.planned = *items;
                self.say(json!({"event": "planned", "folders": folders, "items": items}));
            }
            Event::Folder(name) => self.say(json!({"event": "folder", "folder": name})),
            Event::There(items) => state.there += items,
            Event::Progress { items, bytes } => {
                state.items += items;
                state.bytes += bytes;
                if state.said.is_none_or(|t| t.elapsed() >= EVERY) {
                    state.said = Some(Instant::now());
                    self.say(state.progress());
                }
            }
            Event::Notice { text, seconds } => self.say(json!({"event": "notice", "text": text, "seconds": seconds})),
            Event::Failed(failure) => self.say(with(json::failure(failure), "event", "failed")),
            Event::Warning(note) => self.say(with(json::note(note), "event", "warning")),
        }
    }
}
