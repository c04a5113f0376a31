//! `pst cat`.

use crate::args::Cat;
use crate::exit::Outcome;
use crate::ui::json;
use crate::ui::text::{Out, say};
use pst_core::endpoint::directory::Learnt;
use pst_core::endpoint::pst::PstSource;
use pst_core::mapi::{Attachment, Message, PropBag, tag};
use pst_core::mime::exchange::Directory;
use pst_core::ndb::{Nid, id::nid_type};
use pst_core::{Error, Kind, Result, mime};
use std::collections::HashMap;
use std::sync::Arc;

/// Runs the command.
///
/// # Errors
/// When the file cannot be opened or has no such item.
pub fn run(a: &Cat) -> Result<Outcome> {
    let source = Arc::new(PstSource::open_as(&a.file, a.ansi.reading())?);
    let store = source.store();
    // Folders and what belongs to them have property bags too, but are no items.
    if !matches!(Nid(a.item).ty(), nid_type::NORMAL_MESSAGE | nid_type::ASSOC_MESSAGE) {
        let text = "this is no item; `pst ls FILE FOLDER` shows the ids of items";
        return Err(Error::new(Kind::NotFound, text).in_file(&a.file).id(u64::from(a.item)));
    }
    let (message, errors) = store.message(Nid(a.item)).map_err(|e| e.in_file(&a.file))?;
    let mut out = Out::new();
    if a.json {
        out.json(&json::message(&message)?)?;
    } else if a.source {
        let Some(source) = mime::kept_mime(&message) else {
            let text = "this item has no kept source; `pst convert --keep-mime` keeps one";
            return Err(Error::new(Kind::NotFound, text).in_file(&a.file).id(u64::from(a.item)));
        };
        let failed = |e| Error::system("cannot write", e);
        std::io::copy(&mut source.open()?, out.raw()).map_err(failed)?;
    } else if a.props {
        print(&mut out, &message, 0)?;
    } else {
        let directory = Learnt::new(vec![source.clone()], HashMap::new());
        let directory: Option<Arc<dyn Directory>> = Some(Arc::new(directory));
        let options = mime::Options { keep_rtf: a.keep_rtf, directory, ..mime::Options::default() };
        for warning in mime::from_mapi(&message, out.raw(), &options)? {
            say(format!("pst: note: {warning}"));
        }
    }
    out.end()?;
    for e in &errors {
        say(format!("pst: {}: {e}", a.file.display()));
    }
    Ok(if errors.is_empty() { Outcome::Done } else { Outcome::Flawed })
}

fn print(out: &mut Out, message: &Message, depth: usize) -> Result<()> {
    let indent = "  ".repeat(depth);
    props(out, &message.props, &indent)?;
    for (i, r) in message.recipients.iter().enumerate() {
        out.line(format!("{indent}recipient {}", i + 1))?;
        props(out, r, &format!("{indent}  "))?;
    }
    for (i, Attachment { props: bag, embedded }) in message.attachments.iter().enumerate() {
        out.line(format!("{indent}attachment {}", i + 1))?;
        props(out, bag, &format!("{indent}  "))?;
        if let Some(inner) = embedded {
            out.line(format!("{indent}  embedded message"))?;
            print(out, inner, depth + 2)?;
        }
    }
    Ok(())
}

fn props(out: &mut Out, bag: &PropBag, indent: &str) -> Result<()> {
    for p in &bag.0 {
        let name = match &p.name {
            Some(name) => name.to_string(),
            None => tag::name_of(p.tag).unwrap_or_default().to_owned(),
        };
        let value = match p.value.to_text() {
            Some(text) => text,
            None => format!("{:?}", p.value),
        };
        let short: String = value.chars().take(200).collect();
        let more = if short.len() < value.len() { " ..." } else { "" };
        out.line(format!("{indent}{} {name} = {short}{more}", p.tag))?;
    }
    Ok(())
}
