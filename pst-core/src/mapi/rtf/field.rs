//! Hyperlinks in field instructions.

/// Schemes that may run something when a reader of the HTML follows them.
const ACTIVE: &[&str] = &["javascript:", "vbscript:", "data:"];

const LONGEST: usize = 4096;

/// The address in an instruction such as `HYPERLINK "https://example.org" \l "part"`.
pub(super) fn hyperlink(instruction: &str) -> Option<String> {
    let rest = instruction.trim_start();
    let (word, rest) = rest.split_at_checked("HYPERLINK".len())?;
    if !word.eq_ignore_ascii_case("HYPERLINK") {
        return None;
    }
    let (mut address, mut part) = (String::new(), None);
    let mut words = words(rest).into_iter();
    while let Some((word, quoted)) = words.next() {
        match word.as_str() {
            "\\l" => part = words.next().map(|(part, _)| part),
            "\\o" | "\\t" => {
                words.next();
            }
            _ if word.starts_with('\\') && !quoted => {}
            _ if address.is_empty() => address = word,
            _ => {}
        }
    }
    if let Some(part) = part {
        address = format!("{address}#{part}");
    }
    let bare: String = address.chars().filter(|c| !c.is_whitespace() && !c.is_control()).take(20).collect();
    let active = ACTIVE.iter().any(|a| bare.to_ascii_lowercase().starts_with(a));
    (!address.is_empty() && address.len() <= LONGEST && !active).then_some(address)
}

/// Words between blanks, and texts in quotes (`true`); a backslash in quotes stands before a quote or another backslash.
fn words(text: &str) -> Vec<(String, bool)> {
    let mut out = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c.is_whitespace() {
            continue;
        }
        let mut word = String::new();
        if c == '"' {
            while let Some(c) = chars.next().filter(|c| *c != '"') {
                let escaped = c == '\\' && matches!(chars.peek(), Some('\\' | '"'));
                word.push(if escaped { chars.next().unwrap_or(c) } else { c });
            }
        } else {
            word.push(c);
            while let Some(c) = chars.next_if(|c| !c.is_whitespace() && *c != '"') {
                word.push(c);
            }
        }
        out.push((word, c == '"'));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::hyperlink;

    #[test]
    fn links() {
        let link = |text: &str| hyperlink(text).unwrap_or_default();
        assert_eq!(link(" HYPERLINK \"http://a.example/b c\" "), "http://a.example/b c");
        assert_eq!(link("hyperlink mailto:a@b.example"), "mailto:a@b.example");
        assert_eq!(link("HYPERLINK \\l \"top\""), "#top");
        assert_eq!(link("HYPERLINK \"x.htm\" \\l \"part\" \\o \"a tip\" \\n"), "x.htm#part");
        assert_eq!(link("HYPERLINK \"\\\\\\\\host\\\\share\""), "\\\\host\\share");
        for none in ["PAGE", "HYPERLINK", "HYPERLINK \"java\tscript:alert(1)\"", "", "HYPERLINK \" data:text/html,x\""]
        {
            assert_eq!(hyperlink(none), None, "{none}");
        }
    }
}
