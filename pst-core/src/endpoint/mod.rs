//! The systems that mail comes from and goes to, one module each, with its source and its sink.

#[cfg(feature = "network")]
pub mod account;
pub mod attachments;
pub mod cells;
pub mod components;
pub mod directory;
pub mod eml;
#[cfg(feature = "network")]
pub mod ews;
#[cfg(feature = "network")]
pub mod graph;
#[cfg(feature = "html")]
pub mod html;
pub mod ics;
#[cfg(feature = "network")]
pub mod imap;
mod inside;
pub mod json;
pub mod maildir;
pub mod mbox;
pub mod msg;
#[cfg(feature = "network")]
pub mod net;
#[cfg(feature = "network")]
pub mod pop;
pub mod prepare;
pub mod pst;
#[cfg(feature = "network")]
pub mod push;
#[cfg(feature = "network")]
pub mod resumed;
mod sheets;
pub mod text;
pub mod tree;
pub mod utf7;
pub mod vcf;

use crate::error::{Error, Kind, Result};
use crate::messaging::write;
use crate::mime;
use crate::ndb::Crypt;
use crate::pipeline::{Sink, Source};
use components::Format;
use std::path::Path;
use std::sync::Arc;

/// How a target is written.
#[derive(Debug, Clone, Default)]
pub struct TargetOptions {
    /// How data blocks of a PST are encoded.
    pub crypt: Crypt,
    /// Replace an existing target.
    pub overwrite: bool,
    /// Add to an existing target; PSTs only.
    pub append: bool,
    /// Begin a further PST where one would become larger than this, bytes.
    pub split: Option<u64>,
    /// Name of a store.
    pub title: String,
    /// Write equal attachments once only, where the target is a folder of attachments.
    pub once: bool,
    /// How messages of a store become mail.
    pub mail: mime::Options,
    /// How mail becomes messages of a store.
    pub import: mime::ImportOptions,
}

/// Splits "kind:path" and "path".
fn split(spec: &str) -> (Option<&str>, &Path) {
    match spec.split_once(':') {
        Some((
            kind @ ("pst" | "eml" | "msg" | "mbox" | "maildir" | "ics" | "vcf" | "json" | "attachments" | "html"),
            path,
        )) => (Some(kind), Path::new(path)),
        _ => (None, Path::new(spec)),
    }
}

/// The name of a source for people: its file name without ending.
pub fn name_of(spec: &str) -> String {
    let (_, path) = split(spec);
    let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let name = if path.is_dir() { path.file_name() } else { path.file_stem() };
    name.map_or_else(|| "Mail".to_owned(), |n| n.to_string_lossy().into_owned())
}

/// True for a source that is one mbox file: it becomes a folder of its own name.
pub fn is_single_mbox(spec: &str) -> bool {
    let (kind, path) = split(spec);
    path.is_file() && kind.map_or_else(|| recognise(path).is_ok_and(|k| k == "mbox"), |k| k == "mbox")
}

/// How a source is read.
#[derive(Debug, Clone, Copy, Default)]
pub struct SourceOptions {
    /// The code page of 8-bit strings that do not say theirs.
    pub ansi_codepage: Option<u32>,
    /// PSTs and OSTs are read however damaged they are: by their pages and blocks, not by what leads to them.
    pub salvage: bool,
}

/// Opens a source, recognising its kind; a folder may hold several.
///
/// # Errors
/// When it cannot be read or is of no known kind.
pub fn open(spec: &str, options: SourceOptions) -> Result<Arc<dyn Source>> {
    let (kind, path) = split(spec);
    match kind {
        Some(kind) => open_as(kind, path, options),
        None if path.is_dir() => Ok(Arc::new(tree::TreeSource::open(path, options)?)),
        // What has lost its beginning is known by its name alone.
        None if options.salvage && is_pst_name(path) => open_as("pst", path, options),
        None => open_as(recognise(path)?, path, options),
    }
}

fn is_pst_name(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("pst") || e.eq_ignore_ascii_case("ost"))
}

