//! The looks of letters, lengths and lists in HTML.

use super::block::{Caps, Chars, Document};
use std::fmt::Write as _;

/// What CSS must say of some letters where others look like `base`.
pub(super) fn style(document: &Document, chars: &Chars, base: &Chars) -> String {
    let mut out = String::new();
    if chars.font != base.font
        && let Some(font) = document.fonts.get(chars.font)
    {
        let plain = |c: &char| !c.is_control() && !"\"'\\;:<>&{}".contains(*c);
        let name: String = font.name.trim().chars().filter(plain).collect();
        match (name.is_empty(), font.family) {
            (true, "") => {}
            (true, family) => _ = write!(out, "font-family:{family};"),
            (false, "") => _ = write!(out, "font-family:'{name}';"),
            (false, family) => _ = write!(out, "font-family:'{name}',{family};"),
        }
    }
    if chars.size != base.size {
        let _ = write!(out, "font-size:{}pt;", points(i32::from(chars.size) * 10));
    }
    if chars.color != base.color
        && let Some([r, g, b]) = document.color(chars.color)
    {
        let _ = write!(out, "color:#{r:02x}{g:02x}{b:02x};");
    }
    if let Some([r, g, b]) = document.color(chars.back).filter(|_| chars.back != 0) {
        let _ = write!(out, "background-color:#{r:02x}{g:02x}{b:02x};");
    }
    match chars.caps {
        Caps::None => {}
        Caps::All => out.push_str("text-transform:uppercase;"),
        Caps::Small => out.push_str("font-variant:small-caps;"),
    }
    if chars.hidden {
        out.push_str("display:none;");
    }
    out.truncate(out.trim_end_matches(';').len());
    out
}

/// Twips in points, with at most two decimals.
pub(super) fn points(twips: i32) -> String {
    let (whole, part) = (twips.abs() / 20, twips.abs() % 20 * 5);
    let sign = if twips < 0 { "-" } else { "" };
    let text = if part == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part:02}") };
    match text.strip_suffix('0') {
        Some(shorter) if part != 0 => shorter.to_owned(),
        _ => text,
    }
}

/// The list that a bullet or number belongs to, and the number; `None` for marks that no list of HTML has.
pub(super) fn item(marker: &str) -> Option<(&'static str, Option<u32>)> {
    let bare = marker.trim_end_matches(['.', ')']);
    if let Ok(number) = bare.parse::<u32>()
        && bare.len() < 7
        && !bare.starts_with('+')
        && marker.len() <= bare.len() + 1
    {
        return Some(("ol", Some(number)));
    }
    let mut chars = marker.chars();
    let bullet = |c: char| !c.is_alphanumeric() || matches!(c, 'o' | '\u{F000}'..='\u{F0FF}');
    match (chars.next(), chars.next()) {
        (Some(c), None) if bullet(c) => Some(("ul", None)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        assert_eq!(["20", "210", "-5", "101"].map(|t| points(t.parse().unwrap())), ["1", "10.5", "-0.25", "5.05"]);
    }

    #[test]
    fn marks() {
        assert_eq!(item("12."), Some(("ol", Some(12))));
        assert_eq!(item("\u{b7}"), Some(("ul", None)));
        for other in ["a)", "1.1.", "", "+1", "IV."] {
            assert_eq!(item(other), None, "{other}");
        }
    }
}
