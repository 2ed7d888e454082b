//! The few registers that hold a system call's place, number, arguments and result; the one thing that differs by
//! architecture.

use std::io;

use rustix::process::Pid;

use architecture::Registers;

/// Error numbers that the kernel keeps to itself: a call that a signal interrupted and that is made again.
///
/// See `<linux/errno.h>`: ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND and ERESTART_RESTARTBLOCK; and EINTR, which
/// epoll_wait(2) answers to any interruption.
pub const RESTARTS: [i64; 5] = [-512, -513, -514, -516, -4];

/// Makes the call that a thread is about to make return `result` without being made; see seccomp(2) on SECCOMP_RET_TRACE.
pub(super) fn skip_call(tid: Pid, result: i64) -> io::Result<()> {
    let mut registers = read(tid)?;
    registers.set_result(result);
    write_without_call(tid, registers)
}

/// The number and arguments of the call that a thread was interrupted in, if it would go on in that one.
///
/// The kernel makes it go on by another call, restart_syscall(2), which tells nothing of it.
pub(super) fn interrupted_call(tid: Pid) -> io::Result<Option<(i64, [u64; 6])>> {
    let registers = read(tid)?;
    Ok(registers.is_restarting(tid, &RESTARTS).then(|| registers.call()))
}

/// Makes an interrupted call return `result` in place of being made again.
pub(super) fn end_interrupted_call(tid: Pid, result: i64) -> io::Result<()> {
    let mut registers = read(tid)?;
    registers.step_over_restart();
    registers.set_result(result);
    write_without_call(tid, registers)
}

/// A thread's registers as they were when it stopped, and the number of the call that it was in, if it was in one.
#[derive(Debug, Clone, Copy)]
pub struct Saved {
    registers: Registers,
    number: i64,
}

impl Saved {
    /// Where the thread's stack ends.
    #[must_use]
    pub fn stack(&self) -> u64 {
        self.registers.stack()
    }

    /// What a call returned that is through.
    #[must_use]
    pub fn result(&self) -> i64 {
        self.registers.result()
    }
}

/// The registers of a stopped thread.
pub(super) fn save(tid: Pid) -> io::Result<Saved> {
    let registers = read(tid)?;
    Ok(Saved { registers, number: architecture::number(tid, &registers)? })
}

/// Gives a thread that stands before its next instruction its registers back.
pub(super) fn restore(tid: Pid, saved: &Saved) -> io::Result<()> {
    architecture::write_with_call(tid, saved.registers, saved.number, write)
}

/// Corrects registers that were saved behind a call, where the kernel may show a value of its own in one of them; the
/// thread has made a step since.
pub(super) fn correct(tid: Pid, saved: &mut Saved) -> io::Result<()> {
    architecture::correct(&mut saved.registers, || read(tid))
}

/// Puts a thread that stands before its next instruction in front of the one at `place`, which makes a system call.
pub(super) fn put_before_call(
    tid: Pid,
    saved: &Saved,
    place: u64,
    number: i64,
    args: [u64; 4],
) -> io::Result<()> {
    let mut registers = saved.registers;
    registers.set_call(number, args);
    registers.set_place(place);
    write_without_call(tid, registers)
}

/// Makes a thread that is about to make one call make another one in its place.
pub(super) fn replace_call(tid: Pid, saved: &Saved, number: i64, args: [u64; 4]) -> io::Result<()> {
    let mut registers = saved.registers;
    registers.set_call(number, args);
    architecture::write_with_call(tid, registers, number, write)
}

/// Puts a thread back in front of the instruction by which it was about to make a call when its registers were saved.
pub(super) fn put_back_before_call(tid: Pid, saved: &Saved) -> io::Result<()> {
    let mut registers = saved.registers;
    registers.step_back_to_call();
    write_without_call(tid, registers)
}

/// The set of general registers, see ptrace(2) on PTRACE_GETREGSET.
const NT_PRSTATUS: usize = 1;

fn read(tid: Pid) -> io::Result<Registers> {
    let mut registers = Registers::default();
    let mut room = libc::iovec { iov_base: (&raw mut registers).cast(), iov_len: size_of::<Registers>() };
    // SAFETY: PTRACE_GETREGSET requires an iovec over room for the registers.
    unsafe { super::request(libc::PTRACE_GETREGSET, tid, NT_PRSTATUS, (&raw mut room) as usize) }?;
    Ok(registers)
}

