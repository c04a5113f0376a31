//! One request and its answer over HTTP/1.1 (RFC 9112), for the few that OAuth 2 makes.

use crate::endpoint::net::{Security, Server, Stream, TlsOptions};
use crate::error::{Error, Kind, Result};
use oauth2::{HttpRequest, HttpResponse, http};
use std::fmt::Write as _;
use std::io::{self, BufRead, Read, Write};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// Longest header and longest body that an answer may have, bytes.
const HEADER: u64 = 64 << 10;
const BODY: u64 = 1 << 20;

/// How servers are reached.
#[derive(Debug, Clone)]
pub struct Http {
    /// Which certificates are taken.
    pub tls: TlsOptions,
    /// How long a server may be silent.
    pub timeout: Duration,
    /// Set by the user's wish to stop.
    pub stop: Arc<AtomicBool>,
}

impl Http {
    /// Sends a request and reads the answer, whatever its status says; redirections are not followed.
    ///
    /// # Errors
    /// [`Kind::Connection`] where the server cannot be reached or breaks off; [`Kind::Server`] where it cannot serve now
    /// or makes no sense.
    pub fn send(&self, request: &HttpRequest) -> Result<HttpResponse> {
        let uri = request.uri();
        let tls = uri.scheme_str() != Some("http");
        let server = Server {
            host: uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned(),
            port: uri.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            security: if tls { Security::Tls } else { Security::Plain },
            tls: self.tls.clone(),
            timeout: self.timeout,
            stop: Arc::clone(&self.stop),
        };
        let mut stream = Stream::connect(&server)?;
        let failed = |e: io::Error| match e.kind() {
            io::ErrorKind::InvalidData => Error::new(Kind::Server, format!("{server}: {e}")),
            _ => server.failed("asking for a token", &e),
        };
        stream.write_all(head(request).as_bytes()).and_then(|()| stream.write_all(request.body())).map_err(failed)?;
        stream.flush().map_err(failed)?;
        let answer = read(&mut Until { stream, end: Instant::now() + 2 * self.timeout }).map_err(failed)?;
        let status = answer.status();
        if status.is_server_error() || status == http::StatusCode::TOO_MANY_REQUESTS {
            return Err(Error::new(
                Kind::Server,
                format!("{server} cannot serve now: status {status}; try again later"),
            ));
        }
        Ok(answer)
    }
}

/// A stream that ends in time, even if its bytes come one by one.
struct Until<S> {
    stream: S,
    end: Instant,
}

impl<S> Until<S> {
    fn stream(&mut self) -> io::Result<&mut S> {
        if Instant::now() < self.end { Ok(&mut self.stream) } else { Err(io::ErrorKind::TimedOut.into()) }
    }
}

impl<S: Read> Read for Until<S> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.stream()?.read(out)
    }
}

impl<S: BufRead> BufRead for Until<S> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.stream()?.fill_buf()
    }

    fn consume(&mut self, n: usize) {
        self.stream.consume(n);
    }
}

fn head(request: &HttpRequest) -> String {
    let uri = request.uri();
    let target = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let mut head = format!("{} {target} HTTP/1.1\r\n", request.method());
    let host = uri.authority().map_or("", http::uri::Authority::as_str);
    let _ = write!(head, "Host: {host}\r\nConnection: close\r\nUser-Agent: pst/{}\r\n", env!("CARGO_PKG_VERSION"));
    for (name, value) in request.headers() {
        let _ = write!(head, "{name}: {}\r\n", value.to_str().unwrap_or_default());
    }
    let _ = write!(head, "Content-Length: {}\r\n\r\n", request.body().len());
    head
}

fn nonsense(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("its answer makes no sense as HTTP: {what}"))
}

fn read(reader: &mut impl BufRead) -> io::Result<HttpResponse> {
    let mut left = HEADER;
    let status = line(reader, &mut left)?;
    let code = status.strip_prefix("HTTP/1.").and_then(|s| s.get(2..5)).and_then(|c| c.parse::<u16>().ok());
    let mut response = http::Response::builder().status(code.ok_or_else(|| nonsense("no status"))?);
    let (mut length, mut chunked) = (None, false);
    loop {
        let field = line(reader, &mut left)?;
        if field.is_empty() {
            break;
        }
        let (name, value) = field.split_once(':').ok_or_else(|| nonsense("a field without a colon"))?;
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = Some(value.parse::<u64>().map_err(|_| nonsense("no length"))?),
            "transfer-encoding" => chunked = value.eq_ignore_ascii_case("chunked"),
            "content-type" => response = response.header(http::header::CONTENT_TYPE, value),
            _ => {}
        }
    }
    let body = match length {
        _ if chunked => chunks(reader)?,
        Some(length) => exactly(reader, length)?,
        None => up_to_end(reader)?,
    };
    response.body(body).map_err(|_| nonsense("its header"))
}

/// A line without its end.
fn line(reader: &mut impl BufRead, left: &mut u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    let n = reader.by_ref().take(*left).read_until(b'\n', &mut bytes)?;
    *left -= n as u64;
    match bytes.pop() {
        Some(b'\n') => Ok(String::from_utf8_lossy(bytes.trim_ascii_end()).into_owned()),
        _ if *left == 0 => Err(nonsense("a header without end")),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

fn exactly(reader: &mut impl Read, length: u64) -> io::Result<Vec<u8>> {
    if length > BODY {
        return Err(nonsense("too long"));
    }
    let mut body = Vec::new();
    if (reader.take(length).read_to_end(&mut body)? as u64) < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(body)
}

fn up_to_end(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    match reader.take(BODY + 1).read_to_end(&mut body) {
        // Many servers end without the word that TLS has for it; JSON shows whether anything is missing.
        Err(e) if e.kind() != io::ErrorKind::UnexpectedEof => Err(e),
        _ if body.len() as u64 > BODY => Err(nonsense("too long")),
        _ => Ok(body),
    }
}

fn chunks(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    let mut left = HEADER;
    loop {
        let size = line(reader, &mut left)?;
        let digits = size.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(digits, 16).map_err(|_| nonsense("a chunk without size"))?;
        if size == 0 {
            return Ok(body);
        }
        if body.len() as u64 + size.min(BODY) > BODY {
            return Err(nonsense("too long"));
        }
        body.append(&mut exactly(reader, size)?);
        line(reader, &mut left)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str) -> io::Result<String> {
        read(&mut text.as_bytes()).map(|r| String::from_utf8(r.into_body()).unwrap())
    }

    #[test]
    fn answers() {
        assert_eq!(body("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}rest").unwrap(), "{}");
        assert_eq!(body("HTTP/1.0 400 Bad\nContent-Type: a\n\n{}rest").unwrap(), "{}rest");
        let chunked = "HTTP/1.1 200\r\ntransfer-encoding: Chunked\r\n\r\n3;x=y\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\n";
        assert_eq!(body(chunked).unwrap(), "abc0123456789");
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
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{}",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n{}",
        ] {
            assert!(body(text).is_err(), "{text}");
        }
        let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(1 << 20));
        assert!(body(&endless).is_err());
        let late = Until { stream: "HTTP/1.1 200 OK\r\n\r\n".as_bytes(), end: Instant::now() };
        assert_eq!(read(&mut { late }).unwrap_err().kind(), io::ErrorKind::TimedOut);
        let long = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(2 << 20));
        assert!(body(&long).is_err());
    }
}
