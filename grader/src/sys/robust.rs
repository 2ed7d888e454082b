//! The list of locks that a thread holds and that the kernel is to look at when it ends.

#![expect(unsafe_code, reason = "get_robust_list(2) has no safe wrapper")]

use std::mem::MaybeUninit;

use rustix::process::Pid;

/// Where the head of a thread's list lies, in that thread's memory; see get_robust_list(2).
pub(crate) fn robust_list(tid: Pid) -> Option<u64> {
    let mut head = 0_usize;
    let mut length = MaybeUninit::<usize>::zeroed();
    // SAFETY: get_robust_list(2) requires room for a pointer and for a size.
    let result = unsafe {
        libc::syscall(libc::SYS_get_robust_list, tid.as_raw_pid(), &raw mut head, length.as_mut_ptr())
    };
    (result == 0 && head != 0).then_some(head as u64)
}
