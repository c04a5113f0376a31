//! Loops over bytes by vector instructions of the processor: the one module with unsafe code.
//!
//! Each function here has a scalar twin, which serves where the processor has no such instructions, and a test that both
//! agree on every length and alignment.

#![allow(unsafe_code, reason = "the vector instructions take pointers")]

/// Appends `table[byte]` for each byte.
pub(crate) fn substitute_onto(from: &[u8], table: &[u8; 256], out: &mut Vec<u8>) {
    let (start, len) = (out.len(), from.len());
    out.reserve(len);
    // SAFETY: `from` has `len` bytes to read, and so many are reserved behind what `out` holds; all of them are written.
    unsafe {
        substitute_raw(from.as_ptr(), out.as_mut_ptr().add(start), len, table);
        out.set_len(start + len);
    }
}

/// Replaces each byte by `table[byte]`.
pub(crate) fn substitute(data: &mut [u8], table: &[u8; 256]) {
    let at = data.as_mut_ptr();
    // SAFETY: both pointers are of the same slice, and each place is read before it is written.
    unsafe { substitute_raw(at.cast_const(), at, data.len(), table) }
}

/// # Safety
/// `from` is readable and `to` writable for `len` bytes; they are the same or do not overlap.
unsafe fn substitute_raw(from: *const u8, to: *mut u8, len: usize, table: &[u8; 256]) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the features are there; the rest is as promised to this function.
    unsafe {
        if has_vbmi() {
            return x86::substitute_512(from, to, len, table);
        }
        if std::arch::is_x86_feature_detected!("avx2") {
            return x86::substitute_256(from, to, len, table);
        }
    }
    // SAFETY: as promised to this function.
    unsafe { substitute_scalar(from, to, len, table) }
}

/// # Safety
/// As [`substitute_raw`].
unsafe fn substitute_scalar(from: *const u8, to: *mut u8, len: usize, table: &[u8; 256]) {
    for i in 0..len {
        // SAFETY: `i` is below `len`; a u8 cannot miss a table of 256.
        unsafe { *to.add(i) = *table.get_unchecked(usize::from(*from.add(i))) }
    }
}

/// Bytes that make one line of base64, and the characters it has.
const LINE: (usize, usize) = (57, 76);

/// Appends as many whole lines of base64 as `bytes` has at its start, each of 76 characters and `end`, which is one or two
/// bytes; returns how many bytes they hold. Does nothing where the processor has no instructions for it.
pub(crate) fn base64_lines(bytes: &[u8], end: &[u8], out: &mut Vec<u8>) -> usize {
    #[cfg(target_arch = "x86_64")]
    if has_vbmi() && matches!(end.len(), 1 | 2) {
        let count = bytes.len() / LINE.0;
        let (start, width) = (out.len(), LINE.1 + end.len());
        out.reserve(count * width);
        // SAFETY: the features are there; `bytes` has so many lines, and there is room for them behind what `out` holds.
        unsafe {
            x86::base64_lines(bytes.as_ptr(), count, end, out.as_mut_ptr().add(start));
            out.set_len(start + count * width);
        }
        return count * LINE.0;
    }
    let _ = (bytes, end, out);
    0
}

/// Bytes of UTF-16 that [`push_utf16`] takes.
pub(crate) const UNITS: usize = 64;

/// True where the processor has instructions for [`push_utf16`].
pub(crate) fn takes_utf16() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("avx512vbmi2")
        && std::arch::is_x86_feature_detected!("avx512bw")
        && std::arch::is_x86_feature_detected!("avx512f");
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// Appends 32 characters of UTF-16LE; false, and nothing is done, if one is a surrogate, or the processor cannot.
pub(crate) fn push_utf16(piece: &[u8; UNITS], out: &mut String) -> bool {
    #[cfg(target_arch = "x86_64")]
    if takes_utf16() {
        // A character has three bytes at most, and whole vectors are written.
        out.reserve(UNITS / 2 * 3 + 64);
        // SAFETY: the features and the room are there; what is appended is UTF-8, because no unit is a surrogate.
        unsafe {
            let bytes = out.as_mut_vec();
            let len = bytes.len();
            let Some(added) = x86::utf8(piece, bytes.as_mut_ptr().add(len)) else { return false };
            bytes.set_len(len + added);
        }
        return true;
    }
    let _ = (piece, out);
    false
}

