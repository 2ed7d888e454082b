//! A count held against the number that a check asks for.

use crate::model::{Count, Machine, Number, Relation};

/// Whether `seen` is as many as asked for.
pub(super) fn holds(count: Count, seen: usize, machine: &Machine) -> bool {
    let seen = seen as u64;
    let allowed = |number: u64| match count.relation {
        Relation::AtLeast => seen >= number,
        Relation::Exactly => seen == number,
        Relation::AtMost => seen <= number,
    };
    match count.number {
        Number::Given(number) => allowed(number),
        // Any count of CPUs that a program could rightly report will do.
        Number::Cpus { plus } => machine.cpus.iter().any(|number| allowed(*number + plus)),
    }
}

/// "at least 4 are", "exactly 1 is", "none is": to go before "expected".
pub(super) fn described(count: Count) -> String {
    let relation = match count.relation {
        Relation::AtLeast => "at least",
        Relation::Exactly => "exactly",
        Relation::AtMost => "at most",
    };
    match (count.relation, count.number) {
        (Relation::Exactly | Relation::AtMost, Number::Given(0)) => "none is".to_owned(),
        (_, Number::Given(1)) => format!("{relation} 1 is"),
        (_, Number::Given(number)) => format!("{relation} {number} are"),
        (_, Number::Cpus { plus: 0 }) => format!("{relation} as many as there are CPUs are"),
        (_, Number::Cpus { plus }) => format!("{relation} {plus} more than there are CPUs are"),
    }
}
