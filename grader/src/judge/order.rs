//! The exact decision whether lines are one of the orders that an expectation allows.
//!
//! The method is Antimirov's partial derivatives, extended by the shuffle product for `any_order`: a state is what of
//! the pattern is still to come, and every line leads from each state to those in which it has been consumed.
//! Lines match when, after the last one, some state needs nothing more.
//! Equal parts of a pattern are made one, and the parts of an `any_order` are kept sorted, so that states which
//! differ only in which of several equal parts is done count once.
//! The number of states is bounded; beyond the bound the answer is [`TooAmbiguous`], never a guess.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::text::{self, Bindings, TooAmbiguous};
use crate::model::{By, Expectation, Line, LinePattern, Machine};

/// So many states at once; a pattern that needs more is too ambiguous to be useful.
const MOST_STATES: usize = 10_000;

/// Which of an expectation's demands to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Demands {
    /// Whether a name has to mean the same value everywhere.
    pub(super) names: bool,
    /// Whether `by` counts.
    pub(super) writers: bool,
}

/// The decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    /// The lines match, with these values of the names in each way in which they do.
    Matches(Vec<Bindings>),
    /// They do not; this many lines at the start could still have been right.
    Stuck { lines: usize },
}

/// Decides whether `lines` are what `expectation` asks for.
pub(super) fn decide(
    expectation: &Expectation,
    lines: &[&Line],
    machine: &Machine,
    demands: Demands,
) -> Result<Decision, TooAmbiguous> {
    let mut parts = Parts::default();
    let root = parts.intern(expectation);
    let mut states = HashSet::from([State {
        rest: Rest::Whole(root),
        bindings: Bindings::new(),
        writers: BTreeSet::new(),
    }]);
    for (index, line) in lines.iter().enumerate() {
        let mut step = Step { parts: &parts, line, machine, demands, read: HashMap::new() };
        let mut next = HashSet::new();
        for state in &states {
            step.advance(state, &mut next)?;
            if next.len() > MOST_STATES {
                return Err(TooAmbiguous);
            }
        }
        if next.is_empty() {
            return Ok(Decision::Stuck { lines: index });
        }
        states = next;
    }
    let done: BTreeSet<Bindings> = states
        .into_iter()
        .filter(|state| parts.rest_may_be_empty(&state.rest))
        .map(|state| state.bindings)
        .collect();
    if done.is_empty() {
        return Ok(Decision::Stuck { lines: lines.len() });
    }
    Ok(Decision::Matches(done.into_iter().collect()))
}

/// What of a pattern is still to come, and what has been promised so far.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    rest: Rest,
    bindings: Bindings,
    /// The children that have written a line marked `own child`.
    writers: BTreeSet<u32>,
}

/// The number of a part of the pattern in [`Parts`].
type PartId = usize;

/// What is left of a part.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Rest {
    /// Nothing.
    Done,
    /// All of it.
    Whole(PartId),
    /// What is left of one element of a sequence, then the elements from `next` on.
    Sequence { first: Box<Rest>, part: PartId, next: usize },
    /// What is left of each element, sorted, without those that are done.
    AnyOrder(Vec<Rest>),
    /// What is left of one time, after `times` that have begun.
    Repeat { first: Box<Rest>, part: PartId, times: u32 },
}

/// A part of a pattern whose own parts are numbers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Part {
    Line { source: String, by: Option<By> },
    Sequence(Vec<PartId>),
    AnyOrder(Vec<PartId>),
    Optional(PartId),
    Repeat { of: PartId, min: u32, max: Option<u32> },
}

/// All parts of a pattern, equal ones once.
#[derive(Debug, Default)]
struct Parts<'a> {
    parts: Vec<Part>,
    /// The pattern of each part that is a line.
    patterns: HashMap<PartId, &'a LinePattern>,
    known: HashMap<Part, PartId>,
}

impl<'a> Parts<'a> {
    fn intern(&mut self, expectation: &'a Expectation) -> PartId {
        let part = match expectation {
            Expectation::Line { pattern, by } => Part::Line { source: pattern.source.clone(), by: *by },
            Expectation::Sequence(parts) => {
                Part::Sequence(parts.iter().map(|part| self.intern(part)).collect())
            }
            Expectation::AnyOrder(parts) => {
                Part::AnyOrder(parts.iter().map(|part| self.intern(part)).collect())
            }
            Expectation::Optional(part) => Part::Optional(self.intern(part)),
            Expectation::Repeat { of, min, max } => {
                Part::Repeat { of: self.intern(of), min: *min, max: *max }
            }
        };
        if let Some(id) = self.known.get(&part) {
            return *id;
        }
        let id = self.parts.len();
        if let Expectation::Line { pattern, .. } = expectation {
            self.patterns.insert(id, pattern);
        }
        self.parts.push(part.clone());
        self.known.insert(part, id);
        id
    }

