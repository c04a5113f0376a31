//! What conversions shall reach, beside what they reach, over all sizes that were measured.

use super::figures::Figures;
use super::jobs::{
    ATTACHMENTS, CHECK, CONVERT, COPIED, FLAT, FLAT_DOUBLE, FROM_MBOX, LOOK, ONE_THREAD, OUTLOOK_WALK, TO_EML, TO_MBOX,
    TO_PST, WALK, our_walk,
};
use super::limits::{CRC, DURABLE, PARSE};
use super::report::{Goal, goals};
use std::path::Path;

const SMALL: &str = "200M";
const LARGE: &str = "2G";
const HUGE: &str = "20G";
const SIZES: [&str; 4] = [SMALL, LARGE, HUGE, "flat"];

/// The figures of all sizes that were measured.
pub struct Aims(Vec<(&'static str, Figures)>);

impl Aims {
    pub fn load(folder: &Path) -> Self {
        Self(SIZES.iter().filter_map(|size| Some((*size, Figures::load(folder, size)?))).collect())
    }

    fn of(&self, size: &str) -> Option<&Figures> {
        self.0.iter().find(|(s, _)| *s == size).map(|(_, figures)| figures)
    }

    /// A Markdown list: each goal, the figure, and whether it is met.
    pub fn list(&self) -> String {
        let (small, large) = (self.of(SMALL), self.of(LARGE));
        let main = large.or(small);
        let at = if large.is_some() { LARGE } else { SMALL };
        let least =
            |text: &str, found, limit, unit| Goal { text: format!("{text} ({at})"), found, limit, least: true, unit };
        let mut out = vec![
            least(
                "every property, body and file: at least 8 times the walk with outlook-pst by processor time",
                main.and_then(|f| Some(f.cpu(WALK, OUTLOOK_WALK)? / f.cpu(WALK, &our_walk(1))?)),
                8.0,
                "times",
            ),
            least(
                "the same on two threads: at least 1.8 times as fast as on one by the clock",
                main.and_then(|f| Some(f.wall(WALK, &our_walk(1))? / f.wall(WALK, &our_walk(2))?)),
                1.8,
                "times",
            ),
        ];
        out.extend(self.looks(main, at));
        for (figures, size, job, program, by_cpu, limit) in [
            (large, LARGE, TO_MBOX, "readpst -r", true, 12.0),
            (large, LARGE, TO_MBOX, "readpst -r", false, 20.0),
            (small, SMALL, TO_MBOX, "readpst -r", true, 4.0),
            (large, LARGE, TO_EML, "readpst -e", true, 8.0),
            (small, SMALL, TO_EML, "readpst -e", true, 4.0),
        ] {
            let of = |f: &Figures, program: &str| if by_cpu { f.cpu(job, program) } else { f.wall(job, program) };
            let how = if by_cpu { "by processor time" } else { "by the clock" };
            out.push(Goal {
                text: format!("{job}, {size}: at least {limit} times {program} {how}"),
                found: figures.and_then(|f| Some(of(f, program)? / of(f, CONVERT)?)),
                limit,
                least: true,
                unit: "times",
            });
        }
        out.extend([
            least(
                "PST to eml: at least 70 % of the rate at which the machine makes such files at all",
                main.and_then(|f| percent(f.creating()?, f.wall(TO_EML, CONVERT)?)),
                70.0,
                "%",
            ),
            least(
                "PST to eml: messages that come out whole, and byte by byte as on one thread",
                main.and_then(complete),
                100.0,
                "%",
            ),
            least(
                "attachments alone: at least 450 MB/s of PST for each core",
                main.and_then(|f| rate(f, ATTACHMENTS, "pst convert --attachments")),
                450.0,
                "MB/s",
            ),
            least(
                "PST to PST unchanged: at least 400 MB/s for each core",
                main.and_then(|f| rate(f, TO_PST, CONVERT)),
                400.0,
                "MB/s",
            ),
            least(
                "PST to PST unchanged: at least 50 % of cp by the clock",
                main.and_then(|f| percent(f.wall(TO_PST, COPIED)?, f.wall(TO_PST, CONVERT)?)),
                50.0,
                "%",
            ),
            least(
                "mbox to PST: at least 250 MB/s on all cores",
                main.and_then(|f| Some(f.made.bytes as f64 / 1e6 / f.wall(FROM_MBOX, CONVERT)?)),
                250.0,
                "MB/s",
            ),
            least(
                "mbox to PST: at least 40 % of the limit of parsing and CRC on all cores, then writing for good",
                main.and_then(|f| percent(importing(f)?, f.wall(FROM_MBOX, CONVERT)?)),
                40.0,
                "%",
            ),
            least(
                "check, every rule: at least 300 MB/s",
                main.and_then(|f| Some(f.pst_bytes as f64 / 1e6 / f.wall(CHECK, "pst check")?)),
                300.0,
                "MB/s",
            ),
            Goal {
                text: "memory of every run of ours, at all sizes: at most 256 MB".to_owned(),
                found: self.peak(),
                limit: 256.0,
                least: false,
                unit: "MB",
            },
            Goal {
                text: "cost for each byte at 20 GB: within 10 % of that at 200 MB, the job that differs most"
                    .to_owned(),
                found: self.scaling(),
                limit: 110.0,
                least: false,
                unit: "%",
            },
        ]);
        goals(&out)
    }

    fn looks(&self, main: Option<&Figures>, at: &str) -> Vec<Goal> {
        let flat = self.of("flat");
        let look = |f: &Figures| Some(f.cpu(LOOK, "pst info")? * 40_000.0 / f.made.messages as f64);
        let goal = |text: String, found, limit, unit| Goal { text, found, limit, least: false, unit };
        vec![
            goal(
                format!("open and list 40,000 messages: at most 0.3 s of processor time (from {at})"),
                main.and_then(look),
                0.3,
                "s",
            ),
            goal(
                "open and list a folder of 100,000: at most 0.3 s of processor time".to_owned(),
                flat.and_then(|f| f.cpu(FLAT, "pst ls")),
                0.3,
                "s",
            ),
            goal(
                "the same with 200,000: at most 2.2 times that, for it is linear".to_owned(),
                flat.and_then(|f| Some(f.cpu(FLAT_DOUBLE, "pst ls")? / f.cpu(FLAT, "pst ls")?)),
                2.2,
                "times",
            ),
        ]
    }

    /// Most memory of any run of `pst`.
    fn peak(&self) -> Option<f64> {
        let ours = self.0.iter().flat_map(|(_, f)| &f.lines).filter(|l| l.program.starts_with("pst "));
        ours.filter_map(|l| l.cost()?.peak).max_by(f64::total_cmp)
    }

    /// What a byte costs at 20 GB, in percent of what it costs at 200 MB.
    fn scaling(&self) -> Option<f64> {
        let (small, huge) = (self.of(SMALL)?, self.of(HUGE)?);
        let ours = huge.lines.iter().filter(|l| l.program.starts_with("pst "));
        let each = ours.filter_map(|l| {
            let before = small.line(&l.job, &l.program)?;
            percent(l.cost()?.cpu? / l.bytes as f64, before.cost()?.cpu? / before.bytes as f64)
        });
        each.max_by(f64::total_cmp)
    }
}

/// MB of PST for each second of processor time.
fn rate(f: &Figures, job: &str, program: &str) -> Option<f64> {
    Some(f.pst_bytes as f64 / 1e6 / f.cpu(job, program)?)
}

fn percent(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole * 100.0)
}

/// The share of messages that came out; nothing where the trees differ.
fn complete(f: &Figures) -> Option<f64> {
    let (all, one) = (f.line(TO_EML, CONVERT)?, f.line(TO_EML, ONE_THREAD)?);
    let same = all.digest.as_ref()? == one.digest.as_ref()?;
    percent(if same { all.found?.min(one.found?) as f64 } else { 0.0 }, all.messages as f64)
}

/// Seconds that an import takes at least.
fn importing(f: &Figures) -> Option<f64> {
    let (mail, pst) = (f.made.bytes as f64 / 1e6, f.pst_bytes as f64 / 1e6);
    let shared = mail / f.limit(PARSE)? + pst / f.limit(CRC)?;
    Some(shared / f.threads as f64 + pst / f.limit(DURABLE)?)
}
