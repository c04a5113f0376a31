//! Where items go.

use super::dedupe::Key;
use super::item::{Folder, Item};
use super::journal::Change;
use crate::error::{Error, Result};
use crate::mapi::{NamedProp, PropBag, Warning};
use std::any::Any;
use std::path::PathBuf;
use std::sync::Arc;

/// An item made ready for a sink on any thread.
pub struct Prepared {
    /// The sink's own form; only the sink that prepared it looks inside.
    pub payload: Box<dyn Any + Send>,
    /// Bytes held, for the budget.
    pub bytes: u64,
    /// Name for reports, as in the item.
    pub id: String,
    /// What was lost or odd, one sentence each.
    pub warnings: Vec<Warning>,
    /// Stands for the content, from sinks that a journal is kept of.
    pub content: Option<Key>,
    /// Stands for where it came from, for sinks that settle later.
    pub origin: Option<Key>,
}

/// What became of an item, from a sink that knows it only later.
#[derive(Debug)]
pub struct Settled {
    /// Which one, counted from 0 in the order in which [`Sink::item`] took them.
    pub nth: u64,
    /// What became of it.
    pub fate: Fate,
}

/// What can become of an item.
#[derive(Debug)]
pub enum Fate {
    /// It is in the target; what was lost on the way.
    Written(Vec<Warning>),
    /// The target had it from an earlier run.
    There,
    /// It was left out for this reason.
    Skipped(&'static str),
    /// It could not be written.
    Failed(Error),
}

/// The part of a sink's work that needs no order and runs on all threads.
pub trait Prepare: Send + Sync {
    /// Why the sink has no place for an item, if it has none; the item is then left out and counted.
    fn refuses(&self, _item: &Item) -> Option<&'static str> {
        None
    }

    /// Converts an item into the sink's form.
    ///
    /// # Errors
    /// When this item cannot be converted; the run goes on.
    fn prepare(&self, folder: &Folder, item: Item) -> Result<Prepared>;
}

/// What a sink wrote.
#[derive(Debug, Clone, Default)]
pub struct Written {
    /// The file or folder that now exists.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Something that takes folders of items, in order, from one thread. Dropped without `finish`, it leaves nothing behind but
/// what [`Sink::flush`] made durable.
pub trait Sink: Send {
    /// The part that runs on all threads; asked for once, after [`Sink::names`].
    fn preparer(&self) -> Arc<dyn Prepare>;

    /// Announces named properties before the first item.
    fn names(&mut self, _names: &[NamedProp]) {}

    /// Takes note of a source before its first folder: the folder that takes it in, its title and its own properties.
    ///
    /// # Errors
    /// When the sink cannot go on.
    fn store(&mut self, _under: &[String], _title: &str, _props: &PropBag) -> Result<()> {
        Ok(())
    }

    /// Starts a folder; parents come first, and the items that follow belong to it. Starting a path again goes on with it.
    ///
    /// # Errors
    /// When the folder cannot be made.
    fn folder(&mut self, folder: &Folder) -> Result<()>;

    /// Writes one prepared item into the current folder; returns what was lost, one sentence each.
    ///
    /// # Errors
    /// When the sink cannot go on; [`crate::Kind::Limit`] when only this item cannot be written.
    fn item(&mut self, item: Prepared) -> Result<Vec<Warning>>;

    /// True if what becomes of items is known only later: they count when [`Sink::settled`] tells of them.
    fn later(&self) -> bool {
        false
    }

    /// What became of items that were taken before, each told once. With `wait` it waits for news, for a moment at least.
    ///
    /// # Errors
    /// When the sink cannot go on.
    fn settled(&mut self, _wait: bool) -> Result<Vec<Settled>> {
        Ok(Vec::new())
    }

    /// Begins nothing more; what is under way is finished and told by [`Sink::settled`], which then fails.
    fn cease(&mut self) {}

    /// The path of the current folder as the target calls it, where it may have names of its own.
    fn path(&self) -> Option<Vec<String>> {
        None
    }

    /// Where the last item went, for a journal: 0 in sinks of which none is kept.
    fn place(&self) -> u64 {
        0
    }

    /// The content and the place of each item that the current folder has, other than at places that are `known`.
    ///
    /// # Errors
    /// When the target cannot be read.
    fn contents(&mut self, _known: &dyn Fn(u64) -> bool) -> Result<Vec<(Key, u64)>> {
        Ok(Vec::new())
    }

    /// True if the target has an item at this place, of this content if that is known.
    fn has(&mut self, _place: u64, _content: Option<&Key>) -> bool {
        false
    }

    /// Changes an item that an earlier run wrote. False if it is no longer there.
    ///
    /// # Errors
    /// When the sink cannot go on; [`crate::Kind::Limit`] when only this item cannot be changed.
    fn change(&mut self, _change: &Change) -> Result<bool> {
        Ok(false)
    }

    /// What tells the target from others for good: the record key of a store.
    fn identity(&self) -> Option<[u8; 16]> {
        None
    }

    /// For each file of the target, the number that its durable state bears.
    fn states(&mut self) -> Vec<u32> {
        Vec::new()
    }

    /// For each file of the target, the number that its next durable state will bear.
    fn next_states(&self) -> Vec<u32> {
        Vec::new()
    }

    /// Makes everything so far durable and part of a whole target, where the target can grow.
    ///
    /// # Errors
    /// When it cannot be written; the target is then as it was after the last call.
    fn flush(&mut self) -> Result<()> {
        Ok(())
    }

    /// Completes the target and gives it its name.
    ///
    /// # Errors
    /// When it cannot be completed; nothing is left under the target's name.
    fn finish(self: Box<Self>) -> Result<Written>;
}

/// A sink that does all of another's work but writes nothing, for a dry run.
pub struct Rehearsal(Box<dyn Sink>);

impl Rehearsal {
    /// Takes a sink that was started; it leaves nothing behind.
    pub fn of(sink: Box<dyn Sink>) -> Self {
        Self(sink)
    }
}

impl Sink for Rehearsal {
    fn preparer(&self) -> Arc<dyn Prepare> {
        self.0.preparer()
    }

    fn names(&mut self, names: &[NamedProp]) {
        self.0.names(names);
    }

    fn folder(&mut self, _folder: &Folder) -> Result<()> {
        Ok(())
    }

    fn item(&mut self, _item: Prepared) -> Result<Vec<Warning>> {
        Ok(Vec::new())
    }

    fn finish(self: Box<Self>) -> Result<Written> {
        Ok(Written::default())
    }
}
