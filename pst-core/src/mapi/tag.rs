//! Property tags: id and type in one number ([MS-OXPROPS], [MS-OXCDATA] 2.9).

use super::ptype::PropType;
use std::fmt;

/// A property tag: the id in the upper 16 bits, the type in the lower.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PropTag(pub u32);

impl PropTag {
    /// The tag of an id and a type.
    pub const fn new(id: u16, ty: u16) -> Self {
        Self((id as u32) << 16 | ty as u32)
    }

    /// The property id.
    pub const fn id(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// The property type as stored.
    pub const fn ty(self) -> u16 {
        self.0 as u16
    }

    /// The property type, if it is a known one.
    pub const fn prop_type(self) -> PropType {
        PropType(self.ty())
    }

    /// True for ids 0x8000 and above, whose meaning is in the name-to-id map.
    pub const fn is_named(self) -> bool {
        self.id() >= 0x8000
    }
}

impl fmt::Debug for PropTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:08X}", self.0)
    }
}

impl fmt::Display for PropTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

macro_rules! tags {
    ($($name:ident = $value:literal, $doc:literal;)+) => {
        $(#[doc = $doc] pub const $name: PropTag = PropTag($value);)+

        /// The canonical name of a property (without "PidTag"), for people.
        pub fn name_of(tag: PropTag) -> Option<&'static str> {
            match tag.id() {
                $(id if id == $name.id() => $doc.split([' ', ',']).next().map(|n| n.trim_start_matches("PidTag")),)+
                _ => None,
            }
        }
    };
}

