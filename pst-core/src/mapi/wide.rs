//! UTF-16 and UTF-32, with and without a mark of their byte order.

use crate::simd::{self, UNITS};
use encoding_rs::{Decoder, UTF_16BE, UTF_16LE};

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

/// UTF-16LE without a mark as text: what is none of it becomes U+FFFD. Pieces of many units go at a time, of ASCII, or of
/// anything but surrogates where the processor can.
pub fn utf_16le(bytes: &[u8]) -> String {
    let is_easy = if simd::takes_utf16() { is_whole } else { is_narrow };
    let mut out = String::with_capacity(bytes.len() / 2 + bytes.len() / 16);
    let mut decoder = UTF_16LE.new_decoder_without_bom_handling();
    let (pieces, left) = bytes.as_chunks::<UNITS>();
    let mut rest = pieces;
    while let Some((piece, after)) = rest.split_first() {
        if simd::push_utf16(piece, &mut out) || push_narrow(piece, &mut out) {
            rest = after;
            continue;
        }
        // A pair of surrogates is not cut.
        let ends = |p: &[u8; UNITS]| !matches!(p.last(), Some(0xD8..=0xDB));
        let end = rest.windows(2).position(|w| matches!(w, [a, b] if ends(a) && is_easy(b)));
        let (hard, after) = rest.split_at_checked(end.map_or(rest.len(), |at| at + 1)).unwrap_or((rest, &[]));
        decode(&mut decoder, hard.as_flattened(), false, &mut out);
        rest = after;
    }
    decode(&mut decoder, left, true, &mut out);
    out
}

/// Appends nothing but ASCII; false for anything else.
fn push_narrow(piece: &[u8; UNITS], out: &mut String) -> bool {
    if !is_narrow(piece) {
        return false;
    }
    let (units, _) = piece.as_chunks::<2>();
    let mut narrow = [0; UNITS / 2];
    narrow.iter_mut().zip(units).for_each(|(to, [low, _])| *to = *low);
    out.push_str(std::str::from_utf8(&narrow).unwrap_or_default());
    true
}

/// True if there is nothing but ASCII.
fn is_narrow(piece: &[u8; UNITS]) -> bool {
    let (words, _) = piece.as_chunks::<8>();
    words.iter().fold(0, |all, word| all | u64::from_le_bytes(*word)) & 0xFF80_FF80_FF80_FF80 == 0
}

/// True if there is no surrogate.
fn is_whole(piece: &[u8; UNITS]) -> bool {
    let (units, _) = piece.as_chunks::<2>();
    units.iter().fold(0, |some, [_, high]| some | u8::from(high & 0xF8 == 0xD8)) == 0
}

fn decode(decoder: &mut Decoder, bytes: &[u8], last: bool, out: &mut String) {
    out.reserve(decoder.max_utf8_buffer_length(bytes.len()).unwrap_or_default());
    // There is room for all of it.
    let _ = decoder.decode_to_string(bytes, out, last);
}

/// Text that says it is of wide characters, and is not.
fn ascii(bytes: &[u8]) -> Option<String> {
    let is = bytes.len() >= SURE && bytes.is_ascii() && !bytes.contains(&0);
    is.then(|| bytes.iter().map(|b| char::from(*b)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As encoding_rs has it, whatever stands where pieces meet.
    #[test]
    fn pieces_are_seamless() {
        let odd: [&[u16]; 6] = [&[0xD83D, 0xDE00], &[0xD83D], &[0xDE00], &[0xE9], &[0x65E5], &[0xD83D, 0xD83D]];
        for units in (0..200).step_by(3) {
            for one in odd {
                for at in (0..units).chain([units]) {
                    let mut text = vec![u16::from(b'a'); units];
                    text.splice(at..at, one.iter().copied());
                    text.extend_from_slice(one);
                    let mut bytes: Vec<u8> = text.iter().flat_map(|u| u.to_le_bytes()).collect();
                    for _ in 0..2 {
                        let should = UTF_16LE.decode_without_bom_handling(&bytes).0;
                        assert!(utf_16le(&bytes) == should, "{one:X?} at {at} of {units}");
                        bytes.pop();
                    }
                }
            }
        }
    }

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
