//! System calls of a stopped thread, through PTRACE_GET_SYSCALL_INFO, which is the same on every architecture.

use std::io;

use rustix::process::Pid;

/// The request's number, see `<linux/ptrace.h>`; Linux 5.3 and newer.
const GET_SYSCALL_INFO: libc::c_uint = 0x420e;

/// What `op` says where a filter picked the call out.
const OP_SECCOMP: u8 = 3;

/// `struct ptrace_syscall_info` as words of eight bytes: `op` and `arch`, two pointers, then the call's number
/// and six arguments.
type Words = [u64; 12];

/// A call about to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SystemCall {
    /// Its number on this architecture.
    pub number: i64,
    /// Its arguments.
    pub args: [u64; 6],
}

/// The call that a thread stopped before.
pub(super) fn about_to_be_made(tid: Pid) -> io::Result<SystemCall> {
    let words = info(tid)?;
    let mut args = [0; 6];
    args.copy_from_slice(&words[4..10]);
    Ok(SystemCall { number: words[3].cast_signed(), args })
}

fn info(tid: Pid) -> io::Result<Words> {
    let mut words: Words = [0; 12];
    let room = size_of_val(&words);
    // SAFETY: PTRACE_GET_SYSCALL_INFO requires room of as many bytes as `addr` says.
    unsafe { super::request(GET_SYSCALL_INFO, tid, room, words.as_mut_ptr() as usize) }?;
    match words[0].to_ne_bytes()[0] {
        OP_SECCOMP => Ok(words),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}
