//! Where a program finds out whether it is a child, and becomes one.

use std::io::{self, Write};
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::Signal;

use crate::entry;
use crate::error::Error;
use crate::ipc::channel::Channel;
use crate::ipc::message::{FromChild, Refusal, Role, ToChild};
use crate::pool::worker;
use crate::process::body;
use crate::spawner::VARIABLE;
use crate::status::UNUSABLE;
use crate::sys::{descriptor, environment, signals};

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
    if let Some(summons) = environment::take(VARIABLE) {
        INITIALISED.store(true, Ordering::Relaxed);
        let code = summons.to_str().ok_or_else(malformed).and_then(serve).unwrap_or_else(|error| {
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

fn malformed() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        format!("the variable `{VARIABLE}` is none of this library's"),
    )
}

/// Does what the parent asks for; gives the code to leave with.
fn serve(summons: &str) -> io::Result<i32> {
    let (socket, parent) = summons.split_once(':').ok_or_else(malformed)?;
    let socket: RawFd = socket.parse().map_err(|_| malformed())?;
    let parent: i32 = parent.parse().map_err(|_| malformed())?;
    let socket = descriptor::inherit(socket)?;
    die_with(parent)?;
    signals::ignore_broken_pipe();

    let mut channel = Channel::new(socket);
    let Some(hello) = channel.receive()? else { return Ok(UNUSABLE) };
    let (hello, payload) = hello.message::<ToChild>().map_err(|_| malformed())?;
    let ToChild::Hello { program, role } = hello else { return Err(malformed()) };
    if program != entry::program()? {
        let refusal = Refusal::WrongProgram("it runs another program than its parent".into());
        channel.send(&FromChild::Refused(refusal), &[])?;
        return Ok(UNUSABLE);
    }
    match role {
        Role::Process => body::run(channel),
        Role::Worker { memory, initializer } => worker::run(channel, memory, initializer, payload),
    }
}

/// Has the kernel kill this process when its parent dies.
///
/// The parent may have died before the kernel was asked; then this process has another parent by now, and
/// leaves.
fn die_with(parent: i32) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    if rustix::process::Pid::as_raw(rustix::process::getppid()) == parent { Ok(()) } else { leave(UNUSABLE) }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::ipc::message::{EntryRef, Identity, Ticket};
    use crate::ipc::{codec, records};
    use crate::spawner::{self, Extras};
    use crate::status::ExitStatus;

    fn hello(program: Identity) -> ToChild {
        ToChild::Hello { program, role: Role::Process }
    }

    /// Starts a child, tells it all this, and gives what it answers and how it ends.
    fn tell(messages: &[ToChild]) -> (Option<FromChild>, ExitStatus) {
        let (child, socket) = spawner::start(Extras::default()).unwrap();
        let mut channel = Channel::new(socket);
        let mut argument = Vec::new();
        records::append(&mut argument, |buffer| codec::encode(&7_u8, buffer)).unwrap();
        for message in messages {
            let _ = channel.send(message, &argument);
        }
        channel.finish();
        let answer = channel.receive().unwrap().map(|frame| frame.message().unwrap().0);
        drop(channel);
        (answer, child.wait())
    }

    fn call(distance: u64, name: &str) -> ToChild {
        let function = EntryRef { distance, name: Cow::Owned(name.to_owned()) };
        ToChild::Call { function, ticket: Ticket::default() }
    }

    fn refused(answer: Option<FromChild>) -> String {
        match answer {
            Some(FromChild::Refused(Refusal::WrongProgram(reason))) => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_child_refuses_a_parent_that_runs_another_program() {
        let program = entry::program().unwrap();
        let others = [
            Identity { inode: program.inode + 1, ..program },
            Identity { size: program.size + 1, ..program },
            Identity { modified: (program.modified.0, program.modified.1 + 1), ..program },
        ];
        for other in others {
            let (answer, status) = tell(&[hello(other)]);
            assert_eq!(refused(answer), "it runs another program than its parent");
            assert_eq!(status, ExitStatus::Code(UNUSABLE));
        }
    }

    #[test]
    fn a_child_calls_nothing_but_an_entry_of_that_name() {
        let program = entry::program().unwrap();
        let real = entry::name::<_, u8, u8>(|x: u8| x).unwrap();
        let forged = [
            call(real.distance, "another name"),
            call(real.distance + 8, &real.name),
            call(real.distance + 1, &real.name),
            call(0, &real.name),
            call(u64::MAX, &real.name),
            call(1 << 40, &real.name),
        ];
        for call in forged {
            let (answer, status) = tell(&[hello(program), call]);
            assert!(refused(answer).contains("function"));
            assert_eq!(status, ExitStatus::Code(UNUSABLE));
        }
        let (answer, status) = tell(&[hello(program), call(real.distance, &real.name)]);
        assert_eq!(answer, Some(FromChild::Outcomes { first: 0 }));
        assert_eq!(status, ExitStatus::Code(0));
    }

    #[test]
    fn a_child_without_a_word_from_its_parent_leaves() {
        assert_eq!(tell(&[]).1, ExitStatus::Code(UNUSABLE));
    }
}
