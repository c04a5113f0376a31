//! The way into a mailbox over Graph, and what its connections share.

use super::AT_ONCE;
use super::client::Graph;
use super::import::Permission;
use super::mailbox::Mailbox;
use super::refusal::{Meaning, Refusal};
use super::turns::Turns;
use crate::endpoint::ews::prepare::Writer;
use crate::endpoint::net::http::Reach;
use crate::endpoint::net::{Login, Notice, Watch};
use crate::endpoint::push::{Lane, Limits, Session};
use crate::error::{Error, Kind, Result};
use crate::mime;
use crate::pipeline::Prepare;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Items of a batch and their bytes; each item is a request of its own.
const BATCH: Limits = Limits { items: 20, bytes: 10 << 20 };
/// How often a server may fail over an item before it counts as refused.
const TRIALS: u32 = 4;

/// A mailbox, and how it is reached.
#[derive(Clone)]
pub struct Target {
    /// The URL of the service: `https://graph.microsoft.com`, or that of a national cloud.
    pub service: String,
    /// Whose mailbox it is: user principal name or id.
    pub user: String,
    /// The online archive is meant.
    pub archive: bool,
    /// How the server is reached.
    pub reach: Reach,
    /// Who signs in.
    pub login: Login,
    /// How long is waited when a busy server does not say how long.
    pub patience: Duration,
    /// How long a busy server is waited for when something is read; the items themselves have that of a push.
    pub endurance: Duration,
    /// Takes notices.
    pub watch: Watch,
    /// How mail becomes messages of a store.
    pub import: mime::ImportOptions,
    /// How messages of a store become mail, where import is not permitted.
    pub mail: mime::Options,
}

/// A mailbox over Graph as a target.
pub struct GraphLane {
    target: Arc<Target>,
    shared: Arc<Shared>,
}

/// How items go in.
#[derive(Debug, Clone)]
pub(super) enum Way {
    /// As Exchange exports them.
    Import,
    /// Mail alone as JSON, for this reason.
    Mail(String),
}

/// What the connections of a lane share.
#[derive(Default)]
pub(super) struct Shared {
    pub turns: Arc<Turns>,
    way: Mutex<Option<Way>>,
    permission: Mutex<Option<Permission>>,
    /// How often the server failed over items, by their numbers, and its last words.
    trials: Mutex<HashMap<u64, (u32, String)>>,
    halves: Mutex<Halves>,
}

/// Messages whose attachments are not all there.
#[derive(Default)]
struct Halves {
    /// Those that a connection of this lane is about to complete.
    growing: HashSet<String>,
    /// Those that nobody will complete, by what they are looked for by.
    left: HashMap<String, Vec<String>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl GraphLane {
    /// A mailbox that is connected to when it is first needed.
    pub fn new(target: Target) -> Self {
        Self { target: Arc::new(target), shared: Arc::default() }
    }

    /// How many connections are of use: one mailbox takes four requests at a time.
    pub fn connections(wanted: usize) -> usize {
        wanted.clamp(1, AT_ONCE)
    }
}

impl Lane for GraphLane {
    fn preparer(&self) -> Arc<dyn Prepare> {
        Arc::new(Writer { import: self.target.import })
    }

    fn limits(&self) -> Limits {
        BATCH
    }

    fn session(&self) -> Result<Box<dyn Session>> {
        let Target { service, user, archive, reach, login, patience, endurance, watch, .. } = &*self.target;
        let graph = Graph::new(service, user, reach, login.clone(), *patience, Arc::clone(watch))?;
        let mut graph = graph.enduring(*endurance).taking(Arc::clone(&self.shared.turns));
        if *archive {
            graph = graph.archive();
        }
        let way = self.shared.way(&mut graph, &self.target)?;
        Ok(Box::new(Mailbox::new(graph, way, Arc::clone(&self.shared), Arc::clone(&self.target))))
    }

    fn stopped(&self) -> bool {
        self.target.reach.stop.load(Ordering::Relaxed)
    }

    fn tell(&self, notice: &Notice) {
        (self.target.watch)(notice);
    }

    /// What a server wants stands in its answers, not in its words.
    fn backoff(&self, _words: &str) -> Option<Duration> {
        None
    }

    fn patience(&self) -> Duration {
        self.target.patience
    }
}

impl Shared {
    /// How items go in: whether import is permitted is asked once.
    fn way(&self, graph: &mut Graph, target: &Target) -> Result<Way> {
        let mut way = lock(&self.way);
        if let Some(way) = &*way {
            return Ok(way.clone());
        }
        let refusal = match graph.permission()? {
            Ok(permission) => {
                *lock(&self.permission) = Some(permission);
                return Ok(way.insert(Way::Import).clone());
            }
            Err(refusal) => refusal,
        };
        if !matches!(refusal.meaning, Meaning::Forbidden | Meaning::Missing | Meaning::Item) {
            return Err(refusal.error());
        }
        if target.archive {
            let text =
                format!("Graph does not permit import, without which nothing goes into an online archive: {refusal}");
            return Err(Error::new(Kind::Denied, text));
        }
        let text = format!(
            "Graph does not permit import ({refusal}); mail goes in as JSON, without what that has no place for, and other \
             items do not"
        );
        (target.watch)(&Notice::Remark(text));
        Ok(way.insert(Way::Mail(refusal.to_string())).clone())
    }

    /// A permission to import that lasts for a while and is not `stale`; the refusal stands inside.
    pub fn permission(
        &self,
        graph: &mut Graph,
        stale: Option<&Permission>,
    ) -> Result<std::result::Result<Permission, Refusal>> {
        let mut held = lock(&self.permission);
        if let Some(permission) = held.as_ref().filter(|p| !p.is_over() && stale.is_none_or(|s| !p.is(s))) {
            return Ok(Ok(permission.clone()));
        }
        Ok(graph.permission()?.inspect(|new| *held = Some(new.clone())))
    }

    /// The server's last words to an item that it has failed over too often.
    pub fn hopeless(&self, nth: u64) -> Option<String> {
        lock(&self.trials).get(&nth).filter(|(trials, _)| *trials >= TRIALS).map(|(_, words)| words.clone())
    }

    /// The server has failed over an item.
    pub fn failed(&self, nth: u64, words: String) {
        let mut trials = lock(&self.trials);
        let trial = trials.entry(nth).or_default();
        *trial = (trial.0 + 1, words);
    }

    /// A connection is about to complete a message.
    pub fn growing(&self, id: &str) {
        lock(&self.halves).growing.insert(id.to_owned());
    }

    /// The message is whole, or given up.
    pub fn grown(&self, id: &str) {
        lock(&self.halves).growing.remove(id);
    }

    /// Takes note of an unfinished message that was found, unless a connection is about to complete it.
    pub fn left(&self, id: &str, probes: &[String]) {
        let mut halves = lock(&self.halves);
        if !halves.growing.contains(id) {
            for probe in probes {
                halves.left.entry(probe.clone()).or_default().push(id.to_owned());
            }
        }
    }

    /// The unfinished messages that are looked for by `probe`, which are known no longer.
    pub fn leftovers(&self, probe: &str) -> Vec<String> {
        lock(&self.halves).left.remove(probe).unwrap_or_default()
    }
}
