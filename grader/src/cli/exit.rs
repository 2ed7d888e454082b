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
/// The grader's own fault; EX_SOFTWARE of sysexits(3).
pub(super) const GRADER_FAULT: u8 = 70;
