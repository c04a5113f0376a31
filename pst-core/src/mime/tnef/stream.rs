//! A TNEF stream as a list of attributes ([MS-OXTNEF] 2.1.3).

/// What a stream begins with.
const SIGNATURE: u32 = 0x223E_9F78;

pub(super) const TNEF_VERSION: u32 = 0x0008_9006;
pub(super) const OEM_CODEPAGE: u32 = 0x0006_9007;
pub(super) const MSG_PROPS: u32 = 0x0006_9003;
pub(super) const RECIP_TABLE: u32 = 0x0006_9004;
pub(super) const ATTACH_REND_DATA: u32 = 0x0006_9002;
pub(super) const ATTACHMENT: u32 = 0x0006_9005;

/// What an attribute belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Message,
    Attachment,
}

/// An attribute.
pub(super) struct Attribute<'a> {
    pub level: Level,
    /// Its id, and its type in the upper 16 bits.
    pub id: u32,
    pub data: &'a [u8],
    /// True if its checksum is right.
    pub sound: bool,
}

/// More bytes than this at the end are no padding: they may be somebody's data.
const PADDING: usize = 256;

/// Why a stream ended before its bytes did.
pub(super) struct Trouble {
    pub text: String,
    /// True if something was lost.
    pub costs: bool,
}

/// The attributes of a stream, in order.
pub(super) struct Stream<'a> {
    rest: &'a [u8],
    trouble: Option<Trouble>,
}

impl<'a> Stream<'a> {
    /// A stream behind its signature and its key.
    pub fn open(bytes: &'a [u8]) -> Option<Self> {
        let (head, rest) = bytes.split_at_checked(6)?;
        head.starts_with(&SIGNATURE.to_le_bytes()).then_some(Self { rest, trouble: None })
    }

    pub fn trouble(self) -> Option<Trouble> {
        self.trouble
    }

    fn end(&mut self, text: String, costs: bool) -> Option<Attribute<'a>> {
        self.rest = &[];
        self.trouble = Some(Trouble { text, costs });
        None
    }
}

impl<'a> Iterator for Stream<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        let left = self.rest.len();
        let level = match self.rest.first()? {
            1 => Level::Message,
            2 => Level::Attachment,
            _ => {
                let text = format!("{left} bytes at the end of a TNEF stream are none of its attributes");
                return self.end(text, left > PADDING);
            }
        };
        let mut after = self.rest.get(1..).unwrap_or_default();
        let (Some(id), Some(len)) = (super::props::u32(&mut after), super::props::u32(&mut after)) else {
            return self.end(format!("a TNEF stream ends inside an attribute, {left} bytes before"), true);
        };
        let Some((data, rest)) = after.split_at_checked(len as usize) else {
            let text = format!("the TNEF attribute 0x{id:08X} has {len} bytes, but only {} are left", after.len());
            return self.end(text, true);
        };
        // The last checksum may be cut off.
        let (sum, rest) = rest.split_at_checked(2).unwrap_or((&[], &[]));
        self.rest = rest;
        let expected = data.iter().fold(0u16, |sum, b| sum.wrapping_add(u16::from(*b)));
        Some(Attribute { level, id, data, sound: sum.is_empty() || sum == expected.to_le_bytes() })
    }
}
