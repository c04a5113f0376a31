//! Calendars: items to iCalendar (RFC 5545) and back ([MS-OXCICAL]).

mod changes;
mod effect;
mod export;
mod import;
mod index;
mod instead;
mod names;
mod pattern;
mod rule;
mod value;
mod zones;

pub(super) use effect::address as address_of;
pub use export::{Calendar, Entry, Kind};
pub(super) use import::meeting;
pub use import::read;
pub use index::{Place, index};
pub(super) use value::{Stamp, civil, seconds};
pub(super) use zones::nearest_date;
