//! Windows code pages, as PidTagInternetCodepage and PidTagMessageCodepage name them.

use super::{PropBag, iso2022, singlebyte, tag};
use encoding_rs::{Encoding, WINDOWS_1252};

/// HZ-GB-2312.
const HZ: u32 = 52936;
/// ISO-2022-KR.
const ISO_2022_KR: u32 = 50225;

/// The encoding of a code page, if it is one that is known.
pub fn encoding(codepage: u32) -> Option<&'static Encoding> {
    let label: &[u8] = match codepage {
        866 => b"ibm866",
        874 => b"windows-874",
        932 => b"shift_jis",
        936 | 51936 => b"gbk",
        949 | 51949 => b"euc-kr",
        950 => b"big5",
        1250..=1258 => return windows(codepage),
        10007 => b"x-mac-cyrillic",
        10000 => b"macintosh",
        20127 | 28591 => b"windows-1252",
        20866 => b"koi8-r",
        20932 | 51932 => b"euc-jp",
        21866 => b"koi8-u",
        28592..=28606 => return iso(codepage),
        38598 => b"iso-8859-8-i",
        50220..=50222 => b"iso-2022-jp",
        54936 => b"gb18030",
        65001 => b"utf-8",
        1200 => b"utf-16le",
        1201 => b"utf-16be",
        _ => return None,
    };
    Encoding::for_label(label)
}

fn windows(codepage: u32) -> Option<&'static Encoding> {
    Encoding::for_label(format!("windows-{codepage}").as_bytes())
}

fn iso(codepage: u32) -> Option<&'static Encoding> {
    Encoding::for_label(format!("iso-8859-{}", codepage - 28590).as_bytes())
}

/// The ANSI code page of Windows in a language ([MS-LCID] 2.2).
pub fn of_locale(locale: u32) -> u32 {
    match (locale & 0x3FF, locale & 0xFFFF) {
        (0x04, 0x0404 | 0x0C04 | 0x1404) => 950,
        (0x04, _) => 936,
        (0x11, _) => 932,
        (0x12, _) => 949,
        (0x1E, _) => 874,
        (0x1A, 0x0C1A | 0x1C1A | 0x201A) | (0x02 | 0x19 | 0x22 | 0x23 | 0x2F | 0x3F | 0x40 | 0x44, _) => 1251,
        (0x05 | 0x0E | 0x15 | 0x18 | 0x1A | 0x1B | 0x1C | 0x24, _) => 1250,
        (0x08, _) => 1253,
        (0x1F | 0x2C, _) => 1254,
        (0x0D, _) => 1255,
        (0x01 | 0x20 | 0x29, _) => 1256,
        (0x25..=0x27, _) => 1257,
        (0x2A, _) => 1258,
        _ => 1252,
    }
}

/// The ANSI code page of Windows for the language of an Internet charset; `None` for charsets of all languages.
pub fn windows_of(codepage: u32) -> Option<u32> {
    Some(match codepage {
        874 | 1250..=1258 | 932 | 936 | 949 | 950 => codepage,
        20866 | 21866 | 28595 | 10007 | 866 => 1251,
        28592 | 852 | 10029 => 1250,
        28597 => 1253,
        28599 => 1254,
        28598 | 38598 => 1255,
        28596 => 1256,
        28594 | 28603 => 1257,
        50220..=50222 | 51932 => 932,
        51936 | 52936 | 54936 => 936,
        51949 | 50225 => 949,
        28601 => 874,
        28591 | 28605 => 1252,
        _ => return None,
    })
}

/// True for code pages that [`decode`] knows.
pub fn is_known(codepage: u32) -> bool {
    matches!(codepage, HZ | ISO_2022_KR) || singlebyte::of_number(codepage).is_some() || encoding(codepage).is_some()
}

/// The code page of an item's 8-bit strings.
pub fn of_item(props: &PropBag) -> u32 {
    let pages = [tag::MESSAGE_CODEPAGE, tag::INTERNET_CODEPAGE].into_iter().filter_map(|t| props.i32(t));
    pages.filter_map(|p| u32::try_from(p).ok()).find(|p| !matches!(p, 0 | 1200)).unwrap_or(1252)
}

/// True for code pages whose ASCII bytes are ASCII.
pub fn is_ascii_based(codepage: u32) -> bool {
    singlebyte::of_number(codepage).is_some() || encoding(codepage).is_some_and(Encoding::is_ascii_compatible)
}

/// Text in a code page; unknown code pages are read as windows-1252, bytes that fit none become U+FFFD.
pub fn decode(codepage: u32, bytes: &[u8]) -> String {
    if bytes.is_ascii() && !matches!(codepage, HZ | ISO_2022_KR | 1200 | 1201 | 50220..=50222) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    match codepage {
        HZ => return iso2022::hz(bytes).0,
        ISO_2022_KR => return iso2022::decode(iso2022::kr(), bytes).0,
        _ => {}
    }
    if let Some(page) = singlebyte::of_number(codepage) {
        return page.decode(bytes);
    }
    encoding(codepage).unwrap_or(WINDOWS_1252).decode_without_bom_handling(bytes).0.into_owned()
}

/// How many bytes at the end begin a character that is not complete.
pub fn incomplete(codepage: u32, bytes: &[u8]) -> usize {
    let is_lead = |b: u8| match codepage {
        932 => matches!(b, 0x81..=0x9F | 0xE0..=0xFC),
        936 | 949 | 950 | 51936 | 51949 => (0x81..=0xFE).contains(&b),
        _ => false,
    };
    if codepage == 65001 {
        let bad = std::str::from_utf8(bytes).err().filter(|e| e.error_len().is_none());
        return bad.map_or(0, |e| bytes.len() - e.valid_up_to());
    }
    let mut open = false;
    for byte in bytes {
        open = !open && is_lead(*byte);
    }
    usize::from(open)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dos() {
        assert_eq!(decode(850, b"a\x82\xFF"), "aé\u{A0}");
        assert!(is_ascii_based(437) && is_ascii_based(932) && !is_ascii_based(1200) && !is_ascii_based(7));
    }

    #[test]
    fn locales() {
        let pages = [0x0409, 0x0411, 0x0804, 0x0404, 0x0419, 0x0415, 0x041F, 0].map(of_locale);
        assert_eq!(pages, [1252, 932, 936, 950, 1251, 1250, 1254, 1252]);
    }

    #[test]
    fn halves_of_characters() {
        assert_eq!(incomplete(932, &[0x93, 0xFA, 0x96]), 1);
        assert_eq!(incomplete(932, &[0x93, 0x96]), 0);
        assert_eq!(incomplete(932, &[0xB1]), 0);
        assert_eq!(incomplete(936, &[0xB1]), 1);
        assert_eq!(incomplete(65001, "a€".as_bytes()), 0);
        assert_eq!(incomplete(65001, &[b'a', 0xE2, 0x82]), 2);
        assert_eq!(incomplete(1252, &[0xE2]), 0);
    }
}
