//! Charsets of mail and the code pages that PidTagInternetCodepage knows them by ([MS-UCODEREF] 2.2.1).

use crate::mapi::codepage;
use encoding_rs::{EUC_KR, Encoding, GBK, UTF_8, WINDOWS_1252};
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
];

/// The charset name of a code page.
pub fn label_of(page: u32) -> Option<&'static str> {
    PAGES.iter().find(|(p, _)| *p == page).map(|(_, label)| *label)
}

/// The code page of a charset name, if it is one that Outlook knows.
pub fn page_of(label: &str) -> Option<u32> {
    let label = label.trim().trim_matches(['"', '\'']);
    let exact = |name: &str| PAGES.iter().find(|(_, l)| l.eq_ignore_ascii_case(name)).map(|(p, _)| *p);
    if label.eq_ignore_ascii_case("ascii") || label.eq_ignore_ascii_case("ansi_x3.4-1968") {
        return Some(20127);
    }
    exact(label).or_else(|| Encoding::for_label(label.as_bytes()).and_then(|e| exact(e.name())))
}

/// The encoding of a code page; windows-1252 for unknown ones.
pub fn encoding_of(page: u32) -> &'static Encoding {
    codepage::encoding(page).unwrap_or(WINDOWS_1252)
}

/// Bytes in a code page as text; bytes that are no UTF-8 are read as windows-1252 one by one where UTF-8 is meant.
pub fn decode_page(page: u32, bytes: &[u8]) -> Cow<'_, str> {
    match page {
        65001 | 20127 => utf8_or_1252(bytes),
        _ => encoding_of(page).decode_without_bom_handling(bytes).0,
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

/// Bytes in a named charset as text, and whether the charset is one that is known.
pub fn decode<'a>(label: Option<&str>, bytes: &'a [u8]) -> (Cow<'a, str>, bool) {
    let Some(label) = label.map(|l| l.trim().trim_matches(['"', '\''])).filter(|l| !l.is_empty()) else {
        return (utf8_or_1252(bytes), true);
    };
    match label.to_ascii_lowercase().as_str() {
        "us-ascii" | "ascii" | "utf-8" | "utf8" | "ansi_x3.4-1968" => return (utf8_or_1252(bytes), true),
        "iso-2022-kr" | "csiso2022kr" => return (Cow::Owned(iso_2022_kr(bytes)), true),
        "hz-gb-2312" | "hz" => return (Cow::Owned(hz(bytes)), true),
        _ => {}
    }
    if let Some(encoding) = Encoding::for_label_no_replacement(label.as_bytes()) {
        return (encoding.decode(bytes).0, true);
    }
    match mail_parser::Charset::from_label(label.as_bytes()) {
        Some(charset) => (charset.decode(bytes), true),
        None => (utf8_or_1252(bytes), false),
    }
}

/// UTF-8 text in which each byte that is not UTF-8 is read as windows-1252.
pub fn utf8_or_1252(bytes: &[u8]) -> Cow<'_, str> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let (text, _, bad) = UTF_8.decode(bytes);
    if !bad {
        return text;
    }
    let mut out = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        out.push_str(&WINDOWS_1252.decode_without_bom_handling(chunk.invalid()).0);
    }
    Cow::Owned(out)
}

/// ISO-2022-KR (RFC 1557): SO and SI switch between ASCII and KS X 1001.
fn iso_2022_kr(bytes: &[u8]) -> String {
    let mut euc = Vec::with_capacity(bytes.len());
    let mut shifted = false;
    let mut rest = bytes;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = match byte {
            0x1B => rest.strip_prefix(b"\x1B$)C").unwrap_or(tail),
            _ => tail,
        };
        match byte {
            0x0E => shifted = true,
            0x0F => shifted = false,
            0x1B => {}
            b'\n' => {
                shifted = false;
                euc.push(byte);
            }
            0x21..=0x7E if shifted => euc.push(byte | 0x80),
            _ => euc.push(byte),
        }
    }
    EUC_KR.decode_without_bom_handling(&euc).0.into_owned()
}

/// HZ (RFC 1843): `~{` and `~}` switch between ASCII and GB 2312.
fn hz(bytes: &[u8]) -> String {
    let mut gb = Vec::with_capacity(bytes.len());
    let mut shifted = false;
    let mut rest = bytes;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match (byte, tail.first()) {
            (b'~', Some(b'{')) => shifted = true,
            (b'~', Some(b'}')) => shifted = false,
            (b'~', Some(b'~')) => gb.push(b'~'),
            (b'~', Some(b'\n')) => {}
            (0x21..=0x7E, _) if shifted => {
                gb.push(byte | 0x80);
                continue;
            }
            _ => {
                gb.push(byte);
                continue;
            }
        }
        rest = tail.get(1..).unwrap_or_default();
    }
    GBK.decode_without_bom_handling(&gb).0.into_owned()
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
        assert!(!decode(Some("x-unknown"), b"a").1);
    }
}
