//! Addresses of mailboxes: `imaps://user@host:993/folder`, `pop3s://user@host` ([RFC 3986], [RFC 5092], [RFC 2384]).

use super::Security;
use crate::error::{Error, Kind, Result};
use std::fmt;
use std::net::Ipv6Addr;

/// The protocol of an address, and how its connections are protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// IMAP with STARTTLS, port 143.
    Imap,
    /// IMAP in TLS, port 993.
    Imaps,
    /// POP3 with STLS, port 110.
    Pop3,
    /// POP3 in TLS, port 995.
    Pop3s,
    /// Exchange Web Services, HTTPS, port 443.
    Ews,
    /// Microsoft Graph, HTTPS, port 443.
    Graph,
}

/// The host of Microsoft Graph, which addresses need not name.
pub const GRAPH: &str = "graph.microsoft.com";

impl Scheme {
    /// The port where the server listens unless the address says another.
    pub fn port(self) -> u16 {
        match self {
            Self::Imap => 143,
            Self::Imaps => 993,
            Self::Pop3 => 110,
            Self::Pop3s => 995,
            Self::Ews | Self::Graph => 443,
        }
    }

    /// How connections are protected, unless the user gives that up.
    pub fn security(self) -> Security {
        match self {
            Self::Imap | Self::Pop3 => Security::StartTls,
            Self::Imaps | Self::Pop3s | Self::Ews | Self::Graph => Security::Tls,
        }
    }

    /// True for IMAP.
    pub fn is_imap(self) -> bool {
        matches!(self, Self::Imap | Self::Imaps)
    }

    /// True for POP3.
    pub fn is_pop(self) -> bool {
        matches!(self, Self::Pop3 | Self::Pop3s)
    }

    /// The name as it stands before "://".
    pub fn name(self) -> &'static str {
        match self {
            Self::Imap => "imap",
            Self::Imaps => "imaps",
            Self::Pop3 => "pop3",
            Self::Pop3s => "pop3s",
            Self::Ews => "ews",
            Self::Graph => "graph",
        }
    }

    fn of(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "imap" => Self::Imap,
            "imaps" => Self::Imaps,
            "pop3" | "pop" => Self::Pop3,
            "pop3s" | "pops" => Self::Pop3s,
            "ews" => Self::Ews,
            "graph" => Self::Graph,
            _ => return None,
        })
    }
}

/// Where a mailbox is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The protocol.
    pub scheme: Scheme,
    /// Who signs in.
    pub user: Option<String>,
    /// Name or IP address, an IPv6 address without brackets.
    pub host: String,
    /// The port, where one is given.
    pub port: Option<u16>,
    /// What follows the host: on IMAP the folder that alone is meant, on EWS the path of the service, on Graph the folder
    /// that takes all in.
    pub path: Option<String>,
}

impl Address {
    /// Takes an address apart; `None` where it is none of IMAP, POP3, EWS or Graph. One of Graph names a mailbox
    /// (graph://anna@example.org), and another service than [`GRAPH`] only behind a whole mailbox
    /// (graph://anna@example.org@graph.microsoft.us).
    ///
    /// # Errors
    /// When it holds a password, names no host, or is broken.
    pub fn parse(spec: &str) -> Result<Option<Self>> {
        let Some((scheme, rest)) = spec.split_once("://") else { return Ok(None) };
        let Some(scheme) = Scheme::of(scheme) else { return Ok(None) };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        // The last @ counts: names of users are often mail addresses.
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority),
        };
        let user = user.filter(|u| !u.is_empty()).map(|u| user_of(u, scheme)).transpose()?;
        let (host, port) = place_of(place)?;
        let path = decode(path.trim_end_matches('/'))?;
        if scheme.is_pop() && !path.is_empty() {
            return Err(usage("an address of POP3 has nothing behind the host: POP3 knows one folder only, the Inbox"));
        }
        let address = Self { scheme, user, host, port, path: Some(path).filter(|p| !p.is_empty()) };
        if scheme == Scheme::Graph { address.of_graph().map(Some) } else { Ok(Some(address)) }
    }

    /// The address of a mailbox over Graph, whose domain stands where others have their server.
    fn of_graph(self) -> Result<Self> {
        if self.user.as_ref().is_some_and(|user| user.contains('@')) {
            return Ok(self);
        }
        if self.port.is_some() {
            return Err(usage("what follows the @ in an address of Graph is a domain, which has no port"));
        }
        let user = self.user.map(|user| format!("{user}@{}", self.host));
        let is_service = user.is_none() && self.host.to_ascii_lowercase().contains("graph.");
        let host = if is_service { self.host } else { GRAPH.to_owned() };
        Ok(Self { user, host, ..self })
    }

    /// The mailbox over Graph of an address of another kind, where that names one as a whole.
    pub fn by_graph(self) -> Option<Self> {
        let user = self.user.filter(|user| user.contains('@'))?;
        Some(Self { scheme: Scheme::Graph, user: Some(user), host: GRAPH.to_owned(), port: None, path: None })
    }

    /// The port of the server.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(self.scheme.port())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme.name())?;
        if let Some(user) = &self.user {
            write!(f, "{}", encode(user, b"@"))?;
        }
        // A mailbox over Graph has its domain already.
        if self.scheme != Scheme::Graph || self.user.is_none() || self.host != GRAPH || self.port.is_some() {
            let at = if self.user.is_some() { "@" } else { "" };
            write!(f, "{at}{}", bracketed(&self.host))?;
        }
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        self.path.as_ref().map_or(Ok(()), |p| write!(f, "/{}", encode(p, b"/@")))
    }
}

