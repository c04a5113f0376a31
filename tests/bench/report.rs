//! The table of a run.

use super::measure::{Cost, median};
use std::fmt::Write;

/// A job of one program, over all rounds.
pub struct Line {
    /// What is done.
    pub job: &'static str,
    /// The program that did it.
    pub program: String,
    /// Bytes that went in.
    pub bytes: u64,
    /// Messages that went in.
    pub messages: u64,
    /// Messages that came out, where the program tells or it can be counted; the fewest of all rounds.
    pub found: Option<u64>,
    /// One for each round.
    pub costs: Vec<Cost>,
    /// Why there is no figure.
    pub trouble: Option<String>,
}

/// A Markdown table: one row for each line, peers below ours with the ratio of their time to ours.
pub fn table(lines: &[Line]) -> String {
    let mut out = String::from(
        "| job | program | MB/s | messages/s | MB/s of processor | processor s | wall s | peak MB | messages | ours is faster by (processor / wall) |\n\
         |---|---|--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for line in lines {
        let Some(cost) = line.cost() else {
            let why = line.trouble.as_deref().unwrap_or("was not run");
            let _ = writeln!(out, "| {} | {} | {} | | | | | | | |", line.job, line.program, why.replace('\n', " "));
            continue;
        };
        let mb = line.bytes as f64 / 1e6;
        let ours = lines.iter().find(|l| l.job == line.job).filter(|l| l.program != line.program);
        let ratio = ours.and_then(Line::cost).map(|o| {
            let by_cpu = cost.cpu.zip(o.cpu).map_or_else(|| "-".to_owned(), |(p, o)| format!("{:.1}", p / o));
            format!("{by_cpu} / {:.1}", cost.wall / o.wall)
        });
        let or_dash = |n: Option<String>| n.unwrap_or_else(|| "-".to_owned());
        let _ = writeln!(
            out,
            "| {} | {} | {:.0} | {:.0} | {} | {} | {:.2} | {} | {} | {} |",
            line.job,
            line.program,
            mb / cost.wall,
            line.messages as f64 / cost.wall,
            or_dash(cost.cpu.map(|c| format!("{:.0}", mb / c))),
            or_dash(cost.cpu.map(|c| format!("{c:.2}"))),
            cost.wall,
            or_dash(cost.peak.map(|p| format!("{p:.0}"))),
            or_dash(line.found.map(|n| match n {
                n if n == line.messages => n.to_string(),
                n => format!("{n} of {}", line.messages),
            })),
            or_dash(ratio),
        );
    }
    out
}

impl Line {
    fn cost(&self) -> Option<Cost> {
        (!self.costs.is_empty()).then(|| median(&self.costs))
    }
}
