//! HTML of strangers as a part of a page: nothing that runs, fetches, or reaches out of its place.
//!
//! First the HTML is written anew, with known elements and attributes only and every tag closed, so that its size and
//! depth are bounded and what is left out is counted. Then ammonia makes sure, with the parser that browsers have.

use super::balance::Balance;
use super::counts::Counts;
use super::css;
use super::elements;
use super::pictures::{Found, Pictures};
use super::token::{Tag, Token, Tokens};
use ammonia::{Builder, UrlRelative};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt::Write;

/// The class of the element that holds a message; its style sheets apply within.
pub(super) const SCOPE: &str = "message";
/// Longer values of attributes are left out.
const LONGEST_VALUE: usize = 8 << 10;
/// Style sheets of a message, bytes.
const LONGEST_SHEETS: usize = 256 << 10;

/// What became of some HTML.
pub(super) struct Cleaned {
    /// A fragment, for an element of class [`SCOPE`].
    pub html: String,
    /// Its style sheet.
    pub sheet: String,
    /// What was left out.
    pub counts: Counts,
}

/// Makes HTML harmless; its pictures are put in.
pub(super) fn clean(html: &str, pictures: &mut Pictures<'_>) -> Cleaned {
    let mut anew = Anew {
        out: Balance::default(),
        sheet: String::new(),
        counts: Counts::default(),
        pictures,
        last: String::new(),
    };
    for token in Tokens::new(html) {
        anew.token(token);
    }
    let Anew { out, sheet, mut counts, pictures, .. } = anew;
    let (written, left_out) = out.finish();
    counts.tags += left_out;
    Cleaned { html: visible(&sure(&written, pictures.take())), sheet, counts }
}

/// Lets ammonia have the last word.
fn sure(html: &str, pictures: Vec<String>) -> String {
    let tags: HashSet<&str> = elements::names().collect();
    let attributes: HashMap<&str, HashSet<&str>> =
        tags.iter().map(|tag| (*tag, elements::of(tag).iter().copied().collect())).collect();
    let mut builder = Builder::empty();
    builder
        .tags(tags)
        .tag_attributes(attributes)
        .generic_attributes(elements::anywhere().collect())
        .url_schemes(["http", "https", "mailto", "cid"].into())
        .url_relative(UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer"))
        .clean_content_tags(["script", "style"].into())
        .attribute_filter(move |element, attribute, value| addressed(&pictures, element, attribute, value));
    builder.clean(html).to_string()
}

/// The value of an attribute as it will stand; of a picture, the picture itself.
fn addressed<'v>(pictures: &[String], element: &str, attribute: &str, value: &'v str) -> Option<Cow<'v, str>> {
    match (element, attribute) {
        ("img", "src") => {
            let at = value.strip_prefix("cid:")?.parse::<usize>().ok()?;
            pictures.get(at).map(|picture| Cow::Owned(picture.clone()))
        }
        ("a", "href") if value.starts_with("cid:") => None,
        _ => Some(Cow::Borrowed(value)),
    }
}

/// Text without characters that HTML does not have.
pub(super) fn visible(text: &str) -> String {
    let odd = |c: char| {
        (c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
            || matches!(u32::from(c), 0xFDD0..=0xFDEF)
            || u32::from(c) & 0xFFFE == 0xFFFE
    };
    text.chars().map(|c| if odd(c) { '\u{FFFD}' } else { c }).collect()
}

/// Text that is no tag and no character reference.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    visible(&out)
}

struct Anew<'a, 'f> {
    out: Balance,
    sheet: String,
    counts: Counts,
    pictures: &'a mut Pictures<'f>,
    /// The last start tag, whose raw content may follow.
    last: String,
}

impl Anew<'_, '_> {
    fn token(&mut self, token: Token<'_>) {
        match token {
            Token::Text(text) => self.out.text(text),
            Token::Raw(text) => match self.last.as_str() {
                "style" if self.sheet.len() < LONGEST_SHEETS => {
                    let sheet = css::sheet(text, &format!(".{SCOPE}"), &mut self.counts);
                    self.sheet.push_str(&sheet);
                }
                "textarea" => self.out.text(text),
                "xmp" | "plaintext" => self.out.text(&text.replace('&', "&amp;")),
                _ => {}
            },
            Token::End(name) => self.out.end(&name),
            Token::Start(tag) => {
                self.count(&tag);
                if tag.name == "img" || tag.name == "image" {
                    self.picture(&tag);
                } else {
                    let attributes = self.attributes(&tag);
                    self.out.start(&tag.name, &attributes);
                }
                self.last = tag.name;
            }
        }
    }

