//! What mail systems keep beside a message: read, answered, flagged... ([MS-OXCMSG] 2.2.1.6, [MS-OXOFLAG]).

use crate::mapi::message::flag;
use crate::mapi::named::{PS_PUBLIC_STRINGS, PSETID_COMMON, PSETID_TASK};
use crate::mapi::{Message, NamedProp, PropType, Value, tag, time};
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
    let props = &message.props;
    let flags = props.i32(tag::MESSAGE_FLAGS).unwrap_or(flag::READ);
    let verb = props.i32(tag::LAST_VERB_EXECUTED).unwrap_or(0);
    let status = props.i32(tag::MESSAGE_STATUS).unwrap_or(0);
    State {
        seen: Some(flags & flag::READ != 0),
        answered: matches!(verb, VERB_REPLY | VERB_REPLY_ALL) || status & STATUS_ANSWERED != 0,
        forwarded: verb == VERB_FORWARD,
        flagged: props.i32(tag::FLAG_STATUS) == Some(FLAGGED),
        draft: flags & flag::UNSENT != 0,
        keywords: categories(message),
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
pub(super) fn categories(message: &Message) -> Vec<String> {
    match message.props.named(&keywords()) {
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
    let (icon, verb) = match (state.forwarded, state.answered) {
        (true, _) => (ICON_FORWARDED, Some(VERB_FORWARD)),
        (false, true) => (ICON_REPLIED, Some(VERB_REPLY)),
        (false, false) => (ICON_NONE, None),
    };
    props.set(tag::ICON_INDEX, Value::I32(icon));
    if let Some(verb) = verb {
        props.set(tag::LAST_VERB_EXECUTED, Value::I32(verb));
        props.set(tag::LAST_VERB_EXECUTION_TIME, Value::Time(at));
    }
    if state.flagged {
        follow_up(message, draft, at);
    }
}

fn follow_up(message: &mut Message, draft: bool, at: u64) {
    let subject = super::text::subject(&message.props);
    let props = &mut message.props;
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