fn write(tid: Pid, registers: &Registers) -> io::Result<()> {
    let mut values = *registers;
    let mut room = libc::iovec { iov_base: (&raw mut values).cast(), iov_len: size_of::<Registers>() };
    // SAFETY: PTRACE_SETREGSET requires an iovec over the registers, which it only reads.
    unsafe { super::request(libc::PTRACE_SETREGSET, tid, NT_PRSTATUS, (&raw mut room) as usize) }?;
    Ok(())
}

/// Writes the registers of a thread that is in no call: one whose number is -1 is none.
fn write_without_call(tid: Pid, registers: Registers) -> io::Result<()> {
    architecture::write_with_call(tid, registers, -1, write)
}

#[cfg(target_arch = "x86_64")]
mod architecture {
    use std::io;

    use rustix::process::Pid;

    /// `struct user_regs_struct` as an array: 27 registers of eight bytes, see `<sys/user.h>`.
    #[derive(Debug, Clone, Copy, Default)]
    #[repr(C)]
    pub(super) struct Registers([u64; 27]);

    /// The places of `rax`, `orig_rax`, `rip` and `rsp`, and those of a call's arguments: `rdi`, `rsi`, `rdx`, `r10`.
    const RAX: usize = 10;
    const ORIG_RAX: usize = 15;
    const RIP: usize = 16;
    const RSP: usize = 19;
    const ARGS: [usize; 4] = [14, 13, 12, 7];

    /// The length of the instruction `syscall`.
    const SYSCALL: u64 = 2;

    impl Registers {
        pub(super) fn set_result(&mut self, result: i64) {
            self.0[RAX] = result.cast_unsigned();
        }

        pub(super) fn result(&self) -> i64 {
            self.0[RAX].cast_signed()
        }

        pub(super) fn stack(&self) -> u64 {
            self.0[RSP]
        }

        pub(super) fn set_call(&mut self, number: i64, args: [u64; 4]) {
            self.0[RAX] = number.cast_unsigned();
            ARGS.into_iter().zip(args).for_each(|(place, arg)| self.0[place] = arg);
        }

        pub(super) fn set_place(&mut self, place: u64) {
            self.0[RIP] = place;
        }

        /// The number was moved out of the way when the call began.
        pub(super) fn step_back_to_call(&mut self) {
            self.0[RIP] = self.0[RIP].wrapping_sub(SYSCALL);
            self.0[RAX] = self.0[ORIG_RAX];
        }

        /// The number of the call and its arguments: `rdi`, `rsi`, `rdx`, `r10`, `r8`, `r9`.
        pub(super) fn call(&self) -> (i64, [u64; 6]) {
            (self.0[ORIG_RAX].cast_signed(), [14, 13, 12, 7, 9, 8].map(|place| self.0[place]))
        }

        /// A call that is to be made again has its number kept and one of these as its result.
        pub(super) fn is_restarting(&self, _tid: Pid, restarts: &[i64]) -> bool {
            self.0[ORIG_RAX].cast_signed() >= 0 && restarts.contains(&self.0[RAX].cast_signed())
        }

        /// Nothing to do: without its number a call is not made again.
        pub(super) fn step_over_restart(&mut self) {}
    }

    /// All registers are always their thread's.
    #[expect(clippy::unnecessary_wraps, reason = "another architecture has to look")]
    pub(super) fn correct(
        _saved: &mut Registers,
        _now: impl Fn() -> io::Result<Registers>,
    ) -> io::Result<()> {
        Ok(())
    }

    /// A call that has begun has its number beside its other registers.
    #[expect(clippy::unnecessary_wraps, reason = "another architecture has to ask for it")]
    pub(super) fn number(_tid: Pid, registers: &Registers) -> io::Result<i64> {
        Ok(registers.0[ORIG_RAX].cast_signed())
    }

    pub(super) fn write_with_call(
        tid: Pid,
        mut registers: Registers,
        number: i64,
        write: fn(Pid, &Registers) -> io::Result<()>,
    ) -> io::Result<()> {
        registers.0[ORIG_RAX] = number.cast_unsigned();
        write(tid, &registers)
    }
}

