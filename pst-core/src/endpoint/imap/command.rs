//! What this client can say to a server: nothing that changes anything.
//!
//! Each command of a source is made here and nowhere else; those of a target are in `change.rs`. There is no SELECT, STORE,
//! APPEND, COPY, MOVE, EXPUNGE, CREATE, DELETE or RENAME, and bodies are asked for by BODY.PEEK only, so no message becomes
//! read.

use crate::endpoint::utf7;

/// A piece of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// Goes as it is.
    Text(String),
    /// Goes as a literal.
    Literal(Vec<u8>),
}

/// A command without its tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command(pub(super) Vec<Piece>);

/// What is asked of each message.
pub(super) const LISTING: &str = "UID FLAGS INTERNALDATE RFC822.SIZE";

impl Command {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self(vec![Piece::Text(text.into())])
    }

    pub(super) fn then(mut self, bytes: &[u8]) -> Self {
        self.0.push(quoted(bytes));
        self
    }

    pub(super) fn and(mut self, text: impl Into<String>) -> Self {
        self.0.push(Piece::Text(text.into()));
        self
    }

    /// True where the server need not agree to a literal first.
    pub(super) fn is_one_line(&self) -> bool {
        !self.0.iter().any(|p| matches!(p, Piece::Literal(_)))
    }

    /// CAPABILITY.
    pub fn capability() -> Self {
        Self::text("CAPABILITY")
    }

    /// STARTTLS.
    pub fn start_tls() -> Self {
        Self::text("STARTTLS")
    }

    /// LOGIN.
    pub fn login(user: &str, password: &str) -> Self {
        Self::text("LOGIN ").then(user.as_bytes()).and(" ").then(password.as_bytes())
    }

    /// AUTHENTICATE, with what is said first where the server takes that (RFC 4959).
    pub fn authenticate(mechanism: &str, initial: Option<&[u8]>) -> Self {
        let initial = initial.map(|bytes| match bytes {
            [] => " =".to_owned(),
            _ => format!(" {}", base64_simd::STANDARD.encode_to_string(bytes)),
        });
        Self::text(format!("AUTHENTICATE {mechanism}{}", initial.unwrap_or_default()))
    }

    /// ID (RFC 2971): who asks.
    pub fn id() -> Self {
        Self::text(format!("ID (\"name\" \"pst\" \"version\" \"{}\")", env!("CARGO_PKG_VERSION")))
    }

    /// ENABLE (RFC 5161).
    pub fn enable(extensions: &str) -> Self {
        Self::text(format!("ENABLE {extensions}"))
    }

    /// COMPRESS (RFC 4978).
    pub fn compress() -> Self {
        Self::text("COMPRESS DEFLATE")
    }

    /// NAMESPACE (RFC 2342).
    pub fn namespace() -> Self {
        Self::text("NAMESPACE")
    }

    /// LIST or XLIST of everything below a prefix, with further words behind.
    pub fn list(word: ListWord, prefix: &[u8], options: &str) -> Self {
        Self::text(format!("{} ", word.name())).then(prefix).and(format!(" \"*\"{options}"))
    }

    /// LIST of nothing: what names are divided by.
    pub fn separator() -> Self {
        Self::text("LIST \"\" \"\"")
    }

    /// UID FETCH of the fields that tell a message from others, and its size.
    pub fn probes(set: &str) -> Self {
        Self::text(format!("UID FETCH {set} (UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID DATE FROM SUBJECT)])"))
    }

    /// UID FETCH of whole messages with all that stands beside them.
    pub fn whole(set: &str) -> Self {
        Self::text(format!("UID FETCH {set} ({LISTING} BODY.PEEK[])"))
    }

    /// STATUS.
    pub fn status(name: &[u8], items: &str) -> Self {
        Self::text("STATUS ").then(name).and(format!(" ({items})"))
    }

    /// EXAMINE: opens a folder for reading only.
    pub fn examine(name: &[u8], condstore: bool) -> Self {
        Self::text("EXAMINE ").then(name).and(if condstore { " (CONDSTORE)" } else { "" })
    }

    /// UID SEARCH by ASCII criteria.
    pub fn search(criteria: &str) -> Self {
        Self::text(format!("UID SEARCH {criteria}"))
    }

    /// UID FETCH of what a listing has; `more` are further items, `modifier` stands behind.
    pub fn listing(set: &str, more: &str, modifier: &str) -> Self {
        Self::text(format!("UID FETCH {set} ({LISTING}{more}){modifier}"))
    }

    /// UID FETCH of the flags of one message: is it there?
    pub fn flags(uid: u32) -> Self {
        Self::text(format!("UID FETCH {uid} (UID FLAGS)"))
    }

    /// UID FETCH of messages, whole, or of a part of them.
    pub fn fetch(uids: &[u32], section: &Section) -> Self {
        Self::text(format!("UID FETCH {} (UID {})", set(uids), section.item()))
    }

    /// LOGOUT.
    pub fn logout() -> Self {
        Self::text("LOGOUT")
    }
}

