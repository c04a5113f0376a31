//! The elements of an appointment (CalendarItemType in Types.xsd, [MS-OXOCAL] 2.2.1).

use super::fields::{Fields, text};
use super::node::Node;
use super::recurrence::recurrence;
use crate::mapi::goid::GlobalObjectId;
use crate::mapi::recurrence::AppointmentRecurrence;
use crate::mapi::timezone::ZoneDefinition;
use crate::mapi::{Code, Lid, Message, PropBag, Value, Warning, lid, tag};

/// PidLidBusyStatus.
const BUSY: [&str; 5] = ["Free", "Tentative", "Busy", "OOF", "WorkingElsewhere"];
/// PidLidAppointmentStateFlags: a meeting, and one that somebody else has called.
const MEETING: i32 = 1;
const RECEIVED: i32 = 2;
/// PidTagRecipientType of those who may come, and of rooms.
const OPTIONAL: i32 = 2;
const RESOURCE: i32 = 3;
/// PidTagRecipientFlags: the organizer.
const ORGANIZER: i32 = 2;

/// What the server makes of the elements.
const MADE: &[Lid] = &[
    lid::START_TIME,
    lid::END_TIME,
    lid::START_DATE,
    lid::END_DATE,
    lid::DURATION,
    lid::CLIP_START,
    lid::CLIP_END,
    lid::COMMON_START,
    lid::COMMON_END,
    lid::RECURRING,
    lid::RECURRENCE_TYPE,
    lid::RECURRENCE_PATTERN,
    lid::TIME_ZONE_STRUCT,
    lid::TIME_ZONE_DESCRIPTION,
    lid::ZONE_START,
    lid::ZONE_END,
    lid::ZONE_RECUR,
    lid::CLEAN_GLOBAL_OBJECT_ID,
    lid::STATE_FLAGS,
    lid::RESPONSE_STATUS,
    lid::SIDE_EFFECTS,
];

/// True for a series that has dates which are not as the others, or that EWS has no words for.
pub(super) fn is_more_than_words(props: &PropBag) -> bool {
    let Some(bytes) = props.lid(lid::APPOINTMENT_RECUR).and_then(Value::as_bytes) else { return false };
    let series = AppointmentRecurrence::decode(bytes);
    series.is_none_or(|s| !s.pattern.deleted.is_empty() || !s.exceptions.is_empty() || recurrence(&s.pattern).is_none())
}

/// The elements, in the order of the schema.
pub(super) fn elements(item: &Fields<'_>, message: &Message, warnings: &mut Vec<Warning>) -> Vec<Node> {
    let flags = item.number(lid::STATE_FLAGS).unwrap_or_default();
    let uid = item.bytes(lid::GLOBAL_OBJECT_ID).and_then(GlobalObjectId::decode).map(|id| id.uid());
    let moment = |name, lid| item.moment(lid).map(|t| Node::text(name, t));
    let busy = item.number(lid::BUSY_STATUS).and_then(|n| BUSY.get(usize::try_from(n).ok()?));
    let series = item.bytes(lid::APPOINTMENT_RECUR).and_then(AppointmentRecurrence::decode);
    let zone = |lid| {
        let zone = item.bytes(lid).and_then(ZoneDefinition::decode)?;
        Some(zone.key()).filter(|key| !key.trim().is_empty())
    };
    let start_zone = if series.is_some() { zone(lid::ZONE_RECUR) } else { None }.or_else(|| zone(lid::ZONE_START));
    let end_zone = zone(lid::ZONE_END).or_else(|| start_zone.clone());
    if series.is_some() && start_zone.is_none() {
        warnings
            .push(Code::Calendar.with("the series names no time zone, so the server takes its dates as those of UTC"));
    }
    let [required, optional, resources] = attendees(item, message, flags, warnings);
    item.hide(&[tag::START_DATE.id(), tag::END_DATE.id()], MADE);
    let all = [
        uid.map(|uid| Node::text("t:UID", uid)),
        moment("t:Start", lid::START_WHOLE),
        moment("t:End", lid::END_WHOLE),
        Some(Node::text("t:IsAllDayEvent", item.is(lid::SUB_TYPE).to_string())),
        busy.map(|name| Node::text("t:LegacyFreeBusyStatus", *name)),
        item.text_of(lid::LOCATION).map(|t| Node::text("t:Location", t)),
        Node::some("t:RequiredAttendees", required),
        Node::some("t:OptionalAttendees", optional),
        Node::some("t:Resources", resources),
        series.and_then(|s| recurrence(&s.pattern)),
        start_zone.map(|id| Node::text("t:StartTimeZone", "").with("Id", id)),
        end_zone.map(|id| Node::text("t:EndTimeZone", "").with("Id", id)),
    ];
    all.into_iter().flatten().collect()
}

/// Those who were asked to a meeting: needed, welcome, and rooms. A meeting that somebody else has called has none here, as
/// the server would take the owner of the mailbox for its organizer.
fn attendees(item: &Fields<'_>, message: &Message, flags: i32, warnings: &mut Vec<Warning>) -> [Vec<Node>; 3] {
    let mut out = [Vec::new(), Vec::new(), Vec::new()];
    let rows = message.recipients.iter().filter(|r| r.i32(tag::RECIPIENT_FLAGS).unwrap_or_default() & ORGANIZER == 0);
    let rows: Vec<&PropBag> = rows.collect();
    if rows.is_empty() {
        return out;
    }
    if flags & MEETING == 0 || flags & RECEIVED != 0 {
        let text = format!(
            "its {} attendees are not taken over as such, because the server would have the owner of the mailbox call the \
             meeting",
            rows.len()
        );
        warnings.push(Code::Calendar.with(text));
        return out;
    }
    for row in rows {
        let get = |tag: crate::mapi::PropTag| row.any(tag.id()).and_then(|v| text(v, item.page));
        let smtp = get(tag::SMTP_ADDRESS).filter(|a| !a.is_empty());
        let own = || get(tag::EMAIL_ADDRESS).filter(|a| !a.is_empty());
        let kind = if smtp.is_some() { None } else { get(tag::ADDRESS_TYPE).filter(|k| !k.is_empty()) };
        let Some(address) = smtp.or_else(own) else { continue };
        let mailbox = [
            get(tag::DISPLAY_NAME).map(|n| Node::text("t:Name", n)),
            Some(Node::text("t:EmailAddress", address)),
            Some(Node::text("t:RoutingType", kind.unwrap_or_else(|| "SMTP".to_owned()))),
        ];
        let mailbox = Node::of("t:Mailbox", mailbox.into_iter().flatten().collect());
        let place = match row.i32(tag::RECIPIENT_TYPE) {
            Some(OPTIONAL) => 1,
            Some(RESOURCE) => 2,
            _ => 0,
        };
        if let Some(list) = out.get_mut(place) {
            list.push(Node::of("t:Attendee", vec![mailbox]));
        }
    }
    out
}
