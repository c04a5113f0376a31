//! The table of a run, and what shall be reached.

use super::measure::{Cost, median};
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// A job of one program, over all rounds.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Line {
    /// What is done.
    pub job: String,
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
    /// What is to be known beside the figures.
    pub note: Option<String>,
    /// Names and contents of the files that came out, in one number.
    pub digest: Option<String>,
}

impl Line {
    /// The medians of all rounds; `None` where none came to its end.
    pub fn cost(&self) -> Option<Cost> {
        (!self.costs.is_empty()).then(|| median(&self.costs))
    }
}

/// A Markdown table: one row for each line, peers below ours with the ratio of their time to ours.
pub fn table(lines: &[Line]) -> String {
    let mut out = String::from(
        "| job | program | MB/s | messages/s | MB/s of processor | processor s | wall s | peak MB | MB read | MB written | \
         messages | ours is faster by (processor / wall) |\n|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for line in lines {
        let Some(cost) = line.cost() else {
            let why = line.trouble.as_deref().unwrap_or("was not run");
            let _ = writeln!(out, "| {} | {} | {} | | | | | | | | | |", line.job, line.program, why.replace('\n', " "));
            continue;
        };
        let mb = line.bytes as f64 / 1e6;
        let ours = lines.iter().find(|l| l.job == line.job).filter(|l| l.program != line.program);
        let ratio = ours.and_then(Line::cost).map(|o| {
            let by_cpu = or_dash(cost.cpu.zip(o.cpu).filter(|(_, o)| *o > 0.0), |(p, o)| format!("{:.1}", p / o));
            format!("{by_cpu} / {:.1}", cost.wall / o.wall)
        });
        let whole = |n: Option<f64>| or_dash(n, |n| format!("{n:.0}"));
        let found = |n: u64| match n {
            n if n == line.messages => n.to_string(),
            n => format!("{n} of {}", line.messages),
        };
        let _ = writeln!(
            out,
            "| {} | {} | {:.0} | {:.0} | {} | {} | {:.2} | {} | {} | {} | {} | {} |",
            line.job,
            line.program,
            mb / cost.wall,
            line.messages as f64 / cost.wall,
            whole(cost.cpu.filter(|c| *c > 0.0).map(|c| mb / c)),
            or_dash(cost.cpu, |c| format!("{c:.2}")),
            cost.wall,
            whole(cost.peak),
            whole(cost.read),
            whole(cost.written),
            or_dash(line.found, found),
            or_dash(ratio, |r| r),
        );
    }
    for line in lines {
        if let Some(note) = &line.note {
            let _ = write!(out, "\n{}, {}: {note}\n", line.job, line.program);
        }
    }
    out
}

fn or_dash<T>(value: Option<T>, tell: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| "-".to_owned(), tell)
}

/// Something that shall be reached.
pub struct Goal {
    pub text: String,
    pub found: Option<f64>,
    pub limit: f64,
    /// At least the limit, or at most.
    pub least: bool,
    pub unit: &'static str,
}

/// A Markdown list: each goal, the figure, and whether it is met.
pub fn goals(goals: &[Goal]) -> String {
    let row = |goal: &Goal| match goal.found {
        Some(found) => {
            let met = if goal.least { found >= goal.limit } else { found <= goal.limit };
            let digits = if goal.limit < 10.0 { 2 } else { 1 };
            format!("- {}: {found:.digits$} {}, {}\n", goal.text, goal.unit, if met { "met" } else { "missed" })
        }
        None => format!("- {}: not measured\n", goal.text),
    };
    goals.iter().map(row).collect()
}
