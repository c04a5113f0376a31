//! A connection to a server: TCP, TLS on top of it, and deflate on top of that.

use super::deflate::Deflate;
use super::socket::Socket;
use super::{Security, Server, tls};
use crate::error::{Error, Kind, Result};
use rustls::{ClientConnection, StreamOwned};
use std::io::{self, BufRead, ErrorKind, Read, Write};

const BUFFER: usize = 64 * 1024;

/// A connection to a server.
///
/// A read or write fails with [`io::ErrorKind::TimedOut`] after the server's timeout without a byte, and within 300 ms of
/// the wish to stop with an error that [`super::is_stop`] knows; [`Server::failed`] makes a sentence of either. The end of
/// the stream is `Ok(0)`. Writes go out at once: put a command together before.
pub struct Stream {
    link: Link,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
}

enum Link {
    Raw(Wire),
    Packed(Box<Deflate<Wire>>),
}

enum Wire {
    Plain(Socket),
    Tls(Box<StreamOwned<ClientConnection, Socket>>),
}

impl Stream {
    /// Connects, in TLS where [`Server::security`] says so from the first byte.
    ///
    /// # Errors
    /// [`Kind::Connection`] when the server cannot be reached or its certificate is not accepted.
    pub fn connect(server: &Server) -> Result<Self> {
        let stream = Self::over(Wire::Plain(Socket::connect(server)?));
        if server.security == Security::Tls { stream.start_tls(server) } else { Ok(stream) }
    }

    fn over(wire: Wire) -> Self {
        Self { link: Link::Raw(wire), buffer: vec![0; BUFFER].into(), start: 0, end: 0 }
    }

    /// Continues in TLS, after the server has agreed to STARTTLS.
    ///
    /// # Errors
    /// When bytes have come that are not protected: somebody on the way may have added them ([RFC 3501] 6.2.1, [RFC 2595]
    /// 5); when the certificate is not accepted, or TLS runs already.
    pub fn start_tls(self, server: &Server) -> Result<Self> {
        let unread = self.start < self.end;
        let Link::Raw(Wire::Plain(mut socket)) = self.link else {
            return Err(Error::new(Kind::Usage, format!("{server}: TLS runs already, or compression came before it")));
        };
        if unread || socket.has_unread() {
            let text = "the answer to STARTTLS has more bytes behind it, as if somebody on the way had added them";
            return Err(Error::new(Kind::Connection, format!("{server}: {text}; the connection was given up")));
        }
        let tls = tls::handshake(server, &mut socket)?;
        Ok(Self::over(Wire::Tls(Box::new(StreamOwned::new(tls, socket)))))
    }

    /// Continues in raw deflate, after the server has agreed to COMPRESS ([RFC 4978]).
    ///
    /// # Errors
    /// When the connection is compressed already.
    pub fn compress(self) -> Result<Self> {
        let Link::Raw(wire) = self.link else {
            return Err(Error::new(Kind::Usage, "the connection is compressed already"));
        };
        let packed = self.buffer.get(self.start..self.end).unwrap_or_default().to_vec();
        let link = Link::Packed(Box::new(Deflate::new(wire, packed)));
        Ok(Self { link, buffer: self.buffer, start: 0, end: 0 })
    }

    /// True in TLS.
    pub fn is_encrypted(&self) -> bool {
        matches!(self.wire(), Wire::Tls(_))
    }

    /// The server's certificate (DER), in TLS.
    pub(super) fn certificate(&self) -> Option<&[u8]> {
        match self.wire() {
            Wire::Tls(tls) => tls.conn.peer_certificates()?.first().map(AsRef::as_ref),
            Wire::Plain(_) => None,
        }
    }

    fn wire(&self) -> &Wire {
        match &self.link {
            Link::Raw(wire) => wire,
            Link::Packed(packed) => packed.inner(),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.start == self.end && out.len() >= BUFFER {
            return self.link.read(out);
        }
        let n = self.fill_buf()?.read(out)?;
        self.consume(n);
        Ok(n)
    }
}

impl BufRead for Stream {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            self.end = self.link.read(&mut self.buffer)?;
        }
        Ok(self.buffer.get(self.start..self.end).unwrap_or_default())
    }

    fn consume(&mut self, n: usize) {
        self.start = self.end.min(self.start + n);
    }
}

impl Write for Stream {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match &mut self.link {
            Link::Raw(wire) => wire.write(data),
            Link::Packed(packed) => packed.write(data),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.link {
            Link::Raw(wire) => wire.flush(),
            Link::Packed(packed) => packed.flush(),
        }
    }
}

impl Read for Link {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Raw(wire) => wire.read(out),
            Self::Packed(packed) => packed.read(out),
        }
    }
}

impl Read for Wire {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(out),
            // Servers close without the farewell of TLS; both protocols say themselves where something ends.
            Self::Tls(tls) => match tls.read(out) {
                Err(e) if e.kind() == ErrorKind::UnexpectedEof => Ok(0),
                read => read,
            },
        }
    }
}

impl Write for Wire {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(data),
            Self::Tls(tls) => tls.write(data).and_then(|n| tls.flush().map(|()| n)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Tls(tls) => tls.flush(),
        }
    }
}
