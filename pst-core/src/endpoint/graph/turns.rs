//! Turns: how many requests one mailbox is asked at a time.

use super::AT_ONCE;
use std::sync::{Condvar, Mutex, PoisonError};

/// Places for so many requests as a mailbox takes at a time.
#[derive(Debug, Default)]
pub struct Turns {
    taken: Mutex<usize>,
    free: Condvar,
}

/// A place, until it is dropped.
pub struct Turn<'t>(&'t Turns);

impl Turns {
    /// Waits for a place.
    pub fn take(&self) -> Turn<'_> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        while *taken >= AT_ONCE {
            taken = self.free.wait(taken).unwrap_or_else(PoisonError::into_inner);
        }
        *taken += 1;
        Turn(self)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        *taken = taken.saturating_sub(1);
        drop(taken);
        self.0.free.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn no_more_than_so_many() {
        let (turns, now, most) = (Turns::default(), AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..3 * AT_ONCE {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let _turn = turns.take();
                        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        std::thread::yield_now();
                        now.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert!(most.into_inner() <= AT_ONCE);
        assert_eq!(*turns.taken.lock().unwrap(), 0);
    }
}
