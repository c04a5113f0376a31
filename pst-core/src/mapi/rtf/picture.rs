//! Pictures inside RTF (`\pict`) and the metafiles of attachments, as files.

use sha2::{Digest, Sha256};
use std::fmt::Write;

/// A picture as a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// The file.
    pub data: Vec<u8>,
    /// Its media type.
    pub mime: &'static str,
    /// Its ending, with the dot.
    pub extension: &'static str,
    /// The Content-ID under which the HTML refers to it; the same data have the same.
    pub cid: String,
    /// Width and height as shown, points.
    pub(super) shown: Option<(u32, u32)>,
}

impl Picture {
    /// A picture of some data, if they are of a kind that is known by its first bytes.
    pub fn of(data: Vec<u8>) -> Option<Self> {
        let (mime, extension) = recognise(&data)?;
        Some(Self::new(data, mime, extension))
    }

    /// A Windows metafile, its file header added where it has none.
    pub fn metafile(data: &[u8]) -> Self {
        Self::of(data.to_vec()).unwrap_or_else(|| Self::new(placeable(data, 0, 0), "image/wmf", ".wmf"))
    }

    /// A device-independent bitmap, its file header added.
    pub fn bitmap(data: &[u8]) -> Self {
        Self::new(bitmap(data), "image/bmp", ".bmp")
    }

    fn new(data: Vec<u8>, mime: &'static str, extension: &'static str) -> Self {
        let cid = Sha256::digest(&data).iter().take(10).fold("rtf-".to_owned(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        Self { data, mime, extension, cid: cid + "@pst", shown: None }
    }
}

fn recognise(data: &[u8]) -> Option<(&'static str, &'static str)> {
    const KINDS: &[(&[u8], &str, &str)] = &[
        (b"\x89PNG\r\n", "image/png", ".png"),
        (b"\xFF\xD8\xFF", "image/jpeg", ".jpg"),
        (b"GIF8", "image/gif", ".gif"),
        (b"BM", "image/bmp", ".bmp"),
        (b"\xD7\xCD\xC6\x9A", "image/wmf", ".wmf"),
    ];
    let emf = data.starts_with(&[1, 0, 0, 0]) && data.get(40..44) == Some(b" EMF");
    let known = KINDS.iter().find(|(magic, ..)| data.starts_with(magic)).map(|(_, mime, end)| (*mime, *end));
    if emf { Some(("image/emf", ".emf")) } else { known }
}

/// Puts the header of a placeable metafile before one that has none; `width` and `height` in twips, 0 if unknown.
fn placeable(data: &[u8], width: i32, height: i32) -> Vec<u8> {
    const TWIPS: u16 = 1440;
    let side = |n: i32| if (1..=0x7FFF).contains(&n) { n as u16 } else { TWIPS };
    let words = [0xCDD7, 0x9AC6, 0, 0, 0, side(width), side(height), TWIPS, 0, 0];
    let sum = words.iter().fold(0, |sum, word| sum ^ word);
    let head = words.into_iter().chain([sum]).flat_map(u16::to_le_bytes);
    head.chain(data.iter().copied()).collect()
}

/// Puts the file header before a bitmap that has none.
fn bitmap(data: &[u8]) -> Vec<u8> {
    let u32_at = |at: usize| data.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes);
    let bits = data.get(14..16).and_then(|b| b.try_into().ok()).map_or(0, u16::from_le_bytes);
    let (size, compression, used) = (u32_at(0), u32_at(16), u32_at(32));
    let colors = match bits {
        1 | 4 | 8 if used == 0 => 1u32 << bits,
        _ => used.min(256),
    };
    let masks = if size == 40 && compression == 3 { 12 } else { 0 };
    let start = 14 + u64::from(size) + 4 * u64::from(colors) + masks;
    let mut out = b"BM".to_vec();
    for word in [data.len().saturating_add(14) as u32, 0, start as u32] {
        out.extend_from_slice(&word.to_le_bytes());
    }
    out.extend_from_slice(data);
    out
}

#[derive(Default)]
enum Kind {
    #[default]
    Unknown,
    Metafile,
    Bitmap,
    Mac,
}

/// A picture that is being read.
#[derive(Default)]
pub(super) struct Building {
    kind: Kind,
    data: Vec<u8>,
    high: Option<u8>,
    /// Twips.
    goal: (i32, i32),
    /// Percent.
    scale: (i32, i32),
}

impl Building {
    pub fn word(&mut self, word: &[u8], number: Option<i32>) {
        let n = number.unwrap_or(0);
        match word {
            b"wmetafile" => self.kind = Kind::Metafile,
            b"dibitmap" => self.kind = Kind::Bitmap,
            b"macpict" => self.kind = Kind::Mac,
            b"picwgoal" => self.goal.0 = n,
            b"pichgoal" => self.goal.1 = n,
            b"picscalex" => self.scale.0 = n,
            b"picscaley" => self.scale.1 = n,
            _ => {}
        }
    }

