//! Atomic words, those of the machine or those of a model checker.
//!
//! The protocols of the shared memory are written against this trait, so that the tests run the very same code
//! under `loom`, which tries every order in which the two sides can go on, and every value that a load may
//! give.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

/// A word that two processes use.
pub(crate) trait Word {
    fn load(&self, order: Ordering) -> u64;
    fn store(&self, value: u64, order: Ordering);
    fn add(&self, value: u64, order: Ordering);
    /// Whether the word was `current`, and is `new` now.
    fn exchange(&self, current: u64, new: u64, order: Ordering) -> bool;
    /// A fence between a store and a load (SeqCst). Each has its partner on the other side.
    fn fence();
}

impl Word for AtomicU64 {
    #[inline]
    fn load(&self, order: Ordering) -> u64 {
        self.load(order)
    }

    #[inline]
    fn store(&self, value: u64, order: Ordering) {
        self.store(value, order);
    }

    #[inline]
    fn add(&self, value: u64, order: Ordering) {
        self.fetch_add(value, order);
    }

    #[inline]
    fn exchange(&self, current: u64, new: u64, order: Ordering) -> bool {
        self.compare_exchange(current, new, order, Ordering::Relaxed).is_ok()
    }

    #[inline]
    fn fence() {
        fence(Ordering::SeqCst);
    }
}

/// Half a word, for the kernel's futex(2).
impl Word for AtomicU32 {
    #[inline]
    fn load(&self, order: Ordering) -> u64 {
        u64::from(self.load(order))
    }

    #[inline]
    fn store(&self, value: u64, order: Ordering) {
        self.store(value as u32, order);
    }

    #[inline]
    fn add(&self, value: u64, order: Ordering) {
        self.fetch_add(value as u32, order);
    }

    #[inline]
    fn exchange(&self, current: u64, new: u64, order: Ordering) -> bool {
        self.compare_exchange(current as u32, new as u32, order, Ordering::Relaxed).is_ok()
    }

    #[inline]
    fn fence() {
        fence(Ordering::SeqCst);
    }
}
