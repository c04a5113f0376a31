//! Pushing into mailboxes on servers: what all ways in have in common.
//!
//! A [`Lane`] is a way into a mailbox and makes [`Session`]s, [`PushSink`] is the sink over it. The sink finds the folder of
//! the mailbox for each folder of the source ([`places`]) and fills batches, and workers with a session each put them there.
//! The journal has a note of every item before it is sent and after it is there, so an item of which nobody knows whether it
//! arrived is looked up before it is sent again.

mod astray;
pub mod places;
pub mod receipts;
mod shared;
mod sink;
mod worker;

pub use places::Place;
pub use sink::{Duplicates, Options, PushSink};

use super::net::Notice;
use crate::error::{Error, Result};
use crate::mapi::Warning;
use crate::pipeline::journal::{Name, Whereabouts};
use crate::pipeline::{Prepare, Role};
use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// What a server takes at once.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Items of a batch.
    pub items: usize,
    /// Bytes of a batch, unless one item alone has more.
    pub bytes: u64,
}

/// A way into a mailbox.
pub trait Lane: Send + Sync {
    /// The part of the work that needs no order: what the lane refuses, and its form of an item, a [`Payload`].
    fn preparer(&self) -> Arc<dyn Prepare>;

    /// How large batches are.
    fn limits(&self) -> Limits;

    /// A new connection, signed in.
    ///
    /// # Errors
    /// [`crate::Kind::Connection`] when the server cannot be reached, [`crate::Kind::Denied`] when it refuses the sign-in.
    fn session(&self) -> Result<Box<dyn Session>>;

    /// True once the user wants to stop.
    fn stopped(&self) -> bool;

    /// Tells that something is waited for.
    fn tell(&self, notice: &Notice);

    /// How long the server wants to be left alone, if its words say so.
    fn backoff(&self, words: &str) -> Option<Duration>;

    /// How long is waited before what broke is tried again; twice that before the next attempt, and so on.
    fn patience(&self) -> Duration;
}

/// An item in the form of a lane.
pub struct Payload {
    /// The form itself.
    pub form: Box<dyn Any + Send>,
    /// Its size, bytes.
    pub bytes: u64,
    /// What it is looked for by in a folder: the same text as in an [`Index`].
    pub probe: String,
}

/// An item on its way.
pub struct Parcel {
    /// Which one, counted from 0.
    pub(crate) nth: u64,
    /// What names it in the journal.
    pub(crate) name: Name,
    /// What is sent.
    pub payload: Payload,
    /// It may be there already: it was sent, and nobody knows what became of it.
    pub(crate) doubt: Option<Doubt>,
    /// What was lost.
    pub(crate) warnings: Vec<Warning>,
}

/// When an item was sent of which nobody knows what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// In an earlier run.
    Earlier,
    /// In this one.
    Now,
}

/// What a server says to an item.
#[derive(Debug)]
pub enum Answer {
    /// It is there, with what was lost.
    Stored(Whereabouts, Vec<Warning>),
    /// It does not take it.
    Refused(Error),
    /// It wants to be left alone for so long, in these words.
    Again(Duration, String),
    /// It takes nothing into this folder, in these words.
    Closed(String),
    /// It takes nothing more at all.
    Over(Error),
}

/// How an item that was read back differs from what was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// It is another item, or damaged.
    Serious(String),
    /// It is shown in another way.
    Slight(String),
}

/// The items of a folder: what they are looked for by, and their ids.
pub type Index = HashMap<String, Vec<String>>;

/// A connection that puts items into folders. An error of any method is that of a broken connection.
pub trait Session: Send {
    /// The folders that are there.
    ///
    /// # Errors
    /// When they cannot be listed.
    fn folders(&mut self) -> Result<Vec<Place>>;

    /// What the server calls a child of a folder, or of the top: some names are not possible.
    fn tame(&self, name: &str) -> String;

    /// Makes a folder for items of a container class ("IPF.Note"; empty where it is not known); the warnings say what became
    /// of its name.
    ///
    /// # Errors
    /// When the server refuses: [`crate::Kind::Server`].
    fn create(&mut self, parent: Option<&Place>, name: &str, role: Role, class: &str) -> Result<(Place, Vec<Warning>)>;

    /// Looks at a folder before items go into it.
    ///
    /// # Errors
    /// When the server refuses: [`crate::Kind::Server`].
    fn look(&mut self, place: &mut Place) -> Result<()>;

    /// Puts items into a folder, and tells what the server said to each. It may end before all have an answer; those are not
    /// sent then.
    ///
    /// # Errors
    /// When the connection breaks: nobody knows what became of items without an answer.
    fn put(&mut self, place: &Place, items: &mut [Parcel], told: &mut dyn FnMut(usize, Answer)) -> Result<()>;

    /// How many items a folder has.
    ///
    /// # Errors
    /// When it cannot be opened.
    fn count(&mut self, place: &Place) -> Result<u64>;

    /// What is in a folder.
    ///
    /// # Errors
    /// When it cannot be listed.
    fn index(&mut self, place: &Place) -> Result<Index>;

    /// Reads items back, by their ids, and compares them with what was sent.
    ///
    /// # Errors
    /// When the connection breaks.
    fn check(&mut self, place: &Place, items: &mut [(String, &mut Parcel)]) -> Result<Vec<Vec<Difference>>>;

    /// Deletes items; the warnings say what stays.
    ///
    /// # Errors
    /// When the connection breaks.
    fn delete(&mut self, place: &Place, ids: &[String]) -> Result<Vec<Warning>>;

    /// Says goodbye.
    fn close(self: Box<Self>);
}
