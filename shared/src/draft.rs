//! Adding to a vector by code that may panic.

use std::ops::{Deref, DerefMut};

/// A vector to which is being added. What was added is taken back unless it is [`keep`](Draft::keep)ed: whoever
/// catches a panic may go on with the vector, and finds it as it was.
pub(crate) struct Draft<'a, T> {
    vector: &'a mut Vec<T>,
    before: usize,
}

impl<'a, T> Draft<'a, T> {
    #[inline(always)]
    pub(crate) fn new(vector: &'a mut Vec<T>) -> Draft<'a, T> {
        Draft { before: vector.len(), vector }
    }

    /// Leaves what was added where it is; says how much that is.
    #[inline(always)]
    pub(crate) fn keep(self) -> usize {
        let added = self.vector.len() - self.before;
        std::mem::forget(self);
        added
    }
}

impl<T> Drop for Draft<'_, T> {
    fn drop(&mut self) {
        self.vector.truncate(self.before);
    }
}

impl<T> Deref for Draft<'_, T> {
    type Target = Vec<T>;

    #[inline(always)]
    fn deref(&self) -> &Vec<T> {
        self.vector
    }
}

impl<T> DerefMut for Draft<'_, T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut Vec<T> {
        self.vector
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn what_was_added_stays_only_if_it_is_kept() {
        let mut vector = vec![1, 2];
        let mut draft = Draft::new(&mut vector);
        draft.extend([3, 4]);
        assert_eq!(draft.keep(), 2);
        let panics = || {
            let mut draft = Draft::new(&mut vector);
            draft.push(5);
            panic!("in the middle");
        };
        assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
        assert_eq!(vector, [1, 2, 3, 4]);
    }
}
