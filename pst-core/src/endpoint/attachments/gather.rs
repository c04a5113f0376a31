//! What is attached to a message, and to the messages inside it.

use crate::endpoint::inside;
use crate::error::{Error, Result};
use crate::io::Spool;
use crate::mapi::{Blob, Code, MAX_DEPTH, Message, Warning};
use crate::mime::{self, Data, File};
use sha2::{Digest, Sha256};
use std::io::{Read, Write};

/// Messages larger than this wait on disk until they are written.
const HELD: usize = 4 << 20;
/// Bytes hashed at once.
const PIECE: usize = 256 << 10;

/// SHA-256 of the data of an attachment.
pub(super) type Hash = [u8; 32];

/// An attachment that is ready to be written.
pub(super) struct Entry {
    /// The names of the messages and files around it, the outermost first.
    pub inside: Vec<String>,
    /// The name as it is stored.
    pub stored: String,
    /// The name that its file gets, if it is free.
    pub name: String,
    pub mime: String,
    pub cid: Option<String>,
    pub inline: bool,
    /// True for a picture of an object or of a rich text body.
    pub made: bool,
    pub content: Content,
    pub hash: Hash,
    pub len: u64,
}

/// Where the data are.
pub(super) enum Content {
    Blob(Blob),
    Spool(Spool),
    /// Nowhere, for the reason given.
    None(String),
}

/// The attachments of an item, and what the index says of it.
#[derive(Default)]
pub(super) struct Gathered {
    pub subject: String,
    pub from: String,
    pub date: Option<i64>,
    pub entries: Vec<Entry>,
    pub warnings: Vec<Warning>,
}

impl Gathered {
    /// Takes an item apart.
    ///
    /// # Errors
    /// When its body cannot be read.
    pub fn of(message: Message, warnings: Vec<Warning>, options: &mime::Options) -> Result<Self> {
        let mut out = Self { warnings, ..Self::default() };
        let view = mime::view(message, options, &mut out.warnings)?;
        out.subject.clone_from(&view.subject);
        out.from = view.from.as_ref().map(ToString::to_string).unwrap_or_default();
        out.date = view.date;
        out.files(view.files, &[], options);
        Ok(out)
    }

    /// Bytes held until they are written.
    pub fn held(&self) -> u64 {
        let held = |e: &Entry| match &e.content {
            Content::Blob(blob) => blob.bytes().map_or(0, <[u8]>::len),
            Content::Spool(spool) => spool.held().map_or(0, <[u8]>::len),
            Content::None(_) => 0,
        };
        self.entries.iter().map(|e| held(e) as u64 + 500).sum()
    }

    /// Recursion ends at [`MAX_DEPTH`].
    fn files(&mut self, files: Vec<File>, inside: &[String], options: &mime::Options) {
        for mut file in files {
            let data = std::mem::replace(&mut file.data, Data::Missing);
            let nested = match data {
                Data::Message(message) => {
                    let written = written(&message, options, &mut self.warnings);
                    self.push(&file, inside, written.map(|(spool, hash, len)| (Content::Spool(spool), hash, len)));
                    Some(*message)
                }
                Data::Bytes(blob) => {
                    let opened = inside::message(&file, &blob);
                    let hashed = hashed(&blob);
                    self.push(&file, inside, hashed.map(|(hash, len)| (Content::Blob(blob), hash, len)));
                    opened.map(|(message, warnings)| {
                        self.warnings.extend(warnings);
                        message
                    })
                }
                Data::Missing => {
                    self.none(&file, inside, "it has no data".to_owned());
                    None
                }
            };
            if let Some(message) = nested {
                self.nested(message, &file, inside, options);
            }
        }
    }

    fn nested(&mut self, message: Message, file: &File, inside: &[String], options: &mime::Options) {
        if inside.len() + 1 >= MAX_DEPTH {
            let text = format!("messages nested more than {MAX_DEPTH} deep are not looked into");
            self.warnings.push(Code::Depth.with(text));
            return;
        }
        let around = [inside, std::slice::from_ref(&file.name)].concat();
        match mime::view(message, options, &mut self.warnings) {
            Ok(view) => self.files(view.files, &around, options),
            Err(e) => self
                .warnings
                .push(Code::Damaged.with(format!("{}: what is attached to it cannot be read: {e}", file.name))),
        }
    }

    fn push(&mut self, file: &File, inside: &[String], read: Result<(Content, Hash, u64)>) {
        match read {
            Ok((content, hash, len)) => self.entry(file, inside, content, hash, len),
            Err(e) => {
                self.warnings.push(Code::Damaged.with(format!("the attachment {} cannot be read: {e}", file.name)));
                self.none(file, inside, format!("it cannot be read: {e}"));
            }
        }
    }

    fn none(&mut self, file: &File, inside: &[String], reason: String) {
        self.entry(file, inside, Content::None(reason), Hash::default(), 0);
    }

    fn entry(&mut self, file: &File, inside: &[String], content: Content, hash: Hash, len: u64) {
        self.entries.push(Entry {
            inside: inside.to_vec(),
            stored: file.stored.clone(),
            name: file.name.clone(),
            mime: file.mime.clone(),
            cid: file.cid.clone(),
            inline: file.inline,
            made: file.made,
            content,
            hash,
            len,
        });
    }
}

/// A message in its MIME form.
fn written(message: &Message, options: &mime::Options, warnings: &mut Vec<Warning>) -> Result<(Spool, Hash, u64)> {
    let mut out = Hashing { spool: Spool::new(HELD), hash: Sha256::new(), len: 0 };
    warnings.extend(mime::from_mapi(message, &mut out, options)?);
    Ok((out.spool, out.hash.finalize().into(), out.len))
}

struct Hashing {
    spool: Spool,
    hash: Sha256,
    len: u64,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.spool.write_all(bytes)?;
        self.hash.update(bytes);
        self.len += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn hashed(blob: &Blob) -> Result<(Hash, u64)> {
    let mut hash = Sha256::new();
    if let Some(bytes) = blob.bytes() {
        hash.update(bytes);
        return Ok((hash.finalize().into(), bytes.len() as u64));
    }
    let (mut reader, mut piece, mut len) = (blob.open()?, vec![0; PIECE], 0);
    loop {
        let read = reader.read(&mut piece);
        let n = read.map_err(|e| Error::new(crate::Kind::Io, e.to_string()))?;
        if n == 0 {
            return Ok((hash.finalize().into(), len));
        }
        hash.update(piece.get(..n).unwrap_or_default());
        len += n as u64;
    }
}
