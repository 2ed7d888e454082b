//! The processes and threads of a run, as the tracer hears of them.

use std::collections::HashMap;
use std::time::Duration;

use rustix::process::Pid;

use super::proc;
use crate::model::{ExitStatus, Process, Waited};

/// All processes of a run, dead ones too, in order of birth.
#[derive(Debug, Default)]
pub(super) struct Tree {
    members: Vec<Member>,
    /// The process of every living thread.
    threads: HashMap<Pid, usize>,
    /// The process of every number that was ever given to one here; the latest where it was given twice.
    numbers: HashMap<Pid, usize>,
    /// Threads that wait until what they made by vfork(2) executes a program or ends, and what that is.
    vforks: HashMap<Pid, Pid>,
}

/// One process.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) pid: Pid,
    /// None for main, and until it is known.
    pub(super) parent: Option<usize>,
    pub(super) threads: Vec<Pid>,
    /// How many were started beside its first.
    started: u32,
    /// Those of its threads that are at their end.
    exiting: Vec<Pid>,
    program: String,
    born: Duration,
    done: Option<Duration>,
    pub(super) ended: Option<Duration>,
    /// When its last thread was about to end: what comes after is the kernel's work, and may take its time.
    ending: Option<Duration>,
    /// What was noted when one of its threads was about to end, until it is known whether others go on.
    last_words: Option<LastWords>,
    status: Option<ExitStatus>,
    waited: Waited,
    cpu: Duration,
    peak_memory: u64,
    /// Whether something outside may wake it, a clock or a socket.
    pub(super) may_be_woken: bool,
    /// Whether whoever takes note of its end is no process of the run.
    orphaned: bool,
    /// Whether it takes over the orphans below it.
    pub(super) adopts: bool,
    /// Whether it was made by vfork(2).
    vforked: bool,
    /// Whether it has executed a program since its birth, or is a copy of a sibling that has.
    executed: bool,
    /// Whether it ended before main became the program that is graded: a helper of a shell script around it.
    before_main: bool,
    /// Whether it wrote a line.
    pub(super) wrote: bool,
    /// Whether it is one of those that a run without the others lets live.
    pub(super) spared: bool,
    /// Whether the grader ended it.
    killed: bool,
    /// Whether it reads clocks by calls.
    pub(super) clocks_redirected: bool,
}

/// What can be asked of a process only while it is about to end.
#[derive(Debug)]
struct LastWords {
    at: Duration,
    cpu: Duration,
    peak_memory: u64,
    orphaned: bool,
    /// Which of the others were waited for until then.
    waited: Vec<(usize, Waited)>,
}

impl Member {
    /// The threads of which something will be heard next, whatever it is.
    ///
    /// A first thread that has ended is not heard of until all others have.
    pub(super) fn to_be_heard_of(&self) -> impl Iterator<Item = Pid> {
        let is_last = self.threads.len() == 1;
        let waits = move |tid: &Pid| *tid == self.pid && !is_last && self.exiting.contains(tid);
        self.threads.iter().copied().filter(move |tid| !waits(tid))
    }
}

impl Tree {
    /// Adds a process with its first thread; returns its index, which is its number for now.
    pub(super) fn add_process(&mut self, pid: Pid, parent: Option<usize>, born: Duration) -> usize {
        let index = self.members.len();
        let maker = self.members.get(parent.unwrap_or(0));
        let program = maker.map_or_else(String::new, |maker| maker.program.clone());
        self.members.push(Member {
            pid,
            parent,
            threads: vec![pid],
            started: 0,
            exiting: Vec::new(),
            program,
            born,
            done: None,
            ended: None,
            ending: None,
            last_words: None,
            status: None,
            waited: Waited::Unknown,
            cpu: Duration::ZERO,
            peak_memory: 0,
            may_be_woken: false,
            orphaned: false,
            adopts: false,
            vforked: false,
            executed: false,
            before_main: false,
            wrote: false,
            spared: false,
            killed: false,
            clocks_redirected: false,
        });
        self.threads.insert(pid, index);
        self.numbers.insert(pid, index);
        index
    }

    pub(super) fn add_thread(&mut self, tid: Pid, process: usize) {
        self.members[process].threads.push(tid);
        self.members[process].started += 1;
        self.threads.insert(tid, process);
    }

