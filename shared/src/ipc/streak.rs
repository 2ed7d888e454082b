//! Calls one after the other, with all that changes from one to the next at hand.
//!
//! Of a small call others have to see that it is begun, what its result is, and that this counts: three words in
//! memory. All else stands in registers while a streak lasts, and where it belongs again when it ends; by a panic
//! as well.

use super::attachments::Outgoing;
use super::memory::AtHand;
use super::records::Run;

/// Some calls of a chunk, one after the other.
pub(super) struct Streak<'s, 'a> {
    arguments: Run<'a>,
    calls: u64,
    outbox: AtHand<'s>,
    result: &'s mut Vec<u8>,
    outgoing: &'s mut Outgoing,
    /// Where the arguments that are left and the number of the last call stand, when there is no streak.
    home: (&'s mut Run<'a>, &'s mut u64),
}

impl<'s, 'a> Streak<'s, 'a> {
    #[inline(always)]
    pub(super) fn new(
        arguments: &'s mut Run<'a>,
        calls: &'s mut u64,
        outbox: AtHand<'s>,
        result: &'s mut Vec<u8>,
        outgoing: &'s mut Outgoing,
    ) -> Streak<'s, 'a> {
        Streak { arguments: *arguments, calls: *calls, outbox, result, outgoing, home: (arguments, calls) }
    }

    /// Begins the next call: its argument, and where its result and what goes along with that are to be put;
    /// `None` if there are no arguments left.
    #[inline(always)]
    pub(super) fn begin(&mut self) -> Option<(&'a [u8], &mut Vec<u8>, &mut Outgoing)> {
        let argument = self.arguments.take_first()?;
        self.calls += 1;
        self.outbox.begin(self.calls);
        self.result.clear();
        Some((argument, self.result, self.outgoing))
    }

    /// Publishes the result of the call that was begun; `false` if that takes a closer look.
    #[inline(always)]
    pub(super) fn publish(&mut self) -> bool {
        self.outgoing.is_empty() && self.outbox.publish(self.result)
    }
}

impl Drop for Streak<'_, '_> {
    #[inline(always)]
    fn drop(&mut self) {
        (*self.home.0, *self.home.1) = (self.arguments, self.calls);
    }
}
