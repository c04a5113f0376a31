//! SRV records ([RFC 2782]) from the name servers of the system: the one question of DNS that its own functions do not answer.
//!
//! A question goes out by UDP ([RFC 1035] 4.2.1), and once more by TCP where the answer was cut. What an answer says is
//! judged by who asked: nothing in DNS is signed here.

use super::tls;
use crate::error::{Error, Kind, Result};
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

/// How long a name server is waited for, and how often it is asked.
const SILENCE: Duration = Duration::from_secs(3);
const ATTEMPTS: usize = 2;
/// Name servers that are asked, at most.
const SERVERS: usize = 3;
/// What an answer by UDP may have, bytes.
const DATAGRAM: usize = 4096;
/// Parts of a name, and steps from one place of it to another.
const PARTS: usize = 130;
const SRV: u16 = 33;
const IN: u16 = 1;
const DNS: u16 = 53;

/// Where a service is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Service {
    /// The lower, the sooner.
    pub priority: u16,
    /// Among those of one priority, the higher, the more often.
    pub weight: u16,
    /// The port.
    pub port: u16,
    /// The host, in lower case without the last point.
    pub host: String,
}

/// The name servers of the system, as /etc/resolv.conf has them; none where there is no such file.
pub fn name_servers() -> Vec<SocketAddr> {
    let text = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    servers_in(&text)
}

fn servers_in(text: &str) -> Vec<SocketAddr> {
    let address = |line: &str| {
        let mut words = line.split_whitespace();
        let address = words.next().filter(|word| *word == "nameserver").and(words.next())?;
        let address: IpAddr = address.split('%').next()?.parse().ok()?;
        Some(SocketAddr::new(address, DNS))
    };
    text.lines().filter_map(address).take(SERVERS).collect()
}

/// The services of a name such as `_autodiscover._tcp.example.com`, those that come first before; none where there is no
/// such name.
///
/// # Errors
/// [`Kind::Connection`] when no name server answers; [`Kind::Usage`] for what is no name.
pub fn lookup(name: &str, servers: &[SocketAddr], stopped: &dyn Fn() -> bool) -> Result<Vec<Service>> {
    let mut last = Error::new(Kind::Connection, "this system names no name server");
    for server in servers {
        for _ in 0..ATTEMPTS {
            if stopped() {
                return Err(Error::new(Kind::Interrupted, "stopped by the user"));
            }
            match ask(name, *server) {
                Ok(mut services) => {
                    services.sort_by_key(|s| (s.priority, u16::MAX - s.weight));
                    return Ok(services);
                }
                Err(e) if e.kind() == Kind::Usage => return Err(e),
                Err(e) => last = e,
            }
        }
    }
    Err(last)
}

fn ask(name: &str, server: SocketAddr) -> Result<Vec<Service>> {
    let silent =
        |e: std::io::Error| Error::new(Kind::Connection, format!("the name server {server} does not answer: {e}"));
    let mut id = [0; 2];
    tls::random(&mut id)?;
    let question = question(id, name)?;
    let any: IpAddr = if server.is_ipv4() { [0, 0, 0, 0].into() } else { [0u16; 8].into() };
    let socket = UdpSocket::bind((any, 0)).map_err(silent)?;
    // What others send does not arrive here.
    socket.connect(server).map_err(silent)?;
    socket.send(&question).map_err(silent)?;
    let end = Instant::now() + SILENCE;
    let mut buffer = [0; DATAGRAM];
    loop {
        let left = end.saturating_duration_since(Instant::now());
        socket.set_read_timeout(Some(left.max(Duration::from_millis(1)))).map_err(silent)?;
        let length = socket.recv(&mut buffer).map_err(silent)?;
        match Answer::read(buffer.get(..length).unwrap_or_default(), &question) {
            Some(Answer::Cut) => break,
            Some(Answer::Whole(services)) => return Ok(services),
            Some(Answer::Refused(code)) => return Err(refused(server, code)),
            // It answers something else.
            None if Instant::now() >= end => return Err(silent(std::io::ErrorKind::TimedOut.into())),
            None => {}
        }
    }
    let answer = by_stream(&question, server).map_err(silent)?;
    match Answer::read(&answer, &question) {
        Some(Answer::Whole(services)) => Ok(services),
        Some(Answer::Refused(code)) => Err(refused(server, code)),
        _ => Err(Error::new(Kind::Connection, format!("the name server {server} answers something else"))),
    }
}

