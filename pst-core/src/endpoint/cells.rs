//! Cells of tables for spreadsheets (RFC 4180).

/// A cell, quoted where it must be, that says exactly this.
pub fn exact(text: &str) -> String {
    if text.contains(['"', ',', '\r', '\n']) || text.trim() != text {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}

/// A cell for people. Spreadsheets take what begins like a formula for one, and mail comes from strangers: an apostrophe
/// goes before it.
pub fn shown(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        return exact(&format!("'{text}"));
    }
    exact(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells() {
        for (text, written) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"x\"\r\ny", "\"say \"\"x\"\"\r\ny\""),
            ("=HYPERLINK(1,2)", "\"'=HYPERLINK(1,2)\""),
            ("@x", "'@x"),
            (" x", "\" x\""),
            ("", ""),
        ] {
            assert_eq!(shown(text), written);
        }
        assert_eq!(exact("=1,2"), "\"=1,2\"");
    }
}
