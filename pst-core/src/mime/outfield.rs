//! Texts of header fields on the way out: encoded words, parameters, folds (RFC 2047, 2231).

use std::fmt::Write as _;

/// True for text that may stand in a header field as it is.
fn is_plain_header(text: &str) -> bool {
    text.bytes().all(|b| (0x20..0x7F).contains(&b)) && !text.contains("=?") && text.trim() == text
}

/// Unstructured text of a field, in encoded words where it needs them.
pub(super) fn words(text: &str) -> String {
    if is_plain_header(text) {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut piece = String::new();
    for c in text.chars() {
        if piece.len() + c.len_utf8() > 42 {
            push_word(&mut out, &piece);
            piece.clear();
        }
        piece.push(c);
    }
    push_word(&mut out, &piece);
    out
}

fn push_word(out: &mut String, piece: &str) {
    if piece.is_empty() {
        return;
    }
    if !out.is_empty() {
        out.push_str("\r\n ");
    }
    let _ = write!(out, "=?utf-8?B?{}?=", base64_simd::STANDARD.encode_to_string(piece));
}

/// A display name in a mailbox: a phrase, a quoted string or encoded words.
pub(super) fn phrase(name: &str) -> String {
    if !is_plain_header(name) {
        return words(name);
    }
    let is_atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~ ".contains(c);
    if name.chars().all(is_atom) { name.to_owned() } else { quoted(name) }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// `; name="value"`, by RFC 2231 where the value is no plain ASCII.
pub(super) fn parameter(name: &str, value: &str, out: &mut String) {
    if value.bytes().all(|b| (0x20..0x7F).contains(&b)) && value.len() <= 60 && !value.contains("=?") {
        let _ = write!(out, ";\r\n {name}={}", quoted(value));
        return;
    }
    let mut pieces = vec![String::new()];
    for c in value.chars() {
        let mut utf8 = [0; 4];
        let mut code = String::new();
        for byte in c.encode_utf8(&mut utf8).bytes() {
            if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`{|}~".contains(&byte) {
                code.push(char::from(byte));
            } else {
                let _ = write!(code, "%{byte:02X}");
            }
        }
        if pieces.last().is_some_and(|p| p.len() + code.len() > 55) {
            pieces.push(String::new());
        }
        if let Some(last) = pieces.last_mut() {
            last.push_str(&code);
        }
    }
    if let [one] = pieces.as_slice() {
        let _ = write!(out, ";\r\n {name}*=utf-8''{one}");
        return;
    }
    for (i, piece) in pieces.iter().enumerate() {
        let charset = if i == 0 { "utf-8''" } else { "" };
        let _ = write!(out, ";\r\n {name}*{i}*={charset}{piece}");
    }
}

/// `; name="=?utf-8?B?...?="` for programs that do not know RFC 2231; plain values as [`parameter`].
pub(super) fn old_parameter(name: &str, value: &str, out: &mut String) {
    if value.bytes().all(|b| (0x20..0x7F).contains(&b)) && value.len() <= 60 {
        parameter(name, value, out);
    } else {
        let _ = write!(out, ";\r\n {name}=\"{}\"", words(value));
    }
}

/// One field, folded at spaces so that no line is longer than it may be.
pub(super) fn field(name: &str, value: &str, out: &mut Vec<u8>) {
    let mut text = format!("{name}: {value}");
    text.retain(|c| c == '\t' || c == '\r' || c == '\n' || !c.is_control());
    fold(&text, 78, out);
    out.extend_from_slice(b"\r\n");
}

/// Breaks the lines of a field before spaces where they are longer than `limit`; words are never broken.
pub(super) fn fold(text: &str, limit: usize, out: &mut Vec<u8>) {
    for (i, line) in text.split("\r\n").enumerate() {
        if i > 0 {
            out.extend_from_slice(b"\r\n");
        }
        let mut rest = line;
        while rest.len() > limit {
            let bytes = rest.as_bytes();
            let is_space = |at: &usize| matches!(bytes.get(*at), Some(b' ' | b'\t'));
            // A break needs something visible on both sides of it, or the line would be blank.
            let lead = rest.len() - rest.trim_start_matches([' ', '\t']).len();
            let first = lead.max(rest.find(':').filter(|_| rest.len() == line.len()).map_or(0, |c| c + 2));
            let visible = |at: &usize| rest.get(*at..).is_some_and(|r| !r.trim().is_empty());
            let before = (first + 1..limit).rev().find(|at| is_space(at) && visible(at));
            let Some(at) = before.or_else(|| (limit.max(first + 1)..rest.len()).find(|at| is_space(at) && visible(at)))
            else {
                break;
            };
            let (head, tail) = rest.split_at(at);
            out.extend_from_slice(head.as_bytes());
            out.extend_from_slice(b"\r\n");
            rest = tail;
        }
        out.extend_from_slice(rest.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_text() {
        assert_eq!(words("plain"), "plain");
        assert_eq!(words("é"), "=?utf-8?B?w6k=?=");
        let long = "Grüße ".repeat(30);
        let mut warnings = Vec::new();
        assert_eq!(super::super::header::text(words(&long).as_bytes(), &mut warnings), long);
        assert_eq!(phrase("Doe, John"), "\"Doe, John\"");
        let mut out = String::new();
        parameter("filename", &"日本.txt".repeat(5), &mut out);
        let text = format!("attachment{out}");
        let parsed = mail_parser::HeaderForm::ContentType.parse(text.as_bytes());
        assert_eq!(
            parsed.value().as_content_type().unwrap().attribute("filename"),
            Some("日本.txt".repeat(5).as_str())
        );
    }

    #[test]
    fn folding() {
        let mut out = Vec::new();
        field("To", &"someone@example.org, ".repeat(20), &mut out);
        let text = String::from_utf8(out).unwrap();
        assert!(text.lines().all(|l| l.len() <= 78 && !l.trim().is_empty()), "{text}");
        assert_eq!(text.replace("\r\n", ""), format!("To: {}", "someone@example.org, ".repeat(20)));
    }
}
