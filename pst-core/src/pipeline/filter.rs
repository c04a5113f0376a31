//! Which folders and items a run takes, in the words of Outlook's wizard and of Exchange's import request.

use super::item::{Body, Folder, Item, Role};
use crate::error::{Error, Kind, Result};
use crate::mapi::{Message, PropBag, tag};
use crate::mime;

/// Which folders are taken, and where they go.
#[derive(Debug, Clone, Default)]
pub struct FolderFilter {
    /// Take this folder of the source as the top.
    pub source_root: Option<String>,
    /// Put everything under this folder of the target.
    pub target_root: Option<String>,
    /// Take no folders below the top, or below the included ones.
    pub no_subfolders: bool,
    /// Take only what matches one of these patterns.
    pub include: Vec<String>,
    /// Leave out what matches one of these.
    pub exclude: Vec<String>,
}

/// Names of the well-known folders as Exchange's import request has them.
const WELL_KNOWN: &[(&str, Role)] = &[
    ("inbox", Role::Inbox),
    ("outbox", Role::Outbox),
    ("sentitems", Role::Sent),
    ("sent", Role::Sent),
    ("drafts", Role::Drafts),
    ("deleteditems", Role::Deleted),
    ("trash", Role::Deleted),
    ("junkemail", Role::Junk),
    ("junk", Role::Junk),
    ("archive", Role::Archive),
    ("calendar", Role::Calendar),
    ("contacts", Role::Contacts),
    ("tasks", Role::Tasks),
    ("notes", Role::Notes),
    ("journal", Role::Journal),
];

/// The role that `#Name#` means.
pub fn well_known(name: &str) -> Option<Role> {
    let lower: String = name.to_lowercase().chars().filter(|c| !c.is_whitespace()).collect();
    WELL_KNOWN.iter().find(|(n, _)| *n == lower).map(|(_, r)| *r)
}

/// A path or pattern, taken apart: names in lower case, or a role and names below it.
struct Pattern {
    role: Option<Role>,
    names: Vec<String>,
    below: bool,
}

impl Pattern {
    fn parse(text: &str) -> Result<Self> {
        let trimmed = text.trim().trim_matches('/');
        let (body, below) = match trimmed.strip_suffix("/*") {
            Some(body) => (body, true),
            None => (trimmed, trimmed == "*"),
        };
        let body = if trimmed == "*" { "" } else { body };
        let (role, rest) = match body.strip_prefix('#').and_then(|b| b.split_once('#')) {
            Some((name, rest)) => match well_known(name) {
                Some(role) => (Some(role), rest.trim_start_matches('/')),
                None => {
                    let text =
                        format!("#{name}# is not a well-known folder (such as #Inbox#, #SentItems#, #DeletedItems#)");
                    return Err(Error::new(Kind::Usage, text));
                }
            },
            None => (None, body),
        };
        let names = rest.split('/').filter(|n| !n.is_empty()).map(str::to_lowercase).collect();
        Ok(Self { role, names, below })
    }

    /// Where in `path` the pattern's folder is: the number of names up to it, if `path` is it or lies below it.
    fn depth(&self, folder: &Folder, all: &[Folder]) -> Option<usize> {
        let start = match self.role {
            None => 0,
            Some(role) => {
                let root = all.iter().find(|f| f.role == role)?;
                folder.path.starts_with(&root.path).then_some(root.path.len())?
            }
        };
        self.depth_from(folder, start)
    }

    fn depth_from(&self, folder: &Folder, start: usize) -> Option<usize> {
        let rest = folder.path.get(start..)?;
        let hit = rest.len() >= self.names.len() && rest.iter().zip(&self.names).all(|(a, b)| a.to_lowercase() == *b);
        hit.then_some(start + self.names.len())
    }

    /// Patterns are read from the top of the source, and from the folder that is taken as the top.
    fn matches(&self, folder: &Folder, all: &[Folder], top: usize, subfolders: bool) -> bool {
        let here = |depth: Option<usize>| depth.is_some_and(|d| d == folder.path.len() || (self.below && subfolders));
        here(self.depth(folder, all)) || (self.role.is_none() && top > 0 && here(self.depth_from(folder, top)))
    }
}

