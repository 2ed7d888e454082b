//! Which line stands for which part of a pattern, for explanations.
//!
//! [`order`](super::order) decides; this module only finds the reading of a wrong output that is kindest to it: as
//! many lines as possible get a slot of the pattern, whatever their order.
//! What is left over is missing or too much, and slots in the wrong order are what the order broke.

use std::collections::BTreeSet;

use super::text;
use crate::model::{Expectation, Line, LinePattern, Machine};

/// Beyond so many pairs of lines and slots an explanation makes do with less.
const MOST_PAIRS: usize = 250_000;

/// One line that the pattern asks for.
#[derive(Debug, Clone)]
pub(super) struct Slot<'a> {
    pub(super) pattern: &'a LinePattern,
    /// Whether the output is complete without it.
    pub(super) optional: bool,
    /// Its place in the tree of groups, to compare it with another.
    path: Vec<Step>,
}

/// One level of a slot's place: the element's number, and whether elements of that group come in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    ordered: bool,
    element: usize,
}

impl Slot<'_> {
    /// Whether this slot's line has to come before the other's.
    pub(super) fn is_before(&self, other: &Slot<'_>) -> bool {
        let fork = self.path.iter().zip(&other.path).find(|(a, b)| a != b);
        fork.is_some_and(|(a, b)| a.ordered && a.element < b.element)
    }
}

/// The slots of a pattern, and the line that each was given.
#[derive(Debug)]
pub(super) struct Assignment<'a> {
    pub(super) slots: Vec<Slot<'a>>,
    /// For each line its slot.
    pub(super) slot_of: Vec<Option<usize>>,
    /// For each slot its line.
    pub(super) line_of: Vec<Option<usize>>,
}

impl<'a> Assignment<'a> {
    /// Gives as many lines as possible a slot; `None` where there are too many of both.
    pub(super) fn find(expectation: &'a Expectation, lines: &[&Line], machine: &Machine) -> Option<Self> {
        let mut slots = Vec::new();
        add_slots(expectation, lines, machine, &mut Vec::new(), false, &mut slots)?;
        if slots.len().saturating_mul(lines.len()) > MOST_PAIRS {
            return None;
        }
        let fits: Vec<Vec<usize>> = lines
            .iter()
            .map(|line| (0..slots.len()).filter(|slot| reads(slots[*slot].pattern, line, machine)).collect())
            .collect();
        let mut assignment =
            Assignment { slot_of: vec![None; lines.len()], line_of: vec![None; slots.len()], slots };
        for line in 0..lines.len() {
            let ready = fits[line].iter().copied().find(|slot| assignment.is_ready(*slot));
            match ready {
                Some(slot) => assignment.give(line, slot),
                None => {
                    assignment.augment(line, &fits, &mut BTreeSet::new());
                }
            }
        }
        Some(assignment)
    }

    /// Whether a slot is free and every line that has to come before it is there.
    fn is_ready(&self, slot: usize) -> bool {
        let waits_for = |other: usize| {
            !self.slots[other].optional
                && self.line_of[other].is_none()
                && self.slots[other].is_before(&self.slots[slot])
        };
        self.line_of[slot].is_none() && !(0..self.slots.len()).any(waits_for)
    }

    fn give(&mut self, line: usize, slot: usize) {
        self.slot_of[line] = Some(slot);
        self.line_of[slot] = Some(line);
    }

    /// Finds a slot for a line, moving others if need be: one step of Kuhn's algorithm for bipartite matchings.
    fn augment(&mut self, line: usize, fits: &[Vec<usize>], tried: &mut BTreeSet<usize>) -> bool {
        for &slot in &fits[line] {
            if !tried.insert(slot) {
                continue;
            }
            let free = match self.line_of[slot] {
                None => true,
                Some(holder) => self.augment(holder, fits, tried),
            };
            if free {
                self.give(line, slot);
                return true;
            }
        }
        false
    }

    /// The slots that no line was given and that the output needs.
    pub(super) fn missing(&self) -> Vec<usize> {
        (0..self.slots.len())
            .filter(|slot| self.line_of[*slot].is_none() && !self.slots[*slot].optional)
            .collect()
    }

