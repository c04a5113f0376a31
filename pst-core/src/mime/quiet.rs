//! What of old items would make noise in a mailbox that acts on it: reminders of the past, and requests for receipts.

use crate::mapi::message::flag;
use crate::mapi::reminder::{Dismissed, dismiss};
use crate::mapi::{Code, Message, PropTag, Value, Warning, tag};

/// Properties that ask for reports ([MS-OXOMSG] 2.2.1.20, 2.2.1.29 and 2.2.1.31).
pub(super) const REQUESTS: [PropTag; 3] =
    [tag::READ_RECEIPT_REQUESTED, tag::NON_RECEIPT_NOTIFICATION_REQUESTED, tag::ORIGINATOR_DELIVERY_REPORT_REQUESTED];

/// What is silenced.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet {
    /// Reminders whose time is past are dismissed: what time it is, seconds since 1970 UTC.
    pub reminders: Option<i64>,
    /// Requests for receipts go out of mail that was read; the header still has them.
    pub receipts: bool,
}

impl Quiet {
    /// Silences an item, and tells what was changed.
    pub fn apply(self, message: &mut Message) -> Vec<Warning> {
        let dismissed = self.reminders.and_then(|now| dismiss(&mut message.props, now)).map(|dismissed| {
            Code::Reminder.with(match dismissed {
                Dismissed::Off(due) => {
                    format!("its reminder of {} is past and was dismissed (--keep-reminders)", written(due))
                }
                Dismissed::Next(due) => {
                    format!(
                        "its reminder was past and is that of the next date now: {} (--keep-reminders)",
                        written(due)
                    )
                }
            })
        });
        let withdrawn = (self.receipts && withdraw(message)).then(|| {
            Code::Receipt.with("requests for receipts were taken out of it, as it was read already (--keep-receipts)")
        });
        dismissed.into_iter().chain(withdrawn).collect()
    }
}

fn written(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| "another age".to_owned(), |t| t.to_string())
}

/// Takes requests for receipts out of a message that was read. False where it has none.
fn withdraw(message: &mut Message) -> bool {
    let flags = message.props.i32(tag::MESSAGE_FLAGS).unwrap_or_default();
    if flags & flag::READ == 0 {
        return false;
    }
    let asks = REQUESTS.iter().any(|t| message.props.bool(*t) == Some(true));
    message.props.0.retain(|p| !REQUESTS.iter().any(|t| t.id() == p.tag.id()));
    let pending = flags & (flag::NOTIFY_READ | flag::NOTIFY_UNREAD);
    if pending != 0 {
        message.props.set(tag::MESSAGE_FLAGS, Value::I32(flags & !pending));
    }
    asks || pending != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(flags: i32) -> Message {
        let mut message = Message::default();
        message.props.set(tag::MESSAGE_FLAGS, Value::I32(flags));
        message.props.set(tag::READ_RECEIPT_REQUESTED, Value::Bool(true));
        message.props.set(tag::NON_RECEIPT_NOTIFICATION_REQUESTED, Value::Bool(true));
        message
    }

    #[test]
    fn receipts_of_read_mail_are_not_asked_for() {
        let quiet = Quiet { receipts: true, ..Quiet::default() };
        let mut read = asking(flag::READ | flag::FROM_ME | flag::NOTIFY_READ);
        let said = quiet.apply(&mut read);
        assert_eq!((said.len(), said[0].code), (1, Code::Receipt));
        assert_eq!(read.props.i32(tag::MESSAGE_FLAGS), Some(flag::READ | flag::FROM_ME));
        assert_eq!(read.props.bool(tag::READ_RECEIPT_REQUESTED), None);
        assert_eq!(quiet.apply(&mut read), []);
        let mut unread = asking(flag::NOTIFY_READ);
        assert_eq!(quiet.apply(&mut unread), []);
        assert_eq!(unread.props.bool(tag::READ_RECEIPT_REQUESTED), Some(true));
        let mut kept = asking(flag::READ);
        assert_eq!(Quiet::default().apply(&mut kept), []);
        assert_eq!(kept.props.bool(tag::READ_RECEIPT_REQUESTED), Some(true));
    }
}
