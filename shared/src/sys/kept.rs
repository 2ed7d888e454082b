//! Memory that others have read in place, for the next bytes of the same length.
//!
//! To get fresh memory from the kernel, and to give it back, takes several times as long as to fill it. So whoever has
//! made long memory keeps it for a moment after its last use here, as long as there is any [`Use`] of that. It is
//! written again when nobody else has it either, which a [lease](super::lease) tells.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::origin::Origin;
use super::per_process::PerProcess;
use super::sealed::Lendable;
use super::signals;

/// For how long memory is kept that is not used.
const TIME: Duration = Duration::from_secs(1);

/// So much memory is kept at most: each takes a descriptor.
const MOST: usize = 32;

/// So many bytes are kept at most.
const MOST_BYTES: usize = 512 << 20;

/// All that is kept, and since when; the oldest first.
#[derive(Default)]
struct Shelf {
    kept: VecDeque<(Lendable, Instant)>,
    uses: usize,
    /// Whether there is a thread that gives back what is not used.
    is_watched: bool,
}

/// The shelf, and word for its thread that there are no more uses.
#[derive(Default)]
struct Place {
    shelf: Mutex<Shelf>,
    unused: Condvar,
}

static PLACE: PerProcess<Place> = PerProcess::new();

impl Place {
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reason to keep memory.
pub(crate) struct Use(Origin);

impl Use {
    pub(crate) fn new() -> Use {
        PLACE.get().shelf().uses += 1;
        Use(Origin::here())
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        if self.0.is_here() {
            let place = PLACE.get();
            let mut shelf = place.shelf();
            shelf.uses -= 1;
            if shelf.uses == 0 {
                shelf.kept.clear();
                place.unused.notify_one();
            }
        }
    }
}

/// Keeps memory of which this process has no other reference.
pub(super) fn keep(memory: Lendable) {
    if !memory.is_ours() {
        return;
    }
    let mut shelf = PLACE.get().shelf();
    if shelf.uses > 0 && !shelf.is_watched {
        shelf.is_watched = watch();
    }
    shelf.add(memory, Instant::now());
}

/// Memory of this length, if some is kept that nobody has any more.
pub(super) fn take(length: usize) -> Option<Lendable> {
    PLACE.get().shelf().take(length)
}

impl Shelf {
    fn add(&mut self, memory: Lendable, now: Instant) {
        if self.uses == 0 || !self.is_watched {
            return;
        }
        self.kept.push_back((memory, now));
        while self.kept.len() > MOST || self.bytes() > MOST_BYTES {
            self.kept.pop_front();
        }
    }

    fn bytes(&self) -> usize {
        self.kept.iter().map(|(memory, _)| memory.len()).sum()
    }

    /// The latest that fits, so that those that are too many grow old.
    fn take(&mut self, length: usize) -> Option<Lendable> {
        if self.kept.iter().all(|(memory, _)| memory.len() != length) {
            // Memory of other lengths would only come on top of what is made now.
            self.kept.clear();
        }
        let place =
            self.kept.iter().rposition(|(memory, _)| memory.len() == length && memory.file().is_free())?;
        self.kept.remove(place).map(|(memory, _)| memory)
    }

    /// Gives back what was not used for so long; says when there is something to do next.
    fn give_back(&mut self, now: Instant) -> Option<Duration> {
        while let Some((_, since)) = self.kept.front() {
            let left = (*since + TIME).saturating_duration_since(now);
            if !left.is_zero() {
                return Some(left);
            }
            self.kept.pop_front();
        }
        None
    }
}

/// Has memory given back that is not used; `false` if there is no thread for that.
fn watch() -> bool {
    let thread = std::thread::Builder::new().name("multiprocessing-kept".into());
    let watched = thread.spawn(|| {
        signals::block_all_on_this_thread();
        let place = PLACE.get();
        let mut shelf = place.shelf();
        while let Some(left) = shelf.give_back(Instant::now()) {
            shelf = place.unused.wait_timeout(shelf, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        shelf.is_watched = false;
    });
    watched.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: usize = 200 << 20;

    fn memory(length: usize) -> Lendable {
        Lendable::new(length).unwrap()
    }

    fn shelf() -> Shelf {
        Shelf { uses: 1, is_watched: true, ..Shelf::default() }
    }

    fn lengths(shelf: &Shelf) -> Vec<usize> {
        shelf.kept.iter().map(|(memory, _)| memory.len()).collect()
    }

    #[test]
    fn memory_is_taken_when_nobody_has_it_and_not_before() {
        let mut shelf = shelf();
        let memory = memory(LENGTH);
        let lease = memory.file().grant().unwrap();
        shelf.add(memory, Instant::now());
        assert!(shelf.take(LENGTH).is_none());
        drop(lease);
        assert!(shelf.take(LENGTH).is_some());
        assert!(shelf.take(LENGTH).is_none());
    }

    #[test]
    fn so_much_is_kept_and_only_of_one_length() {
        let (mut shelf, now) = (shelf(), Instant::now());
        (1..4).for_each(|more| shelf.add(memory(LENGTH + more), now));
        assert_eq!(lengths(&shelf), [LENGTH + 2, LENGTH + 3]);
        assert!(shelf.take(LENGTH).is_none());
        assert!(lengths(&shelf).is_empty());
        (0..MOST + 5).for_each(|more| shelf.add(memory(1 + more), now));
        assert_eq!(lengths(&shelf).len(), MOST);
        assert_eq!(lengths(&shelf)[0], 6);
        shelf.add(memory(MOST_BYTES + 1), now);
        assert!(lengths(&shelf).is_empty());
    }

    #[test]
    fn each_memory_is_given_back_in_its_own_time() {
        let (mut shelf, now) = (shelf(), Instant::now());
        let half = TIME / 2;
        shelf.add(memory(1), now);
        shelf.add(memory(2), now + half);
        assert_eq!(shelf.give_back(now), Some(TIME));
        assert_eq!(shelf.give_back(now + TIME), Some(half));
        assert_eq!(lengths(&shelf), [2]);
        assert_eq!(shelf.give_back(now + TIME + half), None);
    }

    #[test]
    fn nothing_is_kept_without_a_use_or_without_somebody_who_gives_it_back() {
        for mut shelf in [Shelf { uses: 0, ..shelf() }, Shelf { is_watched: false, ..shelf() }] {
            shelf.add(memory(1), Instant::now());
            assert!(lengths(&shelf).is_empty());
        }
    }
}