    /// Counts what is left out of a tag, but for addresses of links and pictures.
    fn count(&mut self, tag: &Tag<'_>) {
        let counts = &mut self.counts;
        counts.handlers += tag.all().filter(|(name, _)| name.len() > 2 && name.starts_with("on")).count() as u64;
        let fetched = ["background", "poster", "lowsrc", "dynsrc"];
        counts.linked += fetched.iter().filter(|a| tag.get(a).is_some_and(|v| !v.trim().is_empty())).count() as u64;
        let attribute = |name: &str| tag.get(name).unwrap_or_default().trim().to_ascii_lowercase();
        match tag.name.as_str() {
            "script" => counts.scripts += 1,
            "input" if attribute("type") == "image" => counts.pictures += 1,
            "input" | "button" | "select" | "textarea" => counts.forms += 1,
            "iframe" | "frame" | "object" | "embed" | "applet" | "audio" | "video" => counts.embedded += 1,
            "source" => counts.pictures += u64::from(tag.get("srcset").is_some()),
            "link" => counts.linked += u64::from(attribute("rel").contains("stylesheet")),
            "meta" => counts.redirects += u64::from(attribute("http-equiv") == "refresh"),
            "base" => counts.redirects += u64::from(tag.get("href").is_some()),
            _ => {}
        }
    }

    fn attributes(&mut self, tag: &Tag<'_>) -> String {
        let mut out = String::new();
        let Some((element, _)) = elements::element(&tag.name) else { return out };
        for (name, value) in tag.all().filter(|(name, _)| elements::has(element, name)) {
            let value = match name {
                "style" => css::declarations(&value, &mut self.counts),
                "class" => classes(&value),
                "href" => self.link(&value).unwrap_or_default(),
                "src" => continue,
                _ => value.into_owned(),
            };
            if value.len() <= LONGEST_VALUE && !(value.is_empty() && matches!(name, "style" | "class" | "href")) {
                let _ = write!(out, " {name}=\"{}\"", escape(&value));
            }
        }
        out
    }

    /// The address of a link, if it leads to a web page or a mail address.
    fn link(&mut self, value: &str) -> Option<String> {
        let address = address(value);
        let scheme = address.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
        match scheme.as_deref() {
            Some("http" | "https" | "mailto") => return Some(address),
            Some("javascript" | "vbscript" | "data") => self.counts.handlers += 1,
            // Places in the message itself have no names any more.
            _ if address.is_empty() || address.starts_with('#') => {}
            _ => self.counts.links += 1,
        }
        None
    }

    fn picture(&mut self, tag: &Tag<'_>) {
        let source = tag.get("src").map(|v| address(&v)).unwrap_or_default();
        let found = if source.is_empty() { Found::Elsewhere } else { self.pictures.find(&source) };
        let alt = tag.get("alt").unwrap_or_default();
        if let Found::Shown(at) = found {
            let mut attributes = self.attributes(tag);
            if tag.get("alt").is_none_or(|alt| alt.len() > LONGEST_VALUE) {
                attributes.push_str(" alt=\"\"");
            }
            let _ = write!(attributes, " src=\"cid:{at}\"");
            self.out.start("img", &attributes);
            return;
        }
        let dot = |name: &str| {
            let size = tag.get(name).unwrap_or_default();
            matches!(size.trim().trim_end_matches("px").trim_end(), "0" | "1")
        };
        let nowhere = source.is_empty() && tag.get("srcset").is_none();
        let lower = source.to_ascii_lowercase();
        let remote =
            source.is_empty() || ["http:", "https:", "ftp:", "//", "\\\\"].iter().any(|s| lower.starts_with(s));
        match found {
            Found::Oversize => self.counts.oversize += 1,
            _ if nowhere => {}
            _ if !remote => self.counts.missing += 1,
            _ if dot("width") && dot("height") => self.counts.trackers += 1,
            _ => self.counts.pictures += 1,
        }
        if !alt.trim().is_empty() && alt.len() <= LONGEST_VALUE {
            self.out.text(&format!("[{}]", escape(alt.trim())));
        }
    }
}

/// An address without the blanks and controls that browsers pass over.
fn address(value: &str) -> String {
    let ends = |c: char| c.is_ascii_control() || c == ' ';
    value.trim_matches(ends).chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')).collect()
}

/// Names of classes that style sheets can name.
fn classes(value: &str) -> String {
    let plain = |name: &&str| {
        name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && *name != SCOPE
    };
    value.split_ascii_whitespace().filter(plain).collect::<Vec<_>>().join(" ")
}
