//! Charsets of seven bits that switch between sets of characters: those of ISO/IEC 2022, and HZ.

use encoding_rs::{EUC_JP, EUC_KR, Encoding, GBK, ISO_8859_7, SHIFT_JIS};

/// A set that bytes are characters of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    Ascii,
    /// JIS X 0201: ASCII with yen sign and overline.
    Roman,
    /// JIS X 0201: half-width Katakana.
    Kana,
    /// The upper half of ISO 8859-1.
    Latin1,
    /// The upper half of ISO 8859-7.
    Greek,
    Jis0208,
    Jis0212,
    /// The first plane of JIS X 0213, as far as JIS X 0208 has it.
    Jis0213,
    Gb2312,
    Ksc5601,
    /// Two bytes a character, with no table here.
    Other,
}

/// What the charsets of this kind differ in.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// The set that SO switches to when nothing else was said.
    shifted: Set,
    /// What bytes above 0x7F are read as, though there should be none.
    eight: &'static Encoding,
}

/// ISO-2022-JP with all its successors (RFC 1468, RFC 1554, RFC 2237, JIS X 0213).
pub fn jp() -> Rules {
    Rules { shifted: Set::Kana, eight: SHIFT_JIS }
}

/// ISO-2022-KR (RFC 1557).
pub fn kr() -> Rules {
    Rules { shifted: Set::Ksc5601, eight: EUC_KR }
}

/// ISO-2022-CN and ISO-2022-CN-EXT (RFC 1922); of its sets GB 2312 alone has a table.
pub fn cn() -> Rules {
    Rules { shifted: Set::Gb2312, eight: GBK }
}

/// What follows ESC, the register that it fills, and the set.
const ESCAPES: &[(&[u8], usize, Set)] = &[
    (b"(B", 0, Set::Ascii),
    (b"(J", 0, Set::Roman),
    (b"(I", 0, Set::Kana),
    (b"$@", 0, Set::Jis0208),
    (b"$B", 0, Set::Jis0208),
    (b"$(@", 0, Set::Jis0208),
    (b"$(B", 0, Set::Jis0208),
    (b"$(D", 0, Set::Jis0212),
    (b"$(O", 0, Set::Jis0213),
    (b"$(Q", 0, Set::Jis0213),
    (b"$(P", 0, Set::Other),
    (b"$A", 0, Set::Gb2312),
    (b"$(A", 0, Set::Gb2312),
    (b"$(C", 0, Set::Ksc5601),
    (b"$)A", 1, Set::Gb2312),
    (b"$)C", 1, Set::Ksc5601),
    (b"$)E", 1, Set::Other),
    (b"$)G", 1, Set::Other),
    (b"$*H", 2, Set::Other),
    (b".A", 2, Set::Latin1),
    (b".F", 2, Set::Greek),
    (b"$+I", 3, Set::Other),
    (b"$+J", 3, Set::Other),
    (b"$+K", 3, Set::Other),
    (b"$+L", 3, Set::Other),
    (b"$+M", 3, Set::Other),
];

/// The text of bytes, and whether some were no characters of the charset. What no table has becomes U+FFFD.
pub fn decode(rules: Rules, bytes: &[u8]) -> (String, bool) {
    let start = [Set::Ascii, rules.shifted, Set::Other, Set::Other];
    let mut text = Text { out: String::with_capacity(bytes.len()), run: Vec::new(), set: Set::Ascii, bad: false };
    let mut sets = start;
    let mut shifted = false;
    let mut rest = bytes;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            0x0E => shifted = true,
            0x0F => shifted = false,
            0x1B => rest = escape(tail, &mut sets, &mut text, rules),
            b'\n' => {
                // Every line begins anew; so a line that was cut off spoils no other.
                (shifted, sets) = (false, start);
                text.put(Set::Ascii, &[byte], rules);
            }
            0x21..=0x7E => {
                let [plain, other, ..] = sets;
                text.put(if shifted { other } else { plain }, &[byte], rules);
            }
            _ => text.put(Set::Ascii, &[byte], rules),
        }
    }
    text.flush(rules);
    (text.out, text.bad)
}

/// Takes what follows ESC: the choice of a set, or one character of another set.
fn escape<'a>(tail: &'a [u8], sets: &mut [Set; 4], text: &mut Text, rules: Rules) -> &'a [u8] {
    if let Some((sequence, register, set)) = ESCAPES.iter().find(|(sequence, ..)| tail.starts_with(sequence)) {
        if let Some(place) = sets.get_mut(*register) {
            *place = *set;
        }
        return tail.get(sequence.len()..).unwrap_or_default();
    }
    let [_, _, second, third] = *sets;
    let (set, after) = match tail.split_first() {
        Some((b'N', after)) => (second, after),
        Some((b'O', after)) => (third, after),
        // JIS X 0208-1990 is announced before it is chosen.
        Some((b'&', after)) => return after.strip_prefix(b"@").unwrap_or(after),
        _ => {
            text.put(Set::Ascii, b"\x1B", rules);
            text.bad = true;
            return tail;
        }
    };
    let width = if set == Set::Other { 2 } else { 1 };
    let (character, after) = after.split_at_checked(width).unwrap_or((after, &[]));
    text.put(set, character, rules);
    after
}

