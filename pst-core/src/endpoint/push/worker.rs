//! A thread that puts batches: with a session of its own, made anew where it breaks.

use super::shared::{Batch, Shared, Target};
use super::{Answer, Difference, Doubt, Duplicates, Index, Parcel, Session};
use crate::error::{Error, Kind, Result};
use crate::mapi::{Code, Warning};
use crate::pipeline::Fate;
use crate::pipeline::journal::{Name, Whereabouts};
use std::collections::HashSet;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// How often something is tried that breaks the connection.
const ATTEMPTS: u32 = 6;
/// Refusals in a row after which a new connection is better: Exchange says goodbye after ten errors.
const REFUSALS: u32 = 5;

pub(super) struct Worker {
    shared: Arc<Shared>,
    session: Option<Box<dyn Session>>,
    /// Connections that broke in a row.
    breaks: u32,
    refusals: u32,
}

/// Why a batch cannot go on: the connection broke, or the run is over.
enum Halt {
    Broken(Error),
    Over,
}

impl From<Error> for Halt {
    fn from(e: Error) -> Self {
        if e.kind() == Kind::Interrupted { Self::Over } else { Self::Broken(e) }
    }
}

/// How often in a row the server was busy, and since when.
struct Busy {
    times: u32,
    since: Instant,
}

impl Default for Busy {
    fn default() -> Self {
        Self { times: 0, since: Instant::now() }
    }
}

type Step<T = ()> = std::result::Result<T, Halt>;

impl Worker {
    pub fn new(shared: Arc<Shared>) -> Self {
        Self { shared, session: None, breaks: 0, refusals: 0 }
    }

    pub fn run(mut self) {
        while let Some(batch) = self.shared.next() {
            self.batch(batch);
            self.shared.done();
            if self.shared.is_queue_empty()
                && let Err(e) = self.shared.journal.save()
            {
                self.shared.die(&e);
            }
        }
        if let Some(session) = self.session.take() {
            session.close();
        }
    }

    fn batch(&mut self, batch: Batch) {
        let Batch { target, parcels: mut open } = batch;
        let mut again = Busy::default();
        while !open.is_empty() {
            let before = open.len();
            let step = self.connect().and_then(|()| self.step(&target, &mut open, &mut again));
            if open.len() < before {
                self.breaks = 0;
            }
            match step {
                Ok(()) => {}
                Err(Halt::Over) => return,
                Err(Halt::Broken(error)) => {
                    self.session = None;
                    if matches!(error.kind(), Kind::Denied | Kind::Io) {
                        return self.shared.die(&error);
                    }
                    self.breaks += 1;
                    let most = if self.shared.others() { 3 } else { ATTEMPTS };
                    if self.breaks >= most {
                        return self.shared.retire(Batch { target, parcels: open }, &error);
                    }
                    let suggested = self.shared.lane.backoff(error.text()).unwrap_or_default();
                    if !self.shared.reconnect(self.breaks - 1, &error, suggested) {
                        return;
                    }
                }
            }
        }
    }

    fn connect(&mut self) -> Step {
        if self.refusals >= REFUSALS
            && let Some(session) = self.session.take()
        {
            session.close();
            self.refusals = 0;
        }
        if self.session.is_none() {
            self.session = Some(self.shared.lane.session()?);
        }
        Ok(())
    }

    fn session(&mut self) -> Step<&mut dyn Session> {
        match &mut self.session {
            Some(session) => Ok(&mut **session),
            None => Err(Halt::Broken(Error::new(Kind::Connection, "there is no connection"))),
        }
    }

