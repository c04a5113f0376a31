//! Runs a program and measures the whole process from outside: wall time, processor time, most memory.
//!
//! The two latter come from /proc, where there is one: a process that has ended and was not yet waited for still tells
//! its processor time, and until then its high-water mark is looked at again and again.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What a run of a program took.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// Seconds on the clock.
    pub wall: f64,
    /// Seconds of processor time, user and system, of the process and its children.
    pub cpu: Option<f64>,
    /// Most resident memory of the process, MB; the last look is at most some milliseconds before its end.
    pub peak: Option<f64>,
}

/// Looks at the process this often.
const LOOK: Duration = Duration::from_millis(4);
/// Ticks of /proc per second, the same on every Linux for user programs.
const TICKS: f64 = 100.0;

/// Runs a program; `Err` holds its last words if it fails.
pub fn run(command: &mut Command) -> Result<(Cost, Vec<u8>), String> {
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let (out, err) = (folder.path().join("out"), folder.path().join("err"));
    let file = |path| fs::File::create(path).map_err(|e| e.to_string());
    command.stdin(Stdio::null()).stdout(file(&out)?).stderr(file(&err)?);
    let start = Instant::now();
    let mut child = command.spawn().map_err(|e| format!("{command:?}: {e}"))?;
    let (cpu, peak) = watch(&child);
    let status = child.wait().map_err(|e| e.to_string())?;
    let cost = Cost { wall: start.elapsed().as_secs_f64(), cpu, peak };
    let output = fs::read(out).map_err(|e| e.to_string())?;
    if status.success() {
        return Ok((cost, output));
    }
    let words = fs::read_to_string(err).unwrap_or_default();
    Err(format!("{command:?}: {status}\n{}", words.lines().rev().take(5).collect::<Vec<_>>().join("\n")))
}

/// Waits for the end of a process without taking its last state away.
fn watch(child: &Child) -> (Option<f64>, Option<f64>) {
    let proc = format!("/proc/{}", child.id());
    let mut peak = None;
    loop {
        // The name of the program, which may hold anything, ends at the last parenthesis.
        let stat = fs::read_to_string(format!("{proc}/stat")).unwrap_or_default();
        let Some((_, stat)) = stat.rsplit_once(')') else { return (None, peak) };
        let fields: Vec<&str> = stat.split_whitespace().collect();
        if fields.first() == Some(&"Z") {
            let ticks: Option<f64> = (11..15).map(|i| fields.get(i)?.parse::<f64>().ok()).sum();
            return (ticks.map(|t| t / TICKS), peak);
        }
        peak = mark(&proc).or(peak);
        std::thread::sleep(LOOK);
    }
}

/// The high-water mark of resident memory, MB.
fn mark(proc: &str) -> Option<f64> {
    let status = fs::read_to_string(format!("{proc}/status")).ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse::<f64>().ok().map(|kb| kb * 1024.0 / 1e6)
}

/// The median of some costs, each figure by itself.
pub fn median(costs: &[Cost]) -> Cost {
    let middle = |mut all: Vec<f64>| {
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied()
    };
    Cost {
        wall: middle(costs.iter().map(|c| c.wall).collect()).unwrap_or_default(),
        cpu: middle(costs.iter().filter_map(|c| c.cpu).collect()),
        peak: costs.iter().filter_map(|c| c.peak).max_by(f64::total_cmp),
    }
}
