//! Property types ([MS-OXCDATA] 2.11.1).

/// A property type code as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PropType(pub u16);

#[allow(missing_docs, reason = "the names are the specification's")]
impl PropType {
    pub const NULL: u16 = 0x0001;
    pub const INTEGER16: u16 = 0x0002;
    pub const INTEGER32: u16 = 0x0003;
    pub const FLOATING32: u16 = 0x0004;
    pub const FLOATING64: u16 = 0x0005;
    pub const CURRENCY: u16 = 0x0006;
    pub const FLOATING_TIME: u16 = 0x0007;
    pub const ERROR: u16 = 0x000A;
    pub const BOOLEAN: u16 = 0x000B;
    pub const OBJECT: u16 = 0x000D;
    pub const INTEGER64: u16 = 0x0014;
    pub const STRING8: u16 = 0x001E;
    pub const STRING: u16 = 0x001F;
    pub const TIME: u16 = 0x0040;
    pub const GUID: u16 = 0x0048;
    pub const BINARY: u16 = 0x0102;
    /// The bit that makes a type multi-valued.
    pub const MULTI: u16 = 0x1000;

    pub const MULTI_INTEGER32: u16 = Self::MULTI | Self::INTEGER32;
    pub const MULTI_STRING: u16 = Self::MULTI | Self::STRING;
    pub const MULTI_BINARY: u16 = Self::MULTI | Self::BINARY;

    /// True for multi-valued types.
    pub const fn is_multi(self) -> bool {
        self.0 & Self::MULTI != 0
    }

    /// Size in bytes of one value where it is fixed (of one element for multi-valued types).
    pub const fn fixed_size(self) -> Option<usize> {
        match self.0 & !Self::MULTI {
            Self::INTEGER16 => Some(2),
            Self::INTEGER32 | Self::FLOATING32 | Self::ERROR => Some(4),
            Self::BOOLEAN => Some(1),
            Self::FLOATING64 | Self::CURRENCY | Self::FLOATING_TIME | Self::INTEGER64 | Self::TIME => Some(8),
            Self::GUID => Some(16),
            _ => None,
        }
    }
}