/// LIST, LSUB (subscribed folders) or XLIST (an older LIST of Gmail that tells what folders are for).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum ListWord {
    List,
    Lsub,
    Xlist,
}

impl ListWord {
    fn name(self) -> &'static str {
        match self {
            Self::List => "LIST",
            Self::Lsub => "LSUB",
            Self::Xlist => "XLIST",
        }
    }
}

/// A part of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// All of it.
    Whole,
    /// Bytes of it: offset and number.
    Bytes(u64, u64),
    /// The header with the empty line behind it.
    Header,
    /// What follows the header.
    Text,
    /// All of it, as the first version of the protocol asked for it (RFC 1730).
    Old,
}

impl Section {
    fn item(self) -> String {
        match self {
            Self::Whole => "BODY.PEEK[]".to_owned(),
            Self::Bytes(at, len) => format!("BODY.PEEK[]<{at}.{len}>"),
            Self::Header => "BODY.PEEK[HEADER]".to_owned(),
            Self::Text => "BODY.PEEK[TEXT]".to_owned(),
            Self::Old => "RFC822.PEEK".to_owned(),
        }
    }

    /// True for an item of this name in a response.
    pub fn is(self, name: &str) -> bool {
        match self {
            Self::Whole | Self::Old => matches!(name, "BODY[]" | "BINARY[]" | "RFC822" | "RFC822.PEEK" | "BODY.PEEK[]"),
            // Some servers leave the offset out, or answer with all where a part was asked for.
            Self::Bytes(at, _) => {
                name == format!("BODY[]<{at}>") || (at == 0 && (name == "BODY[]" || name.starts_with("BODY[]<0.")))
            }
            Self::Header => matches!(name, "BODY[HEADER]" | "RFC822.HEADER"),
            Self::Text => matches!(name, "BODY[TEXT]" | "RFC822.TEXT"),
        }
    }
}

/// A string in quotes, or a literal where quotes will not do.
pub(super) fn quoted(bytes: &[u8]) -> Piece {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.bytes().all(|b| (0x20..0x7F).contains(&b)) => {
            Piece::Text(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
        }
        _ => Piece::Literal(bytes.to_vec()),
    }
}

/// UIDs in ascending order as a set: "1:4,7".
pub fn set(uids: &[u32]) -> String {
    let mut out = String::new();
    let mut rest = uids.iter().copied().peekable();
    while let Some(first) = rest.next() {
        let mut last = first;
        while let Some(next) = rest.next_if(|n| Some(*n) == last.checked_add(1)) {
            last = next;
        }
        if !out.is_empty() {
            out.push(',');
        }
        out.push_str(&first.to_string());
        if last > first {
            out.push(':');
            out.push_str(&last.to_string());
        }
    }
    out
}

/// The name of a folder as people read it.
pub fn decoded(name: &[u8], utf8: bool) -> String {
    let text = match std::str::from_utf8(name) {
        Ok(text) => text.to_owned(),
        Err(_) => crate::mapi::codepage::decode(1252, name),
    };
    // Raw UTF-8 may stand where modified UTF-7 should; "&" is then just that.
    if utf8 { text } else { utf7::decode(&text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets() {
        assert_eq!(set(&[1, 2, 3, 5, 7, 8, u32::MAX]), "1:3,5,7:8,4294967295");
        assert_eq!(set(&[]), "");
    }

    #[test]
    fn strings() {
        assert_eq!(quoted(b"a \"b\" \\c"), Piece::Text("\"a \\\"b\\\" \\\\c\"".to_owned()));
        assert_eq!(quoted(b"a\r\nb"), Piece::Literal(b"a\r\nb".to_vec()));
        assert_eq!(quoted("ü".as_bytes()), Piece::Literal("ü".as_bytes().to_vec()));
        assert_eq!(decoded(b"Entw&APw-rfe", false), "Entwürfe");
        assert_eq!(decoded("Entwürfe & mehr".as_bytes(), false), "Entwürfe & mehr");
        assert_eq!(decoded(b"caf\xE9", false), "café");
    }
}