struct Text {
    out: String,
    /// Bytes of one set that wait to be decoded.
    run: Vec<u8>,
    set: Set,
    bad: bool,
}

impl Text {
    fn put(&mut self, set: Set, bytes: &[u8], rules: Rules) {
        if set != self.set {
            self.flush(rules);
            self.set = set;
        }
        self.run.extend_from_slice(bytes);
    }

    fn flush(&mut self, rules: Rules) {
        let run = std::mem::take(&mut self.run);
        let upper = || run.iter().map(|b| b | 0x80).collect::<Vec<u8>>();
        let read =
            |encoding: &'static Encoding, bytes: &[u8]| encoding.decode_without_bom_handling(bytes).0.into_owned();
        let pairs = || run.chunks(2);
        let text: String = match self.set {
            Set::Ascii if run.is_ascii() => run.iter().map(|b| char::from(*b)).collect(),
            Set::Ascii => {
                self.bad = true;
                read(rules.eight, &run)
            }
            Set::Roman => run.iter().map(|b| roman(*b)).collect(),
            Set::Kana => run.iter().map(|b| kana(*b)).collect(),
            Set::Latin1 => run.iter().map(|b| char::from(b | 0x80)).collect(),
            Set::Greek => read(ISO_8859_7, &upper()),
            Set::Jis0208 => read(EUC_JP, &upper()),
            // EUC-JP has these behind 0x8F.
            Set::Jis0212 => {
                read(EUC_JP, &pairs().flat_map(|p| [&[0x0F], p].concat()).map(|b| b | 0x80).collect::<Vec<u8>>())
            }
            // Behind row 84 the Japanese sets of Windows have other characters.
            Set::Jis0213 => pairs()
                .map(|p| if p.first() > Some(&0x74) { "\u{FFFD}".to_owned() } else { read(EUC_JP, &high(p)) })
                .collect(),
            Set::Gb2312 => read(GBK, &upper()),
            Set::Ksc5601 => read(EUC_KR, &upper()),
            Set::Other => pairs().map(|_| '\u{FFFD}').collect(),
        };
        self.bad |= text.contains('\u{FFFD}');
        self.out.push_str(&text);
    }
}

fn high(pair: &[u8]) -> Vec<u8> {
    pair.iter().map(|b| b | 0x80).collect()
}

const fn roman(byte: u8) -> char {
    match byte {
        b'\\' => '¥',
        b'~' => '\u{203E}',
        _ => byte as char,
    }
}

fn kana(byte: u8) -> char {
    let known = (0x21..=0x5F).contains(&byte).then(|| char::from_u32(0xFF40 + u32::from(byte))).flatten();
    known.unwrap_or('\u{FFFD}')
}

/// HZ (RFC 1843): `~{` and `~}` switch between ASCII and GB 2312.
pub fn hz(bytes: &[u8]) -> (String, bool) {
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
            (b'\n', _) => {
                shifted = false;
                gb.push(byte);
                continue;
            }
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
    let (text, bad) = GBK.decode_without_bom_handling(&gb);
    (text.into_owned(), bad || !bytes.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good(rules: Rules, bytes: &[u8]) -> String {
        let (text, bad) = decode(rules, bytes);
        assert!(!bad, "{text}");
        text
    }

    #[test]
    fn sets_of_iso_2022_jp() {
        assert_eq!(good(jp(), b"\x1B$BF|K\\\x1B(B \x1B(J\\~\x1B(B\\"), "日本 ¥\u{203E}\\");
        assert_eq!(good(jp(), b"\x1B(I1\x1B(B\x0E1\x0F1"), "ｱｱ1");
        assert_eq!(good(jp(), b"\x1B$(D0!\x1B$ADc\x1B$(C0!\x1B(B."), "丂你가.");
        assert_eq!(good(jp(), b"\x1B.A\x1BNi\x1B.F\x1BNa"), "éα");
        // Words that were joined: nothing stands between two escape sequences.
        assert_eq!(good(jp(), b"\x1B$BF|\x1B(B\x1B$BK\\\x1B(B"), "日本");
        assert_eq!(decode(jp(), b"\x1B$(Q~!\x1B(Ba"), ("\u{FFFD}a".to_owned(), true));
        assert_eq!(decode(jp(), b"\x93\xFA\x96{"), ("日本".to_owned(), true));
        assert_eq!(decode(jp(), b"\x1BZ"), ("\x1BZ".to_owned(), true));
    }

    #[test]
    fn lines_begin_anew() {
        assert_eq!(decode(jp(), b"\x1B$BF|\nab").0, "日\nab");
        assert_eq!(good(kr(), b"\x1B$)C\x0E0!\x0F!\n\x0E0!"), "가!\n가");
    }

    #[test]
    fn what_is_no_gb_2312_is_said() {
        assert_eq!(good(cn(), b"\x1B$)A\x0EDc:C\x0F!"), "你好!");
        assert_eq!(decode(cn(), b"\x1B$)G\x0EDc\x0F\x1B$*H\x1BN!!a"), ("\u{FFFD}\u{FFFD}a".to_owned(), true));
    }

    #[test]
    fn hz_switches() {
        assert_eq!(hz(b"~{VPND~}.~~"), ("中文.~".to_owned(), false));
        assert!(hz(b"~{!").1);
    }
}