fn refused(server: SocketAddr, code: u8) -> Error {
    Error::new(Kind::Connection, format!("the name server {server} refuses to answer (code {code})"))
}

fn question(id: [u8; 2], name: &str) -> Result<Vec<u8>> {
    let wrong = || Error::new(Kind::Usage, format!("{name} is no name of DNS"));
    let mut out = id.to_vec();
    // A recursive question; one record is asked for.
    out.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for part in name.trim_end_matches('.').split('.') {
        let length = u8::try_from(part.len()).ok().filter(|n| (1..=63).contains(n)).ok_or_else(wrong)?;
        out.push(length);
        out.extend(part.bytes());
    }
    if out.len() > 12 + 254 {
        return Err(wrong());
    }
    out.push(0);
    out.extend([SRV, IN].into_iter().flat_map(u16::to_be_bytes));
    Ok(out)
}

/// The same question by TCP, where answers may be long.
fn by_stream(question: &[u8], server: SocketAddr) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&server, SILENCE)?;
    stream.set_read_timeout(Some(SILENCE))?;
    stream.set_write_timeout(Some(SILENCE))?;
    stream.write_all(&[&(question.len() as u16).to_be_bytes(), question].concat())?;
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

/// What an answer says.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Whole(Vec<Service>),
    /// There is more than fits.
    Cut,
    Refused(u8),
}

impl Answer {
    /// Reads an answer; `None` where it is none to this question.
    fn read(bytes: &[u8], question: &[u8]) -> Option<Self> {
        let mut at = At { all: bytes, at: 12 };
        let head = bytes.get(..12)?;
        let flags = (*head.get(2)?, *head.get(3)?);
        let asked = question.get(12..)?;
        if head.get(..2)? != question.get(..2)?
            || flags.0 & 0x80 == 0
            || !same(bytes.get(12..)?.get(..asked.len())?, asked)
        {
            return None;
        }
        match flags.1 & 0xF {
            // No such name is an answer.
            0 | 3 => {}
            code => return Some(Self::Refused(code)),
        }
        if flags.0 & 2 != 0 {
            return Some(Self::Cut);
        }
        at.at += asked.len();
        let records = u16::from_be_bytes([*head.get(6)?, *head.get(7)?]);
        let mut services = Vec::new();
        for _ in 0..records {
            at.name()?;
            let (kind, class) = (at.u16()?, at.u16()?);
            at.take(4)?;
            let length = usize::from(at.u16()?);
            let end = at.at.checked_add(length).filter(|end| *end <= bytes.len())?;
            if (kind, class) == (SRV, IN) {
                let (priority, weight, port) = (at.u16()?, at.u16()?, at.u16()?);
                let host = at.name()?;
                // A lone point says that there is no such service.
                if !host.is_empty() {
                    services.push(Service { priority, weight, port, host });
                }
            }
            at.at = end;
        }
        Some(Self::Whole(services))
    }
}

/// True for questions that differ in case alone.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.eq_ignore_ascii_case(b)
}

/// A place in an answer.
struct At<'a> {
    all: &'a [u8],
    at: usize,
}

