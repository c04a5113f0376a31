//! The report as JSON.

use super::choices::{repeated, told};
use super::{Prepared, Run};
use crate::ui::text::Out;
use pst_core::Result;
use pst_core::endpoint::prepare::{Finding, Judged, RULES};
use serde_json::{Value, json};

/// Prints it.
///
/// # Errors
/// When standard output cannot be written.
pub fn print(run: &Run<'_>) -> Result<()> {
    let choices: Vec<Value> = told(run)
        .into_iter()
        .map(|t| json!({"of": t.of, "value": t.value, "psts": t.psts, "meaning": t.meaning}))
        .collect();
    let rows: Vec<Value> = run
        .entries
        .iter()
        .map(|e| {
            json!({"file": e.path, "name": e.name, "mailbox": e.mailbox, "archive": e.archive,
                   "target_root": e.target_root, "code_page": e.code_page, "unc": e.unc, "remarks": e.remarks})
        })
        .collect();
    let rules: Vec<Value> = RULES
        .iter()
        .map(
            |r| json!({"id": r.id, "effect": r.effect.name(), "limit": r.figure, "title": r.title, "source": r.source}),
        )
        .collect();
    let report = json!({
        "ready": run.is_ready(), "files": run.files.iter().map(file).collect::<Vec<_>>(), "files_not_taken": run.others,
        "list": findings(&run.of_list), "container_path": run.container_path, "rows": rows, "choices": choices,
        "notes": repeated(run), "written": run.written, "rules": rules,
    });
    let mut out = Out::new();
    out.line(report.to_string())?;
    out.end()
}

fn file(f: &Prepared) -> Value {
    let mut out = judged(&f.judged);
    if let Some(map) = out.as_object_mut() {
        let new = f.written.as_ref().map(|(parts, _)| parts.iter().map(judged).collect::<Vec<_>>());
        let items = f.written.as_ref().map(|(_, r)| {
            json!({"read": r.read, "written": r.written, "failed": r.failed,
                                                           "damaged": r.damaged})
        });
        map.insert("upload_name".to_owned(), json!(f.name));
        map.insert("new_psts".to_owned(), json!(new));
        map.insert("moved".to_owned(), json!(items));
    }
    out
}

fn judged(j: &Judged) -> Value {
    json!({
        "file": j.path, "kind": j.kind, "bytes": j.bytes, "items": j.items, "associated": j.associated,
        "folders": j.folders, "levels": j.levels, "largest_item": j.largest, "code_page": j.codepage,
        "ready": j.is_ready(), "findings": findings(&j.findings), "counts": j.counts,
    })
}

fn findings(all: &[Finding]) -> Vec<Value> {
    let one = |f: &Finding| {
        let spot = f.spot.clone().unwrap_or_default();
        let text = |t: String| if t.is_empty() { Value::Null } else { json!(t) };
        json!({"rule": f.rule.id, "effect": f.rule.effect.name(), "text": f.text, "remedy": f.rule.remedy,
               "folder": f.spot.as_ref().map(|s| &s.folder), "item": text(spot.item), "subject": text(spot.subject),
               "bytes": spot.bytes})
    };
    all.iter().map(one).collect()
}
