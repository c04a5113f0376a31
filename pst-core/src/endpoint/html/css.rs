//! Styles of mail: only declarations that colour, size and space what they belong to, in the message alone.

use super::counts::Counts;

/// Longer values are left out.
const LONGEST_VALUE: usize = 400;
/// Rules that are kept, and the bytes that they may have together.
const MOST_RULES: usize = 4_000;
const LONGEST_SHEET: usize = 256 << 10;

/// Properties that may be set.
const PROPERTIES: &[&str] = &[
    "background",
    "background-color",
    "border",
    "border-bottom",
    "border-bottom-color",
    "border-bottom-style",
    "border-bottom-width",
    "border-collapse",
    "border-color",
    "border-left",
    "border-left-color",
    "border-left-style",
    "border-left-width",
    "border-radius",
    "border-right",
    "border-right-color",
    "border-right-style",
    "border-right-width",
    "border-spacing",
    "border-style",
    "border-top",
    "border-top-color",
    "border-top-style",
    "border-top-width",
    "border-width",
    "caption-side",
    "clear",
    "color",
    "direction",
    "display",
    "empty-cells",
    "float",
    "font",
    "font-family",
    "font-size",
    "font-style",
    "font-variant",
    "font-weight",
    "height",
    "letter-spacing",
    "line-height",
    "list-style-position",
    "list-style-type",
    "margin",
    "margin-bottom",
    "margin-left",
    "margin-right",
    "margin-top",
    "max-height",
    "max-width",
    "min-height",
    "min-width",
    "overflow-wrap",
    "padding",
    "padding-bottom",
    "padding-left",
    "padding-right",
    "padding-top",
    "table-layout",
    "text-align",
    "text-decoration",
    "text-indent",
    "text-transform",
    "vertical-align",
    "white-space",
    "width",
    "word-break",
    "word-spacing",
    "word-wrap",
];

/// Functions that may stand in values.
const FUNCTIONS: &[&str] = &["rgb", "rgba", "hsl", "hsla"];

/// The declarations of a style attribute that may stay.
pub(super) fn declarations(text: &str, counts: &mut Counts) -> String {
    let text = without_comments(text);
    let mut out = String::new();
    for declaration in split(&text) {
        let Some((name, value)) = declaration.split_once(':') else { continue };
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        if value.to_ascii_lowercase().contains("url(") {
            counts.linked += 1;
            continue;
        }
        if PROPERTIES.binary_search(&name.as_str()).is_ok() && is_plain(&name, value) {
            if !out.is_empty() {
                out.push(';');
            }
            out.push_str(&name);
            out.push(':');
            out.push_str(value);
        }
    }
    out
}

/// The rules of a style sheet that may stay, for what stands within `scope` only.
pub(super) fn sheet(text: &str, scope: &str, counts: &mut Counts) -> String {
    let text = without_comments(text);
    let mut rest = text.as_str();
    let mut out = String::new();
    for _ in 0..MOST_RULES {
        rest = rest.trim_start();
        rest = rest.strip_prefix("<!--").or_else(|| rest.strip_prefix("-->")).unwrap_or(rest).trim_start();
        if rest.is_empty() || out.len() > LONGEST_SHEET {
            break;
        }
        if rest.starts_with('@') {
            rest = at_rule(rest, counts);
            continue;
        }
        let Some((selectors, after)) = rest.split_once('{') else { break };
        let (block, after) = after.split_once('}').unwrap_or((after, ""));
        rest = after;
        let kept = declarations(block, counts);
        let scoped: Vec<String> = selectors.split(',').filter_map(|s| scoped(s, scope)).collect();
        if !kept.is_empty() && !scoped.is_empty() {
            out.push_str(&scoped.join(","));
            out.push('{');
            out.push_str(&kept);
            out.push_str("}\n");
        }
    }
    out
}

/// Passes over a rule such as @import or @media, with its block.
fn at_rule<'a>(rest: &'a str, counts: &mut Counts) -> &'a str {
    let (rule, after) = rest.split_at_checked(end_of_rule(rest)).unwrap_or((rest, ""));
    let start = rule.get(..7.min(rule.len())).unwrap_or_default();
    let fetches = start.eq_ignore_ascii_case("@import") || rule.to_ascii_lowercase().contains("url(");
    counts.linked += u64::from(fetches);
    after
}

fn end_of_rule(rest: &str) -> usize {
    let mut depth = 0;
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            b';' if depth == 0 => return at + 1,
            b'{' => depth += 1,
            b'}' if depth <= 1 => return at + 1,
            b'}' => depth -= 1,
            _ => {}
        }
    }
    rest.len()
}

/// A selector of elements and classes within a scope; `None` for any other.
fn scoped(selector: &str, scope: &str) -> Option<String> {
    let selector = selector.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ' | '\t' | '\r' | '\n');
    if selector.is_empty() || selector.len() > LONGEST_VALUE || !selector.chars().all(plain) {
        return None;
    }
    let mut out = scope.to_owned();
    for (i, part) in selector.split_ascii_whitespace().enumerate() {
        // The page itself is the scope.
        if i < 2 && (part.eq_ignore_ascii_case("html") || part.eq_ignore_ascii_case("body")) {
            continue;
        }
        let valid = part.split('.').all(|name| !name.starts_with(|c: char| c.is_ascii_digit() || c == '-'));
        if !valid || part.contains("..") || part.ends_with('.') {
            return None;
        }
        out.push(' ');
        out.push_str(part);
    }
    Some(out)
}

fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("/*") {
        out.push_str(before);
        out.push(' ');
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out
}

/// Splits declarations at semicolons that stand in no string and no brackets.
fn split(text: &str) -> Vec<&str> {
    let (mut out, mut start, mut quote, mut depth) = (Vec::new(), 0, None, 0);
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (Some(q), _) if q == byte => quote = None,
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'(') => depth += 1,
            (None, b')') if depth > 0 => depth -= 1,
            (None, b';') if depth == 0 => {
                out.push(text.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    out.push(text.get(start..).unwrap_or_default());
    out
}

/// True for a value that a browser cannot take for anything but what it looks like, and that moves nothing out of its
/// place.
fn is_plain(name: &str, value: &str) -> bool {
    let allowed = |c: char| {
        c.is_alphanumeric()
            || matches!(c, ' ' | '#' | '%' | '.' | ',' | '(' | ')' | '"' | '\'' | '-' | '+' | '/' | '!' | '_')
    };
    if value.is_empty() || value.len() > LONGEST_VALUE || !value.chars().all(allowed) {
        return false;
    }
    let quotes_close = ['"', '\''].iter().all(|q| value.matches(*q).count().is_multiple_of(2));
    let brackets_close = value.matches('(').count() == value.matches(')').count();
    let mut before = value.split('(').collect::<Vec<_>>();
    before.pop();
    let functions = before.iter().all(|text| {
        let name = text.rsplit([' ', ',', ')']).next().unwrap_or_default().to_ascii_lowercase();
        FUNCTIONS.contains(&name.as_str())
    });
    let negative = value.split(['-', '+']).skip(1).zip(value.split(['-', '+'])).any(|(after, before)| {
        let is_sign = before.is_empty() || before.ends_with([' ', ',', '(']);
        is_sign && after.starts_with(|c: char| c.is_ascii_digit() || c == '.')
    });
    let shown = name != "display"
        || value.split_ascii_whitespace().next().is_some_and(|v| {
            let v = v.to_ascii_lowercase();
            matches!(v.as_str(), "none" | "block" | "inline" | "inline-block" | "list-item") || v.starts_with("table")
        });
    quotes_close && brackets_close && functions && !negative && shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(text: &str) -> String {
        declarations(text, &mut Counts::default())
    }

    #[test]
    fn properties_are_sorted() {
        assert!(PROPERTIES.is_sorted());
    }

    #[test]
    fn what_stays() {
        for (text, kept) in [
            ("COLOR : Red ; font-family:\"Segoe UI\",'A;b'", "color:Red"),
            ("font-family:\"Segoe UI\",Arial;;", "font-family:\"Segoe UI\",Arial"),
            ("background:#fff;margin:0cm 0.5pt;mso-x:y", "background:#fff;margin:0cm 0.5pt"),
            ("color:rgb(1, 2,3)!important", "color:rgb(1, 2,3)!important"),
            ("width:100%;/* c */height:1px", "width:100%;height:1px"),
            ("display:none;display:inline-block", "display:none;display:inline-block"),
            ("font-family:游ゴシック", "font-family:游ゴシック"),
        ] {
            assert_eq!(style(text), kept);
        }
    }

    #[test]
    fn what_goes() {
        for text in [
            "position:fixed",
            "position:absolute;top:0;left:0;z-index:9",
            "p\\6fsition:fixed",
            "pos/**/ition:fixed",
            "margin-top:-500px",
            "margin:1px -5px",
            "margin:0 -.5em",
            "text-indent:-9999px",
            "background:url(http://x/y)",
            "background:url(//x)",
            "background:URL('http://x')",
            "background:u\\72l(http://x)",
            "background-image:image-set('http://x' 1x)",
            "width:expression(alert(1))",
            "behavior:url(x.htc)",
            "-moz-binding:url(x)",
            "color:red}header{display:none",
            "color:</style><script>",
            "font-family:'x",
            "color:rgb(1",
            "width:calc(1px - 9px)",
            "transform:translate(0,-900px)",
            "display:contents",
            "content:\"x\"",
            "color:var(--x)",
            "color",
        ] {
            assert_eq!(style(text), "", "{text}");
        }
        let mut counts = Counts::default();
        declarations("background:url(a);color:red;list-style-image:URL(b)", &mut counts);
        assert_eq!(counts.linked, 2);
    }

    #[test]
    fn sheets() {
        let mut counts = Counts::default();
        let text = "<!-- @import url(http://x); @media print { p { color:red } }
            p.MsoNormal, li.MsoNormal, a:link, #x, p + header, * { margin:0cm; position:fixed }
            body { color:#111 } html body td b { width:5px } .1x,.a..b,. { color:red }
            @font-face { font-family:x; src:url(http://x) } /* } */ i { } .k_-1{color:red} --> broken { color: blue";
        let kept = sheet(text, ".message", &mut counts);
        assert_eq!(
            kept,
            ".message p.MsoNormal,.message li.MsoNormal{margin:0cm}\n.message{color:#111}\n.message td b{width:5px}\n\
             .message .k_-1{color:red}\n.message broken{color:blue}\n"
        );
        assert_eq!(counts.linked, 2);
    }
}
