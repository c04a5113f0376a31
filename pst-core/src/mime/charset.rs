//! Charsets of mail and the code pages that PidTagInternetCodepage knows them by ([MS-UCODEREF] 2.2.1).

use super::label::{self, Coding};
use crate::mapi::{codepage, singlebyte};
use encoding_rs::{UTF_8, WINDOWS_1252};
use std::borrow::Cow;

/// Code pages and the charset names they go by in mail. The first name of a code page is the one that is written.
const PAGES: &[(u32, &str)] = &[
    (65001, "utf-8"),
    (20127, "us-ascii"),
    (28591, "iso-8859-1"),
    (1252, "windows-1252"),
    (28592, "iso-8859-2"),
    (28593, "iso-8859-3"),
    (28594, "iso-8859-4"),
    (28595, "iso-8859-5"),
    (28596, "iso-8859-6"),
    (28597, "iso-8859-7"),
    (28598, "iso-8859-8"),
    (38598, "iso-8859-8-i"),
    (28599, "iso-8859-9"),
    (28603, "iso-8859-13"),
    (28605, "iso-8859-15"),
    (1250, "windows-1250"),
    (1251, "windows-1251"),
    (1253, "windows-1253"),
    (1254, "windows-1254"),
    (1255, "windows-1255"),
    (1256, "windows-1256"),
    (1257, "windows-1257"),
    (1258, "windows-1258"),
    (874, "windows-874"),
    (932, "shift_jis"),
    (936, "gb2312"),
    (936, "gbk"),
    (949, "ks_c_5601-1987"),
    (950, "big5"),
    (20866, "koi8-r"),
    (21866, "koi8-u"),
    (50220, "iso-2022-jp"),
    (50221, "csiso2022jp"),
    (51932, "euc-jp"),
    (51949, "euc-kr"),
    (54936, "gb18030"),
    (866, "ibm866"),
    (10000, "macintosh"),
    (10007, "x-mac-cyrillic"),
    (65000, "utf-7"),
    (52936, "hz-gb-2312"),
    (50225, "iso-2022-kr"),
    (28606, "iso-8859-16"),
    (28604, "iso-8859-14"),
    (28600, "iso-8859-10"),
];

/// The charset name of a code page.
pub fn label_of(page: u32) -> Option<&'static str> {
    let common = PAGES.iter().find(|(p, _)| *p == page).map(|(_, label)| *label);
    common.or_else(|| singlebyte::of_number(page).and_then(|p| p.names.first()).copied())
}

/// The code page of a charset name, if there is one that has the same characters at the same bytes. Of wide characters
/// and of ISO-2022-CN there is none: Outlook reads no body in them.
pub fn page_of(label: &str) -> Option<u32> {
    label::find(label)?.page.filter(|p| label_of(*p).is_some())
}

/// The code page that is written under a name.
pub(super) fn page_named(name: &str) -> Option<u32> {
    PAGES.iter().find(|(_, l)| l.eq_ignore_ascii_case(name)).map(|(p, _)| *p)
}

/// Bytes in a code page as text, as [`decode`] reads the charset of that code page.
pub fn decode_page(page: u32, bytes: &[u8]) -> Cow<'_, str> {
    match Coding::of_page(page) {
        Some(coding) => coding.decode(bytes).0,
        None => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

/// Text in a code page; `None` if that has not all its characters.
pub fn encode_page(page: u32, text: &str) -> Option<Vec<u8>> {
    if matches!(page, 65001 | 20127) || text.is_ascii() {
        return (page != 20127 || text.is_ascii()).then(|| text.as_bytes().to_vec());
    }
    let encoding = codepage::encoding(page)?;
    let (bytes, used, lossy) = encoding.encode(text);
    // In ISO 8859 these bytes are controls, and the text has none.
    let controls = (28591..=28606).contains(&page) && bytes.iter().any(|b| (0x80..0xA0).contains(b));
    (!lossy && !controls && std::ptr::eq(used, encoding)).then(|| bytes.into_owned())
}

/// How well bytes fitted the charset that they were said to be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// All of them.
    Right,
    /// Not all: those that did not fit were read as windows-1252, or replaced.
    Bad,
    /// The charset is unknown: the bytes were read as UTF-8 or windows-1252.
    Unknown,
}

