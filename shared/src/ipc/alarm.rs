//! A wake-up that is asked for only by a side that is about to sleep, so that nobody pays for waking a side
//! that is awake.
//!
//! ```text
//!   the one who sleeps                      the one who has news
//!   1. sets the alarm                       1. stores the news
//!   2. fence                                2. fence
//!   3. looks for news once more,            3. looks at the alarm,
//!      and sleeps only if there are none       and if it is set, clears it and wakes
//! ```
//!
//! The two fences are partners: whichever comes second, its side sees what the other one stored. So either
//! the sleeper sees the news, or the other side sees the alarm.
//!
//! If the word is overwritten by accident, there are wake-ups too many, and hardly ever one too few: only one
//! value means that nobody sleeps.

use std::sync::atomic::Ordering;

use super::word::Word;

/// Nobody sleeps. Not a value that a stray write is likely to leave.
const AWAKE: u32 = 0x5eed_a3e1;

/// What a sleeper waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// Anything.
    Any = 1,
    /// Room in a ring that was full.
    Room = 2,
}

/// Notes, before the memory is shared, that nobody sleeps.
pub(crate) fn prepare<W: Word>(word: &W) {
    word.store(u64::from(AWAKE), Ordering::Relaxed);
}

/// Sets the alarm. Afterwards the sleeper has to look for news once more.
pub(crate) fn set<W: Word>(word: &W, news: News) {
    word.store(news as u64, Ordering::Relaxed);
    W::fence();
}

/// Clears the alarm, for the sleeper that found news after all or was woken. Relaxed: nothing hangs on it.
pub(crate) fn clear<W: Word>(word: &W) {
    word.store(u64::from(AWAKE), Ordering::Relaxed);
}

/// Sleeps until `ready`, by means of `wait`, which returns when the alarm went off and may return before.
pub(crate) fn sleep<W: Word>(word: &W, news: News, mut ready: impl FnMut() -> bool, mut wait: impl FnMut()) {
    while !ready() {
        sleep_once(word, news, &mut ready, &mut wait);
    }
}

/// The same, but only until `wait` returns.
pub(crate) fn sleep_once<W: Word>(word: &W, news: News, ready: impl FnOnce() -> bool, wait: impl FnOnce()) {
    set(word, news);
    if !ready() {
        wait();
    }
    clear(word);
}

/// Whether the other side is to be woken for these news, which are stored. The alarm is off then.
#[must_use = "the other side sleeps until it is woken"]
pub(crate) fn goes_off<W: Word>(word: &W, news: News) -> bool {
    W::fence();
    let alarm = word.load(Ordering::Relaxed);
    let sleeps_on = news == News::Room && alarm == News::Any as u64;
    if alarm == u64::from(AWAKE) || sleeps_on {
        return false;
    }
    clear(word);
    true
}