#[cfg(target_arch = "aarch64")]
mod architecture {
    use std::fs::File;
    use std::io;
    use std::os::unix::fs::FileExt;

    use rustix::process::Pid;

    /// `struct user_pt_regs`: x0 to x30, sp, pc, pstate; see `<asm/ptrace.h>`.
    #[derive(Debug, Clone, Copy, Default)]
    #[repr(C)]
    pub(super) struct Registers {
        x: [u64; 31],
        sp: u64,
        pc: u64,
        pstate: u64,
    }

    /// The set that holds the number of the call alone, see `<linux/elf.h>`.
    const NT_ARM_SYSTEM_CALL: usize = 0x404;

    /// The instruction that makes a call, `svc #0`, and its length.
    const SVC_0: u32 = 0xd400_0001;
    const SVC: u64 = 4;

    impl Registers {
        pub(super) fn set_result(&mut self, result: i64) {
            self.x[0] = result.cast_unsigned();
        }

        pub(super) fn result(&self) -> i64 {
            self.x[0].cast_signed()
        }

        pub(super) fn stack(&self) -> u64 {
            self.sp
        }

        pub(super) fn set_call(&mut self, number: i64, args: [u64; 4]) {
            self.x[8] = number.cast_unsigned();
            self.x[..4].copy_from_slice(&args);
        }

        pub(super) fn set_place(&mut self, place: u64) {
            self.pc = place;
        }

        pub(super) fn step_back_to_call(&mut self) {
            self.pc = self.pc.wrapping_sub(SVC);
        }

        /// The number of the call and its arguments; the kernel has put the first back into its place.
        pub(super) fn call(&self) -> (i64, [u64; 6]) {
            (self.x[8].cast_signed(), [0, 1, 2, 3, 4, 5].map(|place: usize| self.x[place]))
        }

        /// The kernel has set the program back to the instruction that makes the call before it stops the thread.
        pub(super) fn is_restarting(&self, tid: Pid, _restarts: &[i64]) -> bool {
            let mut instruction = [0; 4];
            let memory = File::open(format!("/proc/{}/mem", tid.as_raw_pid()));
            let read = memory.and_then(|memory| memory.read_exact_at(&mut instruction, self.pc));
            read.is_ok() && u32::from_le_bytes(instruction) == SVC_0
        }

        pub(super) fn step_over_restart(&mut self) {
            self.pc += SVC;
        }
    }

    /// While a thread stands behind a call, x7 shows that it does; its own value comes back as it goes on, whatever was
    /// written there.
    pub(super) fn correct(saved: &mut Registers, now: impl Fn() -> io::Result<Registers>) -> io::Result<()> {
        saved.x[7] = now()?.x[7];
        Ok(())
    }

    pub(super) fn write_with_call(
        tid: Pid,
        registers: Registers,
        number: i64,
        write: fn(Pid, &Registers) -> io::Result<()>,
    ) -> io::Result<()> {
        write(tid, &registers)?;
        set_number(tid, libc::c_int::try_from(number).unwrap_or(-1))
    }

    /// Sets the number of the call that has begun; that in its register is no longer looked at.
    fn set_number(tid: Pid, number: libc::c_int) -> io::Result<()> {
        number_of_call(libc::PTRACE_SETREGSET, tid, number).map(|_| ())
    }

    pub(super) fn number(tid: Pid, _registers: &Registers) -> io::Result<i64> {
        number_of_call(libc::PTRACE_GETREGSET, tid, -1).map(i64::from)
    }

    /// Reads the number of the call that a thread is in, or writes it; returns it as it then is.
    fn number_of_call(request: libc::c_uint, tid: Pid, mut number: libc::c_int) -> io::Result<libc::c_int> {
        let mut room = libc::iovec { iov_base: (&raw mut number).cast(), iov_len: size_of::<libc::c_int>() };
        // SAFETY: PTRACE_GETREGSET and PTRACE_SETREGSET require an iovec over the value.
        unsafe { crate::sys::trace::request(request, tid, NT_ARM_SYSTEM_CALL, (&raw mut room) as usize) }?;
        Ok(number)
    }
}