/// A host as it stands before a port: an IPv6 address in brackets.
pub(super) fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

fn usage(text: impl Into<String>) -> Error {
    Error::new(Kind::Usage, text)
}

/// The user of an address.
fn user_of(user: &str, scheme: Scheme) -> Result<String> {
    if user.contains(':') {
        let scheme = scheme.name();
        return Err(usage(format!(
            "the address {scheme}://… holds a password, where other programs can see it; passwords come from a \
             prompt, --password-file, an environment variable, the keyring or a netrc file (a colon in the name of a user is \
             written %3A)"
        )));
    }
    if user.to_ascii_uppercase().contains(";AUTH=") {
        return Err(usage(
            "an address does not choose how to sign in; leave out \";AUTH=\" (a semicolon in the name of a user \
                          is written %3B)",
        ));
    }
    decode(user)
}

/// Host and port. Errors repeat nothing: with a slash in a password, part of it stands here.
fn place_of(place: &str) -> Result<(String, Option<u16>)> {
    let (host, port) = if let Some(rest) = place.strip_prefix('[') {
        let (host, port) =
            rest.split_once(']').ok_or_else(|| usage("in the address, the bracket of the server is not closed"))?;
        host.parse::<Ipv6Addr>().map_err(|_| usage("what stands in brackets in the address is no IPv6 address"))?;
        (host.to_owned(), port.strip_prefix(':').or_else(|| port.is_empty().then_some("")).ok_or_else(bad_host)?)
    } else {
        let (host, port) = place.split_once(':').unwrap_or((place, ""));
        if port.contains(':') {
            return Err(usage("an IPv6 address stands in brackets, as in imaps://[2001:db8::1]/"));
        }
        (decode(host)?, port)
    };
    if host.is_empty() {
        return Err(usage("the address names no server, as in imaps://user@mail.example.com/"));
    }
    if !host.is_ascii() {
        return Err(usage("in an address, the name of the server is given in its ASCII form (xn--…)"));
    }
    if host.bytes().any(|b| !(b.is_ascii_alphanumeric() || b"-._:".contains(&b))) {
        return Err(bad_host());
    }
    let port = Some(port).filter(|p| !p.is_empty());
    let number = |p: &str| {
        p.parse()
            .ok()
            .filter(|n| *n != 0 && !p.starts_with('+'))
            .ok_or_else(|| usage("what follows the colon behind the server in the address is no port (1 to 65535)"))
    };
    Ok((host, port.map(number).transpose()?))
}

fn bad_host() -> Error {
    usage("what stands in the address in place of the server is no name of one")
}

/// Undoes percent-encoding.
fn decode(text: &str) -> Result<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            out.push(*first);
            continue;
        }
        let digits = after.get(..2).and_then(|d| std::str::from_utf8(d).ok());
        let byte = digits.filter(|d| !d.starts_with('+')).and_then(|d| u8::from_str_radix(d, 16).ok());
        out.push(byte.ok_or_else(|| usage("in an address, a percent sign is written %25"))?);
        rest = after.get(2..).unwrap_or_default();
    }
    let text = String::from_utf8(out).map_err(|_| usage("what is percent-encoded in an address must be UTF-8"))?;
    if text.contains(['\r', '\n', '\0']) {
        return Err(usage("an address holds no line ends"));
    }
    Ok(text)
}

