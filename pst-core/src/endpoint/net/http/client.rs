//! One connection to one server, and the requests on it.

use super::cookies::Cookies;
use super::signin::{self, Way};
use super::wire::{self, Response, Until};
use super::{Body, ntlm};
use crate::endpoint::net::secret::scrub;
use crate::endpoint::net::{Login, Secret, Security, Server, Stream, address, tame};
use crate::error::{Error, Kind, Result};
use std::io::{self, Write};
use std::time::{Duration, Instant};

/// Bytes of a request that are put together before they go out.
const BUFFER: usize = 64 * 1024;
/// A connection that was idle for longer is made anew: the server may be about to close it, and who sends then cannot know
/// what became of the request.
const IDLE: Duration = Duration::from_secs(30);
/// How many times the silence that is allowed a whole answer may take.
const WHOLE: u32 = 10;

/// A request.
pub struct Request<'a> {
    /// "GET", "POST" ...
    pub method: &'a str,
    /// Path and query.
    pub target: &'a str,
    /// Further fields.
    pub fields: Vec<(&'a str, String)>,
    /// The body; a request without one has none.
    pub body: Body<'a>,
    /// The longest answer that is taken, bytes.
    pub longest: u64,
    /// Words that must not stand in an error; the target is one where it has a secret.
    pub hidden: Vec<String>,
}

/// A server that is spoken to over one connection at a time.
pub struct Client {
    server: Server,
    login: Option<Login>,
    way: Option<Way>,
    link: Option<Link>,
    cookies: Cookies,
}

struct Link {
    stream: Stream,
    used: Instant,
    /// NTLM has signed in this connection.
    signed: bool,
}

impl Client {
    /// A server that is connected to with the first request.
    pub fn new(server: Server, login: Option<Login>) -> Self {
        Self { server, login, way: None, link: None, cookies: Cookies::default() }
    }

    /// The server.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Gives the connection up; the next request makes a new one.
    pub fn hang_up(&mut self) {
        self.link = None;
    }

    /// Sends a request and reads the answer, whatever its status says. It is sent once, but for a sign-in that has to be
    /// renewed; so of an error nobody knows whether the server has done what it was asked.
    ///
    /// # Errors
    /// [`Kind::Connection`] when the server cannot be reached or the connection breaks, [`Kind::Denied`] when it refuses
    /// the sign-in, [`Kind::Server`] when its answer makes no sense; those of the body where it cannot be made.
    pub fn send(&mut self, request: &Request<'_>) -> Result<Response> {
        let Some(login) = self.login.clone() else { return self.exchange(request, None) };
        signin::only_encrypted(&self.server, self.server.security == Security::Tls)?;
        match &login {
            Login::Token { source, .. } => {
                let bearer = |secret: Secret| Secret::new(format!("Bearer {}", secret.expose()));
                let answer = self.exchange(request, Some(&bearer(source.token(false)?)))?;
                if answer.status != 401 {
                    return Ok(answer);
                }
                let answer = self.exchange(request, Some(&bearer(source.token(true)?)))?;
                self.admitted(&login, answer)
            }
            Login::Password { user, password } => match self.way(request)? {
                Way::Open => self.exchange(request, None),
                Way::Basic => {
                    let answer = self.exchange(request, Some(&signin::basic(user, password)))?;
                    self.admitted(&login, answer)
                }
                way @ (Way::Ntlm | Way::Negotiate) => {
                    if self.ready()?.signed {
                        let answer = self.exchange(request, None)?;
                        if answer.status != 401 {
                            return Ok(answer);
                        }
                    }
                    let proof = self.proof(request, way, user, password)?;
                    let answer = self.exchange(request, Some(&proof))?;
                    if let Some(link) = &mut self.link {
                        link.signed = answer.status != 401;
                    }
                    self.admitted(&login, answer)
                }
            },
        }
    }

    fn admitted(&self, login: &Login, answer: Response) -> Result<Response> {
        if answer.status == 401 { Err(signin::refused(&self.server, login, &answer)) } else { Ok(answer) }
    }

    /// How the server wants a password; it is asked by a request without body.
    fn way(&mut self, request: &Request<'_>) -> Result<Way> {
        if let Some(way) = self.way {
            return Ok(way);
        }
        let answer = self.exchange(&bare(request), None)?;
        let way = Way::of(&answer).ok_or_else(|| {
            let text = "the server does not let anybody sign in by a password (Basic or NTLM)";
            Error::new(Kind::Denied, format!("{}: {text}", self.server))
        })?;
        self.way = Some(way);
        Ok(way)
    }

    /// The proof of NTLM for this connection.
    fn proof(&mut self, request: &Request<'_>, way: Way, user: &str, password: &Secret) -> Result<Secret> {
        let first = Secret::new(format!("{} {}", way.name(), ntlm::negotiate()?));
        let answer = self.exchange(&bare(request), Some(&first))?;
        let failed = |text: &str| Error::new(Kind::Denied, format!("{}: {text}", self.server));
        let challenge = signin::challenge(&answer, way).ok_or_else(|| failed("the server does not go on with NTLM"))?;
        let link = self.link.as_ref().ok_or_else(|| failed("the server ends the connection in the middle of NTLM"))?;
        let proof = ntlm::authenticate(challenge, user, password, link.stream.certificate())?;
        Ok(Secret::new(format!("{} {proof}", way.name())))
    }