    /// The lines that no slot was found for.
    pub(super) fn extra(&self) -> Vec<usize> {
        (0..self.slot_of.len()).filter(|line| self.slot_of[*line].is_none()).collect()
    }

    /// The lines below `line` that should stand above it.
    pub(super) fn belong_before(&self, line: usize) -> Vec<usize> {
        let Some(slot) = self.slot_of[line] else { return Vec::new() };
        let should = |other: &usize| {
            self.slot_of[*other].is_some_and(|other| self.slots[other].is_before(&self.slots[slot]))
        };
        (line + 1..self.slot_of.len()).filter(should).collect()
    }

    /// The right order that keeps as much as it can of the order seen: always the earliest line that may come next.
    pub(super) fn nearest_order(&self) -> Vec<usize> {
        let mut left: Vec<usize> =
            (0..self.slot_of.len()).filter(|line| self.slot_of[*line].is_some()).collect();
        let mut order = Vec::with_capacity(left.len());
        while !left.is_empty() {
            let free = |line: &usize| !left.iter().any(|other| self.is_above(*other, *line));
            // A partial order has no cycle, so something is always free; the first line stands in if that were broken.
            let index = left.iter().position(free).unwrap_or(0);
            order.push(left.remove(index));
        }
        order
    }

    fn is_above(&self, line: usize, other: usize) -> bool {
        match (self.slot_of[line], self.slot_of[other]) {
            (Some(a), Some(b)) => self.slots[a].is_before(&self.slots[b]),
            _ => false,
        }
    }
}

/// Whether a line reads as a pattern; one with too many readings counts as read.
fn reads(pattern: &LinePattern, line: &Line, machine: &Machine) -> bool {
    !line.invalid_utf8 && text::matches(pattern, &line.text, machine).is_ok_and(|ways| !ways.is_empty())
}

/// Adds the slots of a pattern; a part that repeats gets as many times as there are lines for it.
fn add_slots<'a>(
    expectation: &'a Expectation,
    lines: &[&Line],
    machine: &Machine,
    path: &mut Vec<Step>,
    optional: bool,
    slots: &mut Vec<Slot<'a>>,
) -> Option<()> {
    let mut element = |part: &'a Expectation, ordered, element, optional, slots: &mut Vec<Slot<'a>>| {
        path.push(Step { ordered, element });
        let added = add_slots(part, lines, machine, path, optional, slots);
        path.pop();
        added.filter(|()| slots.len() <= MOST_PAIRS)
    };
    match expectation {
        Expectation::Line { pattern, .. } => slots.push(Slot { pattern, optional, path: path.clone() }),
        Expectation::Sequence(parts) => {
            for (index, part) in parts.iter().enumerate() {
                element(part, true, index, optional, slots)?;
            }
        }
        Expectation::AnyOrder(parts) => {
            for (index, part) in parts.iter().enumerate() {
                element(part, false, index, optional, slots)?;
            }
        }
        Expectation::Optional(part) => element(part, true, 0, true, slots)?,
        Expectation::Repeat { of, min, max } => {
            let patterns = line_patterns(of);
            let fitting =
                lines.iter().filter(|line| patterns.iter().any(|p| reads(p, line, machine))).count();
            let wanted = u32::try_from(fitting.div_ceil(patterns.len().max(1))).ok()?;
            let times = wanted.clamp(*min, max.unwrap_or(u32::MAX));
            for time in 0..times {
                element(of, true, time as usize, optional || time >= *min, slots)?;
            }
        }
    }
    Some(())
}

fn line_patterns(expectation: &Expectation) -> Vec<&LinePattern> {
    match expectation {
        Expectation::Line { pattern, .. } => vec![pattern],
        Expectation::Sequence(parts) | Expectation::AnyOrder(parts) => {
            parts.iter().flat_map(line_patterns).collect()
        }
        Expectation::Optional(part) => line_patterns(part),
        Expectation::Repeat { of, .. } => line_patterns(of),
    }
}
