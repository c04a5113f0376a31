//! A TCP connection that notices within a moment that the user wants to stop, and does not wait for ever.

use super::{Server, stop};
use crate::error::{Error, Kind, Result};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How long the system is waited for before the wish to stop is looked at again.
const SLICE: Duration = Duration::from_millis(200);
/// Bytes read at once: TLS itself asks for a few thousand only.
const BUFFER: usize = 32 * 1024;

/// A connected socket with a buffer.
pub struct Socket {
    tcp: TcpStream,
    timeout: Duration,
    stop: Arc<AtomicBool>,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Socket {
    /// Connects to the first address of the server that answers.
    pub fn connect(server: &Server) -> Result<Self> {
        if server.stopped() {
            return Err(server.failed("cannot connect", &stop()));
        }
        let tcp = reach(server)?;
        let set = || -> io::Result<()> {
            tcp.set_nodelay(true)?;
            tcp.set_read_timeout(Some(SLICE))?;
            tcp.set_write_timeout(Some(SLICE))
        };
        set().map_err(|e| server.failed("cannot set up the connection", &e))?;
        Ok(Self {
            tcp,
            timeout: server.timeout,
            stop: Arc::clone(&server.stop),
            buffer: vec![0; BUFFER].into(),
            start: 0,
            end: 0,
        })
    }

    /// True when bytes have come that nobody has read.
    pub fn has_unread(&self) -> bool {
        self.start < self.end
    }

    /// Repeats `attempt` until it is done, the user stops, or the time is over.
    fn patiently<T>(&self, mut attempt: impl FnMut(&TcpStream) -> io::Result<T>) -> io::Result<T> {
        let begun = Instant::now();
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err(stop());
            }
            match attempt(&self.tcp) {
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    if begun.elapsed() >= self.timeout {
                        return Err(ErrorKind::TimedOut.into());
                    }
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                done => return done,
            }
        }
    }
}

impl Read for Socket {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if !self.has_unread() {
            if out.len() >= BUFFER {
                return self.patiently(|mut tcp| tcp.read(out));
            }
            let mut buffer = std::mem::take(&mut self.buffer);
            let read = self.patiently(|mut tcp| tcp.read(&mut buffer));
            self.buffer = buffer;
            (self.start, self.end) = (0, read?);
        }
        let n = self.buffer.get(self.start..self.end).unwrap_or_default().read(out)?;
        self.start += n;
        Ok(n)
    }
}

impl Write for Socket {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.patiently(|mut tcp| tcp.write(data))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Looks up the name and connects, on a thread of its own: neither can be broken off otherwise.
fn reach(server: &Server) -> Result<TcpStream> {
    let (done, outcome) = channel();
    let (host, port, timeout) = (server.host.clone(), server.port, server.timeout);
    std::thread::spawn(move || done.send(look_up_and_connect(&host, port, timeout)));
    let begun = Instant::now();
    loop {
        match outcome.recv_timeout(SLICE / 2) {
            Ok(Ok(tcp)) => return Ok(tcp),
            Ok(Err(why)) => return Err(Error::new(Kind::Connection, format!("{server}: {why}"))),
            Err(RecvTimeoutError::Timeout) if server.stopped() => return Err(server.failed("", &stop())),
            // One slice more than the thread gives itself.
            Err(RecvTimeoutError::Timeout) if begun.elapsed() <= server.timeout + SLICE => {}
            Err(_) => return Err(server.failed("cannot connect", &ErrorKind::TimedOut.into())),
        }
    }
}

fn look_up_and_connect(host: &str, port: u16, timeout: Duration) -> std::result::Result<TcpStream, String> {
    let until = Instant::now() + timeout;
    let found: Vec<SocketAddr> = (host, port)
        .to_socket_addrs()
        .map_err(|e| format!("the name of the server cannot be looked up: {}", super::tame(e.to_string().as_bytes())))?
        .collect();
    let mut failures: Vec<String> = Vec::new();
    for (i, address) in found.iter().enumerate() {
        // Each gets its share, so that one that swallows packets does not use up the time of those that answer.
        let left = until.saturating_duration_since(Instant::now());
        let share = left / (found.len() - i) as u32;
        if share.is_zero() {
            break;
        }
        match TcpStream::connect_timeout(address, share) {
            Ok(tcp) => return Ok(tcp),
            Err(e) => failures.push(if e.kind() == ErrorKind::TimedOut {
                format!("{}: no answer", address.ip())
            } else {
                format!("{}: {e}", address.ip())
            }),
        }
    }
    if found.is_empty() {
        return Err("the name of the server has no address".to_owned());
    }
    Err(format!("cannot connect: {}", failures.join("; ")))
}
