//! Base64 and quoted-printable as mail has them.

use std::fmt::Write as _;

/// Standard base64 in lines of 76, each ending with CRLF.
pub fn base64(data: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(data.len() * 4 / 3 + data.len() / 28 + 8);
    for (i, three) in data.chunks(3).enumerate() {
        if i > 0 && i % 19 == 0 {
            out.push_str("\r\n");
        }
        let n = three.iter().fold(0u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - three.len()));
        for k in 0..4 {
            let digit = DIGITS[(n >> (18 - 6 * k)) as usize & 63];
            out.push(if k <= three.len() { char::from(digit) } else { '=' });
        }
    }
    out.push_str("\r\n");
    out
}

/// Quoted-printable, every byte above ASCII escaped, soft breaks before column 76.
pub fn quoted_printable(data: &[u8]) -> String {
    let mut out = String::new();
    let mut column = 0;
    for line in data.split_inclusive(|b| *b == b'\n') {
        let (line, end) = line.strip_suffix(b"\r\n").map_or((line, ""), |l| (l, "\r\n"));
        for (i, b) in line.iter().enumerate() {
            let last_blank = i + 1 == line.len() && matches!(b, b' ' | b'\t');
            let plain = matches!(b, b' '..=b'~' | b'\t') && *b != b'=' && !last_blank;
            let width = if plain { 1 } else { 3 };
            if column + width > 75 {
                out.push_str("=\r\n");
                column = 0;
            }
            if plain {
                out.push(char::from(*b));
            } else {
                let _ = write!(out, "={b:02X}");
            }
            column += width;
        }
        out.push_str(end);
        column = 0;
    }
    out
}