#[cfg(target_arch = "x86_64")]
fn has_vbmi() -> bool {
    std::arch::is_x86_feature_detected!("avx512vbmi")
        && std::arch::is_x86_feature_detected!("avx512bw")
        && std::arch::is_x86_feature_detected!("avx512f")
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::LINE;
    use std::arch::x86_64::{
        __m256i, __m512i, _mm_loadu_si128, _mm256_adds_epu8, _mm256_broadcastsi128_si256, _mm256_loadu_si256,
        _mm256_or_si256, _mm256_set1_epi8, _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_storeu_si256,
        _mm256_xor_si256, _mm512_and_si512, _mm512_cmpeq_epi16_mask, _mm512_cmpge_epu32_mask, _mm512_cvtepi16_epi8,
        _mm512_cvtepu16_epi32, _mm512_loadu_si512, _mm512_mask_blend_epi8, _mm512_mask_mov_epi32,
        _mm512_mask_storeu_epi8, _mm512_maskz_compress_epi8, _mm512_maskz_loadu_epi8, _mm512_movepi8_mask,
        _mm512_multishift_epi64_epi8, _mm512_or_si512, _mm512_permutex2var_epi8, _mm512_permutexvar_epi8,
        _mm512_set1_epi16, _mm512_set1_epi32, _mm512_set1_epi64, _mm512_sllv_epi32, _mm512_srli_epi32,
        _mm512_srlv_epi32, _mm512_storeu_si512, _mm512_test_epi8_mask, _mm512_test_epi16_mask,
    };

    /// # Safety
    /// As [`super::substitute_raw`].
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    pub unsafe fn substitute_512(from: *const u8, to: *mut u8, len: usize, table: &[u8; 256]) {
        // SAFETY: the table has four times 64 bytes; masks keep loads and stores within `len` bytes.
        unsafe {
            let part = |i: usize| _mm512_loadu_si512(table.as_ptr().add(64 * i).cast());
            let (a, b, c, d) = (part(0), part(1), part(2), part(3));
            let look = |x: __m512i| {
                let (low, high) = (_mm512_permutex2var_epi8(a, x, b), _mm512_permutex2var_epi8(c, x, d));
                _mm512_mask_blend_epi8(_mm512_movepi8_mask(x), low, high)
            };
            let mut at = 0;
            while len - at >= 64 {
                _mm512_storeu_si512(to.add(at).cast(), look(_mm512_loadu_si512(from.add(at).cast())));
                at += 64;
            }
            let rest = (1u64 << (len - at)) - 1;
            let last = look(_mm512_maskz_loadu_epi8(rest, from.add(at).cast()));
            _mm512_mask_storeu_epi8(to.add(at).cast(), rest, last);
        }
    }

    /// # Safety
    /// As [`super::substitute_raw`].
    #[target_feature(enable = "avx2")]
    pub unsafe fn substitute_256(from: *const u8, to: *mut u8, len: usize, table: &[u8; 256]) {
        let mut at = 0;
        // SAFETY: the table has 16 times 16 bytes; a load and a store end at `at + 32`, which is not beyond `len`.
        unsafe {
            let mut rows = [_mm256_setzero_si256(); 16];
            for (i, row) in rows.iter_mut().enumerate() {
                *row = _mm256_broadcastsi128_si256(_mm_loadu_si128(table.as_ptr().add(16 * i).cast()));
            }
            // Of the bytes whose upper half is that of the row, the lower half stays; all others get their top bit set,
            // for which the shuffle gives zero.
            let others = _mm256_set1_epi8(0x70);
            while len - at >= 32 {
                let x: __m256i = _mm256_loadu_si256(from.add(at).cast());
                let mut y = _mm256_setzero_si256();
                for (i, row) in rows.iter().enumerate() {
                    let within = _mm256_xor_si256(x, _mm256_set1_epi8((i << 4) as i8));
                    y = _mm256_or_si256(y, _mm256_shuffle_epi8(*row, _mm256_adds_epu8(within, others)));
                }
                _mm256_storeu_si256(to.add(at).cast(), y);
                at += 32;
            }
            super::substitute_scalar(from.add(at), to.add(at), len - at, table);
        }
    }

    /// Writes characters in UTF-8 and returns how many bytes they have; `None` if one is a surrogate.
    ///
    /// # Safety
    /// `to` is writable for 32 characters of three bytes and a whole vector.
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2")]
    pub unsafe fn utf8(piece: &[u8; super::UNITS], to: *mut u8) -> Option<usize> {
        let all = |n: i32| _mm512_set1_epi32(n);
        // SAFETY: the piece has 64 bytes; 32 are written.
        unsafe {
            let units = _mm512_loadu_si512(piece.as_ptr().cast());
            if _mm512_test_epi16_mask(units, _mm512_set1_epi16(!0x7F)) == 0 {
                _mm256_storeu_si256(to.cast(), _mm512_cvtepi16_epi8(units));
                return Some(super::UNITS / 2);
            }
            let high = _mm512_and_si512(units, _mm512_set1_epi16(0xF800_u16 as i16));
            if _mm512_cmpeq_epi16_mask(high, _mm512_set1_epi16(0xD800_u16 as i16)) != 0 {
                return None;
            }
        }
        let mut len = 0;
        for half in 0..2 {
            // SAFETY: each half of the piece has 32 bytes; 64 are written at most 48 bytes behind the start.
            unsafe {
                let x = _mm512_cvtepu16_epi32(_mm256_loadu_si256(piece.as_ptr().add(32 * half).cast()));
                let six = |shift: u32, to: u32| {
                    let bits = _mm512_and_si512(_mm512_srlv_epi32(x, all(shift as i32)), all(0x3F));
                    _mm512_sllv_epi32(_mm512_or_si512(bits, all(0x80)), all(to as i32))
                };
                let two = _mm512_or_si512(_mm512_or_si512(_mm512_srli_epi32::<6>(x), all(0xC0)), six(0, 8));
                let three = _mm512_or_si512(_mm512_srli_epi32::<12>(x), all(0xE0));
                let three = _mm512_or_si512(_mm512_or_si512(three, six(6, 8)), six(0, 16));
                let y = _mm512_mask_mov_epi32(x, _mm512_cmpge_epu32_mask(x, all(0x80)), two);
                let y = _mm512_mask_mov_epi32(y, _mm512_cmpge_epu32_mask(x, all(0x800)), three);
                // The first byte of each stays, and of the others those that are not zero.
                let stay = _mm512_test_epi8_mask(_mm512_or_si512(y, all(0xFF)), all(-1));
                _mm512_storeu_si512(to.add(len).cast(), _mm512_maskz_compress_epi8(stay, y));
                len += stay.count_ones() as usize;
            }
        }
        Some(len)
    }

    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    /// Each three bytes 0 1 2 as 1 0 2 1, from which four times six bits can be shifted out.
    const SPREAD: [u8; 64] = spread();
    /// Where those six bits begin in each half of eight bytes.
    const SHIFTS: i64 = 0x3036_242A_1016_040A;
    /// Bytes of a line that fill one vector, and what is left of it.
    const HEAD: (usize, usize) = (48, 64);
    const TAIL: usize = LINE.0 - HEAD.0;

    const fn spread() -> [u8; 64] {
        let mut out = [0; 64];
        let (mut left, mut at): (&mut [u8], u8) = (&mut out, 0);
        while let [a, b, c, d, rest @ ..] = left {
            (*a, *b, *c, *d) = (at + 1, at, at + 2, at + 1);
            at += 3;
            left = rest;
        }
        out
    }

    /// # Safety
    /// `from` is readable for `count` lines of 57 bytes, `to` writable for as many of 76 and the bytes of `end`.
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    pub unsafe fn base64_lines(from: *const u8, count: usize, end: &[u8], to: *mut u8) {
        let (first, last) = match *end {
            [first, last] => (first, last),
            [only] => (only, 0),
            _ => return,
        };
        let width = LINE.1 + end.len();
        // SAFETY: masks keep loads within the 57 bytes of a line, and stores within its characters and its end.
        unsafe {
            let alphabet = _mm512_loadu_si512(ALPHABET.as_ptr().cast());
            let spread = _mm512_loadu_si512(SPREAD.as_ptr().cast());
            let shifts = _mm512_set1_epi64(SHIFTS);
            let ends = _mm512_set1_epi16(i16::from_le_bytes([first, last]));
            let encode = |x: __m512i| {
                let sixes = _mm512_multishift_epi64_epi8(shifts, _mm512_permutexvar_epi8(spread, x));
                _mm512_permutexvar_epi8(sixes, alphabet)
            };
            let at_end = 0b11 << (LINE.1 - HEAD.1);
            let stored = (1 << (width - HEAD.1)) - 1;
            for line in 0..count {
                let (from, to) = (from.add(line * LINE.0), to.add(line * width));
                let head = _mm512_maskz_loadu_epi8((1 << HEAD.0) - 1, from.cast());
                _mm512_storeu_si512(to.cast(), encode(head));
                let tail = _mm512_maskz_loadu_epi8((1 << TAIL) - 1, from.add(HEAD.0).cast());
                let tail = _mm512_mask_blend_epi8(at_end, encode(tail), ends);
                _mm512_mask_storeu_epi8(to.add(HEAD.1).cast(), stored, tail);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(len: usize) -> Vec<u8> {
        (0..len as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
    }

    /// Every kind of loop that this processor has, on every length and alignment, with what stands around untouched.
    #[test]
    fn substitutions_agree() {
        type Loop = unsafe fn(*const u8, *mut u8, usize, &[u8; 256]);
        let mut loops: Vec<Loop> = vec![substitute_raw];
        #[cfg(target_arch = "x86_64")]
        {
            if has_vbmi() {
                loops.push(x86::substitute_512);
            }
            if std::arch::is_x86_feature_detected!("avx2") {
                loops.push(x86::substitute_256);
            }
        }
        let table: [u8; 256] = std::array::from_fn(|i| (i * 167 + 13) as u8);
        let from = bytes(400);
        for run in loops {
            for start in 0..66 {
                for len in (0..200).chain([256, 320]) {
                    let mut scalar = vec![0xAA; 400];
                    let mut vector = scalar.clone();
                    // SAFETY: start and length stay within 400 bytes.
                    unsafe {
                        substitute_scalar(from[start..].as_ptr(), scalar[start..].as_mut_ptr(), len, &table);
                        run(from[start..].as_ptr(), vector[start..].as_mut_ptr(), len, &table);
                    }
                    assert!(scalar == vector, "{len} bytes at {start}");
                    let mut inside = from.clone();
                    let at = inside[start..].as_mut_ptr();
                    // SAFETY: as above, and both pointers are the same.
                    unsafe { run(at.cast_const(), at, len, &table) };
                    assert!(inside[start..start + len] == scalar[start..start + len]);
                    assert!(inside[..start] == from[..start] && inside[start + len..] == from[start + len..]);
                }
            }
        }
        let mut all: Vec<u8> = (0..=255).collect();
        substitute(&mut all, &table);
        assert_eq!(all, table);
        let mut out = vec![1, 2];
        substitute_onto(&from, &table, &mut out);
        assert!(out[..2] == [1, 2] && out[2..].iter().zip(&from).all(|(o, f)| *o == table[usize::from(*f)]));
    }

    /// Every unit among others of each length.
    #[test]
    fn utf8_agrees() {
        for unit in 0..=u16::MAX {
            let units: [u16; UNITS / 2] =
                std::array::from_fn(|i| [unit, 0x61, 0xE9, unit, 0x65E5, 0, unit][i % 7 * usize::from(i % 5 > 0)]);
            let mut piece = [0; UNITS];
            piece.as_chunks_mut::<2>().0.iter_mut().zip(units).for_each(|(to, unit)| *to = unit.to_le_bytes());
            let mut out = "x".to_owned();
            let pushed = push_utf16(&piece, &mut out);
            assert_eq!(pushed, takes_utf16() && !(0xD800..0xE000).contains(&unit), "{unit:X}");
            let text = String::from_utf16(&units).unwrap_or_default();
            assert_eq!(out, if pushed { "x".to_owned() + &text } else { "x".to_owned() });
        }
    }

    /// Whole lines as the library for base64 makes them, from every alignment.
    #[test]
    fn base64_agrees() {
        let all = bytes(57 * 5 + 70);
        for end in [&b"\n"[..], b"\r\n"] {
            for start in 0..64 {
                for len in 0..all.len() - start {
                    let part = &all[start..start + len];
                    let mut out = b"before".to_vec();
                    let done = base64_lines(part, end, &mut out);
                    assert!(done == 0 || done == len / 57 * 57, "{done} of {len}");
                    let mut should = b"before".to_vec();
                    for line in part[..done].chunks(57) {
                        should.extend_from_slice(base64_simd::STANDARD.encode_to_string(line).as_bytes());
                        should.extend_from_slice(end);
                    }
                    assert!(out == should, "{len} bytes at {start}");
                }
            }
        }
    }
}
