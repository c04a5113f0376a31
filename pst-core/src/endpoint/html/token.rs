//! HTML as a browser splits it into tags and text ([HTML] 13.2.5), in linear time.

use std::borrow::Cow;

/// Attributes of a tag that are looked at.
const MOST_ATTRIBUTES: usize = 64;
/// Elements whose content is text for a parser, whatever it looks like.
const RAW: &[&str] = &["script", "style", "xmp", "iframe", "noembed", "noframes", "textarea", "title"];

/// A piece of HTML.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Text, its character references as they stand.
    Text(&'a str),
    /// A start tag.
    Start(Tag<'a>),
    /// An end tag.
    End(String),
    /// The content of an element that can hold nothing but text.
    Raw(&'a str),
}

/// A start tag, names in lower case.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    pub name: String,
    attributes: Vec<(String, &'a str)>,
}

impl Tag<'_> {
    /// The value of an attribute, character references resolved.
    pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, value)| resolved(value))
    }

    /// Names and values of all attributes.
    pub fn all(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        self.attributes.iter().map(|(name, value)| (name.as_str(), resolved(value)))
    }
}

/// Splits HTML.
pub(super) struct Tokens<'a> {
    rest: &'a str,
    /// The element whose raw content comes next.
    raw: Option<String>,
}

impl<'a> Tokens<'a> {
    pub fn new(html: &'a str) -> Self {
        Self { rest: html, raw: None }
    }

    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    /// Content up to the end tag of its element, which stays.
    fn raw(&mut self, name: &str) -> &'a str {
        let rest = self.rest.as_bytes();
        let is_end = |at: &usize| {
            let after = rest.get(at + 2..).unwrap_or_default();
            let named = after.get(..name.len()).is_some_and(|n| n.eq_ignore_ascii_case(name.as_bytes()));
            named && after.get(name.len()).is_none_or(|b| b.is_ascii_whitespace() || matches!(b, b'/' | b'>'))
        };
        let end = memchr::memmem::find_iter(rest, b"</").find(is_end);
        self.take(end.unwrap_or(rest.len()))
    }

    /// Passes over what begins with `<!`, `<?` or `</` and is no tag.
    fn comment(&mut self) {
        let rest = self.rest.as_bytes();
        let end = match rest.strip_prefix(b"<!--") {
            Some(inside) if inside.starts_with(b">") => Some(5),
            Some(inside) if inside.starts_with(b"->") => Some(6),
            Some(inside) => memchr::memmem::find_iter(inside, b"--").find_map(|at| {
                let after = inside.get(at + 2..).unwrap_or_default();
                // Of a run of hyphens, the last two count.
                let more = after.iter().take_while(|b| **b == b'-').count();
                let after = after.get(more..).unwrap_or_default();
                let close = if after.starts_with(b">") {
                    1
                } else if more == 0 && after.starts_with(b"!>") {
                    2
                } else {
                    return None;
                };
                Some(4 + at + 2 + more + close)
            }),
            None => memchr::memchr(b'>', rest).map(|at| at + 1),
        };
        self.take(end.unwrap_or(rest.len()));
    }

    /// A start or end tag; `None` if the HTML ends inside it.
    fn tag(&mut self, skip: usize) -> Option<Tag<'a>> {
        self.take(skip);
        let mut tag = Tag { name: self.word(|b| matches!(b, b'/' | b'>')).to_ascii_lowercase(), ..Tag::default() };
        loop {
            self.blanks(true);
            match self.rest.as_bytes().first() {
                None => return None,
                Some(b'>') => {
                    self.take(1);
                    return Some(tag);
                }
                _ => {}
            }
            // A name may begin with the sign that ends it elsewhere.
            let first = usize::from(self.rest.starts_with('='));
            let name = self.rest.get(..first).unwrap_or_default().to_owned();
            self.take(first);
            let name = name + &self.word(|b| matches!(b, b'/' | b'>' | b'=')).to_ascii_lowercase();
            self.blanks(false);
            let value = if self.rest.starts_with('=') { self.value() } else { "" };
            if tag.attributes.len() < MOST_ATTRIBUTES && !tag.attributes.iter().any(|(n, _)| *n == name) {
                tag.attributes.push((name, value));
            }
        }
    }

    fn value(&mut self) -> &'a str {
        self.take(1);
        self.blanks(false);
        let quote = self.rest.as_bytes().first().copied().filter(|b| matches!(b, b'"' | b'\''));
        let Some(quote) = quote else { return self.word(|b| b == b'>') };
        self.take(1);
        let end = memchr::memchr(quote, self.rest.as_bytes());
        let value = self.take(end.unwrap_or(self.rest.len()));
        self.take(1);
        value
    }

    /// Up to a blank or one of some other bytes.
    fn word(&mut self, ends: impl Fn(u8) -> bool) -> &'a str {
        let end = self.rest.bytes().position(|b| b.is_ascii_whitespace() || ends(b));
        self.take(end.unwrap_or(self.rest.len()))
    }

    fn blanks(&mut self, slashes: bool) {
        let end = self.rest.bytes().position(|b| !(b.is_ascii_whitespace() || (slashes && b == b'/')));
        self.take(end.unwrap_or(self.rest.len()));
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            if let Some(name) = self.raw.take() {
                let content = self.raw(&name);
                if !content.is_empty() {
                    return Some(Token::Raw(content));
                }
            }
            let bytes = self.rest.as_bytes();
            let second = |at: usize| bytes.get(at + 1).copied().unwrap_or_default();
            match bytes.first()? {
                b'<' if second(0).is_ascii_alphabetic() => {
                    let tag = self.tag(1)?;
                    if tag.name == "plaintext" {
                        self.raw = Some("plaintext\0".to_owned());
                    } else if RAW.contains(&tag.name.as_str()) {
                        self.raw = Some(tag.name.clone());
                    }
                    return Some(Token::Start(tag));
                }
                b'<' if second(0) == b'/' && bytes.get(2).is_some_and(u8::is_ascii_alphabetic) => {
                    return Some(Token::End(self.tag(2)?.name));
                }
                b'<' if matches!(second(0), b'!' | b'?' | b'/') => self.comment(),
                _ => {
                    let opens =
                        |at: &usize| second(*at).is_ascii_alphabetic() || matches!(second(*at), b'!' | b'?' | b'/');
                    let end = memchr::memchr_iter(b'<', bytes).filter(|at| *at > 0).find(opens);
                    return Some(Token::Text(self.take(end.unwrap_or(bytes.len()))));
                }
            }
        }
    }
}

