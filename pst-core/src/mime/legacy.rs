//! Files inside text bodies, from before MIME and beside it: uuencode, yEnc and BinHex 4.0 (RFC 1741).

use memchr::memmem;
use std::sync::LazyLock;

/// A file found in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Embedded {
    pub name: String,
    pub data: Vec<u8>,
}

/// What begins a file; most texts have none of these.
static HINTS: LazyLock<[memmem::Finder<'static>; 3]> =
    LazyLock::new(|| ["begin ", "=ybegin ", "must be converted with BinHex"].map(memmem::Finder::new));

/// The files of a text whose blocks are well formed: each ends as it must, and its checksum, if it has one, is right.
pub(super) fn files(text: &[u8]) -> Vec<Embedded> {
    let mut out = Vec::new();
    if !HINTS.iter().any(|hint| hint.find(text).is_some()) {
        return out;
    }
    let mut rest = text;
    while let Some((line, after)) = next_line(rest) {
        let found = if line.starts_with(b"begin ") {
            uuencoded(line, after)
        } else if line.starts_with(b"=ybegin ") {
            yenc(line, after)
        } else if HINTS.get(2).is_some_and(|hint| hint.find(line).is_some()) {
            binhex(after)
        } else {
            None
        };
        match found {
            Some((file, behind)) => {
                out.push(file);
                rest = behind;
            }
            None => rest = after,
        }
    }
    out
}

/// A line without its end, and what follows it.
fn next_line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    if text.is_empty() {
        return None;
    }
    let end = memchr::memchr(b'\n', text);
    let (line, after) = text.split_at(end.map_or(text.len(), |e| e + 1));
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    Some((line.strip_suffix(b"\r").unwrap_or(line), after))
}

/// "begin 644 name", lines that begin with their length, an empty one, "end".
fn uuencoded<'t>(begin: &[u8], text: &'t [u8]) -> Option<(Embedded, &'t [u8])> {
    let mut words = begin.splitn(3, |b| *b == b' ').skip(1);
    let mode = words.next()?;
    if !(3..=4).contains(&mode.len()) || !mode.iter().all(|b| (b'0'..=b'7').contains(b)) {
        return None;
    }
    let name = String::from_utf8_lossy(words.next()?).trim().to_owned();
    let (mut data, mut rest) = (Vec::new(), text);
    loop {
        let (line, after) = next_line(rest)?;
        rest = after;
        if line == b"end" {
            return Some((Embedded { name, data }, rest));
        }
        let Some((first, digits)) = line.split_first() else { continue };
        let length = usize::from(first.wrapping_sub(b' ') & 0x3F);
        if !(b' '..=b'`').contains(first) || digits.iter().any(|d| !(b' '..=b'`').contains(d)) {
            return None;
        }
        // Blanks at the end of a line may have been lost on the way.
        if digits.len() > length.div_ceil(3) * 4 + 2 {
            return None;
        }
        super::uu::line(length, digits, &mut data);
    }
}

fn parameter(line: &[u8], name: &str) -> Option<String> {
    let at = memmem::find(line, format!(" {name}=").as_bytes())?;
    let value = line.get(at + name.len() + 2..)?;
    // The name comes last and may hold blanks.
    let end = if name == "name" { value.len() } else { value.iter().position(|b| *b == b' ').unwrap_or(value.len()) };
    Some(String::from_utf8_lossy(value.get(..end)?).trim().to_owned())
}

/// "=ybegin line=128 size=n name=x", bytes shifted by 42, "=yend size=n crc32=x". Files in several parts stay text.
fn yenc<'t>(begin: &[u8], text: &'t [u8]) -> Option<(Embedded, &'t [u8])> {
    if parameter(begin, "part").is_some() {
        return None;
    }
    let (name, size) = (parameter(begin, "name")?, parameter(begin, "size")?.parse::<usize>().ok()?);
    let (mut data, mut rest) = (Vec::new(), text);
    loop {
        let (line, after) = next_line(rest)?;
        rest = after;
        if line.starts_with(b"=yend") {
            let sum = parameter(line, "crc32").and_then(|c| u32::from_str_radix(&c, 16).ok());
            let right = data.len() == size && sum.is_none_or(|c| c == crc32fast::hash(&data));
            return right.then_some((Embedded { name, data }, rest));
        }
        let mut bytes = line.iter();
        while let Some(byte) = bytes.next() {
            let plain = if *byte == b'=' { bytes.next()?.wrapping_sub(64) } else { *byte };
            data.push(plain.wrapping_sub(42));
        }
        if data.len() > size {
            return None;
        }
    }
}

const BINHEX: &[u8; 64] = b"!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr";

