//! The only unsafe code of the benchmark: the kernel's own price of a process.
#![expect(unsafe_code, reason = "this is the one place for it; everywhere else it is denied")]

use std::ffi::{CString, c_char};
use std::ptr;

unsafe extern "C" {
    /// This process's environment, see environ(7).
    static environ: *const *mut c_char;
}

/// Starts a program by posix_spawn(3), with this process's environment, which tells its loader where to look for
/// libraries, and waits for it.
pub fn spawn_and_wait(program: &CString, argument: &CString) {
    let arguments = [program.as_ptr().cast_mut(), argument.as_ptr().cast_mut(), ptr::null_mut()];
    // SAFETY: a static of the C library's may be read as long as nobody writes to it, and nothing here sets variables.
    let environment = unsafe { environ };
    let mut pid = 0;
    // SAFETY: posix_spawn reads strings that end in NUL and arrays that end in a null pointer; these are, and
    // they outlive the call. Null stands for no file actions and no attributes.
    let error = unsafe {
        libc::posix_spawn(
            &raw mut pid,
            program.as_ptr(),
            ptr::null(),
            ptr::null(),
            arguments.as_ptr(),
            environment,
        )
    };
    assert_eq!(error, 0, "posix_spawn failed");
    wait(pid);
}

/// Forks a child that ends at once, and waits for it.
pub fn fork_and_wait() {
    // SAFETY: the child may call only what is safe in a signal handler (fork(2)); it calls _exit alone.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork failed");
    if pid == 0 {
        // SAFETY: _exit has no conditions.
        unsafe { libc::_exit(0) }
    }
    wait(pid);
}

fn wait(pid: libc::pid_t) {
    let mut status = 0;
    // SAFETY: waitpid writes the status to the pointer, which is to a variable of that type that outlives the
    // call.
    let waited = unsafe { libc::waitpid(pid, &raw mut status, 0) };
    assert_eq!((waited, status), (pid, 0), "the child did not end well");
}