/// The named characters that matter in addresses and styles.
const NAMED: &[(&str, char)] = &[
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", '\u{A0}'),
    ("Tab", '\t'),
    ("NewLine", '\n'),
    ("colon", ':'),
    ("sol", '/'),
    ("lpar", '('),
    ("rpar", ')'),
];

/// Text with its character references resolved; names that are not known stay.
fn resolved(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut pieces = text.split('&');
    out.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        match reference(piece) {
            Some((c, rest)) => {
                out.push(c);
                out.push_str(rest);
            }
            None => {
                out.push('&');
                out.push_str(piece);
            }
        }
    }
    Cow::Owned(out)
}

/// The character at the start of what follows an ampersand, and the rest.
fn reference(text: &str) -> Option<(char, &str)> {
    let Some(number) = text.strip_prefix('#') else {
        let end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len()).min(16);
        let (name, rest) = text.split_at_checked(end)?;
        let (_, c) = NAMED.iter().find(|(n, _)| *n == name)?;
        return rest.strip_prefix(';').map(|rest| (*c, rest));
    };
    let (digits, radix) = match number.strip_prefix(['x', 'X']) {
        Some(hex) => (hex, 16),
        None => (number, 10),
    };
    let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    let (value, rest) = digits.split_at_checked(end)?;
    let value = u32::from_str_radix(value.trim_start_matches('0'), radix).unwrap_or(0);
    let c = char::from_u32(value).filter(|c| *c != '\0' && end > 0)?;
    Some((c, rest.strip_prefix(';').unwrap_or(rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(html: &str) -> String {
        let one = |token: Token<'_>| match token {
            Token::Text(t) => t.to_owned(),
            Token::Raw(t) => format!("[{t}]"),
            Token::End(name) => format!("{{/{name}}}"),
            Token::Start(tag) => {
                let attributes: Vec<String> = tag.all().map(|(n, v)| format!(" {n}={v}")).collect();
                format!("{{{}{}}}", tag.name, attributes.concat())
            }
        };
        Tokens::new(html).map(one).collect()
    }

    #[test]
    fn tags_and_text() {
        for (html, shown) in [
            ("a < b <b>c</b>", "a < b {b}c{/b}"),
            ("<IMG SRC=x alt='a>b' Title=\"&quot;q&#x22;\"/>", "{img src=x alt=a>b title=\"q\"}"),
            ("<p a=1 A=2 b =  c d/e>", "{p a=1 b=c d= e=}"),
            ("<p =x>", "{p =x=}"),
            ("<p x=\"never closed>", ""),
            ("a<!-- <b> --!>b<!-->c<!--->d<!doctype x>e<?php >f</ x>g", "abcdefg"),
            ("a<!-- x -- > <b> --->b", "ab"),
            ("<script>if (a<b) '</b>' </SCRIPT >x", "{script}[if (a<b) '</b>' ]{/script}x"),
            ("<style></style><title>a</title>", "{style}{/style}{title}[a]{/title}"),
            ("<plaintext></plaintext><b>", "{plaintext}[</plaintext><b>]"),
            ("<a href=java&#115cript&colon;x>", "{a href=javascript:x}"),
            ("<a href='?a=1&copy=2&amp;b'>", "{a href=?a=1&copy=2&b}"),
            ("<", "<"),
            ("</", ""),
            ("<<b>", "<{b}"),
        ] {
            assert_eq!(show(html), shown, "{html}");
        }
    }

    #[test]
    fn references() {
        assert_eq!(resolved("&#0;&#1114112;&#99999999999;&#x41"), "&#0;&#1114112;&#99999999999;A");
        assert_eq!(resolved("&Tab;&#9;&#x000000009;&amp;lt;"), "\t\t\t&lt;");
    }
}
