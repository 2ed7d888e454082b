//! Which system calls of a submission its tracer is told of, as a program for seccomp(2).
//!
//! All others run at full speed; the filter costs them some nanoseconds.
//! A call is picked out because it can put bytes into the output, because it can signal what is none of the
//! submission's business, because something outside may wake the process later, because it shares memory, because it asks
//! for a terminal, or because it tells the time or whether something has happened.
//! A few calls are refused, as a kernel without them would: each is a way around the tracer, and each has a twin that
//! C libraries fall back to.

#![expect(unsafe_code, reason = "seccomp(2) has no safe wrapper")]

use std::io;

use super::calls::{CLOCKS, KILLS, OWN_MARK, TERMINAL_REQUESTS, WAKERS, WRITES};

/// Calls that a kernel may lack: io_uring and asynchronous I/O write by other calls than those of [`WRITES`], clone3 keeps
/// its flags where no filter can look, and a filter made by seccomp may have its maker asked in the tracer's place, as
/// one made by prctl cannot.
const MISSING: [libc::c_long; 4] =
    [libc::SYS_io_uring_setup, libc::SYS_io_setup, libc::SYS_clone3, libc::SYS_seccomp];

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xc000_00b7;

/// Where `struct seccomp_data` holds the number, the architecture and the low half of the first argument.
const NUMBER: u32 = 0;
const ARCH: u32 = 4;
const FIRST_ARG: u32 = 16;

/// The bit by which x86-64 marks calls of its x32 form, which have numbers of their own.
const X32: u32 = 0x4000_0000;

/// The longest program: fifty-seven instructions of frame, and two for each call.
const MOST: usize = 125;

/// Where it holds the low halves of the second argument, of the third and of the fourth.
const SECOND_ARG: u32 = 24;
const THIRD_ARG: u32 = 32;
const FOURTH_ARG: u32 = 40;

/// What the tracer is told of beside writes, signals, wakers, shared memory and questions for a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watched {
    /// Nothing.
    Few,
    /// Calls by which a program may look again and again: at a clock, for the end of a child, for what can be read.
    Looks,
    /// These, and calls by which a process may let another have a lock.
    HandOvers,
    /// All calls, since any may reach into memory that processes share.
    All,
}

/// The program, made before the fork, since nothing may be allocated after it.
#[derive(Clone, Copy)]
pub struct Filter {
    instructions: [libc::sock_filter; MOST],
    length: u16,
}

impl Filter {
    /// The filter for a submission.
    #[must_use]
    pub fn new(watched: Watched) -> Filter {
        let end = libc::sock_filter { code: 0, jt: 0, jf: 0, k: 0 };
        let mut filter = Filter { instructions: [end; MOST], length: 0 };
        filter.load(ARCH);
        filter.unless_equal(ARCHITECTURE, libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32);
        filter.load(NUMBER);
        if cfg!(target_arch = "x86_64") {
            filter.push(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, 0, 1, X32);
            filter.answer(libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32);
        }
        for call in WRITES.iter().chain(&KILLS).chain(WAKERS) {
            filter.if_equal(*call, libc::SECCOMP_RET_TRACE);
        }
        for call in CLOCKS.iter().filter(|_| watched != Watched::Few) {
            filter.if_equal(*call, libc::SECCOMP_RET_TRACE);
        }
        for call in MISSING {
            filter.if_equal(call, libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32);
        }
        // A traced process cannot be followed by another; the grader's own shall not be either.
        filter.if_equal(libc::SYS_ptrace, libc::SECCOMP_RET_ERRNO | libc::EPERM as u32);
        filter.watch_attributes();
        filter.refuse_untraced_clone();
        filter.watch_sharing();
        filter.when(libc::SYS_ioctl, |filter| {
            filter.load(SECOND_ARG);
            TERMINAL_REQUESTS
                .iter()
                .for_each(|request| filter.if_equal((*request).into(), libc::SECCOMP_RET_TRACE));
        });
        if watched != Watched::Few {
            filter.watch_asking();
        }
        if watched == Watched::HandOvers {
            // Without FUTEX_PRIVATE_FLAG, by which threads of one process say that they are.
            filter.when(libc::SYS_futex, |filter| {
                filter.load(SECOND_ARG);
                filter.if_equal(libc::FUTEX_WAKE.into(), libc::SECCOMP_RET_TRACE);
            });
        }
        if watched == Watched::All {
            // The tracer has it made itself, again and again.
            filter.when(libc::SYS_mprotect, |filter| {
                filter.load(FOURTH_ARG);
                filter.if_equal(i64::from(OWN_MARK as u32), libc::SECCOMP_RET_ALLOW);
            });
            filter.answer(libc::SECCOMP_RET_TRACE);
        }
        filter.answer(libc::SECCOMP_RET_ALLOW);
        filter
    }

