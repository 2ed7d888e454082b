//! What the kernel itself takes, with no library: nobody who starts processes and moves bytes by these means
//! can do with less.

use std::ffi::CString;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::process::{Child, ExitCode};

use super::{
    ECHO, LARGE_BYTES, LARGE_COUNT, LARGE_MEGABYTES, NOTHING, start_again, this_program, while_busy, workers,
};
use crate::{measure, sys};

/// This program's own file, started and waited for.
pub fn posix_spawn() -> f64 {
    let program = CString::new(this_program().as_os_str().as_bytes()).expect("a path has no NUL");
    let argument = CString::new(NOTHING).expect("a word has no NUL");
    measure::micros(200, || sys::spawn_and_wait(&program, &argument))
}

/// A copy of this process, started and waited for.
pub fn fork() -> f64 {
    measure::micros(200, sys::fork_and_wait)
}

/// The same of a process that holds 1 GiB.
pub fn fork_from_large_parent() -> f64 {
    let memory = vec![1_u8; 1 << 30];
    let micros = measure::micros(10, sys::fork_and_wait);
    drop(std::hint::black_box(memory));
    micros
}

/// Keeps a CPU busy until it is killed.
pub fn spin() -> ! {
    loop {
        std::hint::spin_loop();
    }
}

/// Sends back what comes on standard input, a message at a time: its length in eight bytes, and its bytes.
pub fn echo() -> ExitCode {
    // Standard input is one end of a socket pair.
    let input: io::Result<OwnedFd> = std::os::fd::AsFd::as_fd(&io::stdin()).try_clone_to_owned();
    let mut socket = UnixStream::from(input.expect("a descriptor can be copied"));
    while let Ok(message) = receive(&mut socket) {
        if send(&mut socket, &message).is_err() {
            break;
        }
    }
    ExitCode::SUCCESS
}

fn receive(socket: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 8];
    socket.read_exact(&mut length)?;
    let mut message = Vec::new();
    let length = u64::from_le_bytes(length);
    socket.take(length).read_to_end(&mut message)?;
    Ok(message)
}

fn send(socket: &mut UnixStream, message: &[u8]) -> io::Result<()> {
    socket.write_all(&(message.len() as u64).to_le_bytes())?;
    socket.write_all(message)
}

/// A process that sends back what it is sent.
struct Echo {
    child: Child,
    socket: UnixStream,
}

impl Echo {
    fn start() -> Echo {
        let (socket, theirs) = UnixStream::pair().expect("a socket pair");
        Echo { child: start_again(&[ECHO], OwnedFd::from(theirs)), socket }
    }

    fn round_trip(&mut self, message: &[u8]) -> Vec<u8> {
        send(&mut self.socket, message).expect("the other end listens");
        receive(&mut self.socket).expect("the other end answers")
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.child.kill().expect("a child of ours can be killed");
        self.child.wait().expect("a child of ours can be waited for");
    }
}

/// Eight bytes there and back: what a call takes at least if it sleeps until the answer comes.
fn round_trips(times: usize) -> f64 {
    let mut echo = Echo::start();
    // Of no length and therefore one write and one read at either end.
    measure::micros(times, || assert!(echo.round_trip(&[]).is_empty()))
}

pub fn round_trip() -> f64 {
    round_trips(5000)
}

pub fn round_trip_busy() -> f64 {
    while_busy(|| round_trips(2000))
}

pub fn large() -> f64 {
    let mut echoes: Vec<Echo> = (0..workers()).map(|_| Echo::start()).collect();
    let each = LARGE_COUNT / workers().min(LARGE_COUNT);
    let message = vec![7_u8; LARGE_BYTES];
    let serve = |echo: &mut Echo| (0..each).map(|_| echo.round_trip(&message).len()).sum::<usize>();
    measure::rate(LARGE_MEGABYTES, 2, || {
        std::thread::scope(|scope| {
            let threads: Vec<_> = echoes.iter_mut().map(|echo| scope.spawn(|| serve(echo))).collect();
            let bytes: usize = threads.into_iter().map(|thread| thread.join().expect("no panic")).sum();
            assert_eq!(bytes, workers() * each * LARGE_BYTES);
        });
    })
}

/// Memory is filled, read, filled and read again, with nobody else involved: what it takes at least on one CPU.
pub fn large_in_place() -> f64 {
    let filled = |byte: u8| std::hint::black_box(vec![byte; LARGE_BYTES]);
    let read = |bytes: &[u8]| bytes.iter().fold(0, |all, byte| all ^ byte);
    measure::rate(LARGE_MEGABYTES, 2, || {
        let all = (0..LARGE_COUNT).map(|_| read(&filled(read(&filled(7)))));
        assert_eq!(all.fold(0, |all, byte| all | byte), 0);
    })
}
