//! Where a program finds out whether it is a child, and becomes one.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::net::{AddressFamily, SocketFlags, SocketType};

use crate::error::Error;
use crate::ipc::channel::Channel;
use crate::ipc::frame::{self, Frame};
use crate::ipc::message::{Birth, FromChild, Refusal, Role, ToChild};
use crate::ipc::{codec, records};
use crate::pool::worker;
use crate::process::body;
use crate::start::fork_server::serving;
use crate::start::summons::{self, Legacy};
use crate::status::UNUSABLE;
use crate::sys::{exit, signals};
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
/// A logger that children are to have is installed before it, and a runtime of threads (tokio's, say) is built behind it,
/// in a plain `main` without an attribute: a child that is within one can build none of its own.
///
/// In a file of tests use [`init_tests!`](crate::init_tests).
pub fn init() {
    if let Some(summons) = summons::take() {
        INITIALISED.store(true, Ordering::Relaxed);
        let code = summons.and_then(serve).unwrap_or_else(|error| {
            // A parent that is gone wants nothing any more. Else there is nobody left to tell but the user.
            if !matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) {
                let _ =
                    writeln!(io::stderr(), "multiprocessing: failed to serve as a child process: {error}");
            }
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
    if serving::is_copy() {
        exit::at_once(code);
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "`main` is not to be returned to, and nothing of ours is left"
    )]
    std::process::exit(code)
}

/// Does what the parent asks for; gives the code to leave with.
fn serve(mut legacy: Legacy) -> io::Result<i32> {
    loop {
        let Legacy { parent, mut channel, files } = legacy;
        if !summons::die_with(parent)? {
            return Ok(UNUSABLE);
        }
        signals::ignore_broken_pipe();
        let Some(hello) = channel.receive()? else { return Ok(UNUSABLE) };
        let Task { birth, role, payload } = match understand(&hello)? {
            Ok(understood) => understood,
            Err(refusal) => {
                channel.send(&FromChild::Refused(refusal), &[])?;
                return Ok(UNUSABLE);
            }
        };
        match role {
            Role::Process { function, in_file } => {
                family::own().be_born(birth, parent);
                // A worker ignores it first. What the program has blocked itself, where it was started anew, remains so.
                if serving::is_copy() {
                    signals::unblock_interrupt_on_this_thread();
                }
                return body::run(channel.as_fd(), &function, payload, in_file, files);
            }
            Role::Worker { initializer } => {
                family::own().be_born(birth, parent);
                return worker::run(channel, files, initializer, payload);
            }
            // What comes back from there is a copy of the server, and a child that was just started.
            Role::ForkServer => match serving::serve(channel.into(), parent, rehearse)? {
                Some(of_the_copy) => legacy = of_the_copy,
                None => return Ok(0),
            },
        }
    }
}

/// What a parent wants of its child.
struct Task<'a> {
    birth: Birth,
    role: Role,
    payload: &'a [u8],
}

/// What the parent's first message says, or why this process will not do it.
fn understand(hello: &Frame) -> io::Result<Result<Task<'_>, Refusal>> {
    let (message, payload) = hello.message::<ToChild>().map_err(|_| nonsense())?;
    let ToChild::Hello { program, birth, role } = message else { return Err(nonsense()) };
    if program != entry::program()? {
        return Ok(Err(Refusal::WrongProgram("it runs another program than its parent".into())));
    }
    Ok(Ok(Task { birth, role, payload }))
}

/// Does all that a process does for its one call, for nobody.
///
/// The fork server does this once, and a copy of it while it waits. Most of what a child takes for a small call
/// is the time to have each page mapped or copied when it is first used.
fn rehearse() -> io::Result<()> {
    let (stage, empty_seats) =
        rustix::net::socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    let Some(function) = entry::name::<_, (), ()>(|()| ()) else { return Ok(()) };
    let mut argument = Vec::new();
    let Ok(()) = records::append(&mut argument, |buffer| codec::encode(&(), buffer)) else { return Ok(()) };
    let role = Role::Process { function, in_file: false };
    let hello = ToChild::Hello { program: entry::program()?, birth: Birth::default(), role };
    let hello = [frame::head(&hello, argument.len()), argument].concat();
    let mut channel = Channel::with(stage, &hello);
    if let Some(hello) = channel.receive()?
        && let Ok(Task { role: Role::Process { function, in_file }, payload, .. }) = understand(&hello)?
    {
        body::run(channel.as_fd(), &function, payload, in_file, Vec::new())?;
    }
    io::stdout().flush()?;
    drop(empty_seats);
    Ok(())
}

fn nonsense() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the parent sent what means nothing")
}