    /// Whoever maps memory that others may map too is told of.
    fn watch_sharing(&mut self) {
        self.if_equal(libc::SYS_shmat, libc::SECCOMP_RET_TRACE);
        self.when(libc::SYS_mmap, |filter| {
            filter.load(FOURTH_ARG);
            filter.trace_if_set(libc::MAP_SHARED as u32);
        });
    }

    /// Whoever asks for something without waiting for it is told of.
    fn watch_asking(&mut self) {
        for (call, options) in [(libc::SYS_wait4, THIRD_ARG), (libc::SYS_waitid, FOURTH_ARG)] {
            self.when(call, |filter| {
                filter.load(options);
                filter.trace_if_set(libc::WNOHANG as u32);
            });
        }
        #[cfg(target_arch = "x86_64")]
        self.when(libc::SYS_poll, |filter| {
            filter.load(THIRD_ARG);
            filter.if_equal(0, libc::SECCOMP_RET_TRACE);
        });
    }

    /// Does something for one call alone, of any number of instructions.
    fn when(&mut self, call: libc::c_long, instructions: impl FnOnce(&mut Filter)) {
        let number = u32::try_from(call).unwrap_or(u32::MAX);
        let jump = usize::from(self.length);
        self.push(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 0, number);
        instructions(self);
        self.load(NUMBER);
        self.instructions[jump].jf = (usize::from(self.length) - jump - 1) as u8;
    }

    fn trace_if_set(&mut self, flags: u32) {
        self.push(libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K, 0, 1, flags);
        self.answer(libc::SECCOMP_RET_TRACE);
    }

    /// Puts the filter in force for this process and all that it starts, for good.
    ///
    /// Neither allocates nor takes a lock.
    ///
    /// # Errors
    /// A kernel or container without seccomp.
    pub fn put_in_force(&self) -> io::Result<()> {
        rustix::thread::set_no_new_privs(true)?;
        let program = libc::sock_fprog { len: self.length, filter: self.instructions.as_ptr().cast_mut() };
        // SAFETY: SECCOMP_SET_MODE_FILTER requires a program of `len` instructions, which it copies.
        let result =
            unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const program) };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// A child that asks not to be traced is not made.
    fn refuse_untraced_clone(&mut self) {
        self.when(libc::SYS_clone, |filter| {
            filter.load(FIRST_ARG);
            filter.push(libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K, 0, 1, libc::CLONE_UNTRACED as u32);
            filter.answer(libc::SECCOMP_RET_ERRNO | libc::EPERM as u32);
        });
    }

    /// A process that hides from its own user hides from the tracer too: it is told that it does, and does not.
    /// Whether it takes over the orphans below it, the tracer is told.
    fn watch_attributes(&mut self) {
        self.when(libc::SYS_prctl, |filter| {
            filter.load(FIRST_ARG);
            filter.if_equal(libc::PR_SET_DUMPABLE.into(), libc::SECCOMP_RET_ERRNO);
            filter.if_equal(libc::PR_SET_CHILD_SUBREAPER.into(), libc::SECCOMP_RET_TRACE);
        });
    }

    fn load(&mut self, offset: u32) {
        self.push(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, offset);
    }

    fn answer(&mut self, answer: u32) {
        self.push(libc::BPF_RET | libc::BPF_K, 0, 0, answer);
    }

    fn if_equal(&mut self, call: libc::c_long, answer: u32) {
        let number = u32::try_from(call).unwrap_or(u32::MAX);
        self.push(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 1, number);
        self.answer(answer);
    }

    fn unless_equal(&mut self, value: u32, answer: u32) {
        self.push(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 1, 0, value);
        self.answer(answer);
    }

    fn push(&mut self, code: u32, jt: u8, jf: u8, k: u32) {
        self.instructions[usize::from(self.length)] = libc::sock_filter { code: code as u16, jt, jf, k };
        self.length += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_fits_into_its_room_and_ends_with_an_answer() {
        for watched in [Watched::Few, Watched::Looks, Watched::HandOvers, Watched::All] {
            let filter = Filter::new(watched);
            let last = filter.instructions[usize::from(filter.length) - 1];
            assert_eq!(
                (u32::from(last.code), last.k),
                (libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW)
            );
        }
    }
}
