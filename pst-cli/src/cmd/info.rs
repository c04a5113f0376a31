//! `pst info`.

use crate::args::Info;
use crate::exit::Outcome;
use crate::ui::text::{Out, bytes, plural, say, time};
use pst_core::Result;
use pst_core::endpoint::pst::PstSource;
use pst_core::ndb::{Crypt, Variant};
use pst_core::pipeline::journal::AccountSummary;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Default)]
struct Count {
    items: u64,
    bytes: u64,
    hidden: u64,
}

/// Runs the command.
///
/// # Errors
/// When the file cannot be opened.
pub fn run(a: &Info) -> Result<Outcome> {
    let source = PstSource::open_as(&a.file, a.ansi.reading())?;
    let store = source.store();
    let header = store.ndb().header();
    let mut errors = Vec::new();
    let tree = source.tree(&mut errors);
    let (mut classes, mut first, mut last) = (BTreeMap::<String, u64>::new(), None::<u64>, None::<u64>);
    let mut counts = Vec::new();
    for (node, folder) in &tree {
        let mut count = Count::default();
        if !folder.search {
            for listed in store.contents(node.nid, false, &mut errors) {
                count.items += 1;
                count.bytes += listed.size;
                match store.summary(listed.nid) {
                    Ok(s) => {
                        *classes.entry(s.class).or_default() += 1;
                        if let Some(t) = s.time {
                            first = Some(first.map_or(t, |f| f.min(t)));
                            last = Some(last.map_or(t, |l| l.max(t)));
                        }
                    }
                    Err(e) => errors.push(e),
                }
            }
            count.hidden = store.contents(node.nid, true, &mut errors).len() as u64;
        }
        counts.push(count);
    }
    let variant = match header.variant {
        Variant::Ansi => "ANSI",
        Variant::Unicode => "Unicode",
        Variant::Unicode4k => "Unicode, 4K pages",
    };
    let crypt = match header.crypt {
        Crypt::None => "none",
        Crypt::Permute => "permute (compressible encryption)",
        Crypt::Cyclic => "cyclic (high encryption)",
    };
    let downloads = downloads(&a.file).unwrap_or_else(|e| {
        errors.push(e);
        Vec::new()
    });
    let items: u64 = counts.iter().map(|c| c.items).sum();
    let mut out = Out::new();
    if a.json {
        let folders: Vec<_> = tree
            .iter()
            .zip(&counts)
            .map(|((node, f), c)| {
                json!({"id": node.nid.to_string(), "path": f.path.join("/"), "role": format!("{:?}", f.role), "class": f.class,
                       "search": f.search, "items": c.items, "associated": c.hidden, "bytes": c.bytes})
            })
            .collect();
        out.json(
            &json!({
                "file": a.file.display().to_string(), "bytes": store.ndb().input().len(), "kind": if header.ost { "OST" } else { "PST" },
                "variant": variant, "version": header.ver, "encryption": crypt, "password": store.has_password(),
                "name": store.display_name(), "items": items, "classes": classes,
                "first": first.map(|t| time(Some(t))), "last": last.map(|t| time(Some(t))),
                "folders": folders, "downloads": downloads_json(&downloads), "errors": errors.iter().map(ToString::to_string).collect::<Vec<_>>(),
            }),
        )?;
    } else {
        out.line(format!("file        {}", a.file.display()))?;
        out.line(format!("kind        {} {variant} (version {})", if header.ost { "OST" } else { "PST" }, header.ver))?;
        out.line(format!("name        {}", store.display_name()))?;
        out.line(format!("size        {}", bytes(store.ndb().input().len())))?;
        out.line(format!("encryption  {crypt}"))?;
        out.line(format!(
            "password    {}",
            if store.has_password() { "set (it does not protect the data)" } else { "none" }
        ))?;
        out.line(format!("items       {items}, {} to {}", time(first), time(last)))?;
        for (class, n) in &classes {
            out.line(format!("class       {n:>8}  {class}"))?;
        }
        out.line(format!("folders     {}", tree.len()))?;
        for ((node, f), c) in tree.iter().zip(&counts) {
            let name = f.path.last().map_or("/", String::as_str);
            let kind = if f.search { " (search folder)" } else { "" };
            let indent = "  ".repeat(f.path.len());
            let hidden = if c.hidden > 0 { format!(", {} associated", c.hidden) } else { String::new() };
            out.line(format!(
                "{:>10}  {indent}{}{kind}: {}, {}{hidden}",
                node.nid.to_string(),
                name,
                plural(c.items, "item"),
                bytes(c.bytes)
            ))?;
        }
        for d in &downloads {
            let last = d.finished.map_or_else(|| "never to its end".to_owned(), |t| time(filetime(t)));
            let items: u64 = d.folders.iter().map(|(_, n)| n).sum();
            let (account, folders) = (&d.account, d.folders.len() as u64);
            out.line(format!(
                "downloaded  {account}: {} of {}, last {last}",
                plural(items, "item"),
                plural(folders, "folder")
            ))?;
        }
    }
    out.end()?;
    for e in &errors {
        say(format!("pst: {}: {e}", a.file.display()));
    }
    Ok(if errors.is_empty() { Outcome::Done } else { Outcome::Flawed })
}

/// What a PST remembers of the accounts that were downloaded into it.
#[cfg(feature = "network")]
fn downloads(file: &Path) -> Result<Vec<AccountSummary>> {
    pst_core::pipeline::journal::State::summaries(file)
}

#[cfg(not(feature = "network"))]
fn downloads(_file: &Path) -> Result<Vec<AccountSummary>> {
    Ok(Vec::new())
}

fn filetime(seconds: i64) -> Option<u64> {
    pst_core::mapi::time::from_unix(seconds)
}

fn downloads_json(downloads: &[AccountSummary]) -> Vec<serde_json::Value> {
    let told = |d: &AccountSummary| {
        let folders: Vec<_> = d.folders.iter().map(|(path, n)| json!({"path": path, "items": n})).collect();
        let last = d.finished.map(|t| time(filetime(t)));
        json!({"account": d.account, "last": last, "folders": folders})
    };
    downloads.iter().map(told).collect()
}