/// The path of a folder of the target that is given as `--target-root` has it: "/", "Imported/2019", "#Inbox#/Old".
///
/// # Errors
/// [`Kind::Usage`] for a well-known folder that is none.
pub fn target_path(text: &str) -> Result<Vec<String>> {
    let pattern = Pattern::parse(text)?;
    let rest = text.trim_start_matches('/');
    let rest = if pattern.role.is_some() { rest.splitn(3, '#').nth(2).unwrap_or_default() } else { rest };
    let role = pattern.role.map(|role| role.name().to_owned());
    Ok(role.into_iter().chain(rest.split('/').filter(|n| !n.is_empty()).map(str::to_owned)).collect())
}

impl FolderFilter {
    /// The folders that are taken, each with what it becomes in the target.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when the source has no such root, [`Kind::Usage`] for a pattern that makes no sense.
    pub fn select(&self, all: &[Folder], under: &[String]) -> Result<Vec<(Folder, Folder)>> {
        let include: Vec<Pattern> = self.include.iter().map(|p| Pattern::parse(p)).collect::<Result<_>>()?;
        let exclude: Vec<Pattern> = self.exclude.iter().map(|p| Pattern::parse(p)).collect::<Result<_>>()?;
        let root = self.source_root.as_deref().map(Pattern::parse).transpose()?;
        let top = match &root {
            None => 0,
            Some(pattern) => {
                all.iter().find_map(|f| pattern.depth(f, all).filter(|d| *d == f.path.len())).ok_or_else(|| {
                    let name = self.source_root.as_deref().unwrap_or_default();
                    Error::new(Kind::NotFound, format!("the source has no folder \"{name}\" (--source-root)"))
                })?
            }
        };
        let mut prefix = self.target_root.as_deref().map(target_path).transpose()?.unwrap_or_default();
        prefix.extend_from_slice(under);
        let mut out = Vec::new();
        for folder in all {
            if root.as_ref().is_some_and(|r| r.depth(folder, all).is_none()) {
                continue;
            }
            let included = if include.is_empty() {
                !self.no_subfolders || folder.path.len() <= top
            } else {
                include.iter().any(|p| p.matches(folder, all, top, !self.no_subfolders))
            };
            if !included || exclude.iter().any(|p| p.matches(folder, all, top, true)) {
                continue;
            }
            let mut target = folder.clone();
            target.path = prefix.iter().chain(folder.path.get(top..).unwrap_or_default()).cloned().collect();
            // A folder that moves plays the role of its new place.
            if target.path != folder.path {
                target.role = match target.path.as_slice() {
                    [name] => Role::of_name(name),
                    _ => Role::None,
                };
            }
            out.push((folder.clone(), target));
        }
        Ok(out)
    }
}

/// Which items are taken. Texts are compared without regard to case.
#[derive(Debug, Clone)]
pub struct ItemFilter {
    /// Received or sent at or after, seconds since 1970 UTC.
    pub since: Option<i64>,
    /// Received or sent before.
    pub before: Option<i64>,
    /// The sender contains this.
    pub from: Option<String>,
    /// A recipient contains this.
    pub to: Option<String>,
    /// The subject contains this.
    pub subject: Option<String>,
    /// More bytes than this.
    pub larger: Option<u64>,
    /// Fewer bytes than this.
    pub smaller: Option<u64>,
    /// Folder-associated items are taken.
    pub associated: bool,
}

impl ItemFilter {
    /// True if it may leave out mail.
    pub fn is_some(&self) -> bool {
        let texts = [&self.from, &self.to, &self.subject];
        self.since.or(self.before).is_some()
            || self.larger.or(self.smaller).is_some()
            || texts.into_iter().any(Option::is_some)
    }
}

impl Default for ItemFilter {
    fn default() -> Self {
        Self {
            since: None,
            before: None,
            from: None,
            to: None,
            subject: None,
            larger: None,
            smaller: None,
            associated: true,
        }
    }
}

