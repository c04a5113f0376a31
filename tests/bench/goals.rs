//! What downloads shall reach, beside what they reach.

use super::downloads::{AGAIN, AWAY, LARGE, OURS, PLAIN, POP, TLS, fetches, mbsync_named};
use super::measure::median;
use super::report::Line;

/// A Markdown list: each goal, the figure, and whether it is met.
pub fn list(lines: &[Line]) -> String {
    let wall = |job: &str, program: &str| {
        let line = lines.iter().find(|l| l.job == job && l.program == program && !l.costs.is_empty())?;
        Some((median(&line.costs).wall, line.messages as f64))
    };
    let times = |job: &str, program: &str| Some(wall(job, program)?.0 / wall(job, OURS)?.0);
    let peak =
        |job: &str| lines.iter().filter(|l| l.job == job && l.program == OURS).find_map(|l| median(&l.costs).peak);
    let most = [PLAIN, TLS, AGAIN, POP, AWAY, LARGE].into_iter().filter_map(peak).max_by(f64::total_cmp);
    let mbsync = mbsync_named();
    let rows = [
        ("into a PST at least 10 times as fast as mbsync, plain", times(PLAIN, &mbsync), 10.0, true, "times"),
        ("into a PST at least 5 times as fast as mbsync, TLS", times(TLS, &mbsync), 5.0, true, "times"),
        (
            "into a PST in at most 3 times the time of fetching alone, plain",
            times(PLAIN, &fetches(3)).map(|n| 1.0 / n),
            3.0,
            false,
            "times",
        ),
        (
            "into a PST in at most 3 times the time of fetching alone, TLS",
            times(TLS, &fetches(3)).map(|n| 1.0 / n),
            3.0,
            false,
            "times",
        ),
        (
            "at least 800 messages/s with 40 ms to and fro",
            wall(AWAY, OURS).map(|(wall, messages)| messages / wall),
            800.0,
            true,
            "messages/s",
        ),
        ("at most 128 MB of memory with a message of 200 MB", peak(LARGE), 128.0, false, "MB"),
        ("at most 128 MB of memory in every download", most, 128.0, false, "MB"),
    ];
    let row = |(goal, found, limit, least, unit): (&str, Option<f64>, f64, bool, &str)| match found {
        Some(found) => {
            let word = if if least { found >= limit } else { found <= limit } { "met" } else { "missed" };
            format!("- {goal}: {found:.1} {unit}, {word}\n")
        }
        None => format!("- {goal}: not measured\n"),
    };
    rows.into_iter().map(row).collect()
}
