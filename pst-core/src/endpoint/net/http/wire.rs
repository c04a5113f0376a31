//! The bytes of requests and answers ([RFC 9112]).

use crate::error::{Error, Kind, Result};
use crate::io::room;
use std::io::{self, BufRead, Read};
use std::time::{Duration, Instant};

/// Longest head of an answer, bytes.
const HEAD: usize = 64 << 10;
/// Fields of a head at most.
const FIELDS: usize = 128;
/// Answers that only say that another one follows, at most.
const INTERIM: usize = 16;

/// An answer.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: u16,
    fields: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// True if another request may follow on the same connection.
    pub(super) kept: bool,
}

impl Response {
    /// The first field of a name.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// All fields of a name.
    pub fn fields<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// How long the server wants to be left alone (Retry-After, [RFC 9110] 10.2.3).
    pub fn retry_after(&self) -> Option<Duration> {
        let value = self.field("retry-after")?;
        if let Ok(seconds) = value.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
        let wait = at.as_second().saturating_sub(jiff::Timestamp::now().as_second());
        Some(Duration::from_secs(u64::try_from(wait).unwrap_or_default()))
    }

    /// The last answer on its connection.
    pub(super) fn last(self) -> Self {
        Self { kept: false, ..self }
    }

    fn tokens(&self, name: &str) -> impl Iterator<Item = &str> {
        let all = self.fields.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name));
        all.flat_map(|(_, value)| value.split(',')).map(str::trim)
    }
}

/// A line of a head. Values with line ends would be further fields.
pub(super) fn field(head: &mut String, name: &str, value: &str) -> Result<()> {
    if value.chars().any(char::is_control) {
        let text = format!("what would be sent as {name} has control characters");
        return Err(Error::new(Kind::Usage, text));
    }
    head.extend([name, ": ", value, "\r\n"]);
    Ok(())
}

/// An answer without sense; its kind is not that of a broken connection.
fn nonsense(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("its answer makes no sense as HTTP: {what}"))
}

/// A stream that ends in time, even if its bytes come one by one.
pub(super) struct Until<'a, S> {
    pub stream: &'a mut S,
    pub end: Instant,
}

impl<S> Until<'_, S> {
    fn stream(&mut self) -> io::Result<&mut S> {
        if Instant::now() < self.end { Ok(self.stream) } else { Err(io::ErrorKind::TimedOut.into()) }
    }
}

impl<S: Read> Read for Until<'_, S> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.stream()?.read(out)
    }
}

impl<S: BufRead> BufRead for Until<'_, S> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.stream()?.fill_buf()
    }

    fn consume(&mut self, n: usize) {
        self.stream.consume(n);
    }
}

/// Reads an answer whose body has at most `most` bytes.
pub(super) fn read(reader: &mut impl BufRead, most: u64) -> io::Result<Response> {
    let mut response = head(reader)?;
    for _ in 0..INTERIM {
        if response.status >= 200 {
            break;
        }
        response = head(reader)?;
    }
    match response.status {
        200..=999 => {}
        _ => return Err(nonsense("no end of interim answers")),
    }
    if matches!(response.status, 204 | 304) {
        return Ok(response);
    }
    let mut lengths: Vec<&str> = response.tokens("content-length").collect();
    lengths.dedup();
    let length = match lengths.as_slice() {
        [] => None,
        [one] if one.bytes().all(|b| b.is_ascii_digit()) => {
            Some(one.parse::<u64>().map_err(|_| nonsense("no length"))?)
        }
        _ => return Err(nonsense("no length")),
    };
    let codings: Vec<&str> = response.tokens("transfer-encoding").collect();
    match codings.as_slice() {
        [] => {}
        [one] if one.eq_ignore_ascii_case("chunked") => {
            // Both together: a way to smuggle answers ([RFC 9112] 6.3).
            response.kept &= length.is_none();
            response.body = chunks(reader, most)?;
            return Ok(response);
        }
        _ => return Err(nonsense("a transfer encoding that was not asked for")),
    }
    match length {
        Some(length) => response.body = exactly(reader, length, most)?,
        None => {
            response.kept = false;
            response.body = up_to_end(reader, most)?;
        }
    }
    Ok(response)
}

fn head(reader: &mut impl BufRead) -> io::Result<Response> {
    let mut bytes = Vec::new();
    loop {
        let before = bytes.len();
        line(reader, &mut bytes, HEAD)?;
        let line = bytes.get(before..).unwrap_or_default();
        // Some put an empty line behind the body before.
        if line.trim_ascii().is_empty() && before > 0 {
            break;
        }
        if line.trim_ascii().is_empty() {
            bytes.clear();
        }
    }
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut parsed = httparse::Response::new(&mut fields);
    match parsed.parse(&bytes) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => return Err(nonsense("a head without end")),
        Err(e) => return Err(nonsense(&e.to_string())),
    }
    let text = |value: &[u8]| String::from_utf8_lossy(value).trim().to_owned();
    let mut response = Response {
        status: parsed.code.unwrap_or_default(),
        fields: parsed.headers.iter().map(|f| (f.name.to_owned(), text(f.value))).collect(),
        body: Vec::new(),
        kept: false,
    };
    let says = |word: &str| response.tokens("connection").any(|t| t.eq_ignore_ascii_case(word));
    response.kept = if parsed.version == Some(1) { !says("close") } else { says("keep-alive") };
    Ok(response)
}

