//! FILETIME: 100-nanosecond steps since 1601-01-01 UTC ([MS-DTYP] 2.3.3).

use jiff::Timestamp;

/// Seconds between 1601-01-01 and 1970-01-01.
const EPOCH: i64 = 11_644_473_600;

/// Stands where a store demands a time and none is known: the beginning of 1970.
pub const STAND_IN: u64 = 116_444_736_000_000_000;

/// A time, unless it only stands in for one.
pub fn known(filetime: u64) -> Option<u64> {
    (filetime != STAND_IN).then_some(filetime)
}

/// The FILETIME of seconds since 1970 UTC; `None` before 1601 or past the range.
pub fn from_unix(seconds: i64) -> Option<u64> {
    u64::try_from(seconds.checked_add(EPOCH)?).ok()?.checked_mul(10_000_000)
}

/// Seconds since 1970 UTC of a FILETIME, rounded down.
pub fn to_unix(filetime: u64) -> i64 {
    (filetime / 10_000_000) as i64 - EPOCH
}

/// The timestamp of a FILETIME; `None` past the year 9999.
pub fn to_timestamp(filetime: u64) -> Option<Timestamp> {
    Timestamp::new(to_unix(filetime), (filetime % 10_000_000) as i32 * 100).ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn epoch() {
        assert_eq!(super::from_unix(0), Some(116_444_736_000_000_000));
        assert_eq!(super::to_unix(116_444_736_000_000_000), 0);
        assert_eq!(super::from_unix(-11_644_473_601), None);
    }
}
