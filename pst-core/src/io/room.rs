//! Room for data whose length somebody else has named.

/// Bytes that are believed without a proof.
const FIRST: u64 = 64 << 10;
/// How many times as much as has come is made room for.
const TIMES: u64 = 15;

/// Room behind what `out` holds for some of `missing` bytes, of which `done` have come before; returns how many fit.
///
/// Memory grows with what is there, not with what is promised, and in so few steps that large data are hardly copied.
pub(crate) fn room(out: &mut Vec<u8>, done: u64, missing: u64) -> u64 {
    if out.len() == out.capacity() {
        out.reserve_exact(missing.min(FIRST.max(done.saturating_mul(TIMES))) as usize);
    }
    missing.min((out.capacity() - out.len()) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_with_what_is_there() {
        let (mut out, len, mut steps) = (Vec::new(), 40_000_000_u64, 0);
        while (out.len() as u64) < len {
            let done = out.len() as u64;
            let fits = room(&mut out, done, len - done);
            assert!(fits > 0 && out.capacity() as u64 <= (FIRST + done * (TIMES + 1)).min(len), "{done}");
            out.resize(out.len() + fits as usize, 0);
            steps += 1;
        }
        assert_eq!((out.len() as u64, steps), (len, 4));
        assert_eq!(room(&mut out, len, 0), 0);
    }
}