    fn may_be_empty(&self, id: PartId) -> bool {
        match &self.parts[id] {
            Part::Line { .. } => false,
            Part::Sequence(parts) | Part::AnyOrder(parts) => {
                parts.iter().all(|part| self.may_be_empty(*part))
            }
            Part::Optional(_) => true,
            Part::Repeat { of, min, .. } => *min == 0 || self.may_be_empty(*of),
        }
    }

    fn rest_may_be_empty(&self, rest: &Rest) -> bool {
        match rest {
            Rest::Done => true,
            Rest::Whole(id) => self.may_be_empty(*id),
            Rest::Sequence { first, part, next } => {
                self.rest_may_be_empty(first)
                    && self.elements(*part)[*next..].iter().all(|element| self.may_be_empty(*element))
            }
            Rest::AnyOrder(elements) => elements.iter().all(|element| self.rest_may_be_empty(element)),
            Rest::Repeat { first, part, times } => {
                let enough = match &self.parts[*part] {
                    Part::Repeat { of, min, .. } => times >= min || self.may_be_empty(*of),
                    _ => true,
                };
                enough && self.rest_may_be_empty(first)
            }
        }
    }

    fn elements(&self, id: PartId) -> &[PartId] {
        match &self.parts[id] {
            Part::Sequence(parts) | Part::AnyOrder(parts) => parts,
            Part::Line { .. } | Part::Optional(_) | Part::Repeat { .. } => &[],
        }
    }
}

/// One line led through every state.
struct Step<'a> {
    parts: &'a Parts<'a>,
    line: &'a Line,
    machine: &'a Machine,
    demands: Demands,
    /// How this line reads under each pattern that was tried.
    read: HashMap<PartId, Vec<Bindings>>,
}

