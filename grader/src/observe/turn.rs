//! Whether those who can run have had a CPU.
//!
//! For how long a thread waited for a CPU the kernel tells only once it has got one: one that has waited for seconds and
//! still does seems to have waited for nothing.
//! So before time counts against a run, everybody who could run when it was up is given a turn.

use std::time::Duration;

use rustix::process::Pid;

use super::proc;

/// Who has to have had a CPU.
#[derive(Debug, Default)]
pub(super) struct Turn(Option<Begun>);

#[derive(Debug)]
struct Begun {
    /// Which time it is about.
    up: Duration,
    /// Those that could run, with how long they had run, and have not since.
    waiting: Vec<(Pid, u64)>,
}

impl Turn {
    /// Whether all of `threads` that could run when this turn began have run since.
    ///
    /// It began when this was asked for the first time about the time that was up then; the next question begins
    /// another one.
    pub(super) fn is_over(&mut self, up: Duration, threads: impl Iterator<Item = Pid>) -> bool {
        let begin = || Begun {
            up,
            waiting: threads.filter_map(|tid| Some((tid, proc::ran_if_ready(tid)?))).collect(),
        };
        let mut begun = self.0.take().filter(|begun| begun.up == up).unwrap_or_else(begin);
        begun.waiting.retain(|(tid, ran)| proc::ran_if_ready(*tid) == Some(*ran));
        let is_over = begun.waiting.is_empty();
        self.0 = Some(begun).filter(|_| !is_over);
        is_over
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc::channel;
    use std::time::Instant;

    use rustix::process::setpriority_process;
    use rustix::thread::{CpuSet, gettid, sched_getaffinity, sched_setaffinity};

    use super::*;

    /// Longer than it takes on a busy machine.
    const LONGEST: Duration = Duration::from_secs(120);

    #[test]
    fn what_a_thread_waited_for_a_cpu_is_known_once_its_turn_is_over() {
        let cpus = sched_getaffinity(None).expect("a thread has CPUs");
        let mut one = CpuSet::new();
        one.set((0..CpuSet::MAX_CPU).find(|cpu| cpus.is_set(*cpu)).expect("at least one"));
        let stop = AtomicBool::new(false);
        let (send, receive) = channel();
        // One thread of the lowest priority that computes, on one CPU with another that does.
        std::thread::scope(|scope| {
            for nice in [0, 19] {
                let (send, stop) = (send.clone(), &stop);
                scope.spawn(move || {
                    sched_setaffinity(None, &one).expect("a CPU of this thread's own");
                    setpriority_process(Some(gettid()), nice).expect("a thread may be nicer");
                    send.send((nice, gettid())).expect("somebody listens");
                    let start = Instant::now();
                    while !stop.load(Ordering::Relaxed) && start.elapsed() < LONGEST {}
                });
            }
            // Should one of them fail, so does this test, and does not wait for ever.
            drop(send);
            let (_, slow) = receive.iter().find(|(nice, _)| *nice > 0).expect("it tells of itself");
            let mut turn = Turn::default();
            let mut turns = (0..1_000).map(|_| {
                let before = proc::starved(slow);
                while !turn.is_over(Duration::ZERO, std::iter::once(slow)) {
                    // Nobody tells when a thread gets a CPU.
                    std::thread::sleep(Duration::from_millis(1));
                }
                proc::starved(slow) > before
            });
            let has_waited = turns.any(|waited| waited);
            stop.store(true, Ordering::Relaxed);
            assert!(has_waited, "one of its turns began while the other one had the CPU");
        });
    }
}
