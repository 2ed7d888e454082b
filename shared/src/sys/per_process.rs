//! A static that a copy of this process by fork does not share.

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use super::origin::Origin;

/// A value that each process has for itself.
///
/// A program may fork by itself. The copy then has the memory of the original, but neither its threads nor
/// its children, and locks in that memory may be locked by threads that are not there. So the copy begins
/// with a new value, and never looks at the old one. No lock is taken to find that out.
pub(crate) struct PerProcess<T: 'static>(AtomicPtr<Owned<T>>);

struct Owned<T> {
    /// Numbers of processes are used again, this one is not.
    origin: Origin,
    value: T,
}

impl<T: Default + Send + Sync> PerProcess<T> {
    /// Nothing yet; a static of this type is to be made by this alone.
    pub(crate) const fn new() -> PerProcess<T> {
        PerProcess(AtomicPtr::new(ptr::null_mut()))
    }

    /// This process's own value, made by the first call.
    ///
    /// Acquire and the Release in AcqRel are partners: who sees the pointer sees what it points to.
    pub(crate) fn get(&self) -> &'static T {
        let origin = Origin::here();
        loop {
            let place = self.0.load(Ordering::Acquire);
            // SAFETY: `as_ref` asks for null or a valid pointee that nobody changes: what was stored came from
            // `Box::into_raw` and is neither freed nor borrowed mutably afterwards.
            if let Some(owned) = unsafe { place.as_ref() }
                && owned.origin == origin
            {
                return &owned.value;
            }
            let fresh = Box::into_raw(Box::new(Owned { origin, value: T::default() }));
            if self.0.compare_exchange(place, fresh, Ordering::AcqRel, Ordering::Relaxed).is_err() {
                // SAFETY: `from_raw` asks for a pointer of `into_raw` that is not used again: the exchange has
                // failed, so nobody else has seen this one.
                drop(unsafe { Box::from_raw(fresh) });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    #[test]
    fn all_threads_of_a_process_have_one_value() {
        static COUNT: PerProcess<AtomicU32> = PerProcess::new();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| COUNT.get().fetch_add(1, Ordering::Relaxed));
            }
        });
        assert_eq!(COUNT.get().load(Ordering::Relaxed), 8);
    }
}
