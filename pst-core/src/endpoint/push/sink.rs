//! The sink of a push: finds folders, fills batches, and passes on what the workers tell.

use super::astray::Astray;
use super::places::Places;
use super::shared::{Batch, Shared, Target};
use super::worker::Worker;
use super::{Doubt, Lane, Limits, Parcel, Payload, Session};
use crate::error::{Error, Kind, Result};
use crate::mapi::Warning;
use crate::pipeline::journal::{Known, Name, Pushed};
use crate::pipeline::{Fate, Folder, Prepare, Prepared, Role, Settled, Sink, Written};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// How often a question about folders is asked anew when the connection breaks.
const ATTEMPTS: u32 = 6;

/// How items go into a mailbox.
#[derive(Debug, Clone)]
pub struct Options {
    /// The journal.
    pub journal: PathBuf,
    /// Connections beside the one that asks for folders.
    pub connections: usize,
    /// Items a second, all connections together.
    pub rate: Option<f64>,
    /// How long a busy server is waited for before an item is given up.
    pub endurance: Duration,
    /// What becomes of items that the mailbox has already.
    pub duplicates: Duplicates,
    /// Items are read back and compared.
    pub verify: bool,
    /// Nothing is put or made.
    pub dry_run: bool,
}

/// Why an item is left out that an earlier run put into another folder.
const ELSEWHERE: &str = "being there already, in another folder";

/// What the journal says of an item.
enum Met {
    New,
    There,
    /// In another folder, where an earlier run put it.
    Elsewhere,
    /// Nobody knows whether it came into this folder.
    Doubtful,
    /// Nobody knows whether it came into another folder, by the journal's name of that.
    Astray(String),
}

/// What becomes of an item where the folder has one of the same Message-ID, or else of the same date, sender and subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Duplicates {
    /// It is put beside it.
    #[default]
    Allow,
    /// It is left out.
    Skip,
    /// It takes its place.
    Replace,
}

/// The folder at hand.
enum At {
    /// It is looked for with its first item.
    Wanted(Folder),
    Open(Arc<Target>),
    /// It cannot be had.
    Closed(Kind, String),
}

/// A mailbox on a server as a target.
pub struct PushSink {
    shared: Arc<Shared>,
    places: Places,
    control: Option<Box<dyn Session>>,
    threads: Vec<JoinHandle<()>>,
    limits: Limits,
    at: At,
    targets: HashMap<String, Arc<Target>>,
    astray: Astray,
    parcels: Vec<Parcel>,
    held: u64,
    next: u64,
    bytes: u64,
}

