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
}

/// One process.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) pid: Pid,
    pub(super) parent: Option<usize>,
    pub(super) threads: Vec<Pid>,
    /// Those of its threads that are at their end.
    exiting: Vec<Pid>,
    program: String,
    born: Duration,
    pub(super) ended: Option<Duration>,
    status: Option<ExitStatus>,
    waited: Waited,
    cpu: Duration,
    peak_memory: u64,
    /// The thread that waits until its vfork child executes a program or ends, and that child.
    pub(super) vforking: Option<(Pid, Pid)>,
    /// Whether it has set a clock that will wake somebody.
    pub(super) has_timers: bool,
    /// Whether it ended before main became the program that is graded: a helper of a shell script around it.
    before_main: bool,
    /// Whether it has executed a program since its birth.
    executed: bool,
    /// Whether it wrote a line.
    pub(super) wrote: bool,
    /// Whether the grader ended it.
    killed: bool,
}

impl Member {
    /// The threads of which something will be heard next, whatever it is.
    ///
    /// A first thread that has ended is not heard of until all others have.
    pub(super) fn to_be_heard_of(&self) -> impl Iterator<Item = Pid> {
        let all_exit = self.threads.iter().all(|thread| self.exiting.contains(thread));
        self.threads
            .iter()
            .copied()
            .filter(move |tid| all_exit || *tid != self.pid || !self.exiting.contains(tid))
    }
}

impl Tree {
    /// Adds a process with its first thread; returns its index, which is its number for now.
    pub(super) fn add_process(&mut self, pid: Pid, parent: Option<usize>, born: Duration) -> usize {
        let index = self.members.len();
        let program = parent.map_or_else(String::new, |parent| self.members[parent].program.clone());
        self.members.push(Member {
            pid,
            parent,
            threads: vec![pid],
            exiting: Vec::new(),
            program,
            born,
            ended: None,
            status: None,
            waited: Waited::Unknown,
            cpu: Duration::ZERO,
            peak_memory: 0,
            vforking: None,
            has_timers: false,
            before_main: false,
            executed: false,
            wrote: false,
            killed: false,
        });
        self.threads.insert(pid, index);
        self.numbers.insert(pid, index);
        index
    }

    pub(super) fn add_thread(&mut self, tid: Pid, process: usize) {
        self.members[process].threads.push(tid);
        self.threads.insert(tid, process);
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
        self.add_thread(tid, index);
        self.members[index].program = proc::program(tid);
        self.members[index].executed = true;
        self.members[index].vforking = None;
        self.members[index].exiting.clear();
        self.end_vfork(index);
        if index == 0 {
            for helper in self.members.iter_mut().skip(1).filter(|member| member.ended.is_some()) {
                helper.before_main = true;
            }
        }
    }

    /// A thread is about to end; returns whether it is the last of its process.
    pub(super) fn exiting(&mut self, tid: Pid, index: usize) -> bool {
        let member = &mut self.members[index];
        member.exiting.push(tid);
        member.threads.iter().all(|thread| member.exiting.contains(thread))
    }

    /// The last thread of a process is about to end: notes what can be asked only now.
    pub(super) fn about_to_end(&mut self, index: usize) {
        let pid = self.members[index].pid;
        self.members[index].cpu = crate::sys::own_cpu_time(pid).unwrap_or_default();
        self.members[index].peak_memory = proc::peak_memory(pid);
        for child in 0..self.members.len() {
            let member = &self.members[child];
            // Main's end is the moment that counts for all; another's only for its own children.
            if child == index || (member.parent != Some(index) && index != 0) || member.waited == Waited::No {
                continue;
            }
            let reaped = member.ended.is_some() && !proc::is_zombie(member.pid);
            self.members[child].waited = if reaped { Waited::Yes } else { Waited::No };
        }
    }

    /// A thread has ended; with it its process, if it was the first thread.
    pub(super) fn ended(&mut self, tid: Pid, status: ExitStatus, at: Duration) {
        let Some(index) = self.threads.remove(&tid) else { return };
        let member = &mut self.members[index];
        member.threads.retain(|thread| *thread != tid);
        if member.pid == tid {
            member.ended = Some(at);
            member.status = Some(status);
            for thread in std::mem::take(&mut member.threads) {
                self.threads.remove(&thread);
            }
            self.end_vfork(index);
        }
    }

    /// Whoever made this process by vfork(2) can go on.
    fn end_vfork(&mut self, index: usize) {
        let child = self.members[index].pid;
        for member in
            self.members.iter_mut().filter(|member| member.vforking.is_some_and(|(_, of)| of == child))
        {
            member.vforking = None;
        }
    }

    /// A thread has ended since the grader ended it: its process has no end of its own.
    pub(super) fn killed(&mut self, tid: Pid) {
        let Some(index) = self.threads.remove(&tid) else { return };
        self.members[index].threads.retain(|thread| *thread != tid);
        if self.members[index].pid == tid {
            self.members[index].killed = true;
        }
    }

    /// The record's processes, and the number there of each index; helpers that came before main's program and
    /// wrote nothing have none.
    pub(super) fn into_record(self) -> (Vec<Process>, Vec<Option<u32>>) {
        let mut numbers = Vec::new();
        let mut next = 0;
        for member in &self.members {
            let counts = !member.before_main || member.wrote;
            numbers.push(counts.then_some(next));
            next += u32::from(counts);
        }
        let processes = self.members.into_iter().zip(&numbers).filter_map(|(member, number)| {
            Some(Process {
                number: (*number)?,
                parent: member.parent.and_then(|parent| numbers.get(parent).copied().flatten()),
                program: member.program,
                executed: member.executed,
                born: member.born,
                ended: member.ended,
                status: member.status,
                waited: member.waited,
                cpu: member.cpu,
                peak_memory: member.peak_memory,
            })
        });
        (processes.collect(), numbers)
    }
}
