//! What CPython's `multiprocessing` does, as it was recorded, beside what the library does.
//!
//! `record.py` goes through the scenarios with CPython and prints `recorded.json`; here the library goes through
//! the same ones. Where it differs, that is on purpose, and `DIFFERENCES` says why.
#![expect(clippy::unwrap_used, reason = "in a test, and in what runs in its children, an error is a failure")]

mod scenarios;

use std::collections::BTreeMap;
use std::path::Path;

use multiprocessing::{Pool, StartMethod};
use serde_json::{Value, json};

multiprocessing::init_tests!();

/// Goes through one scenario with a pool of two and a path where nothing is.
type Scenario = fn(Pool, &Path) -> Value;

/// What is different, and why.
fn differences() -> BTreeMap<&'static str, (Value, &'static str)> {
    BTreeMap::from([
        (
            "map_raises_one_error_and_the_pool_goes_on",
            (json!(["3", [0, 1, 4]]), "the error of the first item does not depend on who was quicker"),
        ),
        (
            "imap_takes_all_its_items_ahead",
            (json!(false), "neither arguments nor results pile up: items are taken a window ahead"),
        ),
        (
            "imap_takes_items_before_a_result_is_asked_for",
            (json!(false), "an iterator is lazy: no thread takes items behind its back"),
        ),
        (
            "a_result_can_be_got_twice",
            (json!([9, "taken"]), "a value that is given away is gone; to keep it, keep it"),
        ),
        (
            "a_slow_callback_holds_up_other_results",
            (json!(4), "callbacks have a thread of their own, on which nothing depends but other callbacks"),
        ),
        ("join_without_close", (json!("joined"), "to join is to wait for the end, so it closes the pool")),
        (
            "a_result_that_is_waited_for_when_the_pool_is_terminated",
            (json!("error"), "nobody waits for what will never come"),
        ),
        (
            "workers_are_replaced_after_so_many_chunks",
            (json!(4), "calls are counted, so that it does not matter how they are cut into chunks"),
        ),
        ("a_pool_in_a_worker", (json!(14), "a worker may have children: they end with it")),
        (
            "a_worker_that_leaves_in_a_call",
            (json!("error"), "the death of a worker is the error of its call"),
        ),
        (
            "a_worker_that_is_killed_in_a_call",
            (json!("error"), "the death of a worker is the error of its call"),
        ),
        ("an_initializer_that_fails", (json!("error"), "it would fail again: the pool says so at once")),
        ("how_processes_end", (json!([0, 101, 3, 4, -9]), "101 is the code of a panic in Rust")),
    ])
}

#[test]
fn the_library_does_what_python_does_or_has_a_reason() {
    let record: Value = serde_json::from_str(include_str!("recorded.json")).unwrap();
    let recorded = record["scenarios"].as_object().unwrap();
    let mut differences = differences();
    let ours: BTreeMap<&str, Scenario> = scenarios::ALL.iter().copied().collect();
    assert!(ours.keys().copied().eq(recorded.keys().map(String::as_str)), "a scenario is only on one side");
    let mut wrong = Vec::new();
    for (name, scenario) in ours {
        let python = &recorded[name];
        let expected = match differences.remove(name) {
            Some((ours, why)) => {
                assert_ne!(&ours, python, "{name}: no difference any more ({why})");
                ours
            }
            None => python.clone(),
        };
        for method in [StartMethod::Spawn, StartMethod::ForkServer] {
            let folder = tempfile::tempdir().unwrap();
            let pool = Pool::builder().processes(2).start_method(method).build().unwrap();
            let seen = scenario(pool, &folder.path().join("released"));
            if seen != expected {
                wrong.push(format!("{name}, {method:?}: {seen} in place of {expected}; Python: {python}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(differences.is_empty(), "differences without a scenario: {:?}", differences.keys());
}