    /// Who made a process, which is its parent unless another one is known.
    pub(super) fn made_by(&mut self, process: usize, maker: usize) {
        self.members[process].parent.get_or_insert(maker);
    }

    /// A process is a sibling of its maker, as CLONE_PARENT of clone(2) makes it: a copy of that and not of its parent.
    pub(super) fn made_as_sibling(&mut self, process: usize, maker: usize) {
        self.members[process].executed |= self.members[maker].executed;
    }

    /// A thread waits until what it made by vfork(2) lets it go on.
    pub(super) fn vforked(&mut self, waiting: Pid, child: Pid) {
        self.vforks.insert(waiting, child);
        if let Some(index) = self.of_thread(child) {
            self.members[index].vforked = true;
        }
    }

    /// Whether a process was made by vfork(2) and still lacks a program of its own.
    pub(super) fn lacks_program(&self, index: usize) -> bool {
        let member = &self.members[index];
        member.vforked && !member.executed
    }

    pub(super) fn vfork_done(&mut self, waiting: Pid) {
        self.vforks.remove(&waiting);
    }

    pub(super) fn is_vforking(&self, tid: Pid) -> bool {
        self.vforks.contains_key(&tid)
    }

    /// The process of a living thread.
    pub(super) fn of_thread(&self, tid: Pid) -> Option<usize> {
        self.threads.get(&tid).copied()
    }

    /// The process that has or had this number.
    pub(super) fn of_number(&self, pid: Pid) -> Option<usize> {
        self.numbers.get(&pid).copied()
    }

    pub(super) fn member(&self, index: usize) -> &Member {
        &self.members[index]
    }

    pub(super) fn member_mut(&mut self, index: usize) -> &mut Member {
        &mut self.members[index]
    }

    /// The indexes of all living processes.
    pub(super) fn alive(&self) -> impl Iterator<Item = usize> {
        (0..self.members.len())
            .filter(|index| self.members[*index].ended.is_none() && !self.members[*index].killed)
    }

    /// A process has executed a program: all its other threads are gone, and `former` is the number that the one
    /// which did so had.
    pub(super) fn executed(&mut self, tid: Pid, former: Pid) {
        let Some(index) = self.of_thread(tid).or_else(|| self.of_thread(former)) else { return };
        for thread in std::mem::take(&mut self.members[index].threads) {
            self.threads.remove(&thread);
        }
        self.members[index].threads.push(tid);
        self.threads.insert(tid, index);
        self.members[index].program = proc::program(tid);
        self.members[index].executed = true;
        self.members[index].clocks_redirected = false;
        self.members[index].exiting.clear();
        self.members[index].last_words = None;
        self.vforks.remove(&former);
        self.vforks.remove(&tid);
        self.end_vfork(index);
    }

    /// How many children of the program that is graded were born before this process.
    pub(super) fn children_before(&self, index: usize) -> u64 {
        let before = self.members.iter().take(index).skip(1).filter(|member| !member.before_main);
        before.count() as u64
    }

    /// Whether all but main have ended, and nobody has written a line.
    pub(super) fn has_done_nothing(&self) -> bool {
        self.members.iter().all(|member| !member.wrote) && self.alive().all(|index| index == 0)
    }

    /// All processes but main were helpers of a shell script around it.
    pub(super) fn forget_helpers(&mut self) {
        self.members.iter_mut().skip(1).for_each(|member| member.before_main = true);
    }

    /// A thread is about to end: notes what can be asked only now, should it be the last one of its process.
    ///
    /// A thread that ends by itself while another ends the process does so without a word, so which one is the last
    /// is known for sure only when all others have ended. Returns whether it is the last one as far as is known.
    pub(super) fn exiting(&mut self, tid: Pid, index: usize, at: Duration) -> bool {
        self.members[index].exiting.push(tid);
        self.members[index].last_words = Some(self.last_words(index, at));
        self.settle_if_over(index)
    }

