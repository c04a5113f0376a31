//! What an encoder leaves out: what the server computes, and what only the old store knew.

use crate::mapi::PropTag;

/// What a property belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A message, embedded or not.
    Message,
    /// A recipient.
    Recipient,
    /// An attachment.
    Attachment,
}

use Part::{Attachment, Message, Recipient};

const EVERYWHERE: &[Part] = &[Message, Recipient, Attachment];
const OBJECTS: &[Part] = &[Message, Attachment];

/// Ids from and to, the parts whose properties they are, and why they are left out.
pub const LEFT_OUT: &[(u16, u16, &[Part], &str)] = &[
    (0x0E02, 0x0E04, &[Message], "DisplayBcc, DisplayCc and DisplayTo are computed from the recipients"),
    (0x0E05, 0x0E05, &[Message], "ParentDisplay is the name of the old folder"),
    (0x0E08, 0x0E08, &[Message], "MessageSize is computed"),
    (0x0E09, 0x0E09, &[Message], "ParentEntryId names the old folder"),
    (0x0E12, 0x0E13, &[Message], "MessageRecipients and MessageAttachments are what the stream has as parts"),
    (0x0E1B, 0x0E1B, &[Message], "HasAttachments is computed from the attachments"),
    (0x0E20, 0x0E20, &[Attachment], "AttachSize is computed"),
    (0x0E21, 0x0E21, OBJECTS, "AttachNumber is the place of an attachment, which the stream numbers anew"),
    (0x0E30, 0x0E30, &[Message], "ReplItemid is the PST's record of a replication"),
    (0x0E33, 0x0E34, &[Message], "ReplChangenum and ReplVersionhistory are the PST's record of a replication"),
    (0x0E38, 0x0E38, &[Message], "ReplFlags is the PST's record of a replication"),
    (0x0E3C, 0x0E3D, &[Message], "ReplCopiedfrom... are the PST's record of a replication"),
    (0x0FF4, 0x0FF4, OBJECTS, "Access is what the reader of the old store was permitted"),
    (0x0FF6, 0x0FF6, EVERYWHERE, "InstanceKey names a row of a table of the old store"),
    (0x0FF7, 0x0FF7, OBJECTS, "AccessLevel is what the reader of the old store was permitted"),
    (0x0FF8, 0x0FF9, OBJECTS, "MappingSignature and RecordKey are given by the store"),
    (0x0FFA, 0x0FFB, OBJECTS, "StoreRecordKey and StoreEntryId name the old store"),
    (0x0FFE, 0x0FFE, OBJECTS, "ObjectType is what the stream's markers say"),
    (0x0FFF, 0x0FFF, OBJECTS, "EntryId is given by the store"),
    (0x3000, 0x3000, &[Recipient], "Rowid is the place of a recipient, which the stream numbers anew"),
    (0x340D, 0x340D, OBJECTS, "StoreSupportMask is what the old store was capable of"),
    (
        0x65E0,
        0x65E3,
        &[Message],
        "SourceKey, ParentSourceKey, ChangeKey and PredecessorChangeList are given by the store",
    ),
    (0x6700, 0x67FF, EVERYWHERE, "LtpRowId, LtpRowVer and their like are the old store's own bookkeeping"),
];

/// Why a property of a part is left out; `None` if it is not.
pub fn left_out(part: Part, tag: PropTag) -> Option<&'static str> {
    let is_this =
        |(from, to, parts, _): &&(u16, u16, &[Part], &str)| (*from..=*to).contains(&tag.id()) && parts.contains(&part);
    LEFT_OUT.iter().find(is_this).map(|(.., why)| *why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapi::tag;

    #[test]
    fn what_names_a_person_stays() {
        for tag in [tag::ENTRY_ID, tag::RECORD_KEY, tag::OBJECT_TYPE] {
            assert!(left_out(Message, tag).is_some() && left_out(Attachment, tag).is_some(), "{tag}");
            assert_eq!(left_out(Recipient, tag), None, "{tag}");
        }
    }

    #[test]
    fn what_a_server_needs_stays() {
        for tag in [
            tag::MESSAGE_CLASS,
            tag::MESSAGE_FLAGS,
            tag::MESSAGE_DELIVERY_TIME,
            tag::CREATION_TIME,
            tag::LAST_MODIFICATION_TIME,
            tag::SEARCH_KEY,
            tag::CONVERSATION_INDEX,
            tag::RECIPIENT_TYPE,
            tag::ATTACH_DATA_BINARY,
            tag::ATTACH_METHOD,
        ] {
            assert!([Message, Recipient, Attachment].iter().all(|part| left_out(*part, tag).is_none()), "{tag}");
        }
        assert!(LEFT_OUT.windows(2).all(|w| w[0].1 < w[1].0), "in order, each id once");
    }
}