/// Percent-encodes what is not plain; `also` stays as it is.
fn encode(text: &str, also: &[u8]) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~+=!$&'()*,".contains(&b) || also.contains(&b);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(spec: &str) -> Address {
        Address::parse(spec).unwrap().unwrap()
    }

    fn refused(spec: &str) -> String {
        Address::parse(spec).unwrap_err().to_string()
    }

    #[test]
    fn parts_of_addresses() {
        let whole = parsed("imaps://user%40dom@host:1993/INBOX/Sub%20folder/");
        assert_eq!(whole.user.as_deref(), Some("user@dom"));
        assert_eq!((whole.host.as_str(), whole.port()), ("host", 1993));
        assert_eq!(whole.path.as_deref(), Some("INBOX/Sub folder"));
        assert_eq!(parsed("imaps://user@dom@host/").user.as_deref(), Some("user@dom"));
        assert_eq!(parsed("IMAPS://host").path, None);
        assert_eq!(parsed("pop3://a@[::1]:110").host, "::1");
        assert_eq!(parsed("imaps://host/Entw%C3%BCrfe").path.as_deref(), Some("Entwürfe"));
        let ports = ["imap://h", "imaps://h", "pop3://h", "pop3s://h"].map(|a| parsed(a).port());
        assert_eq!(ports, [143, 993, 110, 995]);
        for spec in ["imaps://user@dom@host:1993/INBOX/Sub%20folder", "pop3s://a%3Ab@[::1]:4", "imap://h"] {
            assert_eq!(parsed(spec).to_string(), spec);
        }
    }

    #[test]
    fn mailboxes_over_graph() {
        for (spec, user, host, path, shown) in [
            ("graph://anna@example.org", Some("anna@example.org"), GRAPH, None, "graph://anna@example.org"),
            ("graph://anna%40a.b@graph.microsoft.us/x", Some("anna@a.b"), "graph.microsoft.us", Some("x"), ""),
            (
                "graph://anna@a.b@localhost:44/Old/",
                Some("anna@a.b"),
                "localhost",
                Some("Old"),
                "graph://anna@a.b@localhost:44/Old",
            ),
            ("graph://example.org", None, GRAPH, None, "graph://graph.microsoft.com"),
            ("graph://dod-graph.microsoft.us", None, "dod-graph.microsoft.us", None, "graph://dod-graph.microsoft.us"),
        ] {
            let found = parsed(spec);
            let parts = (found.user.as_deref(), found.host.as_str(), found.path.as_deref());
            assert_eq!(parts, (user, host, path), "{spec}");
            assert!(shown.is_empty() || found.to_string() == shown, "{found}");
            assert_eq!(parsed(&found.to_string()), found);
        }
        assert!(refused("graph://anna@example.org:443").contains("no port"));
        let ews = parsed("ews://anna@example.org@outlook.office365.com/EWS/Exchange.asmx");
        assert_eq!(ews.by_graph(), Some(parsed("graph://anna@example.org")));
        assert_eq!(parsed("ews://anna@outlook.office365.com").by_graph(), None);
    }

    #[test]
    fn other_things_are_no_addresses() {
        for spec in ["mail.mbox", "mbox:mail", "C:\\mail.pst", "https://host/", "imap:x"] {
            assert!(Address::parse(spec).unwrap().is_none(), "{spec}");
        }
    }

    #[test]
    fn broken_addresses_are_refused() {
        let password = refused("imaps://user:pa55@host/");
        assert!(password.contains("--password-file") && !password.contains("pa55"), "{password}");
        // A slash ends the server; what stands before it is part of the password.
        for spec in ["joe:qx/cret@host", "joe:qx:5/x@h", "[qx/x@h", "[qx]/x@h", "joe:1@qx!/x@h", "j:qxä/@h"] {
            let said = refused(&format!("imaps://{spec}"));
            assert!(!said.contains("qx") && !said.contains("joe"), "{said}");
        }
        for spec in [
            "imaps://",
            "imaps://u@/x",
            "imaps://h:0",
            "imaps://h:65536",
            "imaps://h:+1",
            "imaps://::1/",
            "imaps://[::1",
            "imaps://[::1]x",
            "imaps://[fe80::1%25eth0]/",
            "imaps://h?x/",
            "imaps://u;AUTH=PLAIN@h",
            "imaps://u%0d%0a@h",
            "imaps://u%ff@h",
            "imaps://u%zz@h",
            "imaps://ü@bücher",
            "pop3://h/INBOX",
            "imaps://h%0aosts/",
        ] {
            assert!(Address::parse(spec).is_err(), "{spec}");
        }
    }
}
