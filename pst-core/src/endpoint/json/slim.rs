//! Lines with values too large to hold: their base64 stays in the file and is read when it is needed.

use crate::error::{Error, Kind, Result};
use crate::io::Input;
use crate::mapi::{Blob, MAX_DEPTH};
use crate::mime::large;
use std::sync::Arc;

/// base64 up to this many characters stays in the line.
const KEPT: usize = 1 << 20;
/// Bytes read at once.
const WINDOW: usize = 256 << 10;
/// Longer lines are not held.
const LONGEST: usize = 256 << 20;
/// Values in one line, and members of objects.
const MOST_VALUES: usize = 32 << 20;
/// Objects and lists inside each other: three for each message, and those inside a property.
const DEEPEST: usize = 3 * MAX_DEPTH + 16;

/// A line without what was left in the file. In its place stands a number, the position in `left`.
pub(super) struct Slim {
    /// JSON.
    pub text: Vec<u8>,
    /// Decoded values.
    pub left: Vec<Blob>,
}

/// Copies `len` bytes of a file, one line, but for large base64 values.
///
/// # Errors
/// When the file cannot be read, when the line is nested too deeply or too long all the same, or when a large value is
/// no base64.
pub(super) fn slim(input: &Arc<Input>, offset: u64, len: u64) -> Result<Slim> {
    let mut scan = Scan { input, text: Vec::new(), left: Vec::new(), state: State::Outside, depth: 0, values: 0 };
    let (mut window, mut at) = (Vec::new(), 0);
    while at < len {
        let take = (len - at).min(WINDOW as u64) as usize;
        let bytes = input.read(offset + at, take, &mut window)?;
        scan.window(bytes, offset + at)?;
        at += take as u64;
        if scan.text.len() > LONGEST {
            return Err(Error::new(Kind::Limit, "a line with more than 256 MiB of text cannot be held").at(offset));
        }
    }
    Ok(Slim { text: scan.text, left: scan.left })
}

/// What stands at the current byte.
enum State {
    Outside,
    /// A string that is copied; true behind a backslash.
    Copied(bool),
    /// The string of a "base64" member: where it starts in the text and in the file, the characters that count so far,
    /// whether a backslash comes before, and whether it is too large to be copied.
    Base64 {
        text: usize,
        file: u64,
        chars: u64,
        escaped: bool,
        large: bool,
    },
}

struct Scan<'a> {
    input: &'a Arc<Input>,
    text: Vec<u8>,
    left: Vec<Blob>,
    state: State,
    depth: usize,
    values: usize,
}

