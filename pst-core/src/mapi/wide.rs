//! UTF-16 and UTF-32, with and without a mark of their byte order.

use encoding_rs::{UTF_16BE, UTF_16LE};

/// A text without a zero byte is taken for ASCII from this length on: so long a text of characters whose bytes are all
/// ASCII is not met.
const SURE: usize = 16;

/// UTF-16 as text, and whether some of it is none. A mark decides the byte order, then `big`, then where zeros stand.
pub fn utf_16(bytes: &[u8], big: Option<bool>) -> (String, bool) {
    let marked = bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF");
    if !marked && let Some(text) = ascii(bytes) {
        return (text, true);
    }
    let zeros = |at: usize| bytes.chunks(2).filter(|c| c.get(at) == Some(&0)).count();
    let big = big.unwrap_or_else(|| zeros(0) > zeros(1));
    let (text, _, bad) = if big { UTF_16BE } else { UTF_16LE }.decode(bytes);
    (text.into_owned(), bad)
}

/// UTF-32 as text, and whether some of it is none; the byte order as in [`utf_16`].
pub fn utf_32(bytes: &[u8], big: Option<bool>) -> (String, bool) {
    if let Some(text) = ascii(bytes) {
        return (text, true);
    }
    let (bytes, big) = match bytes {
        [0, 0, 0xFE, 0xFF, rest @ ..] => (rest, true),
        [0xFF, 0xFE, 0, 0, rest @ ..] => (rest, false),
        // No character has more than 21 bits.
        _ => (bytes, big.unwrap_or_else(|| bytes.first() == Some(&0))),
    };
    let (units, left) = bytes.as_chunks::<4>();
    let number = |unit: &[u8; 4]| if big { u32::from_be_bytes(*unit) } else { u32::from_le_bytes(*unit) };
    let mut bad = !left.is_empty();
    let mut text = String::with_capacity(bytes.len() / 4);
    for unit in units {
        let character = char::from_u32(number(unit));
        bad |= character.is_none();
        text.push(character.unwrap_or('\u{FFFD}'));
    }
    text.extend((!left.is_empty()).then_some('\u{FFFD}'));
    (text, bad)
}

/// Text that says it is of wide characters, and is not.
fn ascii(bytes: &[u8]) -> Option<String> {
    let is = bytes.len() >= SURE && bytes.is_ascii() && !bytes.contains(&0);
    is.then(|| bytes.iter().map(|b| char::from(*b)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_orders() {
        for (bytes, big) in [
            (&b"\xFF\xFEa\0\xE9\0"[..], None),
            (b"\xFE\xFF\0a\0\xE9", Some(false)),
            (b"a\0\xE9\0", None),
            (b"\0a\0\xE9", None),
            (b"\0a\0\xE9", Some(true)),
        ] {
            assert_eq!(utf_16(bytes, big), ("aé".to_owned(), false), "{bytes:?}");
        }
        for (bytes, big) in [
            (&b"\0\0\xFE\xFF\0\0\0a\0\x01\xF6\0"[..], None),
            (b"\xFF\xFE\0\0a\0\0\0\0\xF6\x01\0", Some(true)),
            (b"\0\0\0a\0\x01\xF6\0", None),
            (b"a\0\0\0\0\xF6\x01\0", None),
        ] {
            assert_eq!(utf_32(bytes, big), ("a😀".to_owned(), false), "{bytes:?}");
        }
    }

    #[test]
    fn what_is_none_is_said() {
        assert_eq!(utf_16(b"a\0\xE9", None), ("a\u{FFFD}".to_owned(), true));
        assert_eq!(utf_32(b"a\0\0\0\0\0\0\x7Fb", None), ("a\u{FFFD}\u{FFFD}".to_owned(), true));
        assert_eq!(utf_16(b"plain text, all of it", None), ("plain text, all of it".to_owned(), true));
        assert_eq!(utf_16(b"-N", Some(false)), ("中".to_owned(), false));
    }
}