fn open_as(kind: &str, path: &Path, options: SourceOptions) -> Result<Arc<dyn Source>> {
    Ok(match kind {
        "attachments" | "html" => {
            let text = format!("{kind}: is a kind of target; nothing is read from it");
            return Err(Error::new(Kind::Usage, text).in_file(path));
        }
        "pst" => Arc::new(pst::PstSource::open_as(path, options)?),
        "mbox" => Arc::new(mbox::MboxSource::open(path)?),
        "json" => Arc::new(json::JsonSource::open(path)?),
        "maildir" => Arc::new(maildir::MaildirSource::open(path)?),
        "ics" => Arc::new(components::ComponentSource::open(path, Format::Calendar)?),
        "vcf" => Arc::new(components::ComponentSource::open(path, Format::Contacts)?),
        "components" => Arc::new(components::ComponentSource::open_all(path)?),
        _ => Arc::new(eml::EmlSource::open(path)?),
    })
}

/// The error of a tree below `top` that cannot be listed.
fn cannot_list(e: walkdir::Error, top: &Path) -> Error {
    let at = e.path().unwrap_or(top).to_path_buf();
    Error::io("cannot list", at, e.into_io_error().unwrap_or_else(|| std::io::Error::other("the tree loops")))
}

/// The kind of a file by its content.
fn recognise(path: &Path) -> Result<&'static str> {
    let meta = std::fs::metadata(path).map_err(|e| Error::io("cannot open", path, e))?;
    let mut head = vec![0; 4096.min(meta.len() as usize)];
    crate::io::Input::open(path)?.read_into(0, &mut head)?;
    if head.starts_with(b"!BDN") {
        return Ok("pst");
    }
    if msg::is_compound(&head) {
        return Ok("msg");
    }
    if json::is_json(path, &head) {
        return Ok("json");
    }
    if head.is_empty() {
        return Err(
            Error::new(Kind::NotThisKind, "the file is empty; a prefix such as mbox: forces a kind").in_file(path)
        );
    }
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&head).trim_ascii_start();
    if text.starts_with(b"From ") {
        return Ok("mbox");
    }
    match Format::of_content(&head).or_else(|| Format::of_name(path)) {
        Some(Format::Calendar) => return Ok("ics"),
        Some(Format::Contacts) => return Ok("vcf"),
        None => {}
    }
    if eml::is_eml(path) || eml::looks_like_mail(path) {
        return Ok("eml");
    }
    let text = "this is not a PST, an mbox, a mail message, a calendar or a vCard; a prefix (pst:, eml:, msg:, mbox:, \
                maildir:, ics:, vcf:, json:) forces a kind";
    Err(Error::new(Kind::NotThisKind, text).in_file(path))
}

/// The file of a target that is a PST.
pub fn pst_target(spec: &str) -> Option<&Path> {
    let (kind, path) = split(spec);
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    (kind.or(ending.as_deref()) == Some("pst")).then_some(path)
}

/// Refuses a target whose folder is not there.
fn needs_folder(path: &Path) -> Result<()> {
    match path.parent().filter(|f| !f.as_os_str().is_empty() && !f.exists()) {
        Some(folder) => Err(Error::new(Kind::Usage, "this folder does not exist; make it first").in_file(folder)),
        None => Ok(()),
    }
}

/// Opens a PST to add to, or makes one that is whole from its first moment on.
///
/// # Errors
/// When it cannot be made, or is no PST that can be added to, or in use.
#[cfg(feature = "network")]
pub fn grow(path: &Path, options: &TargetOptions) -> Result<Box<dyn Sink>> {
    needs_folder(path)?;
    let write = write::Options {
        crypt: options.crypt,
        overwrite: false,
        display_name: options.title.clone(),
        record_key: None,
    };
    if let Some(limit) = options.split {
        return Ok(Box::new(pst::SplitSink::grow(path, limit, write, options.import, true)?));
    }
    Ok(Box::new(pst::PstSink::grow(path, write, options.import)?.keeping_journal()))
}