/// The text between two colons: name, forks and checksums, runs packed. The data fork is the file.
fn binhex(text: &[u8]) -> Option<(Embedded, &[u8])> {
    let start = memchr::memchr(b':', text)?;
    let body = text.get(start + 1..)?;
    let end = memchr::memchr(b':', body)?;
    let (mut packed, mut bits, mut held) = (Vec::new(), 0u32, 0);
    for byte in body.get(..end)?.iter().filter(|b| !b.is_ascii_whitespace()) {
        let digit = BINHEX.iter().position(|d| d == byte)?;
        bits = bits << 6 | digit as u32;
        held += 6;
        if held >= 8 {
            held -= 8;
            packed.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    let plain = unpacked(&packed);
    let name_len = usize::from(*plain.first()?);
    let name = plain.get(1..=name_len)?;
    // A zero byte, type, creator and flags; then the sizes of the forks, and the checksum of all that.
    let sizes = plain.get(name_len + 12..name_len + 20)?;
    let (data_size, _) = sizes.split_at(4);
    let size = u32::from_be_bytes(data_size.try_into().ok()?) as usize;
    let head = name_len + 20;
    let sum = |range: std::ops::Range<usize>| -> Option<bool> {
        let stored = plain.get(range.end..range.end + 2)?;
        Some(crc16(plain.get(range)?) == u16::from_be_bytes(stored.try_into().ok()?))
    };
    let from = head + 2;
    if sum(0..head)? && sum(from..from.checked_add(size)?)? {
        let name = String::from_utf8_lossy(name).into_owned();
        let data = plain.get(from..from + size)?.to_vec();
        return Some((Embedded { name, data }, body.get(end + 1..)?));
    }
    None
}

/// 0x90 repeats the byte before it; 0x90 0x00 is 0x90 itself.
fn unpacked(packed: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(packed.len());
    let mut bytes = packed.iter();
    while let Some(byte) = bytes.next() {
        if *byte != 0x90 {
            out.push(*byte);
            continue;
        }
        match (bytes.next(), out.last().copied()) {
            (Some(0), _) => out.push(0x90),
            (Some(count), Some(last)) => out.extend(std::iter::repeat_n(last, usize::from(*count) - 1)),
            _ => {}
        }
    }
    out
}

/// CRC-16 with the polynomial 0x1021, seed 0 (RFC 1741, Appendix).
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0u16, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |c, _| if c & 0x8000 == 0 { c << 1 } else { c << 1 ^ 0x1021 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuencode_in_text() {
        let text = b"Hello,\r\nbegin 644 cat.txt\r\n#0V%T\r\n`\r\nend\r\nbye\r\nbegin with this word\r\n";
        assert_eq!(files(text), [Embedded { name: "cat.txt".to_owned(), data: b"Cat".to_vec() }]);
        assert!(files(b"begin 644 cut.txt\r\n#0V%T\r\n").is_empty());
    }

    #[test]
    fn yenc_in_text() {
        let data: Vec<u8> = (0..=255).collect();
        let mut text = format!("x\r\n=ybegin line=128 size={} name=all bytes.bin\r\n", data.len()).into_bytes();
        for (i, byte) in data.iter().enumerate() {
            let shifted = byte.wrapping_add(42);
            if matches!(shifted, 0 | b'\n' | b'\r' | b'=') {
                text.extend([b'=', shifted.wrapping_add(64)]);
            } else {
                text.push(shifted);
            }
            if i % 128 == 127 {
                text.extend(b"\r\n");
            }
        }
        text.extend(format!("=yend size={} crc32={:08x}\r\n", data.len(), crc32fast::hash(&data)).bytes());
        assert_eq!(files(&text), [Embedded { name: "all bytes.bin".to_owned(), data }]);
        let broken = String::from_utf8_lossy(&text).replace("crc32=", "crc32=1").into_bytes();
        assert!(files(&broken).is_empty());
    }

    #[test]
    fn binhex_in_text() {
        // Name "a", 6 bytes of data with a run, no resource fork.
        let mut plain = vec![1, b'a', 0];
        plain.extend(b"TEXTttxt");
        plain.extend([0, 0]);
        plain.extend(8u32.to_be_bytes());
        plain.extend(0u32.to_be_bytes());
        plain.extend(crc16(&plain).to_be_bytes());
        let data = b"xxxxxx\x90y";
        plain.extend(data);
        plain.extend(crc16(data).to_be_bytes());
        plain.extend([0, 0]);
        let mut packed = Vec::new();
        let mut rest = plain.as_slice();
        while let Some(byte) = rest.first() {
            let run = rest.iter().take_while(|b| *b == byte).count().min(255);
            match (*byte, run) {
                (0x90, _) => packed.extend([0x90, 0]),
                (_, 4..) => packed.extend([*byte, 0x90, run as u8]),
                _ => packed.extend(std::iter::repeat_n(*byte, run)),
            }
            rest = &rest[if *byte == 0x90 { 1 } else { run }..];
        }
        let mut text = b"(This file must be converted with BinHex 4.0)\r\n\r\n:".to_vec();
        for three in packed.chunks(3) {
            let word = three.iter().fold(0u32, |w, b| w << 8 | u32::from(*b)) << (8 * (3 - three.len()));
            (0..=three.len()).for_each(|i| text.push(BINHEX[(word >> (18 - 6 * i) & 63) as usize]));
        }
        text.extend(b":\r\nbehind\r\n");
        assert_eq!(files(&text), [Embedded { name: "a".to_owned(), data: data.to_vec() }]);
    }
}
