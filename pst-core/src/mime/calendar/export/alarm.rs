//! Reminders as VALARM ([MS-OXCICAL] 2.1.3.1.1.20.62).

use crate::mapi::lid;
use crate::mime::calendar::value::{Stamp, civil, written_duration};
use crate::mime::carried::Carried;
use crate::mime::lines::Component;

/// PidLidReminderDelta: the default of the reader.
const DEFAULT_DELTA: i32 = 0x5AE9_80E1;
/// That default in Outlook, minutes.
pub(in crate::mime::calendar) const DEFAULT_MINUTES: i32 = 15;

/// The reminder of an appointment: minutes before it starts.
pub(super) fn before_start(item: &Carried<'_>, out: &mut Component) {
    let delta = item.i32_of(lid::REMINDER_DELTA).unwrap_or(DEFAULT_DELTA);
    if !item.is(lid::REMINDER_SET) {
        return;
    }
    let minutes = if delta == DEFAULT_DELTA { DEFAULT_MINUTES } else { delta };
    let mut alarm = display();
    alarm.put("TRIGGER", written_duration(-60 * i64::from(minutes)));
    out.parts.push(alarm);
}

/// The reminder of a task: a moment.
pub(super) fn at_moment(item: &Carried<'_>, out: &mut Component) {
    item.lid(lid::REMINDER_DELTA);
    let at = item.time_of(lid::REMINDER_SIGNAL_TIME).or_else(|| item.time_of(lid::REMINDER_TIME));
    if let Some(at) = at.filter(|_| item.is(lid::REMINDER_SET)).and_then(civil) {
        let mut alarm = display();
        alarm
            .lines
            .push(crate::mime::lines::Line::new("TRIGGER", Stamp::Utc(at).to_string()).with("VALUE", "DATE-TIME"));
        out.parts.push(alarm);
    }
}

fn display() -> Component {
    let mut alarm = Component::new("VALARM");
    alarm.put("ACTION", "DISPLAY");
    alarm.put("DESCRIPTION", "Reminder");
    alarm
}
