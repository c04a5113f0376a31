//! A progress bar on a terminal, and the events of a run told to people.

use super::text::{bytes, tame};
#[cfg(feature = "network")]
use indicatif::MultiProgress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use pst_core::pipeline::{Event, Observer};
use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Warnings and failures that are printed one by one; the rest are counted in the summary.
const TOLD: u64 = 50;

/// Shows a run on standard error.
pub struct Progress {
    bar: ProgressBar,
    /// The run is that of this mailbox, among others.
    #[cfg(feature = "network")]
    of: Option<(Bars, String)>,
    told: AtomicU64,
    bytes: AtomicU64,
}

/// Where bars are drawn: nowhere if standard error is no terminal.
fn target() -> ProgressDrawTarget {
    if std::io::stderr().is_terminal() { ProgressDrawTarget::stderr_with_hz(8) } else { ProgressDrawTarget::hidden() }
}

/// A bar for each of several runs, one below the other.
#[cfg(feature = "network")]
#[derive(Clone)]
pub struct Bars(MultiProgress);

#[cfg(feature = "network")]
impl Bars {
    /// No bar yet.
    pub fn new() -> Self {
        Self(MultiProgress::with_draw_target(target()))
    }

    /// A bar for the run of a mailbox.
    pub fn one(&self, mailbox: &str) -> Progress {
        let bar = self.0.add(ProgressBar::no_length());
        let mailbox = tame(mailbox);
        // A narrow terminal cuts the folder off before the name.
        let name = format!("{}  ", mailbox.replace('{', "{{").replace('}', "}}"));
        Progress { of: Some((self.clone(), mailbox)), ..Progress::with(bar, &name) }
    }

    /// Tells a line above the bars.
    pub fn say(&self, line: &str) {
        self.0.suspend(|| super::text::say(line));
    }
}

impl Progress {
    /// A bar if standard error is a terminal, else only lines for failures.
    pub fn new() -> Self {
        Self::with(ProgressBar::with_draw_target(None, target()), "")
    }

    fn with(bar: ProgressBar, name: &str) -> Self {
        bar.enable_steady_tick(Duration::from_millis(250));
        let template =
            format!("{{spinner}} {name}{{pos}} of {{len}} items, {{prefix}}{{per_sec}}, {{eta}} left  {{wide_msg}}");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        Self {
            bar,
            #[cfg(feature = "network")]
            of: None,
            told: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }
    }

    fn tell(&self, line: &str) {
        let n = self.told.fetch_add(1, Ordering::Relaxed);
        if n < TOLD {
            self.say(line);
        } else if n == TOLD {
            self.say("... more are counted in the summary; --json lists them");
        }
    }

    fn say(&self, line: &str) {
        #[cfg(feature = "network")]
        if let Some((bars, mailbox)) = &self.of {
            return bars.say(&format!("{mailbox}: {line}"));
        }
        self.bar.suspend(|| super::text::say(line));
    }
}

impl super::Talk for Progress {
    fn end(&self) {
        self.bar.finish_and_clear();
    }
}

impl Observer for Progress {
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::Planned { items, .. } => self.bar.set_length(*items),
            Event::Folder(name) => self.bar.set_message(tame(name)),
            // They are done, but say nothing of the speed.
            Event::There(items) => self.bar.set_length(self.bar.length().unwrap_or_default().saturating_sub(*items)),
            Event::Progress { items, bytes: more } => {
                self.bar.inc(*items);
                let all = self.bytes.fetch_add(*more, Ordering::Relaxed) + more;
                let seconds = self.bar.elapsed().as_secs_f64().max(0.001);
                let rate = bytes((all as f64 / seconds) as u64);
                self.bar.set_prefix(format!("{}, {rate}/s, ", bytes(all)));
                // Sources that do not count beforehand are counted as they are read.
                if self.bar.length().is_some_and(|l| l < self.bar.position()) {
                    self.bar.set_length(self.bar.position());
                }
            }
            Event::Notice { text, .. } => self.say(text),
            Event::Failed(f) => self.tell(&format!("failed: {} {}: {}", f.folder, f.id, f.error)),
            Event::Warning(n) => {
                self.tell(&format!("note: {} {}: {} [{}]", n.folder, n.id, n.warning, n.warning.code.name()));
            }
        }
    }
}
