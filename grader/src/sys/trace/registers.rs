//! The few registers that hold a system call's number and result; the one thing that differs by architecture.

use std::io;

use rustix::process::Pid;

use architecture::Registers;

/// Error numbers that the kernel keeps to itself: a call that a signal interrupted and that is made again.
///
/// See `<linux/errno.h>`: ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND and ERESTART_RESTARTBLOCK; and EINTR, which
/// epoll_wait(2) answers to any interruption.
const RESTARTS: [i64; 5] = [-512, -513, -514, -516, -4];

/// Makes the call that a thread is about to make return `result` without being made; see seccomp(2) on SECCOMP_RET_TRACE.
pub(super) fn skip_call(tid: Pid, result: i64) -> io::Result<()> {
    let mut registers = read(tid)?;
    registers.set_result(result);
    write(tid, &registers)?;
    architecture::forget_call(tid, &mut registers, write)
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
    write(tid, &registers)?;
    architecture::forget_call(tid, &mut registers, write)
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

#[cfg(target_arch = "x86_64")]
mod architecture {
    use std::io;

    use rustix::process::Pid;

    /// `struct user_regs_struct` as an array: 27 registers of eight bytes, see `<sys/user.h>`.
    #[derive(Debug, Clone, Copy, Default)]
    #[repr(C)]
    pub(super) struct Registers([u64; 27]);

    /// The places of `rax` and `orig_rax`.
    const RAX: usize = 10;
    const ORIG_RAX: usize = 15;

    impl Registers {
        pub(super) fn set_result(&mut self, result: i64) {
            self.0[RAX] = result.cast_unsigned();
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

    /// A call without a number is none.
    pub(super) fn forget_call(
        tid: Pid,
        registers: &mut Registers,
        write: fn(Pid, &Registers) -> io::Result<()>,
    ) -> io::Result<()> {
        registers.0[ORIG_RAX] = u64::MAX;
        write(tid, registers)
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

    /// A call whose number is -1 is none.
    pub(super) fn forget_call(
        tid: Pid,
        _registers: &mut Registers,
        _write: fn(Pid, &Registers) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut number: libc::c_int = -1;
        let mut room = libc::iovec { iov_base: (&raw mut number).cast(), iov_len: size_of::<libc::c_int>() };
        // SAFETY: PTRACE_SETREGSET requires an iovec over the value, which it only reads.
        unsafe {
            crate::sys::trace::request(
                libc::PTRACE_SETREGSET,
                tid,
                NT_ARM_SYSTEM_CALL,
                (&raw mut room) as usize,
            )
        }?;
        Ok(())
    }
}
