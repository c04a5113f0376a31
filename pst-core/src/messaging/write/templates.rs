//! The columns of every table that a store must have, as Outlook lays them out ([MS-PST] 2.4.3-2.4.6, 2.7.1).

use crate::ltp::build::Col;

/// The columns of a table, sorted by tag: tag, offset in the row, bit.
pub type Columns = &'static [Col];

const fn c(tag: u32, at: u16, bit: u8) -> Col {
    Col { tag, at, bit }
}

/// Hierarchy table, node 0x60D.
pub const HIERARCHY: Columns = &[
    c(0x0E30_0102, 20, 6),
    c(0x0E33_0014, 24, 7),
    c(0x0E34_0102, 32, 8),
    c(0x0E38_0003, 36, 9),
    c(0x3001_001F, 8, 2),
    c(0x3602_0003, 12, 3),
    c(0x3603_0003, 16, 4),
    c(0x360A_000B, 52, 5),
    c(0x3613_001F, 40, 10),
    c(0x6635_0003, 44, 11),
    c(0x6636_0003, 48, 12),
    c(0x67F2_0003, 0, 0),
    c(0x67F3_0003, 4, 1),
];

/// Contents table, node 0x60E.
pub const CONTENTS: Columns = &[
    c(0x0017_0003, 20, 5),
    c(0x001A_001F, 12, 3),
    c(0x0036_0003, 60, 15),
    c(0x0037_001F, 28, 7),
    c(0x0039_0040, 40, 9),
    c(0x0042_001F, 24, 6),
    c(0x0057_000B, 120, 13),
    c(0x0058_000B, 121, 14),
    c(0x0070_001F, 68, 17),
    c(0x0071_0102, 72, 18),
    c(0x0E03_001F, 56, 12),
    c(0x0E04_001F, 52, 11),
    c(0x0E06_0040, 32, 8),
    c(0x0E07_0003, 16, 4),
    c(0x0E08_0003, 48, 10),
    c(0x0E17_0003, 8, 2),
    c(0x0E30_0102, 92, 22),
    c(0x0E33_0014, 96, 23),
    c(0x0E34_0102, 104, 24),
    c(0x0E38_0003, 116, 27),
    c(0x0E3C_0102, 112, 26),
    c(0x0E3D_0102, 108, 25),
    c(0x1097_0003, 64, 16),
    c(0x3008_0040, 84, 21),
    c(0x3013_0102, 76, 19),
    c(0x65C6_0003, 80, 20),
    c(0x67F2_0003, 0, 0),
    c(0x67F3_0003, 4, 1),
];

/// Associated contents table, node 0x60F.
pub const ASSOC_CONTENTS: Columns = &[
    c(0x001A_001F, 12, 3),
    c(0x0E07_0003, 16, 4),
    c(0x0E17_0003, 8, 2),
    c(0x3001_001F, 20, 5),
    c(0x67F2_0003, 0, 0),
    c(0x67F3_0003, 4, 1),
    c(0x6800_001F, 44, 11),
    c(0x6803_000B, 56, 12),
    c(0x6805_1003, 48, 13),
    c(0x682F_001F, 52, 14),
    c(0x7003_0003, 24, 6),
    c(0x7004_0102, 28, 7),
    c(0x7005_0102, 32, 8),
    c(0x7006_001F, 36, 9),
    c(0x7007_0003, 40, 10),
];

/// Search contents table, node 0x610.
pub const SEARCH_CONTENTS: Columns = &[
    c(0x0017_0003, 28, 7),
    c(0x001A_001F, 20, 5),
    c(0x0036_0003, 60, 16),
    c(0x0037_001F, 36, 9),
    c(0x0042_001F, 32, 8),
    c(0x0057_000B, 72, 14),
    c(0x0058_000B, 73, 15),
    c(0x0E03_001F, 56, 13),
    c(0x0E04_001F, 52, 12),
    c(0x0E05_001F, 12, 3),
    c(0x0E06_0040, 40, 10),
    c(0x0E07_0003, 24, 6),
    c(0x0E08_0003, 48, 11),
    c(0x0E17_0003, 16, 4),
    c(0x0E2A_000B, 74, 17),
    c(0x3008_0040, 64, 18),
    c(0x67F1_0003, 8, 2),
    c(0x67F2_0003, 0, 0),
    c(0x67F3_0003, 4, 1),
];

/// Attachment table, node 0x671.
pub const ATTACHMENT: Columns = &[
    c(0x0E20_0003, 12, 3),
    c(0x3704_001F, 20, 5),
    c(0x3705_0003, 16, 4),
    c(0x370B_0003, 8, 2),
    c(0x67F2_0003, 0, 0),
    c(0x67F3_0003, 4, 1),
];

/// Recipient table, node 0x692.
pub const RECIPIENT: Columns = &[
    c(0x0C15_0003, 24, 7),
    c(0x0E0F_000B, 48, 2),
    c(0x0FF9_0102, 32, 9),
    c(0x0FFE_0003, 36, 10),
    c(0x0FFF_0102, 16, 5),
    c(0x3001_001F, 20, 6),
    c(0x3002_001F, 8, 3),
    c(0x3003_001F, 12, 4),
    c(0x300B_0102, 28, 8),
    c(0x3900_0003, 40, 11),
    c(0x39FF_001F, 44, 13),
    c(0x3A40_000B, 49, 12),
    c(0x67F2_0003, 0, 0),
    c(0x67F3_0003, 4, 1),
];

/// Receive folder table, node 0x62B.
pub const RECEIVE_FOLDER: Columns =
    &[c(0x001A_001F, 12, 3), c(0x6605_0003, 8, 2), c(0x67F2_0003, 0, 0), c(0x67F3_0003, 4, 1)];

/// Outgoing queue table, node 0x64C.
pub const OUTGOING_QUEUE: Columns =
    &[c(0x0039_0040, 16, 4), c(0x0E10_0003, 12, 3), c(0x0E14_0003, 8, 2), c(0x67F2_0003, 0, 0), c(0x67F3_0003, 4, 1)];

/// Index template, node 0x6B6.
pub const INDEX_6B6: Columns =
    &[c(0x0E33_0014, 8, 2), c(0x0E37_0102, 16, 3), c(0x0E38_0003, 20, 4), c(0x67F2_0003, 0, 0), c(0x67F3_0003, 4, 1)];

/// Index template, node 0x6D7.
pub const INDEX_6D7: Columns = &[
    c(0x001A_001F, 36, 8),
    c(0x0E30_0102, 16, 4),
    c(0x0E31_0102, 12, 3),
    c(0x0E33_0014, 28, 7),
    c(0x0E34_0102, 24, 6),
    c(0x0E38_0003, 20, 5),
    c(0x0E3E_0102, 8, 2),
    c(0x67F2_0003, 0, 0),
    c(0x67F3_0003, 4, 1),
];

/// Index template, node 0x6F8.
pub const INDEX_6F8: Columns =
    &[c(0x0E33_0014, 16, 3), c(0x3007_0040, 8, 2), c(0x67F2_0003, 0, 0), c(0x67F3_0003, 4, 1)];
