//! The names that charsets go by in mail, right and wrong ones: case, blanks and punctuation do not matter.

use super::charset::{Fit, is_marked_wide, page_named, utf8_or_1252};
use crate::mapi::{codepage, iso2022, singlebyte, wide};
use encoding_rs::{Encoding, ISO_2022_JP};
use std::borrow::Cow;

/// How bytes become text.
#[derive(Clone, Copy)]
pub(super) enum Coding {
    /// UTF-8; what is none is read as windows-1252.
    Utf8,
    /// ASCII; what is none is read as UTF-8 or windows-1252.
    Ascii,
    /// The name says that the charset is not known: UTF-8 or windows-1252.
    Undeclared,
    Utf7,
    Hz,
    /// With the high byte first, where the name tells.
    Utf16(Option<bool>),
    Utf32(Option<bool>),
    Iso2022Jp,
    Iso2022Kr,
    Iso2022Cn,
    Single(&'static singlebyte::Page),
    Web(&'static Encoding),
}

/// A charset that a name stands for.
#[derive(Clone, Copy)]
pub(super) struct Charset {
    /// Its code page, if it has one.
    pub page: Option<u32>,
    pub coding: Coding,
}

impl Coding {
    /// How the text of a code page is coded.
    pub fn of_page(page: u32) -> Option<Self> {
        Some(match page {
            65001 => Self::Utf8,
            20127 => Self::Ascii,
            65000 => Self::Utf7,
            52936 => Self::Hz,
            1200 | 1201 => Self::Utf16(Some(page == 1201)),
            12000 | 12001 => Self::Utf32(Some(page == 12001)),
            50220..=50222 => Self::Iso2022Jp,
            50225 => Self::Iso2022Kr,
            50227 => Self::Iso2022Cn,
            _ => match singlebyte::of_number(page) {
                Some(single) => Self::Single(single),
                None => Self::Web(codepage::encoding(page)?),
            },
        })
    }

    /// The text of bytes, and how well they fitted.
    pub fn decode(self, bytes: &[u8]) -> (Cow<'_, str>, Fit) {
        let fit = |bad| if bad { Fit::Bad } else { Fit::Right };
        let owned = |(text, bad): (String, bool)| (Cow::Owned(text), fit(bad));
        match self {
            Self::Utf8 | Self::Undeclared => {
                let text = utf8_or_1252(bytes);
                // What is right was not made anew.
                let bad = matches!(text, Cow::Owned(_));
                (text, fit(bad))
            }
            Self::Ascii => (utf8_or_1252(bytes), fit(!bytes.is_ascii())),
            Self::Utf16(big) => owned(wide::utf_16(bytes, big)),
            Self::Utf32(big) => owned(wide::utf_32(bytes, big)),
            Self::Single(page) => {
                let text = page.decode(bytes);
                let bad = text.contains('\u{FFFD}');
                (Cow::Owned(text), fit(bad))
            }
            Self::Web(encoding) => {
                let marked = bytes.starts_with(b"\xEF\xBB\xBF") || is_marked_wide(bytes);
                let (text, bad) = if marked {
                    let (text, _, bad) = encoding.decode(bytes);
                    (text, bad)
                } else {
                    encoding.decode_without_bom_handling(bytes)
                };
                (text, fit(bad))
            }
            // These have seven bits; what has eight and is UTF-8 is that.
            _ if !bytes.is_ascii() && std::str::from_utf8(bytes).is_ok() => (utf8_or_1252(bytes), Fit::Bad),
            Self::Utf7 => {
                let (text, bad) = mail_parser::Charset::Utf7.decode_checked(bytes);
                (text, fit(bad))
            }
            Self::Hz => owned(iso2022::hz(bytes)),
            Self::Iso2022Jp => match ISO_2022_JP.decode_without_bom_handling(bytes) {
                (text, false) => (text, Fit::Right),
                _ => owned(iso2022::decode(iso2022::jp(), bytes)),
            },
            Self::Iso2022Kr => owned(iso2022::decode(iso2022::kr(), bytes)),
            Self::Iso2022Cn => owned(iso2022::decode(iso2022::cn(), bytes)),
        }
    }

    /// True if bytes of two encoded words that follow each other may be decoded as one.
    pub const fn joins(self) -> bool {
        !matches!(self, Self::Utf16(_) | Self::Utf32(_))
    }
}

/// The charset that a name stands for.
pub(super) fn find(label: &str) -> Option<Charset> {
    if label.eq_ignore_ascii_case("utf-8") {
        return Some(Charset { page: Some(65001), coding: Coding::Utf8 });
    }
    let mut held = [0; LONGEST];
    let bare = bare(label, &mut held)?;
    let shorter = ["x", "cs"].iter().filter_map(|start| bare.strip_prefix(start));
    let named = std::iter::once(bare).chain(shorter.clone()).find_map(of_bare);
    named.or_else(|| of_page(page_named(label.trim())?)).or_else(|| of_web(label.trim().as_bytes())).or_else(|| {
        std::iter::once(bare).chain(shorter).find_map(|b| of_web(b.as_bytes()).or_else(|| of_page(numbered(b)?)))
    })
}

/// Longest name that is looked up, without its punctuation.
const LONGEST: usize = 48;

/// The letters and digits of a name in lower case, up to a year (":1987") or a way of coding ("$esc").
fn bare<'a>(label: &str, held: &'a mut [u8; LONGEST]) -> Option<&'a str> {
    let mut places = held.iter_mut();
    let mut len = 0;
    let end = label.find([':', '$']).filter(|at| *at > 0).unwrap_or(label.len());
    for byte in label.get(..end)?.bytes().filter(|b| b.is_ascii_alphanumeric() || *b == b'+') {
        *places.next()? = byte.to_ascii_lowercase();
        len += 1;
    }
    held.get(..len).and_then(|name| std::str::from_utf8(name).ok())
}

