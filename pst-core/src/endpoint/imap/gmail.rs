//! Gmail: labels in place of folders (X-GM-EXT-1).

use super::command::decoded;
use super::folders::Mailbox;
use super::source::Labels;

/// The folders that are read: by default those that have each message once.
pub(super) fn chosen(all: Vec<Mailbox>, labels: Labels) -> Vec<Mailbox> {
    let has_all = all.iter().any(|m| is_all(m) && m.selectable);
    if labels == Labels::Folders || !has_all {
        return all;
    }
    let once = |m: &Mailbox| is_all(m) || ["\\junk", "\\spam", "\\trash"].iter().any(|a| m.is(a));
    let mut kept: Vec<Mailbox> = all.into_iter().filter(once).collect();
    for (key, mailbox) in kept.iter_mut().enumerate() {
        mailbox.folder.key = key as u64;
        // "[Gmail]" holds nothing else now.
        if let Some(name) = mailbox.folder.path.pop() {
            mailbox.folder.path = vec![name];
        }
    }
    kept
}

fn is_all(mailbox: &Mailbox) -> bool {
    mailbox.is("\\all") || mailbox.is("\\allmail")
}

/// The categories that labels become. Stars and drafts are flags already.
pub(super) fn categories(labels: &[Vec<u8>]) -> Vec<String> {
    let one = |label: &Vec<u8>| {
        let name = decoded(label, false);
        match name.strip_prefix('\\') {
            Some("Starred" | "Draft" | "Drafts") => None,
            Some(system) => Some(system.to_owned()),
            None => Some(name),
        }
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
}
