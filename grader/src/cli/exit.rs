//! The codes with which the grader exits; part of its contract with scripts.

/// Full points, or nothing to complain of.
pub(super) const OK: u8 = 0;
/// Fewer than full points.
pub(super) const FEWER_POINTS: u8 = 1;
/// The arguments are wrong.
pub(super) const USAGE: u8 = 2;
/// A question is not sound.
pub(super) const INVALID_QUESTION: u8 = 3;
/// Something that the grader needs does not work on this machine.
pub(super) const NOT_OBSERVED: u8 = 4;
/// Somebody ended the grader by a signal: so much and the signal's number, as shells have it.
const SIGNAL: u8 = 128;
/// The grader's own fault; EX_SOFTWARE of sysexits(3).
pub(super) const GRADER_FAULT: u8 = 70;

/// The code for an end by a signal.
pub(super) fn of_signal(signal: i32) -> u8 {
    u8::try_from(signal).map_or(GRADER_FAULT, |signal| SIGNAL.saturating_add(signal))
}
