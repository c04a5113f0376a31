//! Which properties of an item its new form carries, and the sentence that names the others.

use super::text;
use crate::mapi::named::{Guid, PS_INTERNET_HEADERS};
use crate::mapi::{Lid, NamedProp, PropBag, PropTag, Value, lid, tag, time};
use std::cell::RefCell;

/// Ids of a store's and a transport's own book-keeping, and of what is made of other properties: leaving them out loses
/// nothing.
const DERIVED: &[u16] = &[
    0x0002, 0x000F, 0x001A, 0x003B, 0x003D, 0x003F, 0x0040, 0x0041, 0x0042, 0x0043, 0x0044, 0x0051, 0x0052, 0x0057,
    0x0058, 0x0059, 0x0060, 0x0061, 0x0062, 0x0064, 0x0065, 0x0070, 0x0071, 0x0075, 0x0076, 0x0077, 0x0078, 0x007D,
    0x007F, 0x0C17, 0x0C19, 0x0C1A, 0x0C1D, 0x0C1E, 0x0C1F, 0x0E01, 0x0E02, 0x0E03, 0x0E04, 0x0E05, 0x0E06, 0x0E07,
    0x0E08, 0x0E17, 0x0E1B, 0x0E1D, 0x0E1F, 0x0E20, 0x0E21, 0x0E23, 0x0E27, 0x0E28, 0x0E29, 0x0E2F, 0x0E30, 0x0E33,
    0x0E34, 0x0E38, 0x0E4B, 0x0E4C, 0x0E58, 0x0E59, 0x0E79, 0x0FF4, 0x0FF7, 0x0FF9, 0x0FFA, 0x0FFB, 0x0FFE, 0x0FFF,
    0x1006, 0x1007, 0x1008, 0x1009, 0x1010, 0x1011, 0x1016, 0x1035, 0x1080, 0x1097, 0x10F3, 0x10F4, 0x10F5, 0x10F6,
    0x3002, 0x300B, 0x300F, 0x3010, 0x3013, 0x3014, 0x3015, 0x3016, 0x340D, 0x36D9, 0x36DA, 0x3A40, 0x3A71, 0x3FDE,
    0x3FF0, 0x3FF1, 0x3FF8, 0x3FF9, 0x3FFA, 0x3FFB, 0x3FFD, 0x4019, 0x401A, 0x4022, 0x4023, 0x4024, 0x4025, 0x4030,
    0x4031, 0x4034, 0x4035, 0x4038, 0x4039, 0x405D, 0x4076, 0x5909, 0x5D01, 0x5D02, 0x5D07, 0x5D08, 0x65C6,
];

/// Named properties of the same kind.
const DERIVED_NAMED: &[Lid] = &[
    lid::START_TIME,
    lid::END_TIME,
    lid::START_DATE,
    lid::END_DATE,
    lid::DURATION,
    lid::RECURRENCE_TYPE,
    lid::RECURRENCE_PATTERN,
    lid::CLIP_START,
    lid::CLIP_END,
    lid::ALL_ATTENDEES,
    lid::TO_ATTENDEES,
    lid::CC_ATTENDEES,
    lid::F_INVITED,
    lid::SEND_AS_ICAL,
    lid::ALLOW_EXTERNAL_CHECK,
    lid::IS_RECURRING,
    lid::IS_EXCEPTION,
    lid::WHERE,
    lid::OLD_LOCATION,
    lid::APPOINTMENT_MESSAGE_CLASS,
    lid::COMMON_START,
    lid::COMMON_END,
    lid::REMINDER_TIME,
    lid::REMINDER_SIGNAL_TIME,
    lid::SIDE_EFFECTS,
    lid::SMART_NO_ATTACH,
    lid::CURRENT_VERSION,
    lid::CURRENT_VERSION_NAME,
    lid::VALID_FLAG,
    lid::TASK_VERSION,
    lid::TASK_STATE,
    lid::TASK_ORDINAL,
    lid::TASK_ROLE,
    lid::TASK_MODE,
    lid::TASK_FIX_OFFLINE,
    lid::TASK_NO_COMPUTE,
    lid::TASK_OWNERSHIP,
    lid::TASK_ACCEPTANCE,
    lid::FILE_UNDER_ID,
    lid::FILE_UNDER_LIST,
    lid::EMAIL_LIST,
    lid::PROVIDER_EMAIL_LIST,
    lid::PROVIDER_ARRAY_TYPE,
    lid::CONTACT_CHARACTER_SET,
    lid::LIST_CHECKSUM,
    lid::HOME_ADDRESS,
    lid::WORK_ADDRESS,
    lid::OTHER_ADDRESS,
];

/// Property sets of the same kind: fields of the mail that an item came with, what Exchange notes of its work on a
/// calendar, and how conversations are followed.
const DERIVED_SETS: [Guid; 3] = [PS_INTERNET_HEADERS, CALENDAR_ASSISTANT, CONVERSATIONS];
const CALENDAR_ASSISTANT: Guid =
    Guid([0x07, 0x0E, 0x00, 0x11, 0x1B, 0xB5, 0xD6, 0x40, 0xAF, 0x21, 0xCA, 0xA8, 0x5E, 0xDA, 0xB1, 0xD0]);
const CONVERSATIONS: Guid =
    Guid([0x41, 0xBA, 0x3E, 0x33, 0xA8, 0x7A, 0x2E, 0x42, 0xBE, 0x7B, 0x79, 0xE1, 0xA9, 0x8E, 0x54, 0xB3]);

