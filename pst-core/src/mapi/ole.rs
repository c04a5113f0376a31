//! OLE objects: the picture that an object's storage holds ([MS-OLEDS] 2.3, [MS-CFB]).

use super::rtf::picture::Picture;
use std::io::{Cursor, Read};

/// Streams up to this many bytes are looked at.
const LONGEST: u64 = 64 << 20;
/// Where presentations of an object stand, the one that is shown first.
const PRESENTATIONS: usize = 3;

/// The picture that stands for an OLE object: a static picture itself, or what its program last drew.
pub fn picture(storage: &[u8]) -> Option<Picture> {
    let mut file = cfb::CompoundFile::open(Cursor::new(storage)).ok()?;
    let mut stream = |name: &str| -> Option<Vec<u8>> {
        let mut out = Vec::new();
        file.open_stream(name).ok()?.take(LONGEST).read_to_end(&mut out).ok()?;
        Some(out)
    };
    for name in ["CONTENTS", "\u{3}EPRINT"] {
        if let Some(picture) = stream(name).and_then(Picture::of) {
            return Some(picture);
        }
    }
    (0..PRESENTATIONS).find_map(|n| stream(&format!("\u{2}OlePres{n:03}")).and_then(|s| presentation(&s)))
}

/// The picture of an OLEPresentationStream ([MS-OLEDS] 2.3.4).
fn presentation(stream: &[u8]) -> Option<Picture> {
    const STANDARD: u32 = u32::MAX;
    const METAFILE: u32 = 3;
    const BITMAP: u32 = 8;
    const ENHANCED: u32 = 14;
    let word = |at: usize| Some(u32::from_le_bytes(stream.get(at..at + 4)?.try_into().ok()?));
    if word(0)? != STANDARD {
        return None;
    }
    // Clipboard format, target device (its size counts its own four bytes), aspect, index, advice, reserved, extents, size.
    let device = word(8)? as usize;
    let at = 8usize.checked_add(device.max(4))?;
    let size = word(at.checked_add(24)?)? as usize;
    let data = stream.get(at + 28..)?;
    let data = data.get(..size.min(data.len()))?;
    match word(4)? {
        METAFILE => Some(Picture::metafile(data)),
        BITMAP => Some(Picture::bitmap(data)),
        ENHANCED => Picture::of(data.to_vec()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn storage(name: &str, data: &[u8]) -> Vec<u8> {
        let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).unwrap();
        file.create_stream(name).unwrap().write_all(data).unwrap();
        file.flush().unwrap();
        file.into_inner().into_inner()
    }

    #[test]
    fn pictures() {
        let found = picture(&storage("CONTENTS", b"BM and so on")).unwrap();
        assert_eq!((found.mime, found.data.as_slice()), ("image/bmp", &b"BM and so on"[..]));
        let mut shown = Vec::new();
        for word in [u32::MAX, 3, 4, 1, u32::MAX, 2, 0, 100, 100, 4, 0x0009_0001] {
            shown.extend_from_slice(&word.to_le_bytes());
        }
        let found = picture(&storage("\u{2}OlePres000", &shown)).unwrap();
        assert_eq!((found.mime, found.data.len()), ("image/wmf", 26));
        assert_eq!(picture(&storage("\u{1}Ole10Native", b"x")), None);
        assert_eq!(picture(b"nothing"), None);
        for cut in 0..shown.len() {
            assert_eq!(presentation(&shown[..cut]).is_some(), cut >= 40);
        }
    }
}
