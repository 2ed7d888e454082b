//! Where a program finds out whether it is a child, and becomes one.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{Pid, Signal, getppid};

use crate::error::Error;
use crate::ipc::channel::Channel;
use crate::ipc::message::{FromChild, Refusal, Role, ToChild};
use crate::pool::worker;
use crate::process::body;
use crate::start::summons::{self, Legacy};
use crate::status::UNUSABLE;
use crate::sys::signals;
use crate::{entry, family};

/// Whether a child of this process would find out that it is one: it runs the same `main`.
static INITIALISED: AtomicBool = AtomicBool::new(false);

/// Makes this program able to start processes. Call it in the first line of `main`.
///
/// A child is the same program, started again. In the parent this function only takes note and returns. In a
/// child it never returns: it does what the parent asks for and ends the process, so the rest of `main` runs
/// in the parent alone. What stands before it in `main` runs in every child too.
///
/// It has the place of `if __name__ == "__main__":` in Python.
///
/// In a file of tests use [`init_tests!`](crate::init_tests).
pub fn init() {
    if let Some(summons) = summons::take() {
        INITIALISED.store(true, Ordering::Relaxed);
        let code = summons.and_then(serve).unwrap_or_else(|error| {
            // There is nobody left to tell but the user.
            let _ = writeln!(io::stderr(), "multiprocessing: failed to serve as a child process: {error}");
            UNUSABLE
        });
        leave(code);
    }
    INITIALISED.store(true, Ordering::Relaxed);
}

/// Refuses to go on where [`init`] was not called.
pub(crate) fn require() -> Result<(), Error> {
    if INITIALISED.load(Ordering::Relaxed) { Ok(()) } else { Err(Error::NotInitialised) }
}

/// Ends this child; what it has printed goes out first.
fn leave(code: i32) -> ! {
    let _ = io::stdout().flush();
    #[expect(
        clippy::disallowed_methods,
        reason = "`main` is not to be returned to, and nothing of ours is left"
    )]
    std::process::exit(code)
}

/// Does what the parent asks for; gives the code to leave with.
fn serve(legacy: Legacy) -> io::Result<i32> {
    let Legacy { parent, channel, mut files } = legacy;
    die_with(parent)?;
    signals::ignore_broken_pipe();

    let nonsense = || io::Error::new(io::ErrorKind::InvalidData, "the parent sent what means nothing");
    let mut channel = Channel::new(channel);
    let Some(hello) = channel.receive()? else { return Ok(UNUSABLE) };
    let (hello, payload) = hello.message::<ToChild>().map_err(|_| nonsense())?;
    let ToChild::Hello { program, birth, role } = hello else { return Err(nonsense()) };
    if program != entry::program()? {
        let refusal = Refusal::WrongProgram("it runs another program than its parent".into());
        channel.send(&FromChild::Refused(refusal), &[])?;
        return Ok(UNUSABLE);
    }
    family::own().be_born(birth, parent);
    match role {
        Role::Process { function } => body::run(channel.as_fd(), &function, payload, files.pop()),
        Role::Worker { initializer } => {
            worker::run(channel, files.pop().ok_or_else(nonsense)?, initializer, payload)
        }
    }
}

/// Has the kernel kill this process when its parent dies.
///
/// The parent may have died before the kernel was asked; then this process has another parent by now, and
/// leaves.
fn die_with(parent: i32) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    if Pid::as_raw(getppid()) == parent { Ok(()) } else { leave(UNUSABLE) }
}