impl Scan<'_> {
    fn window(&mut self, bytes: &[u8], file: u64) -> Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let at = file + (bytes.len() - rest.len()) as u64;
            let used = match self.state {
                State::Outside => self.outside(rest, at)?,
                State::Copied(escaped) => self.copied(rest, escaped),
                State::Base64 { .. } => self.base64(rest, at)?,
            };
            rest = rest.get(used..).unwrap_or_default();
        }
        Ok(())
    }

    /// Copies up to the next string.
    fn outside(&mut self, rest: &[u8], at: u64) -> Result<usize> {
        let quote = memchr::memchr(b'"', rest);
        let (plain, used) = quote.map_or((rest, rest.len()), |q| (rest.get(..q).unwrap_or_default(), q + 1));
        for byte in plain {
            match byte {
                b'{' | b'[' => {
                    self.depth += 1;
                    self.values += 1;
                }
                b',' | b':' => self.values += 1,
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
            if self.depth > DEEPEST {
                let text = format!("objects and lists are nested more than {DEEPEST} deep");
                return Err(Error::new(Kind::Limit, text).at(at));
            }
        }
        if self.values > MOST_VALUES {
            return Err(Error::new(Kind::Limit, format!("a line has more than {MOST_VALUES} values")).at(at));
        }
        self.text.extend_from_slice(plain);
        if quote.is_some() {
            let before = self.text.trim_ascii_end();
            let member = before.strip_suffix(b":").is_some_and(|b| b.trim_ascii_end().ends_with(b"\"base64\""));
            self.state = if member {
                State::Base64 { text: self.text.len(), file: at + used as u64, chars: 0, escaped: false, large: false }
            } else {
                State::Copied(false)
            };
            self.text.push(b'"');
        }
        Ok(used)
    }

    fn copied(&mut self, rest: &[u8], escaped: bool) -> usize {
        if escaped {
            self.text.extend(rest.first());
            self.state = State::Copied(false);
            return 1;
        }
        let end = memchr::memchr2(b'"', b'\\', rest);
        let used = end.map_or(rest.len(), |e| e + 1);
        self.text.extend_from_slice(rest.get(..used).unwrap_or_default());
        match end.and_then(|e| rest.get(e)) {
            Some(b'"') => self.state = State::Outside,
            Some(_) => self.state = State::Copied(true),
            None => {}
        }
        used
    }

    fn base64(&mut self, rest: &[u8], at: u64) -> Result<usize> {
        let State::Base64 { text, file, mut chars, mut escaped, mut large } = self.state else { return Ok(0) };
        let end = memchr::memchr(b'"', rest);
        let part = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        if large || self.text.len() + part.len() - text > KEPT {
            if !large {
                // What was copied has not been looked at.
                let before = self.text.split_off(text);
                count(before.get(1..).unwrap_or_default(), &mut chars, &mut escaped).map_err(|e| e.at(file))?;
                large = true;
            }
            count(part, &mut chars, &mut escaped).map_err(|e| e.at(at))?;
        } else {
            self.text.extend_from_slice(part);
        }
        let Some(end) = end else {
            self.state = State::Base64 { text, file, chars, escaped, large };
            return Ok(rest.len());
        };
        if large {
            if chars % 4 == 1 {
                return Err(Error::new(Kind::Damaged, "a large value is no base64: a character is left over").at(file));
            }
            self.text.extend_from_slice(self.left.len().to_string().as_bytes());
            self.left.push(large::base64(self.input, file, at + end as u64 - file, chars));
        } else {
            self.text.push(b'"');
        }
        self.state = State::Outside;
        Ok(end + 1)
    }
}

/// Counts the characters of base64. A slash may stand behind a backslash, as some programs write it.
fn count(text: &[u8], chars: &mut u64, escaped: &mut bool) -> Result<()> {
    for byte in text {
        match byte {
            b'/' => *escaped = false,
            _ if *escaped => return Err(Error::new(Kind::Damaged, "a large value has escapes in its base64")),
            b'\\' => {
                *escaped = true;
                continue;
            }
            b'=' => continue,
            _ if byte.is_ascii_alphanumeric() || *byte == b'+' => {}
            _ => return Err(Error::new(Kind::Damaged, "a large value is no base64")),
        }
        *chars += 1;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Slim> {
        let input = Arc::new(Input::from_bytes(text.as_bytes().to_vec(), "test"));
        slim(&input, 0, text.len() as u64)
    }

    #[test]
    fn small_lines_are_copied() {
        let text = r#"{"a\"":"b\\","base64" : "QUJD","c":[1,{"base64":""}]}"#;
        let slim = of(text).unwrap();
        assert_eq!(String::from_utf8(slim.text).unwrap(), text);
        assert!(slim.left.is_empty());
    }

    #[test]
    fn large_values_stay_in_the_file() {
        for size in [KEPT, KEPT + 1, 3 * KEPT + 2] {
            let data: Vec<u8> = (0..size).map(|i| (i * 31 + i / 251) as u8).collect();
            let base64 = base64_simd::STANDARD.encode_to_string(&data);
            for written in [base64.clone(), base64.replace('/', "\\/")] {
                let slim = of(&format!(r#"{{"base64":"{written}","then":"x"}}"#)).unwrap();
                assert_eq!(String::from_utf8(slim.text).unwrap(), r#"{"base64":0,"then":"x"}"#);
                assert_eq!(slim.left[0].len(), size as u64);
                assert!(slim.left[0].to_vec(u64::MAX).unwrap() == data);
            }
            assert!(of(&format!(r#"{{"base64":"{base64}\u0041"}}"#)).is_err());
            assert!(of(&format!(r#"{{"base64":"{base64}!"}}"#)).is_err());
            assert_eq!(of(&format!(r#"{{"value":"{base64}!"}}"#)).unwrap().left.len(), 0);
        }
    }

    #[test]
    fn depth_is_bounded() {
        assert!(of(&"[".repeat(DEEPEST)).is_ok());
        assert!(of(&"[".repeat(DEEPEST + 1)).is_err());
    }
}
