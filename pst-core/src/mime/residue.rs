//! What a calendar or an address book says and Outlook has no property for: its lines are kept in a property of our own
//! and written again.
//!
//! Lines that do have a property are kept too where the property cannot hold how they are written (a parameter, another
//! name of a zone, an unusual rule). They come back only as long as they say what the property says.

use super::carried::Carried;
use super::lines::{self, Component};
use crate::mapi::named::PS_PUBLIC_STRINGS;
use crate::mapi::{NamedProp, PropBag, PropType, Value};
use std::sync::Arc;

/// Longest residue that is kept, bytes.
const LONGEST: usize = 16 << 20;

/// Where the residue of iCalendar components is kept.
pub(super) const CALENDAR: &str = "pst:icalendar";
/// Where the residue of vCards is kept.
pub(super) const CARD: &str = "pst:vcard";

/// The name of the property.
pub(super) fn name(which: &str) -> NamedProp {
    NamedProp::text(PS_PUBLIC_STRINGS, which)
}

/// The residue of an item.
pub(super) fn load(item: &Carried<'_>, which: &str) -> Component {
    let stored = item.named(&name(which)).and_then(|v| super::text::value(v, item.page));
    let Some(stored) = stored.filter(|t| t.len() <= LONGEST) else { return Component::default() };
    let text = format!("BEGIN:X\r\n{stored}\r\nEND:X\r\n");
    lines::parse(text.as_bytes()).components.into_iter().next().unwrap_or_default()
}

/// Keeps the residue of an item; false if there is too much of it.
pub(super) fn store(props: &mut PropBag, which: &str, residue: &Component) -> bool {
    if residue.lines.is_empty() && residue.parts.is_empty() {
        return true;
    }
    let mut text = Vec::new();
    if lines::write_inside(residue, &mut text).is_err() || text.len() > LONGEST {
        return false;
    }
    let text = String::from_utf8(text).unwrap_or_default();
    props.set_named(Arc::new(name(which)), PropType::STRING, Value::text(&text));
    true
}
