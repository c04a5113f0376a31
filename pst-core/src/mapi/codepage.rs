//! Windows code pages, as PidTagInternetCodepage and PidTagMessageCodepage name them.

use encoding_rs::Encoding;

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

/// Text in a code page; unknown code pages are read as windows-1252, bytes that fit none become U+FFFD.
pub fn decode(codepage: u32, bytes: &[u8]) -> String {
    encoding(codepage).unwrap_or(encoding_rs::WINDOWS_1252).decode_without_bom_handling(bytes).0.into_owned()
}