impl Step<'_> {
    fn advance(&mut self, state: &State, next: &mut HashSet<State>) -> Result<(), TooAmbiguous> {
        let mut after = Vec::new();
        self.derive(&state.rest, &mut after)?;
        for (rest, line_part) in after {
            let Some(writers) = self.writers(line_part, &state.writers) else { continue };
            for read in &self.read[&line_part] {
                if !self.demands.names {
                    next.insert(State {
                        rest: rest.clone(),
                        bindings: Bindings::new(),
                        writers: writers.clone(),
                    });
                } else if let Some(bindings) = merged(&state.bindings, read) {
                    next.insert(State { rest: rest.clone(), bindings, writers: writers.clone() });
                }
            }
        }
        Ok(())
    }

    /// What is left of `rest` after this line, in every way in which it can be consumed, and by which line part.
    fn derive(&mut self, rest: &Rest, after: &mut Vec<(Rest, PartId)>) -> Result<(), TooAmbiguous> {
        match rest {
            Rest::Done => Ok(()),
            Rest::Whole(id) => self.derive_whole(*id, after),
            Rest::Sequence { first, part, next } => {
                self.derive_in(first, after, |first| sequence(self.parts, first, *part, *next))?;
                if self.parts.rest_may_be_empty(first) {
                    self.derive_sequence(*part, *next, after)
                } else {
                    Ok(())
                }
            }
            Rest::AnyOrder(elements) => self.derive_any_order(elements, after),
            Rest::Repeat { first, part, times } => {
                self.derive_in(first, after, |first| Rest::Repeat {
                    first: Box::new(first),
                    part: *part,
                    times: *times,
                })?;
                if self.parts.rest_may_be_empty(first) {
                    self.derive_repeat(*part, *times, after)
                } else {
                    Ok(())
                }
            }
        }
    }

    fn derive_whole(&mut self, id: PartId, after: &mut Vec<(Rest, PartId)>) -> Result<(), TooAmbiguous> {
        match &self.parts.parts[id] {
            Part::Line { .. } => {
                if self.reads(id)? {
                    after.push((Rest::Done, id));
                }
                Ok(())
            }
            Part::Sequence(_) => self.derive_sequence(id, 0, after),
            Part::AnyOrder(elements) => {
                let mut elements: Vec<Rest> = elements.iter().map(|element| Rest::Whole(*element)).collect();
                elements.sort();
                self.derive_any_order(&elements, after)
            }
            Part::Optional(part) => self.derive_whole(*part, after),
            Part::Repeat { .. } => self.derive_repeat(id, 0, after),
        }
    }

    /// Derives `inner` and wraps what is left of it.
    fn derive_in(
        &mut self,
        inner: &Rest,
        after: &mut Vec<(Rest, PartId)>,
        wrap: impl Fn(Rest) -> Rest,
    ) -> Result<(), TooAmbiguous> {
        let begin = after.len();
        self.derive(inner, after)?;
        for (rest, _) in &mut after[begin..] {
            *rest = wrap(std::mem::replace(rest, Rest::Done));
        }
        Ok(())
    }

    /// The line begins one of the elements from `next` on, if all before it may be left out.
    fn derive_sequence(
        &mut self,
        id: PartId,
        next: usize,
        after: &mut Vec<(Rest, PartId)>,
    ) -> Result<(), TooAmbiguous> {
        let parts = self.parts;
        for (index, element) in parts.elements(id).iter().enumerate().skip(next) {
            self.derive_in(&Rest::Whole(*element), after, |first| sequence(parts, first, id, index + 1))?;
            if !parts.may_be_empty(*element) {
                break;
            }
        }
        Ok(())
    }

    fn derive_any_order(
        &mut self,
        elements: &[Rest],
        after: &mut Vec<(Rest, PartId)>,
    ) -> Result<(), TooAmbiguous> {
        for (index, element) in elements.iter().enumerate() {
            // Equal elements stand beside each other and lead to equal states.
            if index > 0 && elements[index - 1] == *element {
                continue;
            }
            self.derive_in(element, after, |left| {
                let others = elements.iter().enumerate().filter(|(other, _)| *other != index);
                let mut all: Vec<Rest> = others.map(|(_, other)| other.clone()).collect();
                if left != Rest::Done {
                    all.push(left);
                    all.sort();
                }
                if all.is_empty() { Rest::Done } else { Rest::AnyOrder(all) }
            })?;
        }
        Ok(())
    }

    /// The line begins one more time, unless there have been enough.
    fn derive_repeat(
        &mut self,
        id: PartId,
        times: u32,
        after: &mut Vec<(Rest, PartId)>,
    ) -> Result<(), TooAmbiguous> {
        let Part::Repeat { of, min, max } = &self.parts.parts[id] else { return Ok(()) };
        if max.is_some_and(|max| times >= max) {
            return Ok(());
        }
        // Without an upper bound, times beyond the lower one are all alike.
        let times = if max.is_none() { (times + 1).min(*min) } else { times + 1 };
        self.derive_in(&Rest::Whole(*of), after, |first| Rest::Repeat {
            first: Box::new(first),
            part: id,
            times,
        })
    }

    /// Whether this line reads as the pattern of a part, apart from names and writers.
    fn reads(&mut self, id: PartId) -> Result<bool, TooAmbiguous> {
        if !self.read.contains_key(&id) {
            let ways = match self.parts.patterns.get(&id) {
                Some(pattern) if !self.line.invalid_utf8 => {
                    text::matches(pattern, &self.line.text, self.machine)?
                }
                _ => Vec::new(),
            };
            self.read.insert(id, ways);
        }
        Ok(!self.read[&id].is_empty())
    }

    /// The writers of `own child` lines after this one; `None` where it comes from the wrong process.
    fn writers(&self, line_part: PartId, before: &BTreeSet<u32>) -> Option<BTreeSet<u32>> {
        let Part::Line { by: Some(by), .. } = &self.parts.parts[line_part] else {
            return Some(before.clone());
        };
        if !self.demands.writers {
            return Some(before.clone());
        }
        let writer = self.line.writer?;
        match by {
            By::Main => (writer == 0).then(|| before.clone()),
            By::Child => (writer != 0).then(|| before.clone()),
            By::OwnChild => {
                let mut writers = before.clone();
                (writer != 0 && writers.insert(writer)).then_some(writers)
            }
        }
    }
}

/// What is left of a sequence whose element before `next` has `first` left.
fn sequence(parts: &Parts<'_>, first: Rest, part: PartId, next: usize) -> Rest {
    match (first, next == parts.elements(part).len()) {
        (first, true) => first,
        (first, false) => Rest::Sequence { first: Box::new(first), part, next },
    }
}

/// Both sets of values; `None` where they disagree.
fn merged(known: &Bindings, read: &Bindings) -> Option<Bindings> {
    let agree = read.iter().all(|(name, value)| known.get(name).is_none_or(|known| known == value));
    agree.then(|| known.iter().chain(read).map(|(name, value)| (name.clone(), value.clone())).collect())
}

#[cfg(test)]
mod tests;
