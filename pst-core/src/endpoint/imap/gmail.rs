//! Gmail: labels in place of folders (X-GM-EXT-1).

use super::command::decoded;
use super::folders::Mailbox;
use super::source::Labels;
use crate::error::{Error, Result};
use crate::io::Input;
use std::collections::HashMap;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};

/// The folders that are read: by default those that have each message once.
pub(super) fn chosen(all: Vec<Mailbox>, labels: Labels) -> Vec<Mailbox> {
    let has_all = all.iter().any(|m| is_all(m) && m.selectable);
    let mut kept: Vec<Mailbox> = match labels {
        // What has no label is only in the folder of everything: it comes last, for what no other has. Stars are flags.
        Labels::Folders => {
            let (last, first): (Vec<_>, Vec<_>) = all.into_iter().filter(|m| !m.is("\\flagged")).partition(is_all);
            first.into_iter().chain(last).collect()
        }
        Labels::Categories if !has_all => all,
        Labels::Categories => {
            let once = |m: &Mailbox| is_all(m) || ["\\junk", "\\spam", "\\trash"].iter().any(|a| m.is(a));
            let mut kept: Vec<Mailbox> = all.into_iter().filter(once).collect();
            for mailbox in &mut kept {
                // "[Gmail]" holds nothing else now.
                mailbox.folder.path = mailbox.folder.path.pop().into_iter().collect();
            }
            kept
        }
    };
    for (key, mailbox) in kept.iter_mut().enumerate() {
        mailbox.folder.key = key as u64;
    }
    kept
}

/// True for the folder that has every message.
pub(super) fn is_all(mailbox: &Mailbox) -> bool {
    mailbox.is("\\all") || mailbox.is("\\allmail")
}

/// Messages with several labels, kept in a temporary file until their other folders ask for them.
#[derive(Default)]
pub(super) struct Copies {
    file: Option<File>,
    len: u64,
    places: HashMap<u64, (u64, u64)>,
}

impl Copies {
    /// Keeps a message.
    ///
    /// # Errors
    /// When the temporary file cannot be written.
    pub(super) fn keep(&mut self, id: u64, input: &Input) -> Result<()> {
        if self.places.contains_key(&id) {
            return Ok(());
        }
        let spool = |e| Error::system("cannot keep a message in a temporary file", e);
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(tempfile::tempfile().map_err(spool)?),
        };
        // After a message that failed half-way, and where reading moves the cursor, it stands elsewhere.
        file.seek(SeekFrom::Start(self.len)).map_err(spool)?;
        let (mut at, mut window) = (0, Vec::new());
        while at < input.len() {
            let take = (input.len() - at).min(64 << 10) as usize;
            file.write_all(input.read(at, take, &mut window)?).map_err(spool)?;
            at += take as u64;
        }
        self.places.insert(id, (self.len, at));
        self.len += at;
        Ok(())
    }

    /// A message that was kept: a file, where it begins, and its length.
    ///
    /// # Errors
    /// When the temporary file cannot be opened once more.
    pub(super) fn find(&self, id: u64) -> Result<Option<(Input, u64, u64)>> {
        let (Some(file), Some((at, len))) = (&self.file, self.places.get(&id)) else { return Ok(None) };
        let file = file.try_clone().map_err(|e| Error::system("cannot read a message in a temporary file", e))?;
        Ok(Some((Input::from_file(file, self.len, "message"), *at, *len)))
    }
}

/// The categories that labels become. Stars and drafts are flags already.
pub(super) fn categories(labels: &[Vec<u8>]) -> Vec<String> {
    let one = |label: &Vec<u8>| {
        let name = decoded(label, false);
        // Labels of the system begin with a backslash, which may have been escaped where it need not be.
        let system = name.trim_start_matches('\\');
        if system.len() == name.len() {
            return Some(name);
        }
        (!["Starred", "Draft", "Drafts"].contains(&system)).then(|| system.to_owned())
    };
    labels.iter().filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels() {
        let labels = [b"\\Inbox".to_vec(), b"\\Starred".to_vec(), b"Entw&APw-rfe".to_vec(), b"a b".to_vec()];
        assert_eq!(categories(&labels), ["Inbox", "Entwürfe", "a b"]);
    }

    #[test]
    fn a_copy_that_fails_half_way_does_not_shift_the_next() {
        let mut copies = Copies::default();
        let mut short = tempfile::tempfile().unwrap();
        short.write_all(&vec![b'x'; 80 << 10]).unwrap();
        assert!(copies.keep(1, &Input::from_file(short, 200 << 10, "message")).is_err());
        copies.keep(2, &Input::from_bytes(b"the second".to_vec(), "message")).unwrap();
        assert!(copies.find(1).unwrap().is_none());
        let (input, at, len) = copies.find(2).unwrap().unwrap();
        assert_eq!(input.read(at, len as usize, &mut Vec::new()).unwrap(), b"the second");
    }
}