/// The properties of an object, each marked when someone asks for it.
pub(super) struct Carried<'a> {
    props: &'a PropBag,
    /// The code page of 8-bit strings.
    pub page: u32,
    seen: RefCell<Vec<bool>>,
}

impl<'a> Carried<'a> {
    pub fn new(props: &'a PropBag, page: u32) -> Self {
        Self { props, page, seen: RefCell::new(vec![false; props.0.len()]) }
    }

    /// All properties.
    pub fn props(&self) -> &'a PropBag {
        self.props
    }

    fn find(&self, matches: impl Fn(&crate::mapi::Prop) -> bool) -> Option<&'a Value> {
        let mut found = None;
        for (i, prop) in self.props.0.iter().enumerate().filter(|(_, p)| matches(p)) {
            if let Some(mark) = self.seen.borrow_mut().get_mut(i) {
                *mark = true;
            }
            found = found.or(Some(&prop.value));
        }
        found
    }

    /// The value of a property by id, whatever its type.
    pub fn tag(&self, tag: PropTag) -> Option<&'a Value> {
        self.find(|p| p.tag.id() == tag.id() && p.name.is_none())
    }

    /// The value of a named property, whatever its type.
    pub fn named(&self, name: &NamedProp) -> Option<&'a Value> {
        self.find(|p| p.name.as_deref() == Some(name))
    }

    /// The value of a numbered property, whatever its type.
    pub fn lid(&self, lid: Lid) -> Option<&'a Value> {
        self.named(&lid.name())
    }

    /// A text, if it is not empty.
    pub fn text(&self, tag: PropTag) -> Option<String> {
        self.tag(tag).and_then(|v| text::value(v, self.page)).filter(|t| !t.is_empty())
    }

    /// The text of a numbered property, if it is not empty.
    pub fn text_of(&self, lid: Lid) -> Option<String> {
        self.lid(lid).and_then(|v| text::value(v, self.page)).filter(|t| !t.is_empty())
    }

    /// Seconds since 1970 UTC of a numbered property; times without meaning are none.
    pub fn time_of(&self, lid: Lid) -> Option<i64> {
        self.lid(lid).and_then(Value::as_time).and_then(moment)
    }

    /// Seconds since 1970 UTC of a property, unless it stands in for a time that nobody knows.
    pub fn time(&self, tag: PropTag) -> Option<i64> {
        self.tag(tag).and_then(Value::as_time).and_then(time::known).and_then(moment)
    }

    /// The number of a numbered property.
    pub fn i32_of(&self, lid: Lid) -> Option<i32> {
        self.lid(lid).and_then(Value::as_i32)
    }

    /// True if a numbered property is.
    pub fn is(&self, lid: Lid) -> bool {
        self.lid(lid).and_then(Value::as_bool) == Some(true)
    }

    /// The bytes of a numbered property.
    pub fn bytes_of(&self, lid: Lid) -> Option<&'a [u8]> {
        self.lid(lid).and_then(Value::as_bytes)
    }

    /// The names of what nobody asked for and what is not book-keeping.
    pub fn left(&self) -> Vec<String> {
        let seen = self.seen.borrow();
        let lost = self.props.0.iter().zip(seen.iter()).filter(|(_, seen)| !**seen).map(|(p, _)| p);
        lost.filter(|p| !is_nothing(&p.value))
            .filter(|p| match &p.name {
                Some(name) => !DERIVED_SETS.contains(&name.guid) && !DERIVED_NAMED.iter().any(|l| l.name() == **name),
                // Ids from 0x6600 to 0x67FF are the store's, those from 0x8000 without a name nobody's.
                None => !DERIVED.contains(&p.tag.id()) && !(0x6600..0x6800).contains(&p.tag.id()),
            })
            .map(|p| match &p.name {
                Some(name) => lid::name_of(name).map_or_else(|| name.to_string(), ToOwned::to_owned),
                None => tag::name_of(p.tag).map_or_else(|| format!("0x{:04X}", p.tag.id()), ToOwned::to_owned),
            })
            .collect()
    }
}

/// The sentence that names what was left out.
pub(super) fn lost(names: &[String], form: &str) -> Option<String> {
    match names {
        [] => None,
        [one] => Some(format!("one property has no place in {form}: {one}")),
        many => Some(format!("{} properties have no place in {form}: {}", many.len(), many.join(", "))),
    }
}

/// Seconds since 1970 of a FILETIME; none for zero and for the years past 4500, which stand for "no time".
pub(super) fn moment(filetime: u64) -> Option<i64> {
    const LAST: i64 = 79_870_665_600;
    Some(time::to_unix(filetime)).filter(|s| filetime != 0 && *s < LAST)
}

/// True for values that say no more than their absence.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) | Value::I16(0) | Value::I32(0) | Value::I64(0) | Value::Error(_) => true,
        Value::F64(n) | Value::FloatingTime(n) => *n == 0.0,
        Value::F32(n) => *n == 0.0,
        Value::Time(t) => moment(*t).is_none(),
        Value::Unicode(b) | Value::String8(b) => b.iter().all(|b| *b == 0 || *b == b' '),
        Value::Binary(b) | Value::Object(b) => b.is_empty(),
        Value::Multi(b) => b.len() <= 4 || b.iter().all(|b| *b == 0),
        _ => false,
    }
}