    /// Puts what is open, as far as the server takes it now.
    fn step(&mut self, target: &Target, open: &mut Vec<Parcel>, again: &mut Busy) -> Step {
        if let Some(words) = target.closed.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            self.close_out(open, &words);
            return Ok(());
        }
        if open.iter().any(|p| p.doubt.is_some()) {
            self.resolve(target, open)?;
        }
        self.duplicates(target, open)?;
        if open.is_empty() {
            return Ok(());
        }
        if !self.shared.may_put(open.len()) {
            return Err(Halt::Over);
        }
        let names: Vec<Name> = open.iter().map(|p| p.name).collect();
        self.shared.journal.about(&target.place.key(), &names)?;
        let mut answers: Vec<Option<Answer>> = Vec::new();
        answers.resize_with(open.len(), || None);
        let shared = Arc::clone(&self.shared);
        let gate = target.gate.read().unwrap_or_else(PoisonError::into_inner);
        let result = self.session()?.put(&target.place, open, &mut |i, answer| {
            if let (Answer::Stored(at, _), Some(parcel)) = (&answer, names.get(i)) {
                shared.journal.stored(&target.place.key(), *parcel, at.clone());
            }
            if let Some(slot) = answers.get_mut(i) {
                *slot = Some(answer);
            }
        });
        if result.is_err() {
            for (parcel, _) in open.iter_mut().zip(&answers).filter(|(_, answer)| answer.is_none()) {
                parcel.doubt = Some(Doubt::Now);
            }
        }
        drop(gate);
        let told = self.take(target, open, answers, again);
        result?;
        told
    }

    /// Settles what was answered; what has no answer stays open.
    fn take(
        &mut self,
        target: &Target,
        open: &mut Vec<Parcel>,
        answers: Vec<Option<Answer>>,
        again: &mut Busy,
    ) -> Step {
        let mut stored = Vec::new();
        let mut over = None;
        let mut pause: Option<(Duration, String)> = None;
        let mut progress = false;
        for (parcel, answer) in std::mem::take(open).into_iter().zip(answers) {
            match answer {
                Some(Answer::Stored(at, warnings)) => {
                    progress = true;
                    self.refusals = 0;
                    stored.push((parcel, at, warnings));
                }
                Some(Answer::Refused(error)) => {
                    progress = true;
                    self.refusals += 1;
                    self.refuse(&parcel, error);
                }
                Some(Answer::Again(wait, words)) if again.since.elapsed() <= self.shared.options.endurance => {
                    pause = Some((wait, words));
                    self.refusals += 1;
                    open.push(parcel);
                }
                Some(Answer::Again(_, words)) => {
                    let waited = again.since.elapsed().as_secs();
                    let text = format!("the server was busy for {waited} s, longer than --patience allows: {words}");
                    self.refuse(&parcel, Error::new(Kind::Server, text));
                }
                Some(Answer::Closed(words)) => {
                    self.refuse(&parcel, closed(&words));
                    *target.closed.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
                }
                Some(Answer::Over(error)) => {
                    self.shared.journal.refused(parcel.name);
                    over = Some(error);
                }
                None => open.push(parcel),
            }
        }
        self.finish(target, stored)?;
        if let Some(error) = over {
            self.shared.die(&error);
            return Err(Halt::Over);
        }
        if progress {
            *again = Busy::default();
        }
        if let Some((wait, words)) = pause {
            self.shared.leave_alone(again.times, wait, words);
            again.times += 1;
        }
        Ok(())
    }

    fn refuse(&self, parcel: &Parcel, error: Error) {
        self.shared.journal.refused(parcel.name);
        self.shared.settle(parcel.nth, Fate::Failed(error));
    }

    fn close_out(&self, open: &mut Vec<Parcel>, words: &str) {
        for parcel in open.drain(..) {
            // Of those in doubt the journal keeps what it has.
            if parcel.doubt.is_none() {
                self.shared.journal.refused(parcel.name);
            }
            self.shared.settle(parcel.nth, Fate::Failed(closed(words)));
        }
    }

    /// What follows once items are there: older ones go, and they are read back where that is wanted.
    fn finish(&mut self, target: &Target, mut stored: Vec<(Parcel, Whereabouts, Vec<Warning>)>) -> Step {
        if self.shared.options.duplicates == Duplicates::Replace {
            for (parcel, _, warnings) in &mut stored {
                warnings.extend(self.replace(target, &parcel.payload.probe));
            }
        }
        if self.shared.options.verify {
            return self.verify(target, stored);
        }
        for (parcel, _, more) in stored {
            let mut warnings = parcel.warnings;
            warnings.extend(more);
            self.shared.settle(parcel.nth, Fate::Written(warnings));
        }
        Ok(())
    }

    /// Does something that may break the connection, on new ones if it must be.
    fn persist<T>(&mut self, mut work: impl FnMut(&mut dyn Session) -> Result<T>) -> Result<T> {
        let mut tries = 0;
        loop {
            let done = match self.connect().and_then(|()| self.session()) {
                Ok(session) => work(session),
                Err(Halt::Broken(e)) => Err(e),
                Err(Halt::Over) => Err(Error::new(Kind::Interrupted, "stopped by the user")),
            };
            let error = match done {
                Err(e) if e.kind() == Kind::Connection && tries < ATTEMPTS => e,
                done => return done,
            };
            self.session = None;
            if !self.shared.reconnect(tries, &error, self.shared.lane.backoff(error.text()).unwrap_or_default()) {
                return Err(Error::new(Kind::Interrupted, "stopped by the user"));
            }
            tries += 1;
        }
    }

    /// Deletes what the folder had before of the same message.
    fn replace(&mut self, target: &Target, probe: &str) -> Vec<Warning> {
        if probe.is_empty() {
            return Vec::new();
        }
        let old = {
            let mut before = target.before.lock().unwrap_or_else(PoisonError::into_inner);
            before.as_mut().and_then(|index| index.remove(probe)).unwrap_or_default()
        };
        if old.is_empty() {
            return Vec::new();
        }
        match self.persist(|session| session.delete(&target.place, &old)) {
            Ok(warnings) => warnings,
            Err(e) => vec![Code::Deleted.with(format!("what it replaces could not be deleted and stays: {e}"))],
        }
    }

    fn verify(&mut self, target: &Target, mut stored: Vec<(Parcel, Whereabouts, Vec<Warning>)>) -> Step {
        if stored.iter().any(|(_, at, _)| at.id.is_empty()) {
            self.find_ids(target, &mut stored)?;
        }
        let checked = {
            let mut known: Vec<(String, &mut Parcel)> = stored
                .iter_mut()
                .filter(|(_, at, _)| !at.id.is_empty())
                .map(|(parcel, at, _)| (at.id.clone(), parcel))
                .collect();
            self.persist(|session| session.check(&target.place, &mut known))
        };
        let mut checked = match checked {
            Err(e) if e.kind() == Kind::Interrupted => return Err(Halt::Over),
            checked => checked.map_err(|e| e.to_string()).map(Vec::into_iter),
        };
        for (parcel, at, more) in stored {
            let said = match &mut checked {
                _ if at.id.is_empty() => Err("the server does not tell where it is".to_owned()),
                Ok(each) => Ok(each.next().unwrap_or_default()),
                Err(words) => Err(words.clone()),
            };
            let mut warnings = parcel.warnings;
            warnings.extend(more);
            let fate = match said {
                Err(words) => {
                    warnings.push(Code::Structure.with(format!("it could not be read back: {words}")));
                    Fate::Written(warnings)
                }
                Ok(differences) => judged(differences, warnings),
            };
            self.shared.settle(parcel.nth, fate);
        }
        Ok(())
    }

    /// Looks for the ids of items that are there, where the server has not told them.
    fn find_ids(&mut self, target: &Target, stored: &mut [(Parcel, Whereabouts, Vec<Warning>)]) -> Step {
        let index = match self.persist(|session| session.index(&target.place)) {
            Ok(index) => index,
            Err(e) if e.kind() == Kind::Interrupted => return Err(Halt::Over),
            Err(_) => return Ok(()),
        };
        let mut mine = self.shared.journal.ids(&target.place.key())?;
        for (parcel, at, _) in stored.iter_mut().filter(|(_, at, _)| at.id.is_empty()) {
            let found = index.get(&parcel.payload.probe).into_iter().flatten().rfind(|id| !mine.contains(*id));
            if let Some(id) = found.cloned() {
                mine.insert(id.clone());
                at.id = id;
                self.shared.journal.stored(&target.place.key(), parcel.name, at.clone());
            }
        }
        Ok(())
    }

    /// Looks up items of which nobody knows whether they are there, while nobody puts anything into the folder.
    fn resolve(&mut self, target: &Target, open: &mut Vec<Parcel>) -> Step {
        let gate = target.gate.write().unwrap_or_else(PoisonError::into_inner);
        let shared = Arc::clone(&self.shared);
        shared.calm(self.session()?, &target.place)?;
        let key = target.place.key();
        let index = self.session()?.index(&target.place)?;
        let mut mine = self.shared.journal.ids(&key)?;
        let mut rest = Vec::new();
        let mut found = Vec::new();
        let mut halted = None;
        for mut parcel in std::mem::take(open) {
            if halted.is_some() || parcel.doubt.is_none() {
                rest.push(parcel);
                continue;
            }
            match self.matching(target, &index, &mine, &mut parcel) {
                Ok(Some(id)) => {
                    mine.insert(id.clone());
                    let at = Whereabouts { id, change: String::new() };
                    self.shared.journal.stored(&key, parcel.name, at);
                    found.push(parcel);
                }
                Ok(None) => {
                    parcel.doubt = None;
                    rest.push(parcel);
                }
                Err(halt) => {
                    // Those that were not looked up are looked up again.
                    rest.push(parcel);
                    halted = Some(halt);
                }
            }
        }
        drop(gate);
        *open = rest;
        for parcel in found {
            let fate = match parcel.doubt {
                Some(Doubt::Now) => Fate::Written(parcel.warnings),
                _ => Fate::There,
            };
            self.shared.settle(parcel.nth, fate);
        }
        halted.map_or(Ok(()), Err)
    }

    /// The id of this very item in a folder, if it is there and is no other's.
    fn matching(
        &mut self,
        target: &Target,
        index: &Index,
        mine: &HashSet<String>,
        parcel: &mut Parcel,
    ) -> Step<Option<String>> {
        let candidates = index.get(&parcel.payload.probe).into_iter().flatten().filter(|id| !mine.contains(*id));
        for id in candidates {
            let said = self.session()?.check(&target.place, &mut [(id.clone(), &mut *parcel)])?;
            let other = said.iter().flatten().any(|d| matches!(d, Difference::Serious(_)));
            if !other {
                return Ok(Some(id.clone()));
            }
        }
        Ok(None)
    }

    /// Leaves out what the folder has already, where that is wanted; looks at the folder before anything is put into it.
    fn duplicates(&mut self, target: &Target, open: &mut Vec<Parcel>) -> Step {
        if self.shared.options.duplicates == Duplicates::Allow {
            return Ok(());
        }
        let key = target.place.key();
        let mut before = target.before.lock().unwrap_or_else(PoisonError::into_inner);
        let index = match before.take() {
            Some(index) => index,
            None => {
                let mut index = self.session()?.index(&target.place)?;
                if self.shared.options.duplicates == Duplicates::Replace {
                    // What this program has put there is replaced by nothing but itself.
                    let mine = self.shared.journal.ids(&key)?;
                    for ids in index.values_mut() {
                        ids.retain(|id| !mine.contains(id));
                    }
                }
                index
            }
        };
        let index = before.insert(index);
        if self.shared.options.duplicates == Duplicates::Replace {
            return Ok(());
        }
        for parcel in std::mem::take(open) {
            let probe = Some(&parcel.payload.probe).filter(|p| !p.is_empty());
            match probe.and_then(|p| index.get(p)).and_then(|ids| ids.first()) {
                Some(id) => {
                    let at = Whereabouts { id: id.clone(), change: String::new() };
                    self.shared.journal.stored(&key, parcel.name, at);
                    self.shared.settle(parcel.nth, Fate::Skipped("the mailbox having it already"));
                }
                None => open.push(parcel),
            }
        }
        Ok(())
    }
}

fn closed(words: &str) -> Error {
    Error::new(Kind::Server, format!("the server takes nothing into this folder: {words}"))
}

/// What comes of differences between what was sent and what was read back.
fn judged(differences: Vec<Difference>, mut warnings: Vec<Warning>) -> Fate {
    let serious = differences.iter().find_map(|d| match d {
        Difference::Serious(text) => Some(text.clone()),
        Difference::Slight(_) => None,
    });
    if let Some(text) = serious {
        let text = format!("it was sent, but what was read back differs: {text}");
        return Fate::Failed(Error::new(Kind::Damaged, text));
    }
    for difference in differences {
        if let Difference::Slight(text) = difference {
            warnings.push(Code::Structure.with(format!("read back, it differs: {text}")));
        }
    }
    Fate::Written(warnings)
}
