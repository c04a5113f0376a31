//! Markers and meta-properties: what stands between the properties of a stream ([MS-OXCFXICS] 2.2.4.1.4, 2.2.4.1.5).

macro_rules! markers {
    ($($name:ident = $value:literal, $text:literal;)+) => {
        $(pub(super) const $name: u32 = $value;)+

        /// The name of a marker; `None` if the number is a property's.
        pub(super) fn name_of(tag: u32) -> Option<&'static str> {
            match tag {
                $($value => Some($text),)+
                _ => None,
            }
        }
    };
}

markers! {
    NEW_ATTACH = 0x4000_0003, "NewAttach";
    START_EMBED = 0x4001_0003, "StartEmbed";
    END_EMBED = 0x4002_0003, "EndEmbed";
    START_RECIP = 0x4003_0003, "StartRecip";
    END_TO_RECIP = 0x4004_0003, "EndToRecip";
    START_MESSAGE = 0x400C_0003, "StartMessage";
    END_MESSAGE = 0x400D_0003, "EndMessage";
    END_ATTACH = 0x400E_0003, "EndAttach";
    START_FAI_MSG = 0x4010_0003, "StartFAIMsg";
    FX_ERROR_INFO = 0x4018_0003, "FXErrorInfo";
}

/// Markers of folders and of synchronization, which no item has.
const FOREIGN: [(u32, &str); 13] = [
    (0x4009_0003, "StartTopFld"),
    (0x400A_0003, "StartSubFld"),
    (0x400B_0003, "EndFolder"),
    (0x4012_0003, "IncrSyncChg"),
    (0x4013_0003, "IncrSyncDel"),
    (0x4014_0003, "IncrSyncEnd"),
    (0x4015_0003, "IncrSyncMessage"),
    (0x402F_0003, "IncrSyncRead"),
    (0x403A_0003, "IncrSyncStateBegin"),
    (0x403B_0003, "IncrSyncStateEnd"),
    (0x4074_000B, "IncrSyncProgressMode"),
    (0x4075_000B, "IncrSyncProgressPerMsg"),
    (0x407D_0003, "IncrSyncChgPartial"),
];

/// The name of a marker that does not belong in an item.
pub(super) fn foreign(tag: u32) -> Option<&'static str> {
    FOREIGN.iter().find(|(marker, _)| *marker == tag).map(|(_, name)| *name)
}

/// Ids of meta-properties: their types differ from server to server.
pub(super) mod meta {
    /// MetaTagDnPrefix: what X.500 names of the stream begin with.
    pub const DN_PREFIX: u16 = 0x4008;
    /// MetaTagEcWarning: something went wrong in the export.
    pub const EC_WARNING: u16 = 0x400F;
    /// MetaTagNewFXFolder.
    pub const NEW_FX_FOLDER: u16 = 0x4011;
    /// MetaTagFXDelProp: the recipients or attachments of the target are to be removed first.
    pub const FX_DEL_PROP: u16 = 0x4016;
    /// MetaTagIncrSyncGroupId.
    pub const INCR_SYNC_GROUP_ID: u16 = 0x407C;

    /// True for meta-properties. Other ids between 0x4000 and 0x40FF are those of ordinary properties.
    pub fn is_meta(id: u16) -> bool {
        matches!(id, DN_PREFIX | EC_WARNING | NEW_FX_FOLDER | FX_DEL_PROP | INCR_SYNC_GROUP_ID)
    }
}

/// True for what a reader would not take for a property.
pub(super) fn is_reserved(tag: u32) -> bool {
    name_of(tag).is_some() || foreign(tag).is_some() || meta::is_meta((tag >> 16) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_of_markers_are_properties() {
        // PidTagSenderFlags, PidTagContentFilterSpamConfidenceLevel, PidTagCreatorAddressType.
        for tag in [0x4019_0003, 0x4076_0003, 0x4022_001F, 0x4000_001F] {
            assert!(!is_reserved(tag), "{tag:08X}");
        }
        for tag in [START_EMBED, 0x4009_0003, 0x4008_001E, 0x4008_84E4] {
            assert!(is_reserved(tag), "{tag:08X}");
        }
    }
}
