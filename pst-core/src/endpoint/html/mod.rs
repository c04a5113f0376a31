//! Pages for browsers: one for each message, lists of what is in each folder, and nothing in them that runs or fetches.

mod balance;
mod clean;
mod counts;
mod css;
mod elements;
mod index;
mod page;
mod pictures;
mod sink;
mod token;

pub use index::is_target;
pub use sink::HtmlSink;
