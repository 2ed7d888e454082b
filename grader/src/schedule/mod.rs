//! Which runs to make: a selection of schedules, by name.
//!
//! Pure: nothing here starts a run, and what a policy does to one is the observer's business.

mod policy;

use std::fmt;
use std::str::FromStr;

pub use policy::{Choice, Decider, TooManyChoices, next_path};

use crate::model::{Policy, Schedule};

/// The seeds of `random` in `quick` and in `thorough`.
const QUICK_SEEDS: u64 = 3;
const THOROUGH_SEEDS: u64 = 50;

/// Schedules to run a submission under, in this order.
///
/// ```
/// use grader::schedule::Selection;
///
/// let selection: Selection = "random:7".parse()?;
/// assert_eq!(selection.schedules().len(), 1);
/// assert_eq!(selection.schedules()[0].to_string(), "random:7");
/// # Ok::<(), grader::schedule::UnknownSchedule>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    schedules: Vec<Schedule>,
    every_order: bool,
}

/// A text that names no selection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "read the schedules `{text}`: allowed are {}, each name alone or with a seed as in `random:7`",
    Allowed
)]
pub struct UnknownSchedule {
    /// What was given.
    pub text: String,
}

/// The names in the words of an error.
struct Allowed;

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`quick`, `thorough`")?;
        Policy::NAMES.iter().try_for_each(|(name, _)| write!(f, ", `{name}`"))
    }
}

impl Selection {
    /// Two free runs, the six named orders and a few random ones, of processes and of accesses to what they share: what
    /// every grading makes.
    #[must_use]
    pub fn quick() -> Selection {
        Selection::with_seeds(QUICK_SEEDS)
    }

    /// The same with many random orders.
    #[must_use]
    pub fn thorough() -> Selection {
        Selection::with_seeds(THOROUGH_SEEDS)
    }

    /// Two free runs, enough to tell whether the output varies.
    #[must_use]
    pub fn free() -> Selection {
        let schedules = (0..2).map(|seed| Schedule { policy: Policy::Free, seed }).collect();
        Selection { schedules, every_order: false }
    }

    /// Two free runs, then one for every order of births and outputs.
    #[must_use]
    pub fn exhaustive() -> Selection {
        Selection { every_order: true, ..Selection::free() }
    }

    /// One schedule.
    #[must_use]
    pub fn one(schedule: Schedule) -> Selection {
        Selection { schedules: vec![schedule], every_order: false }
    }

    /// The schedules in the order to run them; there is at least one, and none twice.
    #[must_use]
    pub fn schedules(&self) -> &[Schedule] {
        &self.schedules
    }

    /// Whether a run is to be made for every order of births and outputs as well.
    #[must_use]
    pub fn every_order(&self) -> bool {
        self.every_order
    }

    /// Whether it searches as well as `quick` at least, so that passing under it counts.
    #[must_use]
    pub fn is_searching(&self) -> bool {
        self.every_order || Selection::quick().schedules.iter().all(|one| self.schedules.contains(one))
    }

    /// Two free runs, the six named orders and so many random ones of either kind.
    #[must_use]
    pub fn with_seeds(seeds: u64) -> Selection {
        let named = [
            (Policy::ChildrenLast, 0),
            (Policy::ChildrenLast, 1),
            (Policy::ChildrenFirst, 0),
            (Policy::Reverse, 0),
            (Policy::Messages, 0),
            (Policy::Messages, 1),
        ];
        let mut schedules = Selection::free().schedules;
        schedules.extend(named.map(|(policy, seed)| Schedule { policy, seed }));
        for policy in [Policy::Random, Policy::Memory] {
            schedules.extend((1..=seeds).map(|seed| Schedule { policy, seed }));
        }
        Selection { schedules, every_order: false }
    }
}

impl Default for Selection {
    fn default() -> Self {
        Selection::quick()
    }
}

impl FromStr for Selection {
    type Err = UnknownSchedule;

    /// `quick`, `thorough`, `exhaustive`, `free` (two runs), or one schedule as its `Display` writes it.
    fn from_str(text: &str) -> Result<Self, UnknownSchedule> {
        match text {
            "quick" => return Ok(Selection::quick()),
            "thorough" => return Ok(Selection::thorough()),
            "free" => return Ok(Selection::free()),
            "exhaustive" => return Ok(Selection::exhaustive()),
            _ => {}
        }
        one(text).map(Selection::one).ok_or_else(|| UnknownSchedule { text: text.to_owned() })
    }
}

/// A policy's name, alone or with a seed; `random` alone draws with the first seed.
fn one(text: &str) -> Option<Schedule> {
    let (name, seed) = text.split_once(':').map_or((text, None), |(name, seed)| (name, Some(seed)));
    let (_, policy) = *Policy::NAMES.iter().find(|(known, _)| *known == name)?;
    let seed = match seed {
        // `parse` would take a sign, which no report prints.
        Some(digits) if digits.bytes().all(|digit| digit.is_ascii_digit()) => digits.parse().ok()?,
        Some(_) => return None,
        None if matches!(policy, Policy::Random | Policy::Memory) => 1,
        None => 0,
    };
    Some(Schedule { policy, seed })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        text.parse::<Selection>().unwrap().schedules().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn quick_is_two_free_runs_the_named_orders_and_three_random_ones() {
        let expected = [
            "free",
            "free:1",
            "children-last",
            "children-last:1",
            "children-first",
            "reverse",
            "messages",
            "messages:1",
            "random:1",
            "random:2",
            "random:3",
            "memory:1",
            "memory:2",
            "memory:3",
        ];
        assert_eq!(names("quick"), expected);
        assert_eq!(Selection::default().schedules().len(), 14);
    }

    #[test]
    fn thorough_has_fifty_random_ones() {
        let thorough = names("thorough");
        assert_eq!((thorough.len(), thorough[57].as_str()), (108, "random:50"));
        assert_eq!(thorough.last().map(String::as_str), Some("memory:50"));
    }

    #[test]
    fn every_schedule_is_read_as_it_is_written() {
        for (name, policy) in Policy::NAMES {
            for seed in [1, 2, u64::MAX] {
                let schedule = Schedule { policy, seed };
                let read: Selection = schedule.to_string().parse().unwrap();
                assert_eq!(read, Selection::one(schedule), "{name}");
            }
        }
        assert_eq!(names("children-last"), ["children-last"]);
        assert_eq!(
            (names("random"), names("memory")),
            (vec!["random:1".to_owned()], vec!["memory:1".to_owned()])
        );
        assert_eq!(names("free:0"), ["free"]);
        assert_eq!(names("free"), ["free", "free:1"]);
        assert_eq!(names("exhaustive:3"), ["exhaustive:3"]);
        assert!("exhaustive".parse::<Selection>().unwrap().every_order());
    }

    #[test]
    fn what_is_unknown_is_refused_with_what_is_allowed() {
        for text in
            ["", "fast", "random:", "random:x", "random:-1", "random:+1", "quick:1", "random:1:2", " free"]
        {
            let error = text.parse::<Selection>().unwrap_err().to_string();
            assert!(error.contains(&format!("`{text}`")), "{error}");
            assert!(error.contains("`quick`, `thorough`, `free`, `children-last`"), "{error}");
        }
    }
}
