//! A way to a local server that takes as long as one to a distant server, and has any width.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Bytes that are passed on at a time, at most.
const PIECE: usize = 64 << 10;

/// Listens on a free port, which is returned, as long as the program runs; bytes for `port` take `one_way`, and so do those
/// that come back.
pub fn way_to(port: u16, one_way: Duration) -> std::io::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let here = listener.local_addr()?.port();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            thread::spawn(move || {
                // The handshake crosses three times before a distant server knows of a connection.
                thread::sleep(3 * one_way);
                let _ = connect(client, port, one_way);
            });
        }
    });
    Ok(here)
}

fn connect(client: TcpStream, port: u16, one_way: Duration) -> std::io::Result<()> {
    let server = TcpStream::connect(("127.0.0.1", port))?;
    for (from, to) in [(&client, &server), (&server, &client)] {
        to.set_nodelay(true)?;
        let (from, to) = (from.try_clone()?, to.try_clone()?);
        let (sender, receiver) = channel();
        thread::spawn(move || take(from, &sender, one_way));
        thread::spawn(move || pass(&receiver, to));
    }
    Ok(())
}

fn take(mut from: TcpStream, on: &Sender<(Instant, Vec<u8>)>, one_way: Duration) {
    let mut piece = vec![0; PIECE];
    while let Ok(n @ 1..) = from.read(&mut piece) {
        if on.send((Instant::now() + one_way, piece[..n].to_vec())).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Read);
}

fn pass(pieces: &Receiver<(Instant, Vec<u8>)>, mut to: TcpStream) {
    for (due, piece) in pieces {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if to.write_all(&piece).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
