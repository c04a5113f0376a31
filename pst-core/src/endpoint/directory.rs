//! What the sources, and a list that the user gives, know of Exchange addresses.

use crate::error::{Error, Kind, Result};
use crate::mapi::Message;
use crate::mime::exchange::{self, Directory};
use crate::pipeline::{Body, Source};
use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Items that one thread takes at once.
const BATCH: usize = 256;

/// The Internet addresses that belong to Exchange addresses: learnt from all items of the sources when the first is
/// asked for, or given.
pub struct Learnt {
    sources: Vec<Arc<dyn Source>>,
    given: HashMap<String, String>,
    found: OnceLock<HashMap<String, String>>,
}

/// How often each SMTP address stood beside an Exchange address.
type Counts = HashMap<String, HashMap<String, u32>>;

impl fmt::Debug for Learnt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Learnt({} sources, {} given)", self.sources.len(), self.given.len())
    }
}

impl Learnt {
    /// Nothing is read yet.
    pub fn new(sources: Vec<Arc<dyn Source>>, given: HashMap<String, String>) -> Self {
        Self { sources, given, found: OnceLock::new() }
    }

    /// Goes through all items on threads of its own: the caller is one of a pool whose others wait for this.
    fn learn(&self) -> HashMap<String, String> {
        let counts = Mutex::new(Counts::new());
        for source in &self.sources {
            for folder in source.folders().unwrap_or_default() {
                let Ok(items) = source.items(&folder) else { continue };
                let items: Vec<_> = items.flatten().collect();
                let next = AtomicUsize::new(0);
                let work = || {
                    let mut own = Counts::new();
                    while let Some(batch) = items.chunks(BATCH).nth(next.fetch_add(1, Ordering::Relaxed)) {
                        for item in batch {
                            if let Ok(Body::Mapi(message)) = source.load(&folder, item).map(|i| i.body) {
                                note(&message, &mut own);
                            }
                        }
                    }
                    let mut all = counts.lock().unwrap_or_else(PoisonError::into_inner);
                    for (dn, found) in own {
                        let one = all.entry(dn).or_default();
                        for (smtp, n) in found {
                            *one.entry(smtp).or_default() += n;
                        }
                    }
                };
                let threads = std::thread::available_parallelism().map_or(1, Into::into).min(items.len() / BATCH + 1);
                std::thread::scope(|scope| {
                    for _ in 1..threads {
                        scope.spawn(work);
                    }
                    work();
                });
            }
        }
        let counts = counts.into_inner().unwrap_or_else(PoisonError::into_inner);
        // Of several, the most frequent; of those, the first by name: so the result depends on the sources alone.
        let best = |found: HashMap<String, u32>| found.into_iter().max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(&a.0)));
        counts.into_iter().filter_map(|(dn, found)| Some((dn, best(found)?.0))).collect()
    }
}

fn note(message: &Message, counts: &mut Counts) {
    let mut todo = vec![message];
    while let Some(message) = todo.pop() {
        for (dn, smtp) in exchange::pairs(message) {
            *counts.entry(dn).or_default().entry(smtp).or_default() += 1;
        }
        todo.extend(message.attachments.iter().filter_map(|a| a.embedded.as_deref()));
    }
}

impl Directory for Learnt {
    fn smtp(&self, address: &str) -> Option<String> {
        let key = exchange::key(address);
        self.found.get_or_init(|| self.learn()).get(&key).or_else(|| self.given.get(&key)).cloned()
    }
}

/// Reads a list of lines "Exchange address, SMTP address" (comma, semicolon or tab; quotes are allowed, and so is a
/// first line with headings).
///
/// # Errors
/// When the file cannot be read, or a line is not such a pair.
pub fn read_map(path: &Path) -> Result<HashMap<String, String>> {
    let bytes = super::text::read_file(path, 1 << 30)?;
    let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes));
    let mut out = HashMap::new();
    for (i, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
        let bare = |part: &str| part.trim().trim_matches('"').trim().to_owned();
        let pair = line.rsplit_once(['\t', ';', ',']).map(|(a, b)| (bare(a), bare(b)));
        match pair
            .map(|(a, b)| (a, b.get(5..).filter(|_| b.to_lowercase().starts_with("smtp:")).unwrap_or(&b).to_owned()))
        {
            Some((dn, smtp)) if smtp.contains('@') && !dn.is_empty() => {
                out.insert(exchange::key(&dn), smtp);
            }
            _ if i == 0 => {}
            _ => {
                let text = format!("line {} is not \"Exchange address, SMTP address\": {line:.80}", i + 1);
                return Err(Error::new(Kind::Usage, text).in_file(path));
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("map.csv");
        let text = "\u{FEFF}LegacyExchangeDN,PrimarySmtpAddress\r\n\"/o=Org/cn=a, b\",\"SMTP:a@x.org\"\n/o=Org/cn=c\tc@x.org\n\n";
        std::fs::write(&path, text).unwrap();
        let map = read_map(&path).unwrap();
        assert_eq!(map["/O=ORG/CN=A, B"], "a@x.org");
        assert_eq!((map["/O=ORG/CN=C"].as_str(), map.len()), ("c@x.org", 2));
        std::fs::write(&path, "/o=a,a@b\nnonsense\n").unwrap();
        assert!(read_map(&path).unwrap_err().to_string().contains("line 2"));
    }
}
