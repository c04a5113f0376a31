//! Compresses RTF for PidTagRtfCompressed ([MS-OXRTFCP] 2.1.3).

use super::lzfu::{COMPRESSED, HEADER, PRELOAD, RING, checksum};

const SHORTEST_MATCH: usize = 2;
const LONGEST_MATCH: usize = 17;
/// Earlier places that are looked at for one match.
const TRIES: usize = 32;
const NOWHERE: u32 = u32::MAX;

/// Compresses an RTF text for PidTagRtfCompressed.
pub fn compress(rtf: &[u8]) -> Vec<u8> {
    let packed = pack(rtf);
    let mut out = Vec::with_capacity(HEADER + packed.len());
    let size = (packed.len() + HEADER - 4).min(u32::MAX as usize) as u32;
    let raw_size = rtf.len().min(u32::MAX as usize) as u32;
    for word in [size, raw_size, COMPRESSED, checksum(&packed)] {
        out.extend_from_slice(&word.to_le_bytes());
    }
    out.extend_from_slice(&packed);
    out
}

fn pack(rtf: &[u8]) -> Vec<u8> {
    let text = [PRELOAD.as_slice(), rtf].concat();
    let mut places = Places::new(text.len());
    let mut at = 0;
    while at < PRELOAD.len() {
        places.add(&text, at);
        at += 1;
    }
    let mut out = Runs::default();
    while at < text.len() {
        let (from, len) = places.longest(&text, at);
        if len < SHORTEST_MATCH {
            out.literal(text.get(at).copied().unwrap_or_default());
            places.add(&text, at);
            at += 1;
            continue;
        }
        out.reference(from, len - 2);
        for _ in 0..len {
            places.add(&text, at);
            at += 1;
        }
    }
    out.reference(at, 0);
    out.end()
}

/// Where each pair of bytes occurred last, and before that.
struct Places {
    last: Vec<u32>,
    before: Vec<u32>,
}

impl Places {
    fn new(len: usize) -> Self {
        Self { last: vec![NOWHERE; 1 << 16], before: vec![NOWHERE; len.min(RING)] }
    }

    fn slot(text: &[u8], at: usize) -> Option<usize> {
        let pair = text.get(at..at + SHORTEST_MATCH)?.try_into().ok()?;
        Some(usize::from(u16::from_le_bytes(pair)))
    }

    fn add(&mut self, text: &[u8], at: usize) {
        let Some(slot) = Self::slot(text, at).and_then(|s| self.last.get_mut(s)) else { return };
        if let Some(before) = self.before.get_mut(at % RING) {
            *before = *slot;
        }
        *slot = at as u32;
    }

    fn longest(&self, text: &[u8], at: usize) -> (usize, usize) {
        let mut best = (0, 0);
        let Some(mut candidate) = Self::slot(text, at).and_then(|s| self.last.get(s)).copied() else { return best };
        let here = text.get(at..).unwrap_or_default();
        for _ in 0..TRIES {
            let from = candidate as usize;
            // A reference to the place that is written next would be the end mark.
            if candidate == NOWHERE || from >= at || at - from >= RING {
                break;
            }
            let there = text.get(from..).unwrap_or_default();
            let len = here.iter().zip(there).take(LONGEST_MATCH).take_while(|(a, b)| a == b).count();
            if len > best.1 {
                best = (from, len);
            }
            candidate = self.before.get(from % RING).copied().unwrap_or(NOWHERE);
            if candidate as usize >= from {
                break;
            }
        }
        best
    }
}

/// Runs of eight literals or references behind a control byte.
#[derive(Default)]
struct Runs {
    out: Vec<u8>,
    control: u8,
    run: Vec<u8>,
    items: u32,
}

impl Runs {
    fn literal(&mut self, byte: u8) {
        self.run.push(byte);
        self.item(false);
    }

    fn reference(&mut self, from: usize, length: usize) {
        let word = ((from % RING) << 4 | length) as u16;
        self.run.extend_from_slice(&word.to_be_bytes());
        self.item(true);
    }

    fn item(&mut self, reference: bool) {
        self.control |= u8::from(reference) << self.items;
        self.items += 1;
        if self.items == 8 {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.out.push(self.control);
        self.out.append(&mut self.run);
        (self.control, self.items) = (0, 0);
    }

    fn end(mut self) -> Vec<u8> {
        if self.items > 0 {
            self.flush();
        }
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapi::rtf::{Decompressed, decompress};

    const TEXT: &[u8] = b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n";

    #[test]
    fn what_is_compressed_comes_back() {
        let mut texts = vec![Vec::new(), TEXT.to_vec(), vec![b'x'; 100_000], b"abab".repeat(5000)];
        let mut seed = 7u32;
        let mut noise = |n: usize, modulus: u32| -> Vec<u8> {
            std::iter::repeat_with(|| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                ((seed >> 16) % modulus) as u8
            })
            .take(n)
            .collect()
        };
        texts.extend([noise(20_000, 256), noise(20_000, 3), noise(4095, 2), noise(4096, 7), noise(9000, 40)]);
        for text in texts {
            let packed = compress(&text);
            assert_eq!(decompress(&packed, 1 << 20), Decompressed { rtf: text.clone(), oddities: Vec::new() });
        }
        assert!(compress(&vec![b'x'; 100_000]).len() < 13_000);
        // As short as the example of the specification, [MS-OXRTFCP] 3.1.1.
        assert!(compress(TEXT).len() <= 49);
    }
}