/// Bytes in a named charset as text, and how well they fitted. Where no charset is named, it is UTF-8 or windows-1252.
pub fn decode<'a>(label: Option<&str>, bytes: &'a [u8]) -> (Cow<'a, str>, Fit) {
    let Some(label) = label.filter(|l| !l.trim_matches([' ', '\t', '"', '\'']).is_empty()) else {
        return (utf8_or_1252(bytes), Fit::Right);
    };
    match label::find(label) {
        Some(charset) => charset.coding.decode(bytes),
        None => (utf8_or_1252(bytes), Fit::Unknown),
    }
}

/// True for a charset whose ASCII characters have more than one byte.
pub(super) fn is_wide(label: &str) -> bool {
    label::find(label).is_some_and(|c| matches!(c.coding, Coding::Utf16(_) | Coding::Utf32(_)))
}

/// True for bytes that begin with the mark of UTF-16, and have zeros as no other text has.
pub(super) fn is_marked_wide(bytes: &[u8]) -> bool {
    (bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF")) && bytes.contains(&0)
}

/// UTF-8 text in which each byte that is not UTF-8 is read as windows-1252.
pub fn utf8_or_1252(bytes: &[u8]) -> Cow<'_, str> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    if is_marked_wide(bytes) {
        return UTF_8.decode(bytes).0;
    }
    let mut out = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        out.push_str(&WINDOWS_1252.decode_without_bom_handling(chunk.invalid()).0);
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_pages() {
        assert_eq!(page_of("UTF-8"), Some(65001));
        assert_eq!(page_of("latin1"), Some(1252));
        assert_eq!(page_of("iso-8859-1"), Some(28591));
        assert_eq!(page_of("koi8-r"), Some(20866));
        assert_eq!(page_of("nonsense"), None);
        for (page, _) in PAGES {
            let label = label_of(*page).unwrap();
            assert_eq!(page_of(label), Some(*page), "{label}");
        }
    }

    #[test]
    fn encoding_takes_all_or_nothing() {
        assert_eq!(encode_page(1251, "п"), Some(vec![0xEF]));
        assert_eq!(encode_page(1251, "日"), None);
        assert_eq!(encode_page(28591, "é"), Some(vec![0xE9]));
        assert_eq!(encode_page(28591, "“"), None);
        assert_eq!(encode_page(20127, "é"), None);
        assert_eq!(encode_page(65001, "é"), Some("é".as_bytes().to_vec()));
        assert_eq!(encode_page(1200, "é"), None);
    }

    #[test]
    fn rare_charsets() {
        assert_eq!(decode(Some("iso-2022-kr"), b"\x1B$)C\x0E0!\x0F!").0, "가!");
        assert_eq!(decode(Some("hz-gb-2312"), b"~{VPND~}.~~").0, "中文.~");
        assert_eq!(decode(None, b"caf\xE9 \xC3\xA9").0, "café é");
        assert_eq!(decode(Some("IBM437"), b"\x81ber").0, "über");
        assert_eq!(decode(Some("cp852"), b"\xFD\xA7").0, "řž");
        assert_eq!(decode(Some("x-mac-turkish"), b"\xDD").0, "ı");
        assert_eq!(decode(Some("utf-7"), b"A+ImIDkQ.").0, "A\u{2262}\u{391}.");
        assert_eq!(decode_page(850, b"\x82").as_ref(), "é");
        assert_eq!(decode(Some("x-nope"), b"a").1, Fit::Unknown);
        assert_eq!(decode(Some("utf-8"), b"caf\xE9").1, Fit::Bad);
        assert_eq!(decode(Some("shift_jis"), b"\x93\xFA").1, Fit::Right);
    }
}