    /// A connection that can be used.
    fn ready(&mut self) -> Result<&mut Link> {
        if self.link.as_ref().is_some_and(|link| link.used.elapsed() > IDLE) {
            self.link = None;
        }
        let link = match self.link.take() {
            Some(link) => link,
            None => Link { stream: Stream::connect(&self.server)?, used: Instant::now(), signed: false },
        };
        Ok(self.link.insert(link))
    }

    /// A request and its answer on the connection, which is given up unless both are whole.
    fn exchange(&mut self, request: &Request<'_>, authorization: Option<&Secret>) -> Result<Response> {
        let head = self.head(request, authorization)?;
        self.ready()?;
        let Some(mut link) = self.link.take() else {
            return Err(Error::new(Kind::Connection, format!("{}: no connection", self.server)));
        };
        let answer = self.on(&mut link.stream, &head, request).map_err(|e| scrubbed(&e, request))?;
        answer.fields("set-cookie").for_each(|field| self.cookies.take(field));
        if answer.kept {
            link.used = Instant::now();
            self.link = Some(link);
        }
        Ok(answer)
    }

    fn head(&self, request: &Request<'_>, authorization: Option<&Secret>) -> Result<String> {
        let target = request.target;
        if target.bytes().any(|b| !b.is_ascii_graphic()) {
            return Err(Error::new(Kind::Usage, "what a server would be asked for is no address"));
        }
        let mut head = format!("{} {target} HTTP/1.1\r\n", request.method);
        let usual = if self.server.security == Security::Tls { 443 } else { 80 };
        let host = match self.server.port {
            port if port == usual => address::bracketed(&self.server.host),
            _ => self.server.to_string(),
        };
        wire::field(&mut head, "Host", &host)?;
        wire::field(&mut head, "User-Agent", concat!("pst/", env!("CARGO_PKG_VERSION")))?;
        if let Some(value) = authorization {
            wire::field(&mut head, "Authorization", value.expose())?;
        }
        if let Some(cookies) = self.cookies.field() {
            wire::field(&mut head, "Cookie", &cookies)?;
        }
        for (name, value) in &request.fields {
            wire::field(&mut head, name, value)?;
        }
        let length = request.body.length();
        if request.method != "GET" || length > 0 {
            wire::field(&mut head, "Content-Length", &length.to_string())?;
        }
        head.push_str("\r\n");
        Ok(head)
    }

    fn on(&self, stream: &mut Stream, head: &str, request: &Request<'_>) -> Result<Response> {
        let failed = |what: &str, e: &io::Error| match e.kind() {
            io::ErrorKind::InvalidData => Error::new(Kind::Server, format!("{}: {e}", self.server)),
            _ => self.server.failed(what, e),
        };
        let (sent, broken) = {
            let mut out = Outgoing { stream: &mut *stream, held: Vec::with_capacity(BUFFER), sent: 0, failed: None };
            (out.all(head, &request.body), out.failed)
        };
        let end = Instant::now() + self.server.timeout.saturating_mul(WHOLE);
        match (sent, broken) {
            (Ok(()), _) => wire::read(&mut Until { stream, end }, request.longest)
                .map_err(|e| failed("waiting for the answer", &e)),
            // A server that does not want to hear more says so and ends the connection.
            (Err(_), Some(e)) if e.kind() != io::ErrorKind::TimedOut && !self.server.stopped() => {
                match wire::read(&mut Until { stream, end }, request.longest) {
                    Ok(answer) if answer.status >= 400 => Ok(answer.last()),
                    _ => Err(failed("sending", &e)),
                }
            }
            (Err(_), Some(e)) => Err(failed("sending", &e)),
            (Err(e), None) => Err(e),
        }
    }
}

/// An error without secrets that the server has repeated.
fn scrubbed(e: &Error, request: &Request<'_>) -> Error {
    e.retold(e.kind(), tame(scrub(&request.hidden, e.text()).as_bytes()))
}

/// The same request without its body.
fn bare<'a>(request: &Request<'a>) -> Request<'a> {
    Request {
        method: request.method,
        target: request.target,
        fields: request.fields.clone(),
        body: Body::default(),
        longest: 1 << 20,
        hidden: request.hidden.clone(),
    }
}

/// Counts what goes out, and keeps the error that ended it: what makes the body tells of it in words of its own.
struct Outgoing<W: Write> {
    stream: W,
    held: Vec<u8>,
    sent: u64,
    failed: Option<io::Error>,
}

impl<W: Write> Outgoing<W> {
    fn all(&mut self, head: &str, body: &Body<'_>) -> Result<()> {
        let text = |e| Error::system("cannot send", e);
        self.write_all(head.as_bytes()).map_err(text)?;
        let before = self.sent;
        body.write_to(self)?;
        let (sent, announced) = (self.sent - before, body.length());
        if sent != announced {
            let text = format!("an item became {sent} bytes long, not {announced} as announced");
            return Err(Error::new(Kind::Damaged, text));
        }
        self.flush().map_err(text)
    }

    fn send(&mut self) -> io::Result<()> {
        let done = self.stream.write_all(&self.held);
        self.held.clear();
        done.inspect_err(|e| self.failed = Some(copy(e)))
    }
}

/// An error of the same kind and words.
fn copy(e: &io::Error) -> io::Error {
    e.raw_os_error().map_or_else(|| io::Error::new(e.kind(), e.to_string()), io::Error::from_raw_os_error)
}

impl<W: Write> Write for Outgoing<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let taken = data.len().min(BUFFER - self.held.len());
        self.held.extend_from_slice(data.get(..taken).unwrap_or_default());
        self.sent += taken as u64;
        if self.held.len() == BUFFER {
            self.send()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send()
    }
}
