//! What mail systems keep beside a message: read, answered, flagged... ([MS-OXCMSG] 2.2.1.6, [MS-OXOFLAG]).

use crate::mapi::message::flag;
use crate::mapi::named::{PS_PUBLIC_STRINGS, PSETID_COMMON, PSETID_TASK};
use crate::mapi::{Message, NamedProp, PropBag, PropType, Value, tag, time};
use std::sync::Arc;

/// PidTagMessageStatus: answered.
const STATUS_ANSWERED: i32 = 0x200;
const VERB_REPLY: i32 = 102;
const VERB_REPLY_ALL: i32 = 103;
const VERB_FORWARD: i32 = 104;
const ICON_NONE: i32 = -1;
const ICON_REPLIED: i32 = 0x105;
const ICON_FORWARDED: i32 = 0x106;
const FLAGGED: i32 = 2;
const RED: i32 = 6;

/// The state of a message. `seen` is `None` where the source keeps no such state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own in every mail system")]
pub struct State {
    /// Read. An unknown state counts as read.
    pub seen: Option<bool>,
    /// Replied to.
    pub answered: bool,
    /// Forwarded.
    pub forwarded: bool,
    /// Flagged for follow-up.
    pub flagged: bool,
    /// A draft.
    pub draft: bool,
    /// User keywords, which become categories.
    pub keywords: Vec<String>,
}

/// The state of a message by its properties.
pub fn state_of(message: &Message) -> State {
    state_of_bag(&message.props)
}

fn state_of_bag(props: &PropBag) -> State {
    let flags = props.i32(tag::MESSAGE_FLAGS).unwrap_or(flag::READ);
    let verb = props.i32(tag::LAST_VERB_EXECUTED).unwrap_or(0);
    let status = props.i32(tag::MESSAGE_STATUS).unwrap_or(0);
    State {
        seen: Some(flags & flag::READ != 0),
        answered: matches!(verb, VERB_REPLY | VERB_REPLY_ALL) || status & STATUS_ANSWERED != 0,
        forwarded: verb == VERB_FORWARD,
        flagged: props.i32(tag::FLAG_STATUS) == Some(FLAGGED),
        draft: flags & flag::UNSENT != 0,
        keywords: categories(props),
    }
}

/// When the message arrived or was sent, seconds since 1970 UTC.
pub fn delivery_time(message: &Message) -> Option<i64> {
    [tag::MESSAGE_DELIVERY_TIME, tag::CLIENT_SUBMIT_TIME, tag::LAST_MODIFICATION_TIME, tag::CREATION_TIME]
        .into_iter()
        .find_map(|t| message.props.time(t).and_then(time::known))
        .map(time::to_unix)
}

/// The name of the categories.
pub(super) fn keywords() -> NamedProp {
    NamedProp::text(PS_PUBLIC_STRINGS, "Keywords")
}

/// The categories of a message (PS_PUBLIC_STRINGS "Keywords").
pub(super) fn categories(props: &PropBag) -> Vec<String> {
    match props.named(&keywords()) {
        Some(Value::Multi(bytes)) => Value::multi_parts(bytes)
            .unwrap_or_default()
            .into_iter()
            .map(|part| encoding_rs::UTF_16LE.decode_without_bom_handling(part).0.trim_end_matches('\0').to_owned())
            .filter(|k| !k.is_empty())
            .collect(),
        _ => Vec::new(),
    }
}

/// Sets the properties of a state. `unsent` is what the header says, `more` are further message flags.
pub(super) fn apply(message: &mut Message, state: &State, unsent: bool, more: i32, at: u64) {
    let draft = state.draft || unsent;
    let mut flags = more;
    if state.seen.unwrap_or(true) {
        flags |= flag::READ;
    }
    flags |= if draft { flag::UNSENT } else { flag::UNMODIFIED };
    let props = &mut message.props;
    props.set(tag::MESSAGE_FLAGS, Value::I32(flags));
    props.set(tag::MESSAGE_STATUS, Value::I32(if state.answered { STATUS_ANSWERED } else { 0 }));
    let (icon, verb) = sign(state);
    props.set(tag::ICON_INDEX, Value::I32(icon));
    if let Some(verb) = verb {
        props.set(tag::LAST_VERB_EXECUTED, Value::I32(verb));
        props.set(tag::LAST_VERB_EXECUTION_TIME, Value::Time(at));
    }
    if state.flagged {
        follow_up(props, draft, at);
    }
}

