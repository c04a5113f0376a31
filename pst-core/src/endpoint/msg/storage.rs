//! Storages copied between compound files: the OLE objects inside messages ([MS-OXMSG] 2.2.2.1).

use cfb::CompoundFile;
use std::io::{Error, Read, Result, Seek, Write};
use std::time::{Duration, SystemTime};

/// Storages within storages that are copied.
const DEEPEST: usize = 64;
/// Seconds between 1601-01-01 and 1970-01-01.
const EPOCH: u64 = 11_644_473_600;

/// Copies a storage with its class, and all storages and streams below it, into one that exists.
pub(super) fn copy<A: Read + Seek, B: Read + Write + Seek>(
    from: &mut CompoundFile<A>,
    source: &str,
    to: &mut CompoundFile<B>,
    target: &str,
    limit: u64,
) -> Result<()> {
    let mut left = limit;
    let mut todo = vec![(source.to_owned(), target.to_owned(), 0)];
    while let Some((source, target, depth)) = todo.pop() {
        let class = *from.entry(&source)?.clsid();
        to.set_storage_clsid(&target, class)?;
        untimed(to, &target)?;
        let children: Vec<(String, bool, u64)> = from
            .read_storage(&source)?
            .take(super::file::MOST_ENTRIES)
            .map(|e| (e.name().to_owned(), e.is_stream(), e.len()))
            .collect();
        for (name, is_stream, len) in children {
            let (below, into) = (join(&source, &name), join(&target, &name));
            if is_stream {
                left = left.checked_sub(len).ok_or_else(|| Error::other("an object is too large to be copied"))?;
                let mut stream = from.open_stream(&below)?;
                std::io::copy(&mut stream, &mut to.create_stream(&into)?)?;
            } else if depth < DEEPEST {
                to.create_storage(&into)?;
                todo.push((below, into, depth + 1));
            } else {
                return Err(Error::other("storages are nested too deeply"));
            }
        }
    }
    Ok(())
}

/// The path of something in a storage.
pub(super) fn join(storage: &str, name: &str) -> String {
    format!("{}/{name}", storage.trim_end_matches('/'))
}

/// Sets the times of a storage to none, so that the same content gives the same bytes.
pub(super) fn untimed<F: Read + Write + Seek>(file: &mut CompoundFile<F>, storage: &str) -> Result<()> {
    let none = SystemTime::UNIX_EPOCH.checked_sub(Duration::from_secs(EPOCH)).unwrap_or(SystemTime::UNIX_EPOCH);
    file.set_created_time(storage, none)?;
    file.set_modified_time(storage, none)
}
