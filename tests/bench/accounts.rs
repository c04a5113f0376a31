//! How fast `pst` downloads accounts and fills them, beside its peers: `cargo bench-accounts [--messages N] [--rounds N]`.
//!
//! Fills mailboxes of a Dovecot of its own, downloads them in turn, with `pst` and the peers that are installed, sends what
//! came into empty mailboxes, and prints a table, which also goes to target/bench/accounts.md. Not a test: it fails only
//! where counts do not agree or a run of ours fails.

#![allow(clippy::pedantic, reason = "a benchmark is read, not called")]
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[cfg(unix)]
#[path = "../support/certificates.rs"]
#[allow(dead_code, reason = "one certificate is enough")]
mod certificates;
#[cfg(unix)]
mod delay;
#[cfg(unix)]
#[path = "../support/dovecot.rs"]
#[allow(dead_code, reason = "passwords and mail are enough")]
mod dovecot;
#[cfg(unix)]
mod downloads;
#[cfg(unix)]
mod fetch;
#[cfg(unix)]
mod goals;
#[cfg(unix)]
#[path = "../support/mailbox.rs"]
mod mailbox;
#[cfg(unix)]
mod measure;
#[cfg(unix)]
mod mirrors;
#[cfg(unix)]
mod pushes;
#[cfg(unix)]
mod report;
#[cfg(unix)]
#[path = "../support/seeded.rs"]
mod seeded;

/// The allocator of `pst`: fetching is measured in a process like it.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[cfg(unix)]
fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    if let Some((fetch::ARGUMENT, rest)) = args.split_first().map(|(a, rest)| (a.as_str(), rest)) {
        return fetch::main(rest);
    }
    let (mut messages, mut rounds) = (20_000, 3_u64);
    for pair in args.chunks(2) {
        let number = pair.get(1).and_then(|v| v.parse().ok());
        match (pair[0].as_str(), number) {
            ("--messages", Some(n)) if n >= 200 => messages = n,
            ("--rounds", Some(n)) if n > 0 => rounds = n,
            _ => panic!("usage: cargo bench-accounts [--messages N (200 or more)] [--rounds N]"),
        }
    }
    downloads::run(messages, rounds as usize);
}

#[cfg(not(unix))]
fn main() {
    eprintln!("skipped: Dovecot does not run here");
}