impl PushSink {
    /// Connects, looks at the folders, and opens the journal.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses the sign-in, or the journal cannot be opened.
    pub fn open(lane: Arc<dyn Lane>, options: Options) -> Result<Self> {
        let mut control = lane.session()?;
        let places = Places::new(control.folders()?, options.dry_run);
        let journal = if options.dry_run { Pushed::rehearse } else { Pushed::open }(&options.journal)?;
        let mut limits = lane.limits();
        if let Some(rate) = options.rate {
            limits.items = limits.items.min((rate.ceil() as usize).max(1));
        }
        let connections = if options.dry_run { 0 } else { options.connections.max(1) };
        let shared = Arc::new(Shared::new(lane, journal, options));
        let threads = (0..connections)
            .map(|_| {
                shared.join();
                let worker = Worker::new(Arc::clone(&shared));
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || {
                    if catch_unwind(AssertUnwindSafe(|| worker.run())).is_err() {
                        shared.done();
                        shared
                            .die(&Error::new(Kind::Damaged, "a fault of this program while it sent; please report it"));
                    }
                })
            })
            .collect();
        Ok(Self {
            shared,
            places,
            control: Some(control),
            threads,
            limits,
            at: At::Wanted(Folder::default()),
            targets: HashMap::new(),
            astray: Astray::default(),
            parcels: Vec::new(),
            held: 0,
            next: 0,
            bytes: 0,
        })
    }

    /// Has a question about folders answered, on a new connection where the old one broke.
    fn ask<T>(&mut self, mut question: impl FnMut(&mut Places, &mut dyn Session) -> Result<T>) -> Result<T> {
        let mut tries = 0;
        loop {
            let session = match self.control.take() {
                Some(session) => Ok(session),
                None => self.shared.lane.session(),
            };
            let answer = session.and_then(|mut session| {
                let answer = question(&mut self.places, &mut *session);
                if answer.as_ref().err().is_none_or(|e| e.kind() != Kind::Connection) {
                    self.control = Some(session);
                }
                answer
            });
            match answer {
                Err(e) if e.kind() == Kind::Connection && tries < ATTEMPTS => {
                    if !self.shared.reconnect(tries, &e, Duration::ZERO) {
                        return Err(Error::new(Kind::Interrupted, "stopped by the user"));
                    }
                    tries += 1;
                }
                answer => return answer,
            }
        }
    }

    /// Finds or makes the folder at hand.
    fn reach(&mut self, folder: &Folder) -> Result<()> {
        let dry = self.shared.options.dry_run;
        let found = self.ask(|places, session| {
            let mut place = places.of(session, folder)?;
            // What a dry run would make is not there to be looked at.
            if !dry || (place.holds_items && !place.id.is_empty()) {
                session.look(&mut place)?;
                places.update(&place);
            }
            Ok(place)
        });
        self.at = match found {
            Ok(place) => {
                // Folders that became one share what is known of it.
                let target = self.targets.entry(place.key()).or_insert_with(|| Arc::new(Target::new(place)));
                At::Open(Arc::clone(target))
            }
            Err(e) if e.kind() == Kind::Server => At::Closed(e.kind(), e.text().to_owned()),
            Err(e) => return Err(e),
        };
        Ok(())
    }

    /// Hands over what was gathered.
    fn pass(&mut self) -> Result<()> {
        let At::Open(target) = &self.at else { return Ok(()) };
        if self.parcels.is_empty() {
            return Ok(());
        }
        self.held = 0;
        self.shared.enqueue(Batch { target: Arc::clone(target), parcels: std::mem::take(&mut self.parcels) })
    }

    /// What was sent once stays where it is, also when it would go elsewhere now.
    fn known(&self, name: Name, target: &Target) -> Result<Met> {
        let is_this = |folder: &str| folder.split('\0').next().unwrap_or_default() == target.place.id;
        Ok(match self.shared.journal.known(name)? {
            Known::New => Met::New,
            Known::Unsure(folder) if is_this(&folder) => Met::Doubtful,
            Known::Unsure(folder) => Met::Astray(folder),
            Known::Stored(folder, _) if folder == target.place.key() => Met::There,
            // A folder of the same id that is another one now does not have what the old one had.
            Known::Stored(folder, _) if is_this(&folder) => Met::Doubtful,
            Known::Stored(..) => Met::Elsewhere,
        })
    }

    /// True if an item came into another folder, which the journal names.
    fn came(&mut self, folder: &str, parcel: &mut Parcel) -> Result<bool> {
        let mut astray = std::mem::take(&mut self.astray);
        let shared = Arc::clone(&self.shared);
        let came = self.ask(|places, session| astray.came(folder, parcel, places, session, &shared));
        self.astray = astray;
        came
    }

    fn take(&mut self, nth: u64, item: Prepared) -> Result<Option<Fate>> {
        if let At::Wanted(folder) = &self.at {
            let folder = folder.clone();
            self.reach(&folder)?;
        }
        let target = match &self.at {
            At::Open(target) => Arc::clone(target),
            At::Closed(kind, text) => return Ok(Some(Fate::Failed(Error::new(*kind, text.clone())))),
            At::Wanted(_) => return Ok(None),
        };
        let name = Name { origin: item.origin.unwrap_or_default(), content: item.content.unwrap_or_default() };
        let (doubt, astray) = match self.known(name, &target)? {
            Met::There => return Ok(Some(Fate::There)),
            Met::Elsewhere => return Ok(Some(Fate::Skipped(ELSEWHERE))),
            Met::New => (None, None),
            Met::Doubtful => (Some(Doubt::Earlier), None),
            Met::Astray(folder) => (None, Some(folder)),
        };
        let payload = item
            .payload
            .downcast::<Payload>()
            .map_err(|_| Error::new(Kind::Usage, "an item was prepared for another kind of target"))?;
        let warnings = self.places.notes();
        let bytes = payload.bytes;
        if self.shared.options.dry_run {
            self.bytes += bytes;
            return Ok(Some(Fate::Written(warnings)));
        }
        let mut parcel = Parcel { nth, name, payload: *payload, doubt, warnings };
        if let Some(folder) = astray
            && self.came(&folder, &mut parcel)?
        {
            return Ok(Some(Fate::Skipped(ELSEWHERE)));
        }
        self.bytes += bytes;
        let full = self.held + bytes > self.limits.bytes || self.parcels.len() >= self.limits.items;
        if full {
            self.pass()?;
        }
        self.held += bytes;
        self.parcels.push(parcel);
        Ok(None)
    }

    fn end(&mut self) {
        self.shared.close();
        for thread in self.threads.drain(..) {
            // A thread that panicked has put nothing since.
            let _ = thread.join();
        }
        if let Some(session) = self.control.take() {
            session.close();
        }
    }
}

/// Folders that hold no mail, or mail that waits to be sent, are of no use when they are empty.
fn is_made_when_empty(folder: &Folder) -> bool {
    let mail = folder.class.as_deref().is_none_or(|class| {
        let class = class.to_ascii_uppercase();
        class.is_empty() || class == "IPF" || class == "IPF.NOTE" || class.starts_with("IPF.NOTE.")
    });
    let roles = [Role::Outbox, Role::Calendar, Role::Contacts, Role::Tasks, Role::Notes, Role::Journal];
    mail && !folder.search && !folder.path.is_empty() && !roles.contains(&folder.role)
}

impl Sink for PushSink {
    fn preparer(&self) -> Arc<dyn Prepare> {
        self.shared.lane.preparer()
    }

    fn later(&self) -> bool {
        true
    }

    fn folder(&mut self, folder: &Folder) -> Result<()> {
        self.pass()?;
        self.at = At::Wanted(folder.clone());
        if is_made_when_empty(folder) { self.reach(folder) } else { Ok(()) }
    }

    fn path(&self) -> Option<Vec<String>> {
        match &self.at {
            At::Open(target) => Some(target.place.path.clone()),
            _ => None,
        }
    }

    fn item(&mut self, item: Prepared) -> Result<Vec<Warning>> {
        let nth = self.next;
        self.next += 1;
        if let Some(fate) = self.take(nth, item)? {
            self.shared.settle(nth, fate);
        }
        Ok(Vec::new())
    }

    fn settled(&mut self, wait: bool) -> Result<Vec<Settled>> {
        if wait || self.shared.has_idle() {
            self.pass()?;
        }
        self.shared.settled(wait)
    }

    fn cease(&mut self) {
        self.shared.close();
    }

    fn flush(&mut self) -> Result<()> {
        self.shared.journal.save()
    }

    fn finish(mut self: Box<Self>) -> Result<Written> {
        self.end();
        self.shared.journal.save()?;
        Ok(Written { path: PathBuf::new(), bytes: self.bytes })
    }
}

impl Drop for PushSink {
    fn drop(&mut self) {
        self.end();
    }
}
