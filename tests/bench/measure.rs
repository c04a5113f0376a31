//! Runs a program and measures the whole process from outside: wall time, processor time, most memory, bytes read and
//! written.
//!
//! All but the first come from /proc, where there is one: a process that has ended and was not yet waited for still tells
//! its processor time and bytes, and until then its high-water mark is looked at again and again.

use serde::{Deserialize, Serialize};
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What a run of a program took.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Cost {
    /// Seconds on the clock.
    pub wall: f64,
    /// Seconds of processor time, user and system, of the process and its children.
    pub cpu: Option<f64>,
    /// Most resident memory of the process, MB; the last look is at most some milliseconds before its end.
    pub peak: Option<f64>,
    /// MB that were asked of the system by reading, from memory or disk.
    pub read: Option<f64>,
    /// MB that were written.
    pub written: Option<f64>,
}

/// Looks at the process this often.
const LOOK: Duration = Duration::from_millis(4);
/// Ticks of /proc per second, the same on every Linux for user programs.
const TICKS: f64 = 100.0;

/// Runs a program for as long as it takes; `Err` holds its last words if it fails.
#[allow(dead_code, reason = "conversions have a limit of time")]
pub fn run(command: &mut Command) -> Result<(Cost, Vec<u8>), String> {
    run_within(command, Duration::MAX)
}

/// Runs a program, and ends it after `limit`; `Err` says so, or holds its last words if it fails.
pub fn run_within(command: &mut Command, limit: Duration) -> Result<(Cost, Vec<u8>), String> {
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let (out, err) = (folder.path().join("out"), folder.path().join("err"));
    let file = |path| fs::File::create(path).map_err(|e| e.to_string());
    command.stdin(Stdio::null()).stdout(file(&out)?).stderr(file(&err)?);
    let start = Instant::now();
    let mut child = command.spawn().map_err(|e| format!("{command:?}: {e}"))?;
    let watched = watch(&child, start, limit);
    if watched.is_none() {
        end(&mut child);
    }
    let status = child.wait().map_err(|e| e.to_string())?;
    let wall = start.elapsed().as_secs_f64();
    let Some(cost) = watched else { return Err(format!("not finished in {:.0} s", limit.as_secs_f64())) };
    let output = fs::read(out).map_err(|e| e.to_string())?;
    if status.success() {
        return Ok((Cost { wall, ..cost }, output));
    }
    let words = fs::read(err).unwrap_or_default();
    let words = String::from_utf8_lossy(&words);
    Err(format!("{command:?}: {status}\n{}", words.lines().rev().take(5).collect::<Vec<_>>().join("\n")))
}

/// Waits for the end of a process without taking its last state away; `None` if that takes longer than `limit`.
fn watch(child: &Child, start: Instant, limit: Duration) -> Option<Cost> {
    let proc = format!("/proc/{}", child.id());
    let mut peak = None;
    while start.elapsed() < limit {
        // The name of the program, which may hold anything, ends at the last parenthesis.
        let stat = fs::read_to_string(format!("{proc}/stat")).unwrap_or_default();
        let Some((_, stat)) = stat.rsplit_once(')') else { return Some(Cost { peak, ..Cost::default() }) };
        let fields: Vec<&str> = stat.split_whitespace().collect();
        if fields.first() == Some(&"Z") {
            let ticks: Option<f64> = (11..15).map(|i| fields.get(i)?.parse::<f64>().ok()).sum();
            let io = fs::read_to_string(format!("{proc}/io")).unwrap_or_default();
            let mb = |key: &str| number(&io, key).map(|n| n / 1e6);
            let (read, written) = (mb("rchar:"), mb("wchar:"));
            return Some(Cost { wall: 0.0, cpu: ticks.map(|t| t / TICKS), peak, read, written });
        }
        let status = fs::read_to_string(format!("{proc}/status")).unwrap_or_default();
        peak = number(&status, "VmHWM:").map(|kb| kb * 1024.0 / 1e6).or(peak);
        std::thread::sleep(LOOK);
    }
    None
}

/// The number behind a key at the start of a line.
fn number(text: &str, key: &str) -> Option<f64> {
    text.lines().find_map(|l| l.strip_prefix(key))?.split_whitespace().next()?.parse().ok()
}

/// Ends a process and those that it has started.
fn end(child: &mut Child) {
    let mut all = vec![child.id().to_string()];
    let mut at = 0;
    while let Some(id) = all.get(at) {
        let below = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        all.extend(below.split_whitespace().map(str::to_owned));
        at += 1;
    }
    let _ = child.kill();
    let _ = Command::new("kill").arg("-KILL").args(&all[1..]).stderr(Stdio::null()).status();
}

/// The median of some costs, each figure by itself.
pub fn median(costs: &[Cost]) -> Cost {
    let middle = |mut all: Vec<f64>| {
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied()
    };
    let of = |part: fn(&Cost) -> Option<f64>| middle(costs.iter().filter_map(part).collect());
    Cost {
        wall: of(|c| Some(c.wall)).unwrap_or_default(),
        cpu: of(|c| c.cpu),
        peak: costs.iter().filter_map(|c| c.peak).max_by(f64::total_cmp),
        read: of(|c| c.read),
        written: of(|c| c.written),
    }
}