/// Brings the properties of an item that was imported before up to the state that its source has now; `at` is when it
/// changed (FILETIME). Categories are added, not taken away: people give some in Outlook, too. What the state does not
/// touch stays, and nothing is touched for a source that keeps no state.
pub fn update(props: &mut PropBag, state: &State, at: u64) {
    let old = state_of_bag(props);
    if state.seen.is_none() {
        return;
    }
    if let Some(seen) = state.seen.filter(|s| Some(*s) != old.seen) {
        let flags = props.i32(tag::MESSAGE_FLAGS).unwrap_or_default();
        let flags = if seen { flags | flag::READ } else { flags & !flag::READ };
        props.set(tag::MESSAGE_FLAGS, Value::I32(flags));
    }
    if (state.answered, state.forwarded) != (old.answered, old.forwarded) {
        let status = props.i32(tag::MESSAGE_STATUS).unwrap_or_default() & !STATUS_ANSWERED;
        props.set(tag::MESSAGE_STATUS, Value::I32(if state.answered { status | STATUS_ANSWERED } else { status }));
        let icon = props.i32(tag::ICON_INDEX).unwrap_or(ICON_NONE);
        // Icons of meetings and reports say something else.
        if matches!(icon, ICON_NONE | 0 | ICON_REPLIED | ICON_FORWARDED) {
            props.set(tag::ICON_INDEX, Value::I32(sign(state).0));
        }
        match sign(state).1 {
            Some(verb) => {
                props.set(tag::LAST_VERB_EXECUTED, Value::I32(verb));
                props.set(tag::LAST_VERB_EXECUTION_TIME, Value::Time(at));
            }
            None => {
                props.remove(tag::LAST_VERB_EXECUTED.id());
                props.remove(tag::LAST_VERB_EXECUTION_TIME.id());
            }
        }
    }
    if state.flagged && !old.flagged {
        follow_up(props, old.draft, at);
    } else if old.flagged && !state.flagged {
        for t in [tag::FLAG_STATUS, tag::FOLLOWUP_ICON, tag::TODO_ITEM_FLAGS] {
            props.remove(t.id());
        }
    }
    let more: Vec<&String> = state.keywords.iter().filter(|k| !old.keywords.contains(k)).collect();
    if !more.is_empty() {
        let all: Vec<String> = old.keywords.iter().chain(more).cloned().collect();
        super::fields::set_categories(props, &all);
    }
}

/// The icon and the last verb of a state.
fn sign(state: &State) -> (i32, Option<i32>) {
    match (state.forwarded, state.answered) {
        (true, _) => (ICON_FORWARDED, Some(VERB_FORWARD)),
        (false, true) => (ICON_REPLIED, Some(VERB_REPLY)),
        (false, false) => (ICON_NONE, None),
    }
}

fn follow_up(props: &mut PropBag, draft: bool, at: u64) {
    let subject = super::text::subject(props);
    props.set(tag::FLAG_STATUS, Value::I32(FLAGGED));
    props.set(tag::FOLLOWUP_ICON, Value::I32(RED));
    props.set(tag::TODO_ITEM_FLAGS, Value::I32(if draft { 8 } else { 1 }));
    let common = |lid| Arc::new(NamedProp::id(PSETID_COMMON, lid));
    let task = |lid| Arc::new(NamedProp::id(PSETID_TASK, lid));
    if props.named(&common(0x8530)).is_none() {
        props.set_named(common(0x8530), PropType::STRING, Value::text("Follow up"));
    }
    props.set_named(task(0x8101), PropType::INTEGER32, Value::I32(0));
    props.set_named(task(0x8102), PropType::FLOATING64, Value::F64(0.0));
    props.set_named(task(0x811C), PropType::BOOLEAN, Value::Bool(false));
    props.set_named(common(0x85A4), PropType::STRING, Value::text(subject.as_deref().unwrap_or_default()));
    props.set_named(common(0x85BF), PropType::TIME, Value::Time(at));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_follows_its_source_and_spares_the_rest() {
        let words = |w: &[&str]| w.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        let mut message = Message::default();
        let first = State { seen: Some(false), flagged: true, keywords: words(&["red"]), ..State::default() };
        apply(&mut message, &first, false, flag::HAS_ATTACH, 5);
        super::super::fields::set_categories(&mut message.props, &first.keywords);
        let now = State { seen: Some(true), answered: true, keywords: words(&["blue"]), ..State::default() };
        update(&mut message.props, &now, 7);
        let expected = State { keywords: words(&["red", "blue"]), ..now.clone() };
        assert_eq!(state_of(&message), expected);
        assert_eq!(message.props.time(tag::LAST_VERB_EXECUTION_TIME), Some(7));
        assert!(message.props.i32(tag::MESSAGE_FLAGS).unwrap() & flag::HAS_ATTACH != 0);
        let once = message.clone();
        update(&mut message.props, &now, 9);
        assert_eq!(format!("{:?}", message.props), format!("{:?}", once.props), "the same state again changes nothing");
        message.props.set(tag::ICON_INDEX, Value::I32(0x404));
        let unread = State { seen: Some(false), ..State::default() };
        update(&mut message.props, &unread, 9);
        assert_eq!(message.props.i32(tag::ICON_INDEX), Some(0x404), "the icon of a meeting stays");
        assert_eq!(state_of(&message), State { keywords: words(&["red", "blue"]), ..unread });
    }
}
