//! Modified UTF-7, the encoding of folder names in IMAP and Maildir (RFC 3501 5.1.3).

/// Decodes a folder name. What is no modified UTF-7 stays as it is.
pub fn decode(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((plain, after)) = rest.split_once('&') {
        out.push_str(plain);
        let end = after.bytes().position(|b| !is_code(b)).unwrap_or(after.len());
        let coded = after.split_at_checked(end).and_then(|(code, next)| Some((run(code)?, next.strip_prefix('-')?)));
        match coded {
            Some((text, next)) => {
                out.push_str(&text);
                rest = next;
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

fn is_code(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'+' | b',' | b'/')
}

/// The text of what stands between `&` and `-`.
fn run(code: &str) -> Option<String> {
    if code.is_empty() {
        return Some("&".to_owned());
    }
    let bytes = base64_simd::forgiving_decode_to_vec(code.replace(',', "/").as_bytes()).ok()?;
    let units: Vec<u16> = bytes.chunks_exact(2).filter_map(|c| c.try_into().ok().map(u16::from_be_bytes)).collect();
    // One byte over is padding when it is zero, else the name is something else.
    if bytes.len() % 2 == 1 && bytes.last() != Some(&0) {
        return None;
    }
    String::from_utf16(&units).ok()
}

/// Encodes a folder name.
pub fn encode(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut units: Vec<u8> = Vec::new();
    let flush = |units: &mut Vec<u8>, out: &mut String| {
        if !units.is_empty() {
            let code = base64_simd::STANDARD_NO_PAD.encode_to_string(units.as_slice()).replace('/', ",");
            out.push('&');
            out.push_str(&code);
            out.push('-');
            units.clear();
        }
    };
    for c in name.chars() {
        if c.is_ascii_graphic() || c == ' ' {
            flush(&mut units, &mut out);
            out.push(c);
            if c == '&' {
                out.push('-');
            }
        } else {
            let mut pair = [0; 2];
            units.extend(c.encode_utf16(&mut pair).iter().flat_map(|u| u.to_be_bytes()));
        }
    }
    flush(&mut units, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (plain, coded) in
            [("Entwürfe", "Entw&APw-rfe"), ("A&B", "A&-B"), ("台北", "&U,BTFw-"), ("x", "x"), ("😀", "&2D3eAA-")]
        {
            assert_eq!(encode(plain), coded);
            assert_eq!(decode(coded), plain);
        }
    }

    #[test]
    fn a_run_ends_where_its_letters_end() {
        assert_eq!(decode("A & B &APw- C-D"), "A & B ü C-D");
        assert_eq!(decode("&APw &APw-"), "&APw ü");
        // Would each look for its end in all that follows, this took minutes.
        let many = "&".repeat(2 << 20) + "-";
        assert_eq!(decode(&many), many[..many.len() - 1]);
    }

    #[test]
    fn what_is_none_stays() {
        for name in ["a&b", "a&b-c d", "&Jjo!", "&AOk", "R&D - x", "&2D0-", "&-&", "Entwürfe", "&&-"] {
            let expected = name.replace("&-", "&");
            assert_eq!(decode(name), expected, "{name}");
        }
    }
}