fn of_bare(bare: &str) -> Option<Charset> {
    if let Ok(at) = NAMES.binary_search_by(|(name, _)| (*name).cmp(bare)) {
        return match NAMES.get(at)?.1 {
            Meant::Page(page) => of_page(page),
            Meant::Coding(coding) => Some(Charset { page: None, coding }),
        };
    }
    let single = singlebyte::of_name(bare)?;
    Some(Charset { page: Some(single.number), coding: Coding::Single(single) })
}

fn of_page(page: u32) -> Option<Charset> {
    Some(Charset { page: Some(page), coding: Coding::of_page(page)? })
}

/// A name that the WHATWG set has.
fn of_web(label: &[u8]) -> Option<Charset> {
    let encoding = Encoding::for_label_no_replacement(label)?;
    let page = page_named(encoding.name());
    Some(Charset { page, coding: page.and_then(Coding::of_page).unwrap_or(Coding::Web(encoding)) })
}

/// The code page of a name that is one word and a number.
fn numbered(bare: &str) -> Option<u32> {
    let (word, digits) = bare.split_at(bare.find(|c: char| c.is_ascii_digit())?);
    let number: u32 = digits.parse().ok().filter(|_| digits.len() <= 6)?;
    match (word, number) {
        ("iso" | "", 88591..=88599) => Some(28590 + number % 10),
        ("iso" | "", 885_911) => Some(874),
        ("iso" | "", 885_910..=885_916) => Some(28590 + number % 100),
        ("latin" | "isolatin", 1..=4) => Some(28590 + number),
        ("latin" | "isolatin", 5) => Some(28599),
        ("latin" | "isolatin", 6) => Some(28600),
        ("latin" | "isolatin", 7..=10) => Some(28596 + number),
        ("cp" | "ibm" | "", 367) => Some(20127),
        ("cp" | "ibm" | "", 912) => Some(28592),
        ("cp" | "ibm" | "", 915) => Some(28595),
        ("cp" | "ibm" | "", 923) => Some(28605),
        ("cp" | "ibm" | "", 943) => Some(932),
        ("cp" | "ibm" | "", 970) => Some(51949),
        ("cp" | "ibm" | "", 1381 | 1383 | 1386) => Some(936),
        ("cp" | "ibm" | "", 1208) => Some(65001),
        (
            "cp" | "ibm" | "windows" | "win" | "wincp" | "dos" | "ms" | "mscp" | "mswin" | "mswindows" | "codepage"
            | "oem" | "pc" | "",
            _,
        ) => Some(number),
        _ => None,
    }
}