tags! {
    IMPORTANCE = 0x0017_0003, "PidTagImportance, PR_IMPORTANCE, 0x0017";
    EXPIRY_TIME = 0x0015_0040, "PidTagExpiryTime, PR_EXPIRY_TIME, 0x0015";
    MESSAGE_CLASS = 0x001A_001F, "PidTagMessageClass, PR_MESSAGE_CLASS, 0x001A";
    ORIGINATOR_DELIVERY_REPORT_REQUESTED = 0x0023_000B, "PidTagOriginatorDeliveryReportRequested, 0x0023";
    PARENT_KEY = 0x0025_0102, "PidTagParentKey, 0x0025";
    PRIORITY = 0x0026_0003, "PidTagPriority, PR_PRIORITY, 0x0026";
    READ_RECEIPT_REQUESTED = 0x0029_000B, "PidTagReadReceiptRequested, 0x0029";
    REPLY_TIME = 0x0030_0040, "PidTagReplyTime, 0x0030";
    REPORT_TIME = 0x0032_0040, "PidTagReportTime, 0x0032";
    SENSITIVITY = 0x0036_0003, "PidTagSensitivity, PR_SENSITIVITY, 0x0036";
    SUBJECT = 0x0037_001F, "PidTagSubject, PR_SUBJECT, 0x0037";
    CLIENT_SUBMIT_TIME = 0x0039_0040, "PidTagClientSubmitTime, PR_CLIENT_SUBMIT_TIME, 0x0039";
    SENT_REPRESENTING_SEARCH_KEY = 0x003B_0102, "PidTagSentRepresentingSearchKey, 0x003B";
    SUBJECT_PREFIX = 0x003D_001F, "PidTagSubjectPrefix, PR_SUBJECT_PREFIX, 0x003D";
    RECEIVED_BY_ENTRY_ID = 0x003F_0102, "PidTagReceivedByEntryId, 0x003F";
    RECEIVED_BY_NAME = 0x0040_001F, "PidTagReceivedByName, 0x0040";
    SENT_REPRESENTING_ENTRY_ID = 0x0041_0102, "PidTagSentRepresentingEntryId, 0x0041";
    SENT_REPRESENTING_NAME = 0x0042_001F, "PidTagSentRepresentingName, PR_SENT_REPRESENTING_NAME, 0x0042";
    READ_RECEIPT_ENTRY_ID = 0x0046_0102, "PidTagReadReceiptEntryId, 0x0046";
    ORIGINAL_SUBJECT = 0x0049_001F, "PidTagOriginalSubject, 0x0049";
    ORIGINAL_MESSAGE_CLASS = 0x004B_001F, "PidTagOriginalMessageClass, 0x004B";
    ORIGINAL_SUBMIT_TIME = 0x004E_0040, "PidTagOriginalSubmitTime, 0x004E";
    REPLY_RECIPIENT_ENTRIES = 0x004F_0102, "PidTagReplyRecipientEntries, 0x004F";
    REPLY_RECIPIENT_NAMES = 0x0050_001F, "PidTagReplyRecipientNames, 0x0050";
    MESSAGE_TO_ME = 0x0057_000B, "PidTagMessageToMe, 0x0057";
    MESSAGE_CC_ME = 0x0058_000B, "PidTagMessageCcMe, 0x0058";
    START_DATE = 0x0060_0040, "PidTagStartDate, 0x0060";
    END_DATE = 0x0061_0040, "PidTagEndDate, 0x0061";
    OWNER_APPOINTMENT_ID = 0x0062_0003, "PidTagOwnerAppointmentId, 0x0062";
    RESPONSE_REQUESTED = 0x0063_000B, "PidTagResponseRequested, 0x0063";
    SENT_REPRESENTING_ADDRESS_TYPE = 0x0064_001F, "PidTagSentRepresentingAddressType, 0x0064";
    SENT_REPRESENTING_EMAIL_ADDRESS = 0x0065_001F, "PidTagSentRepresentingEmailAddress, 0x0065";
    CONVERSATION_TOPIC = 0x0070_001F, "PidTagConversationTopic, PR_CONVERSATION_TOPIC, 0x0070";
    CONVERSATION_INDEX = 0x0071_0102, "PidTagConversationIndex, PR_CONVERSATION_INDEX, 0x0071";
    ORIGINAL_DISPLAY_TO = 0x0074_001F, "PidTagOriginalDisplayTo, 0x0074";
    RECEIVED_BY_ADDRESS_TYPE = 0x0075_001F, "PidTagReceivedByAddressType, 0x0075";
    RECEIVED_BY_EMAIL_ADDRESS = 0x0076_001F, "PidTagReceivedByEmailAddress, 0x0076";
    TRANSPORT_MESSAGE_HEADERS = 0x007D_001F, "PidTagTransportMessageHeaders, 0x007D";
    REPORT_DISPOSITION = 0x0080_001F, "PidTagReportDisposition, 0x0080";
    REPORT_DISPOSITION_MODE = 0x0081_001F, "PidTagReportDispositionMode, 0x0081";
    NDR_REASON_CODE = 0x0C04_0003, "PidTagNonDeliveryReportReasonCode, 0x0C04";
    NDR_DIAG_CODE = 0x0C05_0003, "PidTagNonDeliveryReportDiagCode, 0x0C05";
    NON_RECEIPT_NOTIFICATION_REQUESTED = 0x0C06_000B, "PidTagNonReceiptNotificationRequested, 0x0C06";
    RECIPIENT_TYPE = 0x0C15_0003, "PidTagRecipientType, PR_RECIPIENT_TYPE, 0x0C15";
    SENDER_ENTRY_ID = 0x0C19_0102, "PidTagSenderEntryId, 0x0C19";
    SENDER_NAME = 0x0C1A_001F, "PidTagSenderName, PR_SENDER_NAME, 0x0C1A";
    SUPPLEMENTARY_INFO = 0x0C1B_001F, "PidTagSupplementaryInfo, 0x0C1B";
    SENDER_SEARCH_KEY = 0x0C1D_0102, "PidTagSenderSearchKey, 0x0C1D";
    SENDER_ADDRESS_TYPE = 0x0C1E_001F, "PidTagSenderAddressType, 0x0C1E";
    SENDER_EMAIL_ADDRESS = 0x0C1F_001F, "PidTagSenderEmailAddress, 0x0C1F";
    NDR_STATUS_CODE = 0x0C20_0003, "PidTagNonDeliveryReportStatusCode, 0x0C20";
    REMOTE_MTA = 0x0C21_001F, "PidTagRemoteMessageTransferAgent, 0x0C21";
    DISPLAY_BCC = 0x0E02_001F, "PidTagDisplayBcc, 0x0E02";
    DISPLAY_CC = 0x0E03_001F, "PidTagDisplayCc, 0x0E03";
    DISPLAY_TO = 0x0E04_001F, "PidTagDisplayTo, 0x0E04";
    MESSAGE_DELIVERY_TIME = 0x0E06_0040, "PidTagMessageDeliveryTime, PR_MESSAGE_DELIVERY_TIME, 0x0E06";
    MESSAGE_FLAGS = 0x0E07_0003, "PidTagMessageFlags, PR_MESSAGE_FLAGS, 0x0E07";
    MESSAGE_SIZE = 0x0E08_0003, "PidTagMessageSize, PR_MESSAGE_SIZE, 0x0E08";
    RESPONSIBILITY = 0x0E0F_000B, "PidTagResponsibility, 0x0E0F";
    MESSAGE_STATUS = 0x0E17_0003, "PidTagMessageStatus, 0x0E17";
    NORMALIZED_SUBJECT = 0x0E1D_001F, "PidTagNormalizedSubject, 0x0E1D";
    RTF_IN_SYNC = 0x0E1F_000B, "PidTagRtfInSync, 0x0E1F";
    ATTACH_SIZE = 0x0E20_0003, "PidTagAttachSize, 0x0E20";
    ATTACH_NUMBER = 0x0E21_0003, "PidTagAttachNumber, 0x0E21";
    TODO_ITEM_FLAGS = 0x0E2B_0003, "PidTagToDoItemFlags, 0x0E2B";
    REPL_ITEM_ID = 0x0E30_0102, "PidTagReplItemid, 0x0E30";
    REPL_CHANGENUM = 0x0E33_0014, "PidTagReplChangenum, 0x0E33";
    REPL_VERSION_HISTORY = 0x0E34_0102, "PidTagReplVersionhistory, 0x0E34";
    REPL_FLAGS = 0x0E38_0003, "PidTagReplFlags, 0x0E38";
    RECORD_KEY = 0x0FF9_0102, "PidTagRecordKey, 0x0FF9";
    OBJECT_TYPE = 0x0FFE_0003, "PidTagObjectType, 0x0FFE";
    ENTRY_ID = 0x0FFF_0102, "PidTagEntryId, 0x0FFF";
    BODY = 0x1000_001F, "PidTagBody, PR_BODY, 0x1000";
    REPORT_TEXT = 0x1001_001F, "PidTagReportText, 0x1001";
    RTF_COMPRESSED = 0x1009_0102, "PidTagRtfCompressed, 0x1009";
    HTML = 0x1013_0102, "PidTagHtml, PR_HTML, 0x1013";
    NATIVE_BODY = 0x1016_0003, "PidTagNativeBody, 0x1016";
    INTERNET_MESSAGE_ID = 0x1035_001F, "PidTagInternetMessageId, 0x1035";
    INTERNET_REFERENCES = 0x1039_001F, "PidTagInternetReferences, 0x1039";
    PRECEDENCE = 0x1041_001F, "PidTagPrecedence, 0x1041";
    IN_REPLY_TO_ID = 0x1042_001F, "PidTagInReplyToId, 0x1042";
    LIST_HELP = 0x1043_001F, "PidTagListHelp, 0x1043";
    LIST_SUBSCRIBE = 0x1044_001F, "PidTagListSubscribe, 0x1044";
    LIST_UNSUBSCRIBE = 0x1045_001F, "PidTagListUnsubscribe, 0x1045";
    ORIGINAL_MESSAGE_ID = 0x1046_001F, "PidTagOriginalMessageId, 0x1046";
    ICON_INDEX = 0x1080_0003, "PidTagIconIndex, 0x1080";
    LAST_VERB_EXECUTED = 0x1081_0003, "PidTagLastVerbExecuted, 0x1081";
    LAST_VERB_EXECUTION_TIME = 0x1082_0040, "PidTagLastVerbExecutionTime, 0x1082";
    FLAG_STATUS = 0x1090_0003, "PidTagFlagStatus, 0x1090";
    FOLLOWUP_ICON = 0x1095_0003, "PidTagFollowupIcon, 0x1095";
    ITEM_TEMPORARY_FLAGS = 0x1097_0003, "PidTagItemTemporaryFlags, 0x1097";
    DISPLAY_NAME = 0x3001_001F, "PidTagDisplayName, PR_DISPLAY_NAME, 0x3001";
    ADDRESS_TYPE = 0x3002_001F, "PidTagAddressType, 0x3002";
    EMAIL_ADDRESS = 0x3003_001F, "PidTagEmailAddress, 0x3003";
    COMMENT = 0x3004_001F, "PidTagComment, 0x3004";
    CREATION_TIME = 0x3007_0040, "PidTagCreationTime, 0x3007";
    LAST_MODIFICATION_TIME = 0x3008_0040, "PidTagLastModificationTime, 0x3008";
    SEARCH_KEY = 0x300B_0102, "PidTagSearchKey, PR_SEARCH_KEY, 0x300B";
    CONVERSATION_ID = 0x3013_0102, "PidTagConversationId, 0x3013";
    CONVERSATION_INDEX_TRACKING = 0x3016_000B, "PidTagConversationIndexTracking, 0x3016";
    VALID_FOLDER_MASK = 0x35DF_0003, "PidTagValidFolderMask, 0x35DF";
    IPM_SUBTREE_ENTRY_ID = 0x35E0_0102, "PidTagIpmSubTreeEntryId, 0x35E0";
    IPM_OUTBOX_ENTRY_ID = 0x35E2_0102, "PidTagIpmOutboxEntryId, 0x35E2";
    IPM_WASTEBASKET_ENTRY_ID = 0x35E3_0102, "PidTagIpmWastebasketEntryId, 0x35E3";
    IPM_SENTMAIL_ENTRY_ID = 0x35E4_0102, "PidTagIpmSentMailEntryId, 0x35E4";
    VIEWS_ENTRY_ID = 0x35E5_0102, "PidTagViewsEntryId, 0x35E5";
    COMMON_VIEWS_ENTRY_ID = 0x35E6_0102, "PidTagCommonViewsEntryId, 0x35E6";
    FINDER_ENTRY_ID = 0x35E7_0102, "PidTagFinderEntryId, 0x35E7";
    CONTENT_COUNT = 0x3602_0003, "PidTagContentCount, 0x3602";
    CONTENT_UNREAD_COUNT = 0x3603_0003, "PidTagContentUnreadCount, 0x3603";
    SUBFOLDERS = 0x360A_000B, "PidTagSubfolders, 0x360A";
    CONTAINER_CLASS = 0x3613_001F, "PidTagContainerClass, 0x3613";
    IPM_APPOINTMENT_ENTRY_ID = 0x36D0_0102, "PidTagIpmAppointmentEntryId, 0x36D0";
    IPM_CONTACT_ENTRY_ID = 0x36D1_0102, "PidTagIpmContactEntryId, 0x36D1";
    IPM_JOURNAL_ENTRY_ID = 0x36D2_0102, "PidTagIpmJournalEntryId, 0x36D2";
    IPM_NOTE_ENTRY_ID = 0x36D3_0102, "PidTagIpmNoteEntryId, 0x36D3";
    IPM_TASK_ENTRY_ID = 0x36D4_0102, "PidTagIpmTaskEntryId, 0x36D4";
    REM_ONLINE_ENTRY_ID = 0x36D5_0102, "PidTagRemindersOnlineEntryId, 0x36D5";
    IPM_DRAFTS_ENTRY_ID = 0x36D7_0102, "PidTagIpmDraftsEntryId, 0x36D7";
    ADDITIONAL_REN_ENTRY_IDS = 0x36D8_1102, "PidTagAdditionalRenEntryIds, 0x36D8";
    ATTACH_DATA_BINARY = 0x3701_0102, "PidTagAttachDataBinary, PR_ATTACH_DATA_BIN, 0x3701";
    ATTACH_DATA_OBJECT = 0x3701_000D, "PidTagAttachDataObject, PR_ATTACH_DATA_OBJ, 0x3701";
    ATTACH_ENCODING = 0x3702_0102, "PidTagAttachEncoding, 0x3702";
    ATTACH_EXTENSION = 0x3703_001F, "PidTagAttachExtension, 0x3703";
    ATTACH_FILENAME = 0x3704_001F, "PidTagAttachFilename, 0x3704";
    ATTACH_METHOD = 0x3705_0003, "PidTagAttachMethod, 0x3705";
    ATTACH_LONG_FILENAME = 0x3707_001F, "PidTagAttachLongFilename, 0x3707";
    ATTACH_PATHNAME = 0x3708_001F, "PidTagAttachPathname, 0x3708";
    ATTACH_RENDERING = 0x3709_0102, "PidTagAttachRendering, 0x3709";
    RENDERING_POSITION = 0x370B_0003, "PidTagRenderingPosition, 0x370B";
    ATTACH_LONG_PATHNAME = 0x370D_001F, "PidTagAttachLongPathname, 0x370D";
    ATTACH_MIME_TAG = 0x370E_001F, "PidTagAttachMimeTag, 0x370E";
    ATTACH_CONTENT_BASE = 0x3711_001F, "PidTagAttachContentBase, 0x3711";
    ATTACH_CONTENT_ID = 0x3712_001F, "PidTagAttachContentId, 0x3712";
    ATTACH_CONTENT_LOCATION = 0x3713_001F, "PidTagAttachContentLocation, 0x3713";
    ATTACH_FLAGS = 0x3714_0003, "PidTagAttachFlags, 0x3714";
    TEXT_ATTACHMENT_CHARSET = 0x371B_001F, "PidTagTextAttachmentCharset, 0x371B";
    DISPLAY_TYPE = 0x3900_0003, "PidTagDisplayType, 0x3900";
    SMTP_ADDRESS = 0x39FE_001F, "PidTagSmtpAddress, 0x39FE";
    DISPLAY_NAME_7BIT = 0x39FF_001F, "PidTag7BitDisplayName, 0x39FF";
    ACCOUNT = 0x3A00_001F, "PidTagAccount, 0x3A00";
    GENERATION = 0x3A05_001F, "PidTagGeneration, 0x3A05";
    GIVEN_NAME = 0x3A06_001F, "PidTagGivenName, 0x3A06";
    GOVERNMENT_ID = 0x3A07_001F, "PidTagGovernmentIdNumber, 0x3A07";
    BUSINESS_TELEPHONE_NUMBER = 0x3A08_001F, "PidTagBusinessTelephoneNumber, 0x3A08";
    HOME_TELEPHONE_NUMBER = 0x3A09_001F, "PidTagHomeTelephoneNumber, 0x3A09";
    INITIALS = 0x3A0A_001F, "PidTagInitials, 0x3A0A";
    LANGUAGE = 0x3A0C_001F, "PidTagLanguage, 0x3A0C";
    LOCATION = 0x3A0D_001F, "PidTagLocation, 0x3A0D";
    ORGANIZATIONAL_ID = 0x3A10_001F, "PidTagOrganizationalIdNumber, 0x3A10";
    SURNAME = 0x3A11_001F, "PidTagSurname, 0x3A11";
    COMPANY_NAME = 0x3A16_001F, "PidTagCompanyName, 0x3A16";
    TITLE = 0x3A17_001F, "PidTagTitle, 0x3A17";
    DEPARTMENT_NAME = 0x3A18_001F, "PidTagDepartmentName, 0x3A18";
    OFFICE_LOCATION = 0x3A19_001F, "PidTagOfficeLocation, 0x3A19";
    MOBILE_TELEPHONE_NUMBER = 0x3A1C_001F, "PidTagMobileTelephoneNumber, 0x3A1C";
    ASSISTANT = 0x3A30_001F, "PidTagAssistant, 0x3A30";
    WEDDING_ANNIVERSARY = 0x3A41_0040, "PidTagWeddingAnniversary, 0x3A41";
    BIRTHDAY = 0x3A42_0040, "PidTagBirthday, 0x3A42";
    HOBBIES = 0x3A43_001F, "PidTagHobbies, 0x3A43";
    MIDDLE_NAME = 0x3A44_001F, "PidTagMiddleName, 0x3A44";
    NAME_PREFIX = 0x3A45_001F, "PidTagDisplayNamePrefix, 0x3A45";
    PROFESSION = 0x3A46_001F, "PidTagProfession, 0x3A46";
    REFERRED_BY = 0x3A47_001F, "PidTagReferredByName, 0x3A47";
    SPOUSE_NAME = 0x3A48_001F, "PidTagSpouseName, 0x3A48";
    NETWORK_NAME = 0x3A49_001F, "PidTagComputerNetworkName, 0x3A49";
    CUSTOMER_ID = 0x3A4A_001F, "PidTagCustomerId, 0x3A4A";
    FTP_SITE = 0x3A4C_001F, "PidTagFtpSite, 0x3A4C";
    GENDER = 0x3A4D_0002, "PidTagGender, 0x3A4D";
    MANAGER_NAME = 0x3A4E_001F, "PidTagManagerName, 0x3A4E";
    NICKNAME = 0x3A4F_001F, "PidTagNickname, 0x3A4F";
    PERSONAL_HOME_PAGE = 0x3A50_001F, "PidTagPersonalHomePage, 0x3A50";
    BUSINESS_HOME_PAGE = 0x3A51_001F, "PidTagBusinessHomePage, 0x3A51";
    CHILDREN_NAMES = 0x3A58_101F, "PidTagChildrensNames, 0x3A58";
    CERTIFICATES = 0x3A70_1102, "PidTagUserX509Certificate, 0x3A70";
    CONTACT_PHOTO = 0x7FFF_000B, "PidTagAttachmentContactPhoto, 0x7FFF";
    TRANSMITTABLE_DISPLAY_NAME = 0x3A20_001F, "PidTagTransmittableDisplayName, 0x3A20";
    SEND_RICH_INFO = 0x3A40_000B, "PidTagSendRichInfo, 0x3A40";
    INTERNET_CODEPAGE = 0x3FDE_0003, "PidTagInternetCodepage, 0x3FDE";
    AUTO_RESPONSE_SUPPRESS = 0x3FDF_0003, "PidTagAutoResponseSuppress, 0x3FDF";
    DEFERRED_SEND_TIME = 0x3FEF_0040, "PidTagDeferredSendTime, 0x3FEF";
    MESSAGE_LOCALE_ID = 0x3FF1_0003, "PidTagMessageLocaleId, 0x3FF1";
    MESSAGE_CODEPAGE = 0x3FFD_0003, "PidTagMessageCodepage, 0x3FFD";
    READ_RECEIPT_SMTP_ADDRESS = 0x5D05_001F, "PidTagReadReceiptSmtpAddress, 0x5D05";
    SENDER_SMTP_ADDRESS = 0x5D01_001F, "PidTagSenderSmtpAddress, 0x5D01";
    SENT_REPRESENTING_SMTP_ADDRESS = 0x5D02_001F, "PidTagSentRepresentingSmtpAddress, 0x5D02";
    RECEIVED_BY_SMTP_ADDRESS = 0x5D07_001F, "PidTagReceivedBySmtpAddress, 0x5D07";
    RECIPIENT_DISPLAY_NAME = 0x5FF6_001F, "PidTagRecipientDisplayName, 0x5FF6";
    RECIPIENT_ENTRY_ID = 0x5FF7_0102, "PidTagRecipientEntryId, 0x5FF7";
    RECIPIENT_FLAGS = 0x5FFD_0003, "PidTagRecipientFlags, 0x5FFD";
    RECIPIENT_TRACK_STATUS = 0x5FFF_0003, "PidTagRecipientTrackStatus, 0x5FFF";
    SECURE_SUBMIT_FLAGS = 0x65C6_0003, "PidTagSecureSubmitFlags, 0x65C6";
    PST_HIDDEN_COUNT = 0x6635_0003, "PidTagPstHiddenCount, 0x6635";
    PST_HIDDEN_UNREAD = 0x6636_0003, "PidTagPstHiddenUnread, 0x6636";
    LTP_PARENT_NID = 0x67F1_0003, "PidTagLtpParentNid, 0x67F1";
    LTP_ROW_ID = 0x67F2_0003, "PidTagLtpRowId, 0x67F2";
    LTP_ROW_VER = 0x67F3_0003, "PidTagLtpRowVer, 0x67F3";
    REPORTING_MTA = 0x6820_001F, "PidTagReportingMessageTransferAgent, 0x6820";
    PST_PASSWORD = 0x67FF_0003, "PidTagPstPassword, 0x67FF";
    ATTACHMENT_FLAGS = 0x7FFD_0003, "PidTagAttachmentFlags, 0x7FFD";
    ATTACHMENT_HIDDEN = 0x7FFE_000B, "PidTagAttachmentHidden, 0x7FFE";
}
