//! Named properties: a property set and a number or a string ([MS-OXCDATA] 2.6.1, [MS-PST] 2.4.7).

use std::fmt;

/// A GUID as stored: three little-endian fields, then eight bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Guid(pub [u8; 16]);

impl Guid {
    /// A GUID of the family {xxxxxxxx-0000-0000-C000-000000000046}.
    pub const fn ole(data1: u32) -> Self {
        let [a, b, c, d] = data1.to_le_bytes();
        Self([a, b, c, d, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46])
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a0, a1, a2, a3, b0, b1, c0, c1, d @ ..] = self.0;
        write!(
            f,
            "{:08X}-{:04X}-{:04X}-",
            u32::from_le_bytes([a0, a1, a2, a3]),
            u16::from_le_bytes([b0, b1]),
            u16::from_le_bytes([c0, c1])
        )?;
        for (i, byte) in d.iter().enumerate() {
            if i == 2 {
                f.write_str("-")?;
            }
            write!(f, "{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// PS_MAPI.
pub const PS_MAPI: Guid = Guid::ole(0x0002_0328);
/// PS_PUBLIC_STRINGS.
pub const PS_PUBLIC_STRINGS: Guid = Guid::ole(0x0002_0329);
/// PS_INTERNET_HEADERS.
pub const PS_INTERNET_HEADERS: Guid = Guid::ole(0x0002_0386);
/// PSETID_Appointment.
pub const PSETID_APPOINTMENT: Guid = Guid::ole(0x0006_2002);
/// PSETID_Task.
pub const PSETID_TASK: Guid = Guid::ole(0x0006_2003);
/// PSETID_Address.
pub const PSETID_ADDRESS: Guid = Guid::ole(0x0006_2004);
/// PSETID_Common.
pub const PSETID_COMMON: Guid = Guid::ole(0x0006_2008);
/// PSETID_Log.
pub const PSETID_LOG: Guid = Guid::ole(0x0006_200A);
/// PSETID_Note.
pub const PSETID_NOTE: Guid = Guid::ole(0x0006_200E);

/// PSETID_Meeting, {6ED8DA90-450B-101B-98DA-00AA003F1305}.
pub const PSETID_MEETING: Guid =
    Guid([0x90, 0xDA, 0xD8, 0x6E, 0x0B, 0x45, 0x1B, 0x10, 0x98, 0xDA, 0x00, 0xAA, 0x00, 0x3F, 0x13, 0x05]);

/// The second half of a property name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name {
    /// A number (a LID).
    Id(u32),
    /// A string, as UTF-16 units.
    Text(Vec<u16>),
}

/// The name of a named property. `guid` all zero means "no property set" (wGuid 0).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamedProp {
    /// The property set.
    pub guid: Guid,
    /// Number or string.
    pub name: Name,
}

impl NamedProp {
    /// A numbered name.
    pub const fn id(guid: Guid, lid: u32) -> Self {
        Self { guid, name: Name::Id(lid) }
    }

    /// A string name.
    pub fn text(guid: Guid, name: &str) -> Self {
        Self { guid, name: Name::Text(name.encode_utf16().collect()) }
    }
}

impl fmt::Display for NamedProp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Name::Id(id) => write!(f, "{{{}}}:0x{id:04X}", self.guid),
            Name::Text(units) => write!(f, "{{{}}}:{}", self.guid, String::from_utf16_lossy(units)),
        }
    }
}
