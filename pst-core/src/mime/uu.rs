//! uuencoded bodies, the transfer encoding from before MIME.

/// The data of the first uuencoded block; `None` where there is none.
pub(super) fn decode(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut lines = bytes.split(|b| *b == b'\n').map(|l| l.strip_suffix(b"\r").unwrap_or(l));
    lines.find(|l| l.starts_with(b"begin "))?;
    let mut out = Vec::with_capacity(bytes.len() * 3 / 4);
    for line in lines {
        let Some((&first, rest)) = line.split_first() else { continue };
        if line.starts_with(b"end") {
            break;
        }
        self::line(usize::from(value(first)), rest, &mut out);
    }
    Some(out)
}

/// Appends the `length` bytes that one line of digits stands for.
pub(super) fn line(length: usize, digits: &[u8], out: &mut Vec<u8>) {
    let end = out.len() + length;
    for four in digits.chunks(4) {
        let digit = |i: usize| u32::from(four.get(i).map_or(0, |b| value(*b)));
        let [_, a, b, c] = (digit(0) << 18 | digit(1) << 12 | digit(2) << 6 | digit(3)).to_be_bytes();
        out.extend_from_slice(&[a, b, c]);
    }
    // Blanks that were lost at the end of the line stand for zeros.
    out.resize(end, 0);
}

const fn value(digit: u8) -> u8 {
    digit.wrapping_sub(b' ') & 0x3F
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_block() {
        assert_eq!(super::decode(b"x\nbegin 644 cat.txt\r\n#0V%T\r\n`\r\nend\r\n").as_deref(), Some(&b"Cat"[..]));
        assert_eq!(super::decode(b"no block"), None);
    }
}