    pub fn hex(&mut self, text: &str) {
        for digit in text.chars().filter_map(|c| c.to_digit(16)) {
            match self.high.take() {
                None => self.high = Some(digit as u8),
                Some(high) => self.data.push(high << 4 | digit as u8),
            }
        }
    }

    pub fn binary(&mut self, data: &[u8]) {
        self.data.extend_from_slice(data);
    }

    pub fn finish(self) -> Option<Picture> {
        if self.data.is_empty() {
            return None;
        }
        let mut picture = match (recognise(&self.data), self.kind) {
            (Some((mime, extension)), _) => Picture::new(self.data, mime, extension),
            (None, Kind::Metafile) => {
                Picture::new(placeable(&self.data, self.goal.0, self.goal.1), "image/wmf", ".wmf")
            }
            (None, Kind::Bitmap) => Picture::new(bitmap(&self.data), "image/bmp", ".bmp"),
            (None, Kind::Mac) => Picture::new(self.data, "image/x-pict", ".pct"),
            (None, Kind::Unknown) => Picture::new(self.data, "application/octet-stream", ".bin"),
        };
        let side = |goal: i32, scale: i32| {
            let scale = i64::from(if scale <= 0 { 100 } else { scale });
            u32::try_from(i64::from(goal) * scale / 2000).ok().filter(|n| (1..10_000).contains(n))
        };
        picture.shown = side(self.goal.0, self.scale.0).zip(side(self.goal.1, self.scale.1));
        Some(picture)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files() {
        let mut png = Building::default();
        png.word(b"pngblip", None);
        png.word(b"picwgoal", Some(1440));
        png.word(b"pichgoal", Some(720));
        png.word(b"picscalex", Some(50));
        png.hex("89504e4");
        png.hex("70d0a");
        let png = png.finish().unwrap();
        assert_eq!((png.mime, png.shown, png.data.as_slice()), ("image/png", Some((36, 36)), &b"\x89PNG\r\n"[..]));
        let mut wmf = Building::default();
        wmf.word(b"wmetafile", Some(8));
        wmf.binary(&[1, 0, 9, 0]);
        let wmf = wmf.finish().unwrap();
        assert_eq!((wmf.mime, wmf.data.len()), ("image/wmf", 26));
        let words: Vec<u16> = wmf.data[..22].chunks(2).map(|c| u16::from_le_bytes([c[0], c[1]])).collect();
        assert_eq!(words[..10].iter().fold(0, |sum, w| sum ^ w), words[10]);
        assert_eq!(Picture::metafile(&wmf.data).data, wmf.data);
        assert!(Building::default().finish().is_none());
    }

    #[test]
    fn a_bitmap_gets_its_header() {
        let mut dib = vec![0; 40 + 16 * 4 + 8];
        dib[0] = 40;
        dib[14] = 4;
        let file = bitmap(&dib);
        assert_eq!(&file[10..14], &(14 + 40 + 64u32).to_le_bytes());
        assert_eq!(file.len(), dib.len() + 14);
    }
}
