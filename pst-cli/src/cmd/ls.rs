//! `pst ls`.

use crate::args::{Ls, node_id};
use crate::exit::Outcome;
use crate::ui::text::{Out, say, time};
use pst_core::endpoint::pst::PstSource;
use pst_core::pipeline::{Folder, FolderFilter};
use pst_core::{Error, Kind, Result};
use serde_json::json;

/// Runs the command.
///
/// # Errors
/// When the file cannot be opened or has no such folder.
pub fn run(a: &Ls) -> Result<Outcome> {
    #[cfg(feature = "network")]
    if let Some((account, folder)) = super::server::account(a)? {
        return super::server::list(a, account, folder.as_deref());
    }
    let Some(file) = &a.file else { return Err(Error::new(Kind::Usage, "a PST or OST is needed")) };
    let source = PstSource::open_as(file, a.ansi.reading())?;
    let mut errors = Vec::new();
    let tree = source.tree(&mut errors);
    let mut out = Out::new();
    match &a.folder {
        None => {
            for (node, f) in &tree {
                let (path, n) = (f.path.join("/"), f.count.unwrap_or_default());
                if a.json {
                    let class = f.class.clone();
                    out.json(&json!({"id": node.nid.to_string(), "path": path, "items": n, "class": class, "search": f.search}))?;
                } else {
                    out.line(format!("{:>10} {n:>8}  /{}", node.nid.to_string(), path))?;
                }
            }
        }
        Some(wanted) => {
            let by_id =
                node_id(wanted).ok().and_then(|id| tree.iter().find(|(n, _)| n.nid.0 == id)).map(|(n, _)| n.nid);
            let nid = match by_id {
                Some(nid) => nid,
                None => {
                    let all: Vec<_> = tree.iter().map(|(_, f)| f.clone()).collect();
                    let Some(f) = find(&all, wanted)? else {
                        let text = format!("there is no folder \"{wanted}\"; 'pst ls {}' lists them", file.display());
                        return Err(Error::new(Kind::NotFound, text).in_file(file));
                    };
                    pst_core::ndb::Nid(f.key as u32)
                }
            };
            for associated in [false, true] {
                for listed in source.store().contents(nid, associated, &mut errors) {
                    match source.store().summary(listed.nid) {
                        Ok(s) if a.json => out.json(
                            &json!({"id": listed.nid.to_string(), "class": s.class, "subject": s.subject, "from": s.from,
                                   "time": s.time.map(|t| time(Some(t))), "bytes": listed.size, "read": s.read, "associated": associated}),
                        )?,
                        Ok(s) => out.line(format!(
                            "{:>10} {} {:>10} {:24.24}  {}",
                            listed.nid.to_string(),
                            time(s.time),
                            listed.size,
                            s.from,
                            s.subject
                        ))?,
                        Err(e) => errors.push(e),
                    }
                }
            }
        }
    }
    out.end()?;
    for e in &errors {
        say(format!("pst: {}: {e}", file.display()));
    }
    Ok(if errors.is_empty() { Outcome::Done } else { Outcome::Flawed })
}

/// The first folder that a pattern means.
///
/// # Errors
/// When the pattern makes no sense.
pub fn find(all: &[Folder], wanted: &str) -> Result<Option<Folder>> {
    let filter = FolderFilter { include: vec![wanted.to_owned()], ..FolderFilter::default() };
    Ok(filter.select(all, &[])?.into_iter().next().map(|(found, _)| found))
}