/// True for a target that hides folder-associated items as the source does; in others they would be seen as mail.
pub fn keeps_associated(spec: &str) -> bool {
    let (kind, path) = split(spec);
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    !matches!(kind.or(ending.as_deref()), Some("eml" | "mbox" | "mbx" | "maildir" | "html" | "ics" | "vcf"))
}

/// Starts a target of the kind that its prefix or ending names.
///
/// # Errors
/// When it exists, cannot be created, is one of the sources, or its kind cannot be told.
pub fn create(spec: &str, sources: &[String], options: &TargetOptions) -> Result<Box<dyn Sink>> {
    let (kind, path) = split(spec);
    let real = path.canonicalize().ok();
    let inside = |s: &&String| split(s).1.canonicalize().is_ok_and(|s| real.as_ref().is_some_and(|t| s.starts_with(t)));
    if let Some(source) = sources.iter().find(inside) {
        let text = if split(source).1.canonicalize().ok() == real {
            "the target is one of the sources; sources are never changed"
        } else {
            "a source lies in this target; sources are never changed"
        };
        return Err(Error::new(Kind::Usage, text).in_file(path));
    }
    needs_folder(path)?;
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    let kind = kind.or(ending.as_deref());
    if options.append && kind != Some("pst") {
        return Err(Error::new(Kind::Usage, "only a PST can be added to; leave out --append").in_file(path));
    }
    if options.split.is_some() && kind != Some("pst") {
        return Err(Error::new(Kind::Usage, "only a PST is divided; leave out --split").in_file(path));
    }
    match kind {
        Some("pst") => {
            let write = write::Options {
                crypt: options.crypt,
                overwrite: options.overwrite,
                display_name: options.title.clone(),
                record_key: None,
            };
            let adding = options.append && path.exists();
            Ok(match (options.split, adding) {
                (Some(limit), true) => Box::new(pst::SplitSink::grow(path, limit, write, options.import, false)?),
                (Some(limit), false) => Box::new(pst::SplitSink::create(path, limit, write, options.import)?),
                (None, true) => Box::new(pst::PstSink::open(path, write, options.import)?),
                (None, false) => Box::new(pst::PstSink::create(path, write, options.import)?),
            })
        }
        Some("eml") => Ok(Box::new(eml::EmlSink::create(path, options.overwrite, options.mail.clone())?)),
        #[cfg(feature = "html")]
        Some("html") => Ok(Box::new(html::HtmlSink::create(
            path,
            options.overwrite,
            &options.title,
            options.import,
            options.mail.clone(),
        )?)),
        #[cfg(not(feature = "html"))]
        Some("html") => Err(Error::new(Kind::Unsupported, "this program was built without pages for browsers (html)")),
        Some("attachments") => Ok(Box::new(attachments::AttachmentsSink::create(
            path,
            options.overwrite,
            options.once,
            options.import,
            options.mail.clone(),
        )?)),
        Some("msg") => Ok(Box::new(msg::MsgSink::create(path, options.overwrite, options.import)?)),
        Some("json" | "jsonl") => Ok(Box::new(json::JsonSink::create(path, options.overwrite, options.import)?)),
        Some("mbox" | "mbx") => Ok(Box::new(mbox::MboxSink::create(path, options.overwrite, options.mail.clone())?)),
        Some("maildir") => Ok(Box::new(maildir::MaildirSink::create(path, options.overwrite, options.mail.clone())?)),
        Some("ics") => Ok(Box::new(ics::IcsSink::create(path, options.overwrite, options.mail.clone())?)),
        Some("vcf") => Ok(Box::new(vcf::VcfSink::create(path, options.overwrite, options.mail.clone())?)),
        _ => Err(Error::new(
            Kind::Usage,
            "the kind of the target cannot be told; give a prefix: pst:, eml:, msg:, mbox:, maildir:, ics:, vcf:, json:, \
             html: or attachments:",
        )
        .in_file(path)),
    }
}