/// Appends a line with its end; `most` bytes in all.
fn line(reader: &mut impl BufRead, bytes: &mut Vec<u8>, most: usize) -> io::Result<()> {
    let left = most.saturating_sub(bytes.len());
    reader.by_ref().take(left as u64).read_until(b'\n', bytes)?;
    match bytes.last() {
        Some(b'\n') => Ok(()),
        _ if bytes.len() >= most => Err(nonsense("a head without end")),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

fn exactly(reader: &mut impl Read, length: u64, most: u64) -> io::Result<Vec<u8>> {
    if length > most {
        return Err(nonsense("too long"));
    }
    let mut body = Vec::new();
    while (body.len() as u64) < length {
        let done = body.len() as u64;
        let n = room(&mut body, done, length - done);
        if (reader.by_ref().take(n).read_to_end(&mut body)? as u64) < n {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(body)
}

fn up_to_end(reader: &mut impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    match reader.take(most.saturating_add(1)).read_to_end(&mut body) {
        // Many servers end without the word that TLS has for it; XML and JSON show whether anything is missing.
        Err(e) if e.kind() != io::ErrorKind::UnexpectedEof => Err(e),
        _ if body.len() as u64 > most => Err(nonsense("too long")),
        _ => Ok(body),
    }
}

fn chunks(reader: &mut impl BufRead, most: u64) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    let mut head = Vec::new();
    loop {
        head.clear();
        line(reader, &mut head, 4096)?;
        let Ok(httparse::Status::Complete((_, size))) = httparse::parse_chunk_size(&head) else {
            return Err(nonsense("a chunk without size"));
        };
        if size == 0 {
            break;
        }
        if size > most.saturating_sub(body.len() as u64) {
            return Err(nonsense("too long"));
        }
        body.append(&mut exactly(reader, size, most)?);
        head.clear();
        line(reader, &mut head, 2)?;
        if !head.trim_ascii().is_empty() {
            return Err(nonsense("a chunk that is longer than it says"));
        }
    }
    // Fields behind the last chunk, which nobody needs.
    head.clear();
    loop {
        let before = head.len();
        line(reader, &mut head, HEAD)?;
        if head.get(before..).unwrap_or_default().trim_ascii().is_empty() {
            return Ok(body);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> io::Result<Response> {
        read(&mut text.as_bytes(), 1 << 20)
    }

    fn body(text: &str) -> io::Result<String> {
        answer(text).map(|r| String::from_utf8(r.body).unwrap())
    }

    #[test]
    fn answers() {
        assert_eq!(body("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}rest").unwrap(), "{}");
        assert_eq!(body("HTTP/1.0 400 Bad\nContent-Type: a\n\n{}rest").unwrap(), "{}rest");
        let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n3;x=y\r\nabc\r\n0A\r\n0123456789\r\n0\r\nT: x\r\n\r\n";
        assert_eq!(body(chunked).unwrap(), "abc0123456789");
        assert_eq!(body("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\nContent-Length: 9\r\n\r\n").unwrap(), "");
        let two = "\r\nHTTP/1.1 401 No\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nContent-Length: 0\r\n\r\n";
        let two = answer(two).unwrap();
        assert_eq!((two.status, two.fields("Set-Cookie").count(), two.kept), (401, 2, true));
    }

    #[test]
    fn whether_connections_last() {
        let kept = |text: &str| answer(text).unwrap().kept;
        assert!(kept("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
        assert!(kept("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n"));
        assert!(!kept("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"));
        assert!(!kept("HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 0\r\n\r\n"));
        assert!(!kept("HTTP/1.1 200 OK\r\n\r\nall of it"));
        assert!(!kept("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"));
    }

    #[test]
    fn how_long_to_wait() {
        let wait = |value: &str| {
            answer(&format!("HTTP/1.1 503 Busy\r\nRetry-After: {value}\r\nContent-Length: 0\r\n\r\n"))
                .unwrap()
                .retry_after()
        };
        assert_eq!(wait("17"), Some(Duration::from_secs(17)));
        assert_eq!(wait("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        assert!(wait("Wed, 21 Oct 2099 07:28:00 GMT").unwrap() > Duration::from_hours(24));
        assert_eq!(wait("soon"), None);
    }

    #[test]
    fn answers_of_no_use() {
        for text in [
            "",
            "SSH-2.0-x\r\n\r\n",
            "HTTP/1.1 \u{e9}\u{e9}\r\n\r\n",
            "HTTP/1.1 200 OK\r\n",
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{}",
            "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n{}   ",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{}",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n{}",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
        ] {
            assert!(body(text).is_err(), "{text}");
        }
        let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(1 << 20));
        assert!(body(&endless).is_err());
        assert!(body(&"HTTP/1.1 100 Continue\r\n\r\n".repeat(100)).is_err());
        let mut stream = "HTTP/1.1 200 OK\r\n\r\n".as_bytes();
        let mut late = Until { stream: &mut stream, end: Instant::now() };
        assert_eq!(read(&mut late, 9).unwrap_err().kind(), io::ErrorKind::TimedOut);
        let long = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(2 << 20));
        assert!(body(&long).is_err());
    }

    #[test]
    fn fields_hold_no_line_ends() {
        let mut head = String::new();
        assert!(field(&mut head, "X", "a\r\nY: b").is_err());
        field(&mut head, "X", "a").unwrap();
        assert_eq!(head, "X: a\r\n");
    }
}