/// What a name stands for.
enum Meant {
    Page(u32),
    Coding(Coding),
}

/// Names without punctuation, sorted; those of the WHATWG set and of single bytes are found elsewhere.
static NAMES: &[(&str, Meant)] = &[
    ("7bit", Meant::Coding(Coding::Undeclared)),
    ("8bit", Meant::Coding(Coding::Undeclared)),
    ("ansi", Meant::Coding(Coding::Undeclared)),
    ("ansix341968", Meant::Page(20127)),
    ("ansix341986", Meant::Page(20127)),
    ("applemacintosh", Meant::Page(10000)),
    ("applemacroman", Meant::Page(10000)),
    ("ascii", Meant::Page(20127)),
    ("big5", Meant::Page(950)),
    ("big5eten", Meant::Page(950)),
    ("big5hk", Meant::Page(950)),
    ("big5hkscs", Meant::Page(950)),
    ("big5hkscs1999", Meant::Page(950)),
    ("big5hkscs2001", Meant::Page(950)),
    ("big5hkscs2004", Meant::Page(950)),
    ("bigfive", Meant::Page(950)),
    ("binary", Meant::Coding(Coding::Undeclared)),
    ("chinese", Meant::Page(936)),
    ("cnbig5", Meant::Page(950)),
    ("cngb", Meant::Page(936)),
    ("cp932", Meant::Page(932)),
    ("csascii", Meant::Page(20127)),
    ("csiso2022jp", Meant::Page(50221)),
    ("default", Meant::Coding(Coding::Undeclared)),
    ("euccn", Meant::Page(936)),
    ("eucjp", Meant::Page(51932)),
    ("eucjpascii", Meant::Page(51932)),
    ("eucjpms", Meant::Page(51932)),
    ("eucjpwin", Meant::Page(51932)),
    ("euckr", Meant::Page(51949)),
    ("eucpkdfmtjapanese", Meant::Page(51932)),
    ("extendedunixcodepackedformatforjapanese", Meant::Page(51932)),
    ("gb", Meant::Page(936)),
    ("gb18030", Meant::Page(54936)),
    ("gb180302000", Meant::Page(54936)),
    ("gb180302005", Meant::Page(54936)),
    ("gb2312", Meant::Page(936)),
    ("gb23121980", Meant::Page(936)),
    ("gb231280", Meant::Page(936)),
    ("gb231280gbk", Meant::Page(936)),
    ("gb2312gbk", Meant::Page(936)),
    ("gbk", Meant::Page(936)),
    ("hz", Meant::Page(52936)),
    ("hzgb2312", Meant::Page(52936)),
    ("iso10646ucs2", Meant::Coding(Coding::Utf16(None))),
    ("iso10646ucs4", Meant::Coding(Coding::Utf32(None))),
    ("iso2022cn", Meant::Page(50227)),
    ("iso2022cnext", Meant::Page(50227)),
    ("iso2022jp", Meant::Page(50220)),
    ("iso2022jp1", Meant::Coding(Coding::Iso2022Jp)),
    ("iso2022jp2", Meant::Coding(Coding::Iso2022Jp)),
    ("iso2022jp2004", Meant::Coding(Coding::Iso2022Jp)),
    ("iso2022jp3", Meant::Coding(Coding::Iso2022Jp)),
    ("iso2022jpext", Meant::Coding(Coding::Iso2022Jp)),
    ("iso2022jpms", Meant::Page(50220)),
    ("iso2022kr", Meant::Page(50225)),
    ("iso646irv", Meant::Page(20127)),
    ("iso646irv1991", Meant::Page(20127)),
    ("iso646us", Meant::Page(20127)),
    ("iso885911", Meant::Page(874)),
    ("iso88596e", Meant::Page(28596)),
    ("iso88596i", Meant::Page(28596)),
    ("iso88598e", Meant::Page(28598)),
    ("iso88598i", Meant::Page(38598)),
    ("isoir6", Meant::Page(20127)),
    ("jis", Meant::Coding(Coding::Iso2022Jp)),
    ("jisencoding", Meant::Coding(Coding::Iso2022Jp)),
    ("koi", Meant::Page(20866)),
    ("koi8", Meant::Page(20866)),
    ("koi8r", Meant::Page(20866)),
    ("koi8ru", Meant::Page(21866)),
    ("koi8u", Meant::Page(21866)),
    ("korean", Meant::Page(949)),
    ("ksc5601", Meant::Page(949)),
    ("ksc56011987", Meant::Page(949)),
    ("ksc56011989", Meant::Page(949)),
    ("ksc560187", Meant::Page(949)),
    ("ksx1001", Meant::Page(949)),
    ("mac", Meant::Page(10000)),
    ("maccyrillic", Meant::Page(10007)),
    ("macintosh", Meant::Page(10000)),
    ("macroman", Meant::Page(10000)),
    ("macukraine", Meant::Page(10007)),
    ("macukrainian", Meant::Page(10007)),
    ("ms932", Meant::Page(932)),
    ("ms936", Meant::Page(936)),
    ("ms949", Meant::Page(949)),
    ("ms950", Meant::Page(950)),
    ("mskanji", Meant::Page(932)),
    ("mswin936", Meant::Page(936)),
    ("none", Meant::Coding(Coding::Undeclared)),
    ("shiftjis", Meant::Page(932)),
    ("shiftjiscp932", Meant::Page(932)),
    ("sjis", Meant::Page(932)),
    ("sjiscp932", Meant::Page(932)),
    ("thai", Meant::Page(874)),
    ("tis620", Meant::Page(874)),
    ("tis6202533", Meant::Page(874)),
    ("tis62025330", Meant::Page(874)),
    ("tis62025331", Meant::Page(874)),
    ("ucs2", Meant::Coding(Coding::Utf16(None))),
    ("ucs2be", Meant::Page(1201)),
    ("ucs2le", Meant::Page(1200)),
    ("ucs4", Meant::Coding(Coding::Utf32(None))),
    ("ucs4be", Meant::Page(12001)),
    ("ucs4le", Meant::Page(12000)),
    ("uhc", Meant::Page(949)),
    ("ujis", Meant::Page(51932)),
    ("unicode", Meant::Coding(Coding::Utf16(None))),
    ("unicode11utf7", Meant::Page(65000)),
    ("unicode11utf8", Meant::Page(65001)),
    ("unicode20utf8", Meant::Page(65001)),
    ("unicodebig", Meant::Page(1201)),
    ("unicodefffe", Meant::Page(1201)),
    ("unicodelittle", Meant::Page(1200)),
    ("unknown", Meant::Coding(Coding::Undeclared)),
    ("unknown8bit", Meant::Coding(Coding::Undeclared)),
    ("us", Meant::Page(20127)),
    ("usascii", Meant::Page(20127)),
    ("userdefined", Meant::Coding(Coding::Undeclared)),
    ("utf", Meant::Page(65001)),
    ("utf16", Meant::Coding(Coding::Utf16(None))),
    ("utf16be", Meant::Page(1201)),
    ("utf16bigendian", Meant::Page(1201)),
    ("utf16bom", Meant::Coding(Coding::Utf16(None))),
    ("utf16le", Meant::Page(1200)),
    ("utf16littleendian", Meant::Page(1200)),
    ("utf32", Meant::Coding(Coding::Utf32(None))),
    ("utf32be", Meant::Page(12001)),
    ("utf32bigendian", Meant::Page(12001)),
    ("utf32le", Meant::Page(12000)),
    ("utf32littleendian", Meant::Page(12000)),
    ("utf7", Meant::Page(65000)),
    ("utf8", Meant::Page(65001)),
    ("utf8mb4", Meant::Page(65001)),
    ("utf8n", Meant::Page(65001)),
    ("win932", Meant::Page(932)),
    ("windows31j", Meant::Page(932)),
    ("windows949", Meant::Page(949)),
    ("xbig5", Meant::Page(950)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_known() {
        assert!(NAMES.is_sorted_by(|a, b| a.0 < b.0));
        for (name, _) in NAMES {
            assert!(find(name).is_some(), "{name}");
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{name}");
        }
    }

    #[test]
    fn names_as_mail_has_them() {
        for (page, names) in [
            (65001, "utf-8 UTF8 utf_8 \"utf-8\" unicode-1-1-utf-8 x-unicode-2-0-utf-8 cp65001"),
            (20127, "us-ascii ASCII ansi_x3.4-1968 iso_646.irv:1991 cp367 csASCII"),
            (
                1252,
                "iso8859-1 latin1 latin-1 iso_8859-1:1987 iso-ir-100 windows-1252 cp1252 cp-1252 win-1252 x-cp1252 l1 ibm819 cp819",
            ),
            (28591, "8859-1 8859_1"),
            (28592, "8859-2 latin-2 iso_8859-2:1987 iso8859-2 iso-8859-2 iso-latin-2"),
            (28605, "8859-15 latin-9 iso8859-15"),
            (1251, "win-1251 win1251 cp1251 x-cp1251 windows1251 windows_1251 ms-1251 1251 x-win-1251"),
            (
                932,
                "cp932 cp-932 ms932 windows-31j x-sjis Shift_JIS shift-jis csShiftJIS csWindows31J MS_Kanji x-ms-cp932 sjis cp943",
            ),
            (936, "cp936 gb_2312-80 euc-cn gb2312 GBK x-gbk cn-gb x-euc-cn csGB2312 ms936"),
            (950, "big5-hkscs Big5 cn-big5 cp950 x-x-big5 csBig5 big5_hkscs"),
            (949, "ks_c_5601 ks_c_5601-1987 cp949 windows-949 uhc x-windows-949 KSC5601"),
            (51949, "euc-kr euckr csEUCKR"),
            (51932, "euc-jp x-euc-jp eucjp ujis cp51932"),
            (50220, "iso-2022-jp _iso-2022-jp$ESC iso-2022-jp-ms cp50220 ISO_2022_JP"),
            (50221, "cp50221 csISO2022JP"),
            (50225, "iso-2022-kr csISO2022KR"),
            (52936, "hz-gb-2312 hz"),
            (874, "tis-620 TIS620 tis620.2533 windows-874 cp874 iso-8859-11 8859-11"),
            (850, "cp-850 cp850 ibm850 IBM-850 850 cp_850 dos-850"),
            (20866, "koi8 koi8-r koi8r csKOI8R"),
            (21866, "koi8-u koi8-ru"),
            (10000, "macroman mac-roman x-mac-roman macintosh mac x-macintosh apple-macintosh"),
            (10007, "x-mac-cyrillic mac_cyrillic x-mac-ukrainian"),
            (65000, "utf-7 unicode-1-1-utf-7 csUnicode11UTF7"),
        ] {
            for name in names.split(' ') {
                assert_eq!(find(name).map(|c| c.page), Some(Some(page)), "{name}");
            }
        }
    }

    #[test]
    fn names_without_a_page() {
        for name in ["utf-16", "ucs-2", "utf-32", "iso-2022-jp-2", "x-user-defined", "default", "unknown-8bit", "none"]
        {
            assert_eq!(find(name).map(|c| c.page), Some(None), "{name}");
        }
        for name in ["euc-tw", "x-nope", "cp99999", "cp", "johab", "", "-", "$", "iso-8859-12", "utf-9", "replacement"]
        {
            assert!(find(name).is_none(), "{name}");
        }
        assert!(find(&"a".repeat(1000)).is_none());
    }

    #[test]
    fn eight_bits_in_a_charset_of_seven() {
        for name in ["iso-2022-jp", "iso-2022-kr", "iso-2022-cn", "hz-gb-2312", "utf-7"] {
            assert_eq!(find(name).unwrap().coding.decode("é".as_bytes()), (Cow::Borrowed("é"), Fit::Bad), "{name}");
        }
    }
}
