//! The pictures that a page shows, inside the page itself.

use crate::mapi::Blob;
use crate::mime::{self, Data, File};
use std::collections::HashMap;

/// Larger pictures are files beside the page.
const LARGEST: u64 = 16 << 20;
/// Bytes of all pictures of a page, each counted as often as it is shown.
const TOGETHER: usize = 48 << 20;

/// Names of the kinds that browsers show, by what mail calls them.
const NAMED: &[(&str, &str)] = &[
    ("png", "image/png"),
    ("x-png", "image/png"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("pjpeg", "image/jpeg"),
    ("gif", "image/gif"),
    ("bmp", "image/bmp"),
    ("webp", "image/webp"),
];

/// How pictures of a kind begin.
const KINDS: &[(&[u8], &str)] = &[
    (b"\x89PNG\r\n\x1A\n", "image/png"),
    (b"\xFF\xD8\xFF", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
];

/// What becomes of the address of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// It is the n-th of the pictures that are shown.
    Shown(usize),
    /// It is there, but too large.
    Oversize,
    /// It is elsewhere.
    Elsewhere,
}

/// The pictures of a message.
pub(super) struct Pictures<'a> {
    files: &'a [File],
    by_cid: HashMap<String, usize>,
    by_location: HashMap<&'a str, usize>,
    /// Files that are shown, and where among the pictures.
    shown: HashMap<usize, usize>,
    uris: Vec<String>,
    left: usize,
}

impl<'a> Pictures<'a> {
    pub fn new(files: &'a [File]) -> Self {
        let (mut by_cid, mut by_location) = (HashMap::new(), HashMap::new());
        for (i, file) in files.iter().enumerate().filter(|(_, f)| f.inline) {
            if let Some(cid) = &file.cid {
                by_cid.entry(mime::content_id(cid)).or_insert(i);
            }
            if let Some(location) = &file.location {
                by_location.entry(location.as_str()).or_insert(i);
            }
        }
        Self { files, by_cid, by_location, shown: HashMap::new(), uris: Vec::new(), left: TOGETHER }
    }

    /// Finds the picture of an address.
    pub fn find(&mut self, address: &str) -> Found {
        let scheme = |name: &str| {
            let (start, rest) = address.split_at_checked(name.len())?;
            start.eq_ignore_ascii_case(name).then_some(rest)
        };
        if scheme("data:").is_some() {
            return self.given(address);
        }
        let cid = scheme("cid:").and_then(|cid| self.by_cid.get(&mime::content_id(cid)));
        match cid.or_else(|| self.by_location.get(address)).copied() {
            Some(file) => self.file(file),
            None => Found::Elsewhere,
        }
    }

    /// A picture that stands in its address.
    fn given(&mut self, address: &str) -> Found {
        let data = address.split_once(',').filter(|(head, _)| head.to_ascii_lowercase().ends_with(";base64"));
        let Some((head, data)) = data else { return Found::Elsewhere };
        let told = head.get("data:".len()..).and_then(|kind| kind.split(';').next()).and_then(kind_of);
        if data.len() > self.left {
            return Found::Oversize;
        }
        match base64_simd::forgiving_decode_to_vec(data.as_bytes()) {
            Ok(bytes) => self.add(&bytes, told),
            Err(_) => Found::Elsewhere,
        }
    }

    fn file(&mut self, file: usize) -> Found {
        if let Some(at) = self.shown.get(&file) {
            return self.again(*at);
        }
        let Some(one) = self.files.get(file) else { return Found::Elsewhere };
        let Data::Bytes(blob) = &one.data else { return Found::Elsewhere };
        let ending = || one.name.rsplit_once('.').and_then(|(_, ending)| kind_of(&format!("image/{ending}")));
        let told = kind_of(&one.mime).or_else(ending);
        if blob.len() > LARGEST {
            return Found::Oversize;
        }
        let found = match blob {
            Blob::Bytes(bytes) => self.add(bytes, told),
            Blob::Stream(_) => match blob.to_vec(LARGEST) {
                Ok(bytes) => self.add(&bytes, told),
                Err(_) => Found::Elsewhere,
            },
        };
        if let Found::Shown(at) = found {
            self.shown.insert(file, at);
        }
        found
    }

    /// Adds a picture; its first bytes know its kind better than what it is said to be.
    fn add(&mut self, bytes: &[u8], told: Option<&'static str>) -> Found {
        let webp = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP");
        let known = KINDS.iter().find(|(start, _)| bytes.starts_with(start)).map(|(_, kind)| *kind);
        let Some(kind) = known.or(webp.then_some("image/webp")).or(told).filter(|_| !bytes.is_empty()) else {
            return Found::Elsewhere;
        };
        if bytes.len() / 3 * 4 > self.left {
            return Found::Oversize;
        }
        self.uris.push(format!("data:{kind};base64,{}", base64_simd::STANDARD.encode_to_string(bytes)));
        self.again(self.uris.len() - 1)
    }

    fn again(&mut self, at: usize) -> Found {
        let len = self.uris.get(at).map_or(0, String::len);
        match self.left.checked_sub(len) {
            Some(left) => {
                self.left = left;
                Found::Shown(at)
            }
            None => Found::Oversize,
        }
    }

    /// Hands out the pictures that are shown, as addresses that hold them.
    pub fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.uris)
    }

    /// True for a file that is shown.
    pub fn shows(&self, file: usize) -> bool {
        self.shown.contains_key(&file)
    }
}

fn kind_of(mime: &str) -> Option<&'static str> {
    let name = mime.trim().to_ascii_lowercase();
    let name = name.strip_prefix("image/")?;
    NAMED.iter().find(|(n, _)| *n == name).map(|(_, kind)| *kind)
}
