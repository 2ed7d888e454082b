//! Clocks, medians, and what the kernel knows about processes.

use std::fs;
use std::time::{Duration, Instant};

/// The middle one, or the mean of the two in the middle.
pub fn median(mut numbers: Vec<f64>) -> f64 {
    assert!(!numbers.is_empty(), "nothing was measured");
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    if numbers.len() % 2 == 1 { numbers[middle] } else { f64::midpoint(numbers[middle - 1], numbers[middle]) }
}

/// How many microseconds the action takes: the median of so many times, after a tenth as many to warm up.
pub fn micros(times: usize, mut action: impl FnMut()) -> f64 {
    (0..times.div_ceil(10)).for_each(|_| action());
    median((0..times).map(|_| seconds(&mut action) * 1e6).collect())
}

/// How long the action takes.
pub fn seconds(action: impl FnOnce()) -> f64 {
    let start = Instant::now();
    action();
    start.elapsed().as_secs_f64()
}

/// So many things a second.
pub fn rate(count: usize, times: usize, mut action: impl FnMut()) -> f64 {
    action();
    count as f64 / median((0..times).map(|_| seconds(&mut action)).collect())
}

/// The same of an action on what was made ready before, which takes no part of the time.
pub fn rate_with<T>(count: usize, times: usize, ready: impl Fn() -> T, mut action: impl FnMut(T)) -> f64 {
    let mut round = || {
        let ready = ready();
        seconds(|| action(ready))
    };
    round();
    count as f64 / median((0..times).map(|_| round()).collect())
}

/// The numbers of this process's children.
pub fn children() -> Vec<u32> {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
        .collect()
}

/// The memory that a process has to itself, with its share of what it has in common with others, in KiB.
pub fn proportional_memory(pid: u32) -> f64 {
    field(&format!("/proc/{pid}/smaps_rollup"), "Pss:")
}

/// The most memory that this process has had at once, in KiB.
pub fn peak_memory() -> f64 {
    field("/proc/self/status", "VmHWM:")
}

fn field(file: &str, name: &str) -> f64 {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(f64::NAN)
}

/// How many descriptors one more worker takes, in parent and worker. `with` starts a pool of so many workers,
/// and calls what it is given.
pub fn descriptors_of_worker(with: impl Fn(usize, &dyn Fn() -> usize) -> usize) -> f64 {
    // Those that this process was started with, each child has too.
    let inherited = descriptors();
    let more = with(8, &descriptors) as f64 - with(4, &descriptors) as f64;
    more / 4.0 - inherited as f64
}

/// How many descriptors this process and its children hold.
fn descriptors() -> usize {
    let count = |pid: String| fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
    // The one by which they are counted here is none of them.
    count("self".to_owned()) - 1 + children().iter().map(|pid| count(pid.to_string())).sum::<usize>()
}

/// How often the threads of this process, but for the calling one, and of its children have woken up within
/// this time.
pub fn wakeups(time: Duration) -> f64 {
    let before = switches();
    std::thread::sleep(time);
    switches() - before
}

fn switches() -> f64 {
    let threads_of = |pid: u32| fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let this = std::process::id();
    let others = threads_of(this).filter(|thread| thread.file_name().to_str() != Some(&this.to_string()));
    let all = others.chain(children().into_iter().flat_map(threads_of));
    all.map(|thread| field(&format!("{}/status", thread.path().display()), "voluntary_ctxt_switches:")).sum()
}
