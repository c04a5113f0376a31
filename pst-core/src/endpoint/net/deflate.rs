//! COMPRESS=DEFLATE ([RFC 4978]): raw deflate ([RFC 1951]) in both directions.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use std::io::{self, ErrorKind, Read, Write};

const BUFFER: usize = 32 * 1024;

/// Packs what is written to a connection, and unpacks what comes.
pub struct Deflate<T> {
    inner: T,
    inflater: Decompress,
    deflater: Compress,
    input: Vec<u8>,
    start: usize,
    ended: bool,
    output: Vec<u8>,
}

impl<T: Read + Write> Deflate<T> {
    /// `packed`: what has come already.
    pub fn new(inner: T, packed: Vec<u8>) -> Self {
        Self {
            inner,
            inflater: Decompress::new(false),
            deflater: Compress::new(Compression::fast(), false),
            input: packed,
            start: 0,
            ended: false,
            output: Vec::with_capacity(BUFFER),
        }
    }

    /// The connection.
    pub fn inner(&self) -> &T {
        &self.inner
    }

    fn refill(&mut self) -> io::Result<usize> {
        self.input.resize(BUFFER, 0);
        self.start = 0;
        let read = self.inner.read(&mut self.input);
        self.input.truncate(*read.as_ref().unwrap_or(&0));
        read
    }

    /// Hands packed bytes on until there is nothing more to pack.
    fn pack(&mut self, mut data: &[u8], flush: FlushCompress) -> io::Result<()> {
        loop {
            self.output.clear();
            let before = self.deflater.total_in();
            self.deflater.compress_vec(data, &mut self.output, flush).map_err(io::Error::other)?;
            let taken = (self.deflater.total_in() - before) as usize;
            data = data.get(taken..).unwrap_or_default();
            self.inner.write_all(&self.output)?;
            // A buffer that was filled to the brim may not have held all.
            if data.is_empty() && self.output.len() < self.output.capacity() {
                return Ok(());
            }
        }
    }
}

impl<T: Read + Write> Read for Deflate<T> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        while !self.ended {
            // The inflater first: it may hold more than the last read took, while the server waits for the next command.
            let (before, made) = (self.inflater.total_in(), self.inflater.total_out());
            let input = self.input.get(self.start..).unwrap_or_default();
            let status = self.inflater.decompress(input, out, FlushDecompress::Sync);
            let damaged =
                |_| io::Error::new(ErrorKind::InvalidData, "what the server packed (COMPRESS) cannot be unpacked");
            self.ended = status.map_err(damaged)? == Status::StreamEnd;
            self.start += (self.inflater.total_in() - before) as usize;
            let made = (self.inflater.total_out() - made) as usize;
            if made > 0 {
                return Ok(made);
            }
            if self.start >= self.input.len() && !self.ended && self.refill()? == 0 {
                break;
            }
        }
        Ok(0)
    }
}

impl<T: Read + Write> Write for Deflate<T> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.pack(data, FlushCompress::Sync)?;
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A peer that has sent `to_us` and keeps what it gets.
    struct Peer {
        to_us: io::Cursor<Vec<u8>>,
        from_us: Vec<u8>,
    }

    impl Read for Peer {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let few = out.len().min(7);
            let n = self.to_us.read(&mut out[..few])?;
            assert!(n > 0, "the socket was read although nothing more was to come");
            Ok(n)
        }
    }

    impl Write for Peer {
        fn write(&mut self, data: &[u8]) -> io::Result<usize> {
            self.from_us.extend_from_slice(data);
            Ok(data.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn packed(data: &[u8]) -> Vec<u8> {
        let mut side = Deflate::new(Peer { to_us: io::Cursor::default(), from_us: Vec::new() }, Vec::new());
        side.write_all(data).unwrap();
        side.inner.from_us
    }

    #[test]
    fn everything_comes_before_the_socket_is_read_again() {
        // Compresses so well that one packed byte stands for many reads.
        let sent: Vec<u8> = (0..300_000_u32).map(|i| if i % 5_000 == 0 { (i / 5_000) as u8 } else { b'x' }).collect();
        let mut side = Deflate::new(Peer { to_us: io::Cursor::new(packed(&sent)), from_us: Vec::new() }, Vec::new());
        let mut got = vec![0; sent.len()];
        for part in got.chunks_mut(11) {
            side.read_exact(part).unwrap();
        }
        assert!(got == sent);
    }

    #[test]
    fn what_had_come_before_is_taken_first() {
        let all = packed(b"* OK hello\r\n");
        let (first, rest) = all.split_at(4);
        let mut side =
            Deflate::new(Peer { to_us: io::Cursor::new(rest.to_vec()), from_us: Vec::new() }, first.to_vec());
        let mut got = [0; 12];
        side.read_exact(&mut got).unwrap();
        assert_eq!(&got, b"* OK hello\r\n");
    }

    #[test]
    fn garbage_is_an_error() {
        let mut side = Deflate::new(Peer { to_us: io::Cursor::default(), from_us: Vec::new() }, vec![0xFF; 64]);
        assert_eq!(side.read(&mut [0; 64]).unwrap_err().kind(), ErrorKind::InvalidData);
    }
}
