//! What downloads shall reach, beside what they reach.

use super::downloads::{AGAIN, AWAY, LARGE, OURS, PLAIN, POP, TLS, fetches, mbsync_named};
use super::measure::median;
use super::report::{Goal, Line, goals};

/// A Markdown list: each goal, the figure, and whether it is met.
pub fn list(lines: &[Line]) -> String {
    let wall = |job: &str, program: &str| {
        let line = lines.iter().find(|l| l.job == job && l.program == program)?;
        Some((line.cost()?.wall, line.messages as f64))
    };
    let times = |job: &str, program: &str| Some(wall(job, program)?.0 / wall(job, OURS)?.0);
    let peak =
        |job: &str| lines.iter().filter(|l| l.job == job && l.program == OURS).find_map(|l| median(&l.costs).peak);
    let most = [PLAIN, TLS, AGAIN, POP, AWAY, LARGE].into_iter().filter_map(peak).max_by(f64::total_cmp);
    let mbsync = mbsync_named();
    let fetching = |job| times(job, &fetches(3)).map(|n| 1.0 / n);
    let rate = wall(AWAY, OURS).map(|(wall, messages)| messages / wall);
    let goal = |text: &str, found, limit, least, unit| Goal { text: text.to_owned(), found, limit, least, unit };
    goals(&[
        goal("into a PST at least 10 times as fast as mbsync, plain", times(PLAIN, &mbsync), 10.0, true, "times"),
        goal("into a PST at least 5 times as fast as mbsync, TLS", times(TLS, &mbsync), 5.0, true, "times"),
        goal("into a PST in at most 3 times the time of fetching alone, plain", fetching(PLAIN), 3.0, false, "times"),
        goal("into a PST in at most 3 times the time of fetching alone, TLS", fetching(TLS), 3.0, false, "times"),
        goal("at least 800 messages/s with 40 ms to and fro", rate, 800.0, true, "messages/s"),
        goal("at most 128 MB of memory with a message of 200 MB", peak(LARGE), 128.0, false, "MB"),
        goal("at most 128 MB of memory in every download", most, 128.0, false, "MB"),
    ])
}
