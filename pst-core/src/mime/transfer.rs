//! base64 as mail really has it: with text behind its end, which is no base64.

/// The data of a base64 body that is followed by text (the footer of a mailing list), and that text. `None` where
/// everything behind the padding is base64 too.
pub(super) fn base64_and_tail(raw: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut digits = Vec::with_capacity(raw.len());
    let mut end = None;
    for (i, byte) in raw.iter().enumerate() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => digits.push(*byte),
            b'=' if digits.len() % 4 >= 2 => {
                let more = digits.len() % 4 == 2 && raw.get(i + 1) == Some(&b'=');
                end = Some(i + 1 + usize::from(more));
                break;
            }
            _ => {}
        }
    }
    let tail = raw.get(end?..)?;
    let is_base64 = |b: &u8| b.is_ascii_alphanumeric() || b.is_ascii_whitespace() || matches!(b, b'+' | b'/' | b'=');
    if tail.iter().all(is_base64) {
        return None;
    }
    let tail = tail.trim_ascii_end();
    let tail = tail.strip_prefix(b"\r\n").or_else(|| tail.strip_prefix(b"\n")).unwrap_or(tail);
    // Text may also stand before the end, in which case it was left out of the digits and is lost to nobody.
    Some((mail_parser::Encoding::Base64.decode(&digits).into_owned(), tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails() {
        let (data, tail) = base64_and_tail(b"aGVs\r\nbG8=\r\n____\r\nlist footer\r\n").unwrap();
        assert_eq!((data.as_slice(), tail), (&b"hello"[..], &b"____\r\nlist footer"[..]));
        assert_eq!(base64_and_tail(b"aGVsbG8=\r\nd29ybGQ=\r\n"), None);
        assert_eq!(base64_and_tail(b"aGVs bG8"), None);
        let (data, tail) = base64_and_tail(b"YQ==-- \nsig").unwrap();
        assert_eq!((data.as_slice(), tail), (&b"a"[..], &b"-- \nsig"[..]));
    }
}
