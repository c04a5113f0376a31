//! Named properties with numbers that this program works with ([MS-OXPROPS]).

use super::named::{
    Guid, NamedProp, PSETID_ADDRESS, PSETID_APPOINTMENT, PSETID_COMMON, PSETID_LOG, PSETID_MEETING, PSETID_NOTE,
    PSETID_TASK,
};
use super::ptype::PropType;

/// A named property: its set, its number and the type it is written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lid {
    /// The property set.
    pub set: Guid,
    /// The number.
    pub id: u32,
    /// The property type.
    pub ty: u16,
}

impl Lid {
    /// The name.
    pub const fn name(self) -> NamedProp {
        NamedProp::id(self.set, self.id)
    }
}

macro_rules! lids {
    ($($set:ident { $($name:ident = $id:literal $ty:ident, $doc:literal;)+ })+) => {
        $($(#[doc = $doc] pub const $name: Lid = Lid { set: $set, id: $id, ty: PropType::$ty };)+)+

        /// The canonical name of a numbered property (without "PidLid"), for people.
        pub fn name_of(name: &NamedProp) -> Option<&'static str> {
            let super::named::Name::Id(id) = name.name else { return None };
            $($(if name.guid == $set && id == $id {
                return Some($doc.trim_start_matches("PidLid"));
            })+)+
            None
        }
    };
}

lids! {
    PSETID_APPOINTMENT {
        SEND_AS_ICAL = 0x8200 BOOLEAN, "PidLidSendMeetingAsIcal";
        SEQUENCE = 0x8201 INTEGER32, "PidLidAppointmentSequence";
        SEQUENCE_TIME = 0x8202 TIME, "PidLidAppointmentSequenceTime";
        BUSY_STATUS = 0x8205 INTEGER32, "PidLidBusyStatus";
        LOCATION = 0x8208 STRING, "PidLidLocation";
        START_WHOLE = 0x820D TIME, "PidLidAppointmentStartWhole";
        END_WHOLE = 0x820E TIME, "PidLidAppointmentEndWhole";
        START_TIME = 0x820F TIME, "PidLidAppointmentStartTime";
        END_TIME = 0x8210 TIME, "PidLidAppointmentEndTime";
        END_DATE = 0x8211 TIME, "PidLidAppointmentEndDate";
        START_DATE = 0x8212 TIME, "PidLidAppointmentStartDate";
        DURATION = 0x8213 INTEGER32, "PidLidAppointmentDuration";
        COLOR = 0x8214 INTEGER32, "PidLidAppointmentColor";
        SUB_TYPE = 0x8215 BOOLEAN, "PidLidAppointmentSubType";
        APPOINTMENT_RECUR = 0x8216 BINARY, "PidLidAppointmentRecur";
        STATE_FLAGS = 0x8217 INTEGER32, "PidLidAppointmentStateFlags";
        RESPONSE_STATUS = 0x8218 INTEGER32, "PidLidResponseStatus";
        REPLY_TIME = 0x8220 TIME, "PidLidAppointmentReplyTime";
        RECURRING = 0x8223 BOOLEAN, "PidLidRecurring";
        INTENDED_BUSY_STATUS = 0x8224 INTEGER32, "PidLidIntendedBusyStatus";
        EXCEPTION_REPLACE_TIME = 0x8228 TIME, "PidLidExceptionReplaceTime";
        F_INVITED = 0x8229 BOOLEAN, "PidLidFInvited";
        RECURRENCE_TYPE = 0x8231 INTEGER32, "PidLidRecurrenceType";
        RECURRENCE_PATTERN = 0x8232 STRING, "PidLidRecurrencePattern";
        TIME_ZONE_STRUCT = 0x8233 BINARY, "PidLidTimeZoneStruct";
        TIME_ZONE_DESCRIPTION = 0x8234 STRING, "PidLidTimeZoneDescription";
        CLIP_START = 0x8235 TIME, "PidLidClipStart";
        CLIP_END = 0x8236 TIME, "PidLidClipEnd";
        ALL_ATTENDEES = 0x8238 STRING, "PidLidAllAttendeesString";
        TO_ATTENDEES = 0x823B STRING, "PidLidToAttendeesString";
        CC_ATTENDEES = 0x823C STRING, "PidLidCcAttendeesString";
        ALLOW_EXTERNAL_CHECK = 0x8246 BOOLEAN, "PidLidAllowExternalCheck";
        COUNTER_PROPOSAL = 0x8257 BOOLEAN, "PidLidAppointmentCounterProposal";
        NOT_ALLOW_PROPOSE = 0x825A BOOLEAN, "PidLidAppointmentNotAllowPropose";
        PROPOSED_START = 0x8250 TIME, "PidLidAppointmentProposedStartWhole";
        PROPOSED_END = 0x8251 TIME, "PidLidAppointmentProposedEndWhole";
        ZONE_START = 0x825E BINARY, "PidLidAppointmentTimeZoneDefinitionStartDisplay";
        ZONE_END = 0x825F BINARY, "PidLidAppointmentTimeZoneDefinitionEndDisplay";
        ZONE_RECUR = 0x8260 BINARY, "PidLidAppointmentTimeZoneDefinitionRecur";
    }
    PSETID_MEETING {
        ATTENDEE_CRITICAL_CHANGE = 0x0001 TIME, "PidLidAttendeeCriticalChange";
        WHERE = 0x0002 STRING, "PidLidWhere";
        GLOBAL_OBJECT_ID = 0x0003 BINARY, "PidLidGlobalObjectId";
        IS_SILENT = 0x0004 BOOLEAN, "PidLidIsSilent";
        IS_RECURRING = 0x0005 BOOLEAN, "PidLidIsRecurring";
        IS_EXCEPTION = 0x000A BOOLEAN, "PidLidIsException";
        OWNER_CRITICAL_CHANGE = 0x001A TIME, "PidLidOwnerCriticalChange";
        CLEAN_GLOBAL_OBJECT_ID = 0x0023 BINARY, "PidLidCleanGlobalObjectId";
        APPOINTMENT_MESSAGE_CLASS = 0x0024 STRING, "PidLidAppointmentMessageClass";
        MEETING_TYPE = 0x0026 INTEGER32, "PidLidMeetingType";
        OLD_LOCATION = 0x0028 STRING, "PidLidOldLocation";
    }
    PSETID_TASK {
        TASK_STATUS = 0x8101 INTEGER32, "PidLidTaskStatus";
        PERCENT_COMPLETE = 0x8102 FLOATING64, "PidLidPercentComplete";
        TEAM_TASK = 0x8103 BOOLEAN, "PidLidTeamTask";
        TASK_START_DATE = 0x8104 TIME, "PidLidTaskStartDate";
        TASK_DUE_DATE = 0x8105 TIME, "PidLidTaskDueDate";
        TASK_DATE_COMPLETED = 0x810F TIME, "PidLidTaskDateCompleted";
        TASK_ACTUAL_EFFORT = 0x8110 INTEGER32, "PidLidTaskActualEffort";
        TASK_ESTIMATED_EFFORT = 0x8111 INTEGER32, "PidLidTaskEstimatedEffort";
        TASK_VERSION = 0x8112 INTEGER32, "PidLidTaskVersion";
        TASK_STATE = 0x8113 INTEGER32, "PidLidTaskState";
        TASK_RECURRENCE = 0x8116 BINARY, "PidLidTaskRecurrence";
        TASK_COMPLETE = 0x811C BOOLEAN, "PidLidTaskComplete";
        TASK_OWNER = 0x811F STRING, "PidLidTaskOwner";
        TASK_ASSIGNER = 0x8121 STRING, "PidLidTaskAssigner";
        TASK_ORDINAL = 0x8123 INTEGER32, "PidLidTaskOrdinal";
        TASK_NO_COMPUTE = 0x8124 BOOLEAN, "PidLidTaskNoCompute";
        TASK_RECURRING = 0x8126 BOOLEAN, "PidLidTaskFRecurring";
        TASK_ROLE = 0x8127 STRING, "PidLidTaskRole";
        TASK_OWNERSHIP = 0x8129 INTEGER32, "PidLidTaskOwnership";
        TASK_ACCEPTANCE = 0x812A INTEGER32, "PidLidTaskAcceptanceState";
        TASK_FIX_OFFLINE = 0x812C BOOLEAN, "PidLidTaskFFixOffline";
    }
    PSETID_ADDRESS {
        FILE_UNDER = 0x8005 STRING, "PidLidFileUnder";
        FILE_UNDER_ID = 0x8006 INTEGER32, "PidLidFileUnderId";
        HAS_PICTURE = 0x8015 BOOLEAN, "PidLidHasPicture";
        HOME_ADDRESS = 0x801A STRING, "PidLidHomeAddress";
        WORK_ADDRESS = 0x801B STRING, "PidLidWorkAddress";
        OTHER_ADDRESS = 0x801C STRING, "PidLidOtherAddress";
        MAILING_ADDRESS = 0x8022 INTEGER32, "PidLidPostalAddressId";
        CONTACT_CHARACTER_SET = 0x8023 INTEGER32, "PidLidContactCharacterSet";
        AUTO_LOG = 0x8025 BOOLEAN, "PidLidAutoLog";
        FILE_UNDER_LIST = 0x8026 MULTI_INTEGER32, "PidLidFileUnderList";
        EMAIL_LIST = 0x8027 MULTI_INTEGER32, "PidLidEmailList";
        PROVIDER_EMAIL_LIST = 0x8028 MULTI_INTEGER32, "PidLidAddressBookProviderEmailList";
        PROVIDER_ARRAY_TYPE = 0x8029 INTEGER32, "PidLidAddressBookProviderArrayType";
        HTML = 0x802B STRING, "PidLidHtml";
        YOMI_FIRST = 0x802C STRING, "PidLidYomiFirstName";
        YOMI_LAST = 0x802D STRING, "PidLidYomiLastName";
        YOMI_COMPANY = 0x802E STRING, "PidLidYomiCompanyName";
        BUSINESS_CARD = 0x8040 BINARY, "PidLidBusinessCardDisplayDefinition";
        BUSINESS_CARD_PICTURE = 0x8041 BINARY, "PidLidBusinessCardCardPicture";
        WORK_STREET = 0x8045 STRING, "PidLidWorkAddressStreet";
        WORK_CITY = 0x8046 STRING, "PidLidWorkAddressCity";
        WORK_STATE = 0x8047 STRING, "PidLidWorkAddressState";
        WORK_CODE = 0x8048 STRING, "PidLidWorkAddressPostalCode";
        WORK_COUNTRY = 0x8049 STRING, "PidLidWorkAddressCountry";
        WORK_BOX = 0x804A STRING, "PidLidWorkAddressPostOfficeBox";
        LIST_CHECKSUM = 0x804C INTEGER32, "PidLidDistributionListChecksum";
        USER_FIELD_1 = 0x804F STRING, "PidLidContactUserField1";
        USER_FIELD_2 = 0x8050 STRING, "PidLidContactUserField2";
        USER_FIELD_3 = 0x8051 STRING, "PidLidContactUserField3";
        USER_FIELD_4 = 0x8052 STRING, "PidLidContactUserField4";
        LIST_NAME = 0x8053 STRING, "PidLidDistributionListName";
        LIST_ONE_OFFS = 0x8054 MULTI_BINARY, "PidLidDistributionListOneOffMembers";
        LIST_MEMBERS = 0x8055 MULTI_BINARY, "PidLidDistributionListMembers";
        INSTANT_MESSAGING = 0x8062 STRING, "PidLidInstantMessagingAddress";
        LIST_STREAM = 0x8064 BINARY, "PidLidDistributionListStream";
        FREE_BUSY_URL = 0x80D8 STRING, "PidLidFreeBusyLocation";
        HOME_COUNTRY_CODE = 0x80DA STRING, "PidLidHomeAddressCountryCode";
        WORK_COUNTRY_CODE = 0x80DB STRING, "PidLidWorkAddressCountryCode";
        OTHER_COUNTRY_CODE = 0x80DC STRING, "PidLidOtherAddressCountryCode";
        ADDRESS_COUNTRY_CODE = 0x80DD STRING, "PidLidAddressCountryCode";
        BIRTHDAY_LOCAL = 0x80DE TIME, "PidLidBirthdayLocal";
        ANNIVERSARY_LOCAL = 0x80DF TIME, "PidLidWeddingAnniversaryLocal";
    }
    PSETID_COMMON {
        REMINDER_DELTA = 0x8501 INTEGER32, "PidLidReminderDelta";
        REMINDER_TIME = 0x8502 TIME, "PidLidReminderTime";
        REMINDER_SET = 0x8503 BOOLEAN, "PidLidReminderSet";
        PRIVATE = 0x8506 BOOLEAN, "PidLidPrivate";
        AGING_DONT_AGE_ME = 0x850E BOOLEAN, "PidLidAgingDontAgeMe";
        SIDE_EFFECTS = 0x8510 INTEGER32, "PidLidSideEffects";
        SMART_NO_ATTACH = 0x8514 BOOLEAN, "PidLidSmartNoAttach";
        COMMON_START = 0x8516 TIME, "PidLidCommonStart";
        COMMON_END = 0x8517 TIME, "PidLidCommonEnd";
        TASK_MODE = 0x8518 INTEGER32, "PidLidTaskMode";
        TASK_GLOBAL_ID = 0x8519 BINARY, "PidLidTaskGlobalId";
        REMINDER_OVERRIDE = 0x851C BOOLEAN, "PidLidReminderOverride";
        REMINDER_PLAY_SOUND = 0x851E BOOLEAN, "PidLidReminderPlaySound";
        REMINDER_FILE = 0x851F STRING, "PidLidReminderFileParameter";
        FLAG_REQUEST = 0x8530 STRING, "PidLidFlagRequest";
        MILEAGE = 0x8534 STRING, "PidLidMileage";
        BILLING = 0x8535 STRING, "PidLidBilling";
        COMPANIES = 0x8539 MULTI_STRING, "PidLidCompanies";
        CONTACTS = 0x853A MULTI_STRING, "PidLidContacts";
        CURRENT_VERSION = 0x8552 INTEGER32, "PidLidCurrentVersion";
        CURRENT_VERSION_NAME = 0x8554 STRING, "PidLidCurrentVersionName";
        REMINDER_SIGNAL_TIME = 0x8560 TIME, "PidLidReminderSignalTime";
        CLASSIFIED = 0x85B5 BOOLEAN, "PidLidClassified";
        TODO_TITLE = 0x85A4 STRING, "PidLidToDoTitle";
        CONTACT_LINK_NAME = 0x8586 STRING, "PidLidContactLinkName";
        HEADER_ITEM = 0x8578 INTEGER32, "PidLidHeaderItem";
        VALID_FLAG = 0x85BF TIME, "PidLidValidFlagStringProof";
    }
    PSETID_LOG {
        LOG_TYPE = 0x8700 STRING, "PidLidLogType";
        LOG_START = 0x8706 TIME, "PidLidLogStart";
        LOG_DURATION = 0x8707 INTEGER32, "PidLidLogDuration";
        LOG_END = 0x8708 TIME, "PidLidLogEnd";
        LOG_FLAGS = 0x870C INTEGER32, "PidLidLogFlags";
        LOG_PRINTED = 0x870E BOOLEAN, "PidLidLogDocumentPrinted";
        LOG_SAVED = 0x870F BOOLEAN, "PidLidLogDocumentSaved";
        LOG_ROUTED = 0x8710 BOOLEAN, "PidLidLogDocumentRouted";
        LOG_POSTED = 0x8711 BOOLEAN, "PidLidLogDocumentPosted";
        LOG_TYPE_DESC = 0x8712 STRING, "PidLidLogTypeDesc";
    }
    PSETID_NOTE {
        NOTE_COLOR = 0x8B00 INTEGER32, "PidLidNoteColor";
        NOTE_WIDTH = 0x8B02 INTEGER32, "PidLidNoteWidth";
        NOTE_HEIGHT = 0x8B03 INTEGER32, "PidLidNoteHeight";
        NOTE_X = 0x8B04 INTEGER32, "PidLidNoteX";
        NOTE_Y = 0x8B05 INTEGER32, "PidLidNoteY";
    }
}
