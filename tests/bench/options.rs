//! What is asked of the benchmark.

use std::time::Duration;

const USAGE: &str = "usage: cargo bench-peers [--size 200M|2G|20G|flat]... [--rounds N] [--peer-rounds N] \
                     [--limit SECONDS] [--only WORDS]... [--fresh] [--no-peers]";

pub struct Options {
    /// In this order; a size is a number and M or G.
    pub sizes: Vec<String>,
    /// Of what is fast.
    pub rounds: usize,
    /// Of the slow programs of others.
    pub peer_rounds: usize,
    /// How long one run may take.
    pub limit: Duration,
    /// Only jobs whose name contains one of these; the others stay as they were measured.
    pub only: Vec<String>,
    /// Makes the mailbox anew.
    pub fresh: bool,
    pub peers: bool,
}

impl Options {
    pub fn parse(args: &[String]) -> Self {
        let mut out = Self {
            sizes: Vec::new(),
            rounds: 3,
            peer_rounds: 0,
            limit: Duration::from_secs(300),
            only: Vec::new(),
            fresh: false,
            peers: true,
        };
        let mut args = args.iter().filter(|a| *a != "--bench");
        while let Some(arg) = args.next() {
            let mut value = || args.next().unwrap_or_else(|| panic!("{arg} needs a value\n{USAGE}"));
            let number = |text: &String| text.parse::<u32>().ok().filter(|n| *n > 0).expect("a number from 1 on");
            match arg.as_str() {
                "--size" => out.sizes.push(value().clone()),
                "--rounds" => out.rounds = number(value()) as usize,
                "--peer-rounds" => out.peer_rounds = number(value()) as usize,
                "--limit" => out.limit = Duration::from_secs(number(value()).into()),
                "--only" => out.only.push(value().clone()),
                "--fresh" => out.fresh = true,
                "--no-peers" => out.peers = false,
                _ => panic!("{USAGE}"),
            }
        }
        if out.sizes.is_empty() {
            out.sizes = vec!["200M".to_owned(), "2G".to_owned()];
        }
        if out.peer_rounds == 0 {
            out.peer_rounds = out.rounds;
        }
        out
    }
}

impl Options {
    /// True for a job that is to be measured.
    pub fn wants(&self, job: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|words| job.contains(words))
    }
}

/// The bytes of a size.
pub fn bytes(size: &str) -> u64 {
    let unit = [('M', 1_000_000), ('G', 1_000_000_000)].into_iter().find(|(letter, _)| size.ends_with(*letter));
    let bytes = unit.and_then(|(letter, unit)| Some(size.strip_suffix(letter)?.parse::<u64>().ok()? * unit));
    bytes.unwrap_or_else(|| panic!("a size is a number and M or G, or \"flat\"\n{USAGE}"))
}
