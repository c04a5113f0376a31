//! The account of a run as a page without scripts or anything from elsewhere.

use super::{Account, differences};
use crate::ui::text::{bytes, plural, tame};
use std::fmt::Write;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:75em;padding:0 1em;color:#222;\
background:#fff}table{border-collapse:collapse;width:100%;margin:1em 0}th,td{padding:.3em .6em;text-align:left;\
border-bottom:1px solid #ddd;vertical-align:top}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}\
tr.bad td{background:#fff1f0}.ok{color:#176f2c}.no{color:#a8071a}h1{font-size:1.4em}h2{font-size:1.1em}\
@media(prefers-color-scheme:dark){body{background:#1b1b1b;color:#ddd}th,td{border-color:#444}tr.bad td{background:#3a1f1d}\
.ok{color:#7ddc8f}.no{color:#ff8f8f}}";

/// The page.
pub fn page(a: &Account<'_>) -> String {
    let r = a.report;
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{0}</title><style>{STYLE}</style></head>\
         <body>\n<h1>{0}</h1>\n<p>{1}</p>\n",
        escape(&format!("{} to {}", a.sources.join(", "), a.target)),
        escape(&format!(
            "Begun {}, {:.1} s. {} in {}: {} fetched, {} written, {} there before.",
            a.started,
            a.seconds,
            bytes(r.bytes),
            plural(r.folders, "folder"),
            r.read,
            r.written,
            r.there
        )),
    );
    let trouble = r.failed + r.damaged;
    let verdict = if trouble == 0 {
        "<p class=\"ok\">Nothing failed.</p>\n".to_owned()
    } else {
        format!("<p class=\"no\">{} could not be moved, {} lost a part.</p>\n", plural(r.failed, "item"), r.damaged)
    };
    out.push_str(&verdict);
    if a.dry_run {
        out.push_str("<p>A dry run: nothing was written.</p>\n");
    }
    let heads = ["Source has", "There before", "Fetched", "Written", "Left out", "Failed", "Updated", "Target has"];
    let several = a.sources.len() > 1;
    let head = if several { "<th>File</th>" } else { "" };
    let file = |nth: usize| a.file(nth).map(|file| format!("<td>{}</td>", escape(file))).unwrap_or_default();
    let _ = write!(out, "<table><thead><tr>{head}<th>Folder</th><th>In the target</th>");
    for head in heads {
        let _ = write!(out, "<th class=\"n\">{head}</th>");
    }
    out.push_str("<th>Differences</th></tr></thead><tbody>\n");
    for f in &r.by_folder {
        let number = |n: Option<u64>| n.map_or_else(|| "–".to_owned(), |n| n.to_string());
        let class = if f.failed > 0 { " class=\"bad\"" } else { "" };
        let (from, to) = (escape(&f.source), escape(&f.target));
        let _ = write!(out, "<tr{class}>{}<td>/{from}</td><td>/{to}</td>", file(f.nth));
        for n in [
            number(f.counted),
            f.there.to_string(),
            f.read.to_string(),
            f.written.to_string(),
            f.skipped.values().sum::<u64>().to_string(),
            f.failed.to_string(),
            (f.updated + f.gone).to_string(),
            number(a.in_target(f)),
        ] {
            let _ = write!(out, "<td class=\"n\">{n}</td>");
        }
        let _ = writeln!(out, "<td>{}</td></tr>", escape(&differences(f).join("; ")));
    }
    out.push_str("</tbody></table>\n");
    if !r.failures.is_empty() {
        let _ = write!(out, "<h2>Not moved</h2>\n<table><tr>{head}<th>Folder</th><th>Item</th><th>Why</th></tr>\n");
        for f in &r.failures {
            let (folder, id, why) = (escape(&f.folder), escape(&f.id), escape(&f.error.to_string()));
            let _ = writeln!(out, "<tr>{}<td>/{folder}</td><td>{id}</td><td>{why}</td></tr>", file(f.nth));
        }
        out.push_str("</table>\n");
    }
    if !r.notes.is_empty() {
        let _ = write!(out, "<h2>Remarks</h2>\n<table><tr>{head}<th>Folder</th><th>Item</th><th>Remark</th></tr>\n");
        for n in &r.notes {
            let (folder, id, what) = (escape(&n.folder), escape(&n.id), escape(&n.warning.text));
            let _ = writeln!(out, "<tr>{}<td>/{folder}</td><td>{id}</td><td>{what}</td></tr>", file(n.nth));
        }
        out.push_str("</table>\n");
    }
    out.push_str("</body></html>\n");
    out
}

fn escape(text: &str) -> String {
    tame(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