    fn last_words(&self, index: usize, at: Duration) -> LastWords {
        let pid = self.members[index].pid;
        let remains = proc::remains(pid);
        let mut waited = Vec::new();
        for (child, member) in self.members.iter().enumerate() {
            let is_own = member.parent == Some(index);
            // Main's end is the moment that counts for all; another's only for its own children.
            if child == index || !(is_own || index == 0) || member.waited != Waited::Unknown {
                continue;
            }
            match member.ended {
                // Whoever takes it over may still wait for it, and main's end comes last.
                None if index != 0 => {}
                Some(_) if index != 0 && self.has_heir(index) => {}
                None => waited.push((child, Waited::No)),
                Some(_) if member.orphaned || proc::is_zombie(member.pid) => waited.push((child, Waited::No)),
                Some(_) => waited.push((child, Waited::Yes)),
            }
        }
        LastWords {
            at,
            cpu: crate::sys::own_cpu_time(pid).unwrap_or_default(),
            peak_memory: remains.peak_memory,
            orphaned: index != 0 && remains.parent.is_none_or(|parent| self.of_thread(parent).is_none()),
            waited,
        }
    }

    /// Whether a process of the run takes over whom this one leaves, and may still wait for who has ended.
    fn has_heir(&self, index: usize) -> bool {
        let above = std::iter::successors(self.members[index].parent, |above| self.members[*above].parent);
        above.map(|above| &self.members[above]).any(|member| member.adopts && member.ended.is_none())
    }

    /// Takes note of a process's last words if each of its threads that are left is at its end; returns whether that is
    /// so.
    fn settle_if_over(&mut self, index: usize) -> bool {
        let member = &mut self.members[index];
        if !member.threads.iter().all(|thread| member.exiting.contains(thread)) {
            return false;
        }
        let Some(words) = member.last_words.take() else { return true };
        member.done = Some(words.at);
        member.ending = Some(words.at);
        member.cpu = words.cpu;
        member.peak_memory = words.peak_memory;
        member.orphaned = words.orphaned;
        for (child, waited) in words.waited {
            self.members[child].waited = waited;
        }
        true
    }

    /// A process that was held when it was about to end is so only now.
    pub(super) fn ends_now(&mut self, tid: Pid, at: Duration) {
        if let Some(index) = self.of_thread(tid) {
            self.members[index].ending = Some(at);
        }
    }

    /// A thread has ended; with it its process, if it was the first thread.
    pub(super) fn ended(&mut self, tid: Pid, status: ExitStatus, at: Duration) {
        let Some(index) = self.threads.remove(&tid) else { return };
        self.vforks.remove(&tid);
        let member = &mut self.members[index];
        member.threads.retain(|thread| *thread != tid);
        if member.pid == tid {
            member.ended = Some(member.ending.unwrap_or(at));
            member.done = member.done.or(member.ended);
            member.status = Some(status);
            for thread in std::mem::take(&mut member.threads) {
                self.threads.remove(&thread);
            }
            self.end_vfork(index);
        } else {
            self.settle_if_over(index);
        }
    }

    /// Whoever made this process by vfork(2) can go on.
    fn end_vfork(&mut self, index: usize) {
        let child = self.members[index].pid;
        self.vforks.retain(|_, of| *of != child);
    }

    /// A thread has ended since the grader ended it: its process has no end of its own.
    pub(super) fn killed(&mut self, tid: Pid) {
        let Some(index) = self.threads.remove(&tid) else { return };
        self.members[index].threads.retain(|thread| *thread != tid);
        if self.members[index].pid == tid {
            self.members[index].killed = true;
        }
    }

    /// The number of each index in the record; helpers that came before main's program have none.
    pub(super) fn numbers(&self) -> Vec<Option<u32>> {
        let mut next = 0;
        let numbers = self.members.iter().map(|member| {
            let number = (!member.before_main).then_some(next);
            next += u32::from(number.is_some());
            number
        });
        numbers.collect()
    }

    /// The record's processes, and their numbers by index.
    pub(super) fn into_record(self) -> (Vec<Process>, Vec<Option<u32>>) {
        let numbers = self.numbers();
        let processes = self.members.into_iter().zip(&numbers).filter_map(|(member, number)| {
            let number = (*number)?;
            // The maker of a process that was killed while it made it is not known.
            let parent = member.parent.or((number != 0).then_some(0));
            Some(Process {
                number,
                parent: parent.and_then(|parent| numbers.get(parent).copied().flatten()),
                program: member.program,
                executed: member.executed,
                born: member.born,
                done: member.done,
                ended: member.ended,
                status: member.status,
                waited: member.waited,
                threads: member.started,
                cpu: member.cpu,
                peak_memory: member.peak_memory,
            })
        });
        (processes.collect(), numbers)
    }
}
