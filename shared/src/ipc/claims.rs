//! Who has a chunk: one word that says how many were offered and how many of them were claimed.
//!
//! ```text
//!   63            32 31             0
//!   +---------------+---------------+
//!   | offered       | claimed       |     both counts go round at 2^32
//!   +---------------+---------------+
//! ```
//!
//! Chunks stand in a row. The manager offers them at its end; the worker claims them from its front, one at a
//! time and each before it looks at it; and what is not claimed yet, the manager can take back from the end.
//! Each step changes the whole word at once, so that every chunk has one owner at every moment, and a chunk
//! that was taken back was never begun.

use std::sync::atomic::Ordering;

use super::Malformed;
use super::word::Word;

const OFFERED: u32 = 32;

fn counts(word: u64) -> (u32, u32) {
    ((word >> OFFERED) as u32, word as u32)
}

/// The manager's side.
#[derive(Default)]
pub(crate) struct Offers {
    /// How many were offered, apart from those that were taken back.
    offered: u32,
}

impl Offers {
    /// Offers some more chunks, which are written whole. Release: partner of the Acquire in [`claim`].
    pub(crate) fn offer<W: Word>(&mut self, word: &W, count: u32) {
        self.offered = self.offered.wrapping_add(count);
        word.add(u64::from(count) << OFFERED, Ordering::Release);
    }

    /// How many chunks nobody has claimed. `open` are not done, so it cannot be more.
    ///
    /// Acquire: what the worker did before its last claim is seen.
    pub(crate) fn unclaimed<W: Word>(&self, word: &W, open: u32) -> Result<u32, Malformed> {
        self.unclaimed_of(word.load(Ordering::Acquire), open)
    }

    fn unclaimed_of(&self, now: u64, open: u32) -> Result<u32, Malformed> {
        let (offered, claimed) = counts(now);
        let unclaimed = offered.wrapping_sub(claimed);
        if offered == self.offered && unclaimed <= open { Ok(unclaimed) } else { Err(Malformed) }
    }

    /// Takes back as many as `most` chunks from the end; gives how many it got. `open` are not done.
    ///
    /// The exchange is the partner of the one in [`claim`]: one of the two gets the chunk.
    pub(crate) fn take_back<W: Word>(&mut self, word: &W, most: u32, open: u32) -> Result<u32, Malformed> {
        // Between a load and its exchange the worker may claim, but no more often than there are chunks.
        for _ in 0..=open {
            let now = word.load(Ordering::Acquire);
            let count = most.min(self.unclaimed_of(now, open)?);
            let rest = now.wrapping_sub(u64::from(count) << OFFERED);
            if count == 0 || word.exchange(now, rest, Ordering::AcqRel) {
                self.offered = self.offered.wrapping_sub(count);
                return Ok(count);
            }
        }
        Err(Malformed)
    }
}

/// Claims the next chunk, for the worker; `false` if there is none.
///
/// Acquire: partner of the Release in [`Offers::offer`], so that the chunk is there whole. The exchange is
/// the partner of the one in [`Offers::take_back`].
pub(crate) fn claim<W: Word>(word: &W) -> bool {
    loop {
        let now = word.load(Ordering::Relaxed);
        let (offered, claimed) = counts(now);
        if offered == claimed {
            return false;
        }
        let next = (now & !u64::from(u32::MAX)) | u64::from(claimed.wrapping_add(1));
        if word.exchange(now, next, Ordering::AcqRel) {
            return true;
        }
    }
}

/// How many chunks wait to be claimed, for the worker. Relaxed: [`claim`] decides.
pub(crate) fn waiting<W: Word>(word: &W) -> u32 {
    let (offered, claimed) = counts(word.load(Ordering::Relaxed));
    offered.wrapping_sub(claimed)
}