impl ItemFilter {
    /// Why an item is left out, if it is.
    pub fn refuses(&self, item: &Item) -> Option<&'static str> {
        let size = size(item);
        if self.larger.is_some_and(|n| size <= n) || self.smaller.is_some_and(|n| size >= n) {
            return Some("size");
        }
        if self.since.is_none()
            && self.before.is_none()
            && self.from.is_none()
            && self.to.is_none()
            && self.subject.is_none()
        {
            return None;
        }
        let converted;
        let message = match &item.body {
            Body::Mapi(m) => &**m,
            Body::Mime(m) => {
                // The header is enough: what follows the first empty line does not matter here.
                let head = header(&m.bytes);
                converted =
                    mime::to_mapi(head, &mime::State::default(), m.received).map(|c| c.message).unwrap_or_default();
                &converted
            }
        };
        self.refuses_message(message)
    }

    fn refuses_message(&self, m: &Message) -> Option<&'static str> {
        let date = mime::delivery_time(m);
        if self.since.is_some_and(|s| date.is_none_or(|d| d < s))
            || self.before.is_some_and(|b| date.is_none_or(|d| d >= b))
        {
            return Some("date");
        }
        let has = |wanted: &Option<String>, texts: &dyn Fn() -> String| {
            wanted.as_ref().is_none_or(|w| texts().to_lowercase().contains(&w.to_lowercase()))
        };
        let sender = || texts(&m.props, &[0x0042, 0x0065, 0x5D02, 0x0C1A, 0x0C1F, 0x5D01]);
        if !has(&self.from, &sender) {
            return Some("sender");
        }
        let to = || {
            let mut all = texts(&m.props, &[0x0E04, 0x0E03, 0x0E02]);
            for r in &m.recipients {
                all.push_str(&texts(r, &[0x3001, 0x3003, 0x39FE]));
            }
            all
        };
        if !has(&self.to, &to) {
            return Some("recipient");
        }
        if !has(&self.subject, &|| m.props.text(tag::SUBJECT).unwrap_or_default()) {
            return Some("subject");
        }
        None
    }
}

fn texts(bag: &PropBag, ids: &[u16]) -> String {
    ids.iter().filter_map(|id| bag.any(*id)?.to_text()).fold(String::new(), |mut all, t| {
        all.push_str(&t);
        all.push('\n');
        all
    })
}

fn header(bytes: &[u8]) -> &[u8] {
    let end = memchr::memmem::find(bytes, b"\n\r\n").map(|i| i + 3);
    let end = end.into_iter().chain(memchr::memmem::find(bytes, b"\n\n").map(|i| i + 2)).min();
    bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default()
}

/// Bytes of an item: of its MIME form where it has one, else as its store counts.
fn size(item: &Item) -> u64 {
    match &item.body {
        Body::Mime(m) => m.bytes.len() as u64 + m.large.iter().map(|p| p.raw.len()).sum::<u64>(),
        Body::Mapi(m) => m.props.i32(tag::MESSAGE_SIZE).and_then(|s| u64::try_from(s).ok()).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders() -> Vec<Folder> {
        [
            (Role::None, ""),
            (Role::Inbox, "Posteingang"),
            (Role::None, "Posteingang/Work"),
            (Role::Sent, "Sent"),
            (Role::None, "Sent/2024"),
        ]
        .into_iter()
        .map(|(role, p)| Folder {
            path: p.split('/').filter(|n| !n.is_empty()).map(str::to_owned).collect(),
            role,
            ..Folder::default()
        })
        .collect()
    }

    fn taken(filter: &FolderFilter) -> Vec<String> {
        filter.select(&folders(), &[]).unwrap().into_iter().map(|(_, t)| t.path.join("/")).collect()
    }

    #[test]
    fn patterns() {
        let with = |include: &[&str], exclude: &[&str]| FolderFilter {
            include: include.iter().map(|s| (*s).to_owned()).collect(),
            exclude: exclude.iter().map(|s| (*s).to_owned()).collect(),
            ..FolderFilter::default()
        };
        assert_eq!(taken(&with(&["#Inbox#/*"], &[])), ["Posteingang", "Posteingang/Work"]);
        assert_eq!(taken(&with(&["#inbox#"], &[])), ["Posteingang"]);
        assert_eq!(taken(&with(&["SENT/*"], &["sent"])), ["Sent/2024"]);
        assert_eq!(taken(&with(&[], &["Sent/*"])), ["", "Posteingang", "Posteingang/Work"]);
        assert_eq!(taken(&FolderFilter { no_subfolders: true, ..FolderFilter::default() }), [""]);
        assert!(with(&["#Nothing#"], &[]).select(&folders(), &[]).is_err());
    }

    #[test]
    fn roots() {
        let filter = |source: &str, target: &str| FolderFilter {
            source_root: Some(source.to_owned()),
            target_root: Some(target.to_owned()),
            ..FolderFilter::default()
        };
        assert_eq!(taken(&filter("#Inbox#", "Old/Mail")), ["Old/Mail", "Old/Mail/Work"]);
        assert_eq!(taken(&filter("sent", "/")), ["", "2024"]);
        assert!(filter("Nowhere", "/").select(&folders(), &[]).is_err());
    }
}
