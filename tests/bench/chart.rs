//! A chart of how many times as fast as its peers `pst` is, as SVG.

use super::report::Line;
use std::fmt::Write;

const LEFT: f64 = 380.0;
const WIDTH: f64 = 480.0;
const ROW: f64 = 40.0;
const TOP: f64 = 56.0;
/// Ratios at the two ends of the axis, which is logarithmic.
const ENDS: (f64, f64) = (0.25, 256.0);
const CPU: &str = "#2b6cb0";
const WALL: &str = "#ed8936";

struct Bar {
    name: String,
    cpu: Option<f64>,
    wall: f64,
}

/// Two bars for each peer: by processor time and by the clock.
pub fn draw(title: &str, lines: &[Line]) -> String {
    let bars: Vec<Bar> = lines.iter().filter_map(|line| bar(line, lines)).collect();
    let bottom = TOP + ROW * bars.len() as f64;
    let (width, height) = (LEFT + WIDTH + 60.0, bottom + 30.0);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    text(&mut out, 10.0, 20.0, "start", &format!("{title}: how many times as fast pst is"));
    for (at, colour, words) in [(10.0, CPU, "by processor time"), (150.0, WALL, "by the clock")] {
        rect(&mut out, at, 30.0, 12.0, colour);
        text(&mut out, at + 18.0, 40.0, "start", words);
    }
    let mut tick = ENDS.0;
    while tick <= ENDS.1 {
        let (x, colour) = (along(tick), if tick == 1.0 { "#000" } else { "#ddd" });
        let _ = writeln!(out, "<path d=\"M{x:.1} {TOP} V{bottom}\" stroke=\"{colour}\"/>");
        text(&mut out, x, bottom + 16.0, "middle", &tick.to_string());
        tick *= 4.0;
    }
    for (i, bar) in bars.iter().enumerate() {
        let y = TOP + ROW * i as f64;
        text(&mut out, LEFT - 10.0, y + 24.0, "end", &bar.name);
        for (place, ratio, colour) in [(6.0, bar.cpu, CPU), (20.0, Some(bar.wall), WALL)] {
            let Some(ratio) = ratio else { continue };
            let (from, to) = (along(1.0), along(ratio));
            rect(&mut out, from.min(to), y + place, (to - from).abs(), colour);
            text(&mut out, from.max(to) + 4.0, y + place + 10.0, "start", &format!("{ratio:.1}"));
        }
    }
    out.push_str("</svg>\n");
    out
}

/// A peer beside the first program of the same job.
fn bar(line: &Line, all: &[Line]) -> Option<Bar> {
    let ours = all.iter().find(|l| l.job == line.job)?;
    if line.program.starts_with("pst") || !ours.program.starts_with("pst") {
        return None;
    }
    let (a, b) = (ours.cost()?, line.cost()?);
    let cpu = a.cpu.zip(b.cpu).filter(|(a, _)| *a > 0.0).map(|(a, b)| b / a);
    Some(Bar { name: format!("{}, {}", line.job, line.program), cpu, wall: b.wall / a.wall })
}

/// Where a ratio stands on the axis.
fn along(ratio: f64) -> f64 {
    let (low, high) = (ENDS.0.log2(), ENDS.1.log2());
    LEFT + WIDTH * (ratio.clamp(ENDS.0, ENDS.1).log2() - low) / (high - low)
}

fn rect(out: &mut String, x: f64, y: f64, width: f64, colour: &str) {
    let _ = writeln!(out, "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"12\" fill=\"{colour}\"/>");
}

fn text(out: &mut String, x: f64, y: f64, anchor: &str, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let _ = writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>");
}