impl<'a> At<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(n)?;
        let taken = self.all.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    /// A name, which may go on at an earlier place ([RFC 1035] 4.1.4).
    fn name(&mut self) -> Option<String> {
        let mut out = String::new();
        let mut at = At { all: self.all, at: self.at };
        let mut jumped = false;
        for _ in 0..PARTS {
            let length = *at.take(1)?.first()?;
            match length {
                0 => {
                    if !jumped {
                        self.at = at.at;
                    }
                    return Some(out);
                }
                1..=63 => {
                    let part = std::str::from_utf8(at.take(usize::from(length))?).ok()?;
                    if !part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)) {
                        return None;
                    }
                    if !out.is_empty() {
                        out.push('.');
                    }
                    out.push_str(&part.to_ascii_lowercase());
                }
                0xC0..=0xFF => {
                    let to = usize::from(length & 0x3F) << 8 | usize::from(*at.take(1)?.first()?);
                    if !jumped {
                        self.at = at.at;
                    }
                    jumped = true;
                    at.at = to;
                }
                _ => return None,
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer to a question, with these records; names go on at the question's.
    fn answer(question: &[u8], flags: [u8; 2], records: &[Vec<u8>]) -> Vec<u8> {
        let mut out = question.to_vec();
        out[2..4].copy_from_slice(&flags);
        out[7] = records.len() as u8;
        out.extend(records.concat());
        out
    }

    fn record(priority: u16, weight: u16, port: u16, host: &[u8]) -> Vec<u8> {
        let mut data: Vec<u8> = [priority, weight, port].into_iter().flat_map(u16::to_be_bytes).collect();
        data.extend(host);
        let mut out = vec![0xC0, 12, 0, 33, 0, 1, 0, 0, 0, 60];
        out.extend((data.len() as u16).to_be_bytes());
        out.extend(data);
        out
    }

    #[test]
    fn records_are_read() {
        let asked = question([0, 7], "_autodiscover._tcp.example.com").unwrap();
        // "mail" and then what stands behind "_autodiscover._tcp." in the question.
        let mail = [&[4][..], b"MAIL", &[0xC0, 12 + 14 + 5]].concat();
        let alias = vec![0xC0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 2, 0xC0, 12];
        let records = [alias, record(10, 5, 443, &mail), record(1, 0, 8443, &[1, b'x', 0]), record(0, 0, 0, &[0])];
        let service = |priority, weight, port, host: &str| Service { priority, weight, port, host: host.into() };
        let wanted = vec![service(10, 5, 443, "mail.example.com"), service(1, 0, 8443, "x")];
        let whole = answer(&asked, [0x81, 0x80], &records);
        assert_eq!(Answer::read(&whole, &asked), Some(Answer::Whole(wanted)));
        assert_eq!(Answer::read(&answer(&asked, [0x81, 0x83], &[]), &asked), Some(Answer::Whole(Vec::new())));
        assert_eq!(Answer::read(&answer(&asked, [0x83, 0x80], &records[..1]), &asked), Some(Answer::Cut));
        assert_eq!(Answer::read(&answer(&asked, [0x81, 0x85], &[]), &asked), Some(Answer::Refused(5)));
        // An answer to another question, and a question.
        assert_eq!(Answer::read(&whole, &question([0, 8], "_autodiscover._tcp.example.com").unwrap()), None);
        assert_eq!(Answer::read(&whole, &question([0, 7], "_autodiscover._tcp.example.org").unwrap()), None);
        assert_eq!(Answer::read(&asked, &asked), None);
        for cut in 0..whole.len() {
            assert!(!matches!(Answer::read(&whole[..cut], &asked), Some(Answer::Whole(_))), "{cut}");
        }
        // A name that goes on at itself.
        let round = record(1, 1, 1, &[0xC0, (asked.len() + 18) as u8]);
        assert_eq!(Answer::read(&answer(&asked, [0x81, 0x80], &[round]), &asked), None);
    }

    #[test]
    fn names_and_servers() {
        assert!(question([0, 1], "a..b").is_err() && question([0, 1], &"a".repeat(64)).is_err());
        assert!(question([0, 1], &vec!["a".repeat(60); 5].join(".")).is_err());
        let text = "# x\nsearch a\nnameserver 192.0.2.1\nnameserver fe80::1%eth0\n nameserver x\noptions nameserver\n";
        let servers: Vec<SocketAddr> = vec!["192.0.2.1:53".parse().unwrap(), "[fe80::1]:53".parse().unwrap()];
        assert_eq!(servers_in(text), servers);
    }
}
