//! Our own client in a process of its own: it fetches an account to its end and throws everything away.

use crate::dovecot::PASSWORD;
use pst_core::endpoint::imap::{Account, ImapSource, Options};
use pst_core::endpoint::net::{Login, Secret, Security, Server, TlsOptions};
use pst_core::pipeline::{ItemRef, Source};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// What makes this program do it.
pub const ARGUMENT: &str = "--fetch-and-discard";

/// This program again; in TLS, if there is an authority to believe.
pub fn command(user: &str, port: u16, connections: usize, authority: Option<&Path>) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([ARGUMENT, user, &port.to_string(), &connections.to_string()]).args(authority);
    command
}

/// Prints how many messages came.
pub fn main(args: &[String]) {
    let authority = args.get(3).map(Into::into);
    let server = Server {
        host: "127.0.0.1".into(),
        port: args[1].parse().unwrap(),
        security: if authority.is_some() { Security::Tls } else { Security::Plain },
        tls: TlsOptions { ca_file: authority, ..TlsOptions::default() },
        timeout: Duration::from_secs(60),
        stop: Arc::default(),
    };
    let login = Login::Password { user: args[0].clone(), password: Secret::new(PASSWORD) };
    let options = Options { connections: args[2].parse().unwrap(), ..Options::default() };
    println!("{}", discard(&ImapSource::open(Account::new(server, login), options).unwrap()));
}

/// Listed in order and loaded by all threads, as the pipeline does it.
fn discard(source: &ImapSource) -> usize {
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
    let mut count = 0;
    for folder in source.folders().unwrap() {
        let items: Vec<ItemRef> = source.items(&folder).unwrap().collect::<Result<_, _>>().unwrap();
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                        drop(source.load(&folder, item).unwrap());
                    }
                });
            }
        });
        count += items.len();
    }
    count
}
