//! The port of this machine that the browser comes back to (RFC 8252, 7.3).

use crate::endpoint::net::{Secret, tame};
use crate::error::{Error, Kind, Result};
use oauth2::CsrfToken;
use oauth2::url::Url;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long the port waits between looks.
const LOOK: Duration = Duration::from_millis(50);

/// How long a connection may say nothing: browsers open some that they do not use.
const SILENCE: Duration = Duration::from_secs(2);

/// Longest request, bytes.
const REQUEST: u64 = 64 << 10;

/// An open port at 127.0.0.1.
pub(super) struct Loopback {
    listener: TcpListener,
    port: u16,
}

impl Loopback {
    /// Opens any free port.
    pub(super) fn open() -> Result<Self> {
        let failed = |e| Error::system("cannot open a port for the browser to come back to", e);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        Ok(Self { listener, port })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Waits for the browser, and takes the code that it brings. Errors go on from the provider's name.
    pub(super) fn wait(&self, state: &CsrfToken, stop: &AtomicBool, patience: Duration) -> Result<Secret> {
        let end = Instant::now() + patience;
        while Instant::now() < end {
            if stop.load(Ordering::Relaxed) {
                return Err(Error::new(Kind::Interrupted, "was left: stopped by the user"));
            }
            let Ok((stream, _)) = self.listener.accept() else {
                std::thread::sleep(LOOK);
                continue;
            };
            let Ok(Some(query)) = asked(&stream) else { continue };
            // A page of another sign-in, or of somebody who wants to end this one.
            let Some(judged) = judge(&query, state) else {
                let _ = write(&stream, "400 Bad Request", "This page belongs to another sign-in.");
                continue;
            };
            let _ = answer(&stream, &judged);
            return judged;
        }
        Err(Error::new(Kind::Denied, "was not heard of: nobody has signed in"))
    }
}

/// The names and values that came back with the browser; other pages that it may ask for are not there.
fn asked(stream: &TcpStream) -> io::Result<Option<Vec<(String, String)>>> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(SILENCE))?;
    stream.set_write_timeout(Some(SILENCE))?;
    let mut reader = BufReader::new(stream.take(REQUEST));
    let mut first = String::new();
    reader.read_line(&mut first)?;
    // A connection that is closed with unread bytes may lose the answer.
    let mut field = String::new();
    while reader.read_line(&mut field)? > 2 {
        field.clear();
    }
    let target = first.strip_prefix("GET ").and_then(|t| t.split(' ').next()).unwrap_or_default();
    let query = Url::parse("http://localhost").and_then(|base| base.join(target)).ok().filter(|u| u.path() == "/");
    let query: Vec<_> = query.iter().flat_map(|u| u.query_pairs().into_owned()).collect();
    if !query.iter().any(|(name, _)| name == "code" || name == "error") {
        write(stream, "404 Not Found", "There is no such page.")?;
        return Ok(None);
    }
    Ok(Some(query))
}

/// The code, or why there is none; `None` for what does not bear the state of this sign-in.
fn judge(query: &[(String, String)], state: &CsrfToken) -> Option<Result<Secret>> {
    let value = |name: &str| query.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    value("state").filter(|v| v == state.secret())?;
    if let Some(error) = value("error") {
        let more = value("error_description").map(|d| format!(": {d}")).unwrap_or_default();
        let text = format!("has refused: {}", tame(format!("{error}{more}").as_bytes()));
        return Some(Err(Error::new(Kind::Denied, text)));
    }
    Some(Ok(Secret::new(value("code").unwrap_or_default())))
}

fn answer(stream: &TcpStream, judged: &Result<Secret>) -> io::Result<()> {
    match judged {
        Ok(_) => write(stream, "200 OK", "The browser has done its part; this page can be closed."),
        Err(_) => write(stream, "400 Bad Request", "The sign-in has failed; pst says why."),
    }
}

fn write(mut stream: &TcpStream, status: &str, text: &str) -> io::Result<()> {
    let body = format!("<!DOCTYPE html><title>pst</title><p>{text}</p>\n");
    let head = "Content-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n\
                Connection: close";
    write!(stream, "HTTP/1.1 {status}\r\n{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}
