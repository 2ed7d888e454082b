//! What a call may be asked to do, how a worker does it, and what has to come of it.

use std::fmt;
use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::sync::OnceLock;

use multiprocessing::{Error, ExitStatus, Pool, SharedBytes, SharedBytesMut, Value};
use rustix::net::SendFlags;
use rustix::process::{PidfdFlags, PidfdGetfdFlags, Signal};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::random::Random;

/// What one call is to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Deed {
    /// To answer.
    Answer,
    /// To take in so many bytes, and to answer with as many.
    Echo(Text),
    /// To read so many bytes in place, and to answer with as many, each greater by one.
    Share(SharedBytes),
    /// To answer after a moment, so that others overtake.
    Dawdle,
    /// To have a pool of its own answer.
    Delegate,
    Panic,
    PanicWithoutText,
    PanicTwice,
    Exit(u8),
    Abort,
    Overflow,
    KillItself,
    /// Never to end; only where calls have to end in time.
    Stay,
    /// To write nonsense into every socket it has, and to wait for what comes of it.
    Scribble,
    /// To close every descriptor but the standard ones and the log, and to answer. The worker dies as soon as
    /// that is noticed, by itself or by the pool, and may be at its next call by then.
    CloseAll,
    ArgumentUnwritable(Stubborn),
    ArgumentUnreadable(Stubborn),
    ResultUnwritable,
    ResultUnreadable,
}

/// Deeds that end well.
const GOOD: [fn(&mut Random) -> Deed; 5] = [
    |_| Deed::Answer,
    |random| Deed::Echo(Text("x".repeat(random.pick(&[0, 1, 100, 5_000, 70_000, 300_000, 1_500_000])))),
    |random| {
        let length = random.pick(&[0, 100, 1 << 20, 1 << 20, 3 << 20]);
        Deed::Share(all(random.below(100) as u8, length))
    },
    |_| Deed::Dawdle,
    |_| Deed::Answer,
];

/// So many bytes of one kind.
fn all(byte: u8, length: usize) -> SharedBytes {
    let mut bytes = SharedBytesMut::zeroed(length).unwrap();
    bytes.fill(byte);
    bytes.freeze().unwrap()
}

fn next(bytes: &SharedBytes) -> SharedBytes {
    all(bytes.first().map_or(0, |byte| byte + 1), bytes.len())
}

const BAD: [fn(&mut Random) -> Deed; 14] = [
    |_| Deed::Panic,
    |_| Deed::PanicWithoutText,
    |_| Deed::PanicTwice,
    |_| Deed::Exit(0),
    |random| Deed::Exit(random.below(256) as u8),
    |_| Deed::Abort,
    |_| Deed::Overflow,
    |_| Deed::KillItself,
    |_| Deed::Scribble,
    |_| Deed::CloseAll,
    |_| Deed::ArgumentUnwritable(Stubborn::Unwritable),
    |_| Deed::ArgumentUnreadable(Stubborn::Unreadable),
    |_| Deed::ResultUnwritable,
    |_| Deed::ResultUnreadable,
];

impl Deed {
    /// One that ends badly once in so many times; never if that is 0.
    pub(crate) fn any(random: &mut Random, bad_once_in: usize) -> Deed {
        if bad_once_in > 0 && random.once_in(bad_once_in) {
            return random.pick(&BAD)(random);
        }
        if random.once_in(200) { Deed::Delegate } else { random.pick(&GOOD)(random) }
    }
}

/// One call: what to do, and a number that no other call has.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Call {
    pub(crate) number: u64,
    /// How often it may be made again.
    pub(crate) retries: u32,
    pub(crate) deed: Deed,
}

/// Many bytes. A failure shows how many.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Text(pub(crate) String);

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// What comes of a call that ends well.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) number: u64,
    pub(crate) echo: Text,
    pub(crate) shared: SharedBytes,
    pub(crate) worker: u32,
    stubborn: Option<Stubborn>,
}

/// Writes nothing or cannot be read, as its value says.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stubborn {
    Unwritable,
    Unreadable,
}

impl Serialize for Stubborn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Stubborn::Unwritable => Err(serde::ser::Error::custom("not to be written")),
            Stubborn::Unreadable => serializer.serialize_u8(0),
        }
    }
}

impl<'de> Deserialize<'de> for Stubborn {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Stubborn, D::Error> {
        Err(serde::de::Error::custom("not to be read"))
    }
}

/// Where a worker notes the number of each call that it begins.
static LOG: OnceLock<File> = OnceLock::new();

/// The initializer of every worker.
pub(crate) fn prepare(log: PathBuf) {
    // A worker that panics says so on standard error, which is of no interest here.
    rustix::stdio::dup2_stderr(File::options().write(true).open("/dev/null").unwrap()).unwrap();
    LOG.set(File::options().append(true).open(log).unwrap()).unwrap();
}

/// What every call calls.
pub(crate) fn perform(call: Call) -> Answer {
    // Eight bytes at once at the end of a file: writers do not mix (write(2), O_APPEND).
    LOG.get().unwrap().write_all(&call.number.to_le_bytes()).unwrap();
    let mut answer = Answer {
        number: call.number,
        echo: Text::default(),
        shared: SharedBytes::default(),
        worker: std::process::id(),
        stubborn: None,
    };
    match call.deed {
        Deed::Answer | Deed::ArgumentUnwritable(_) | Deed::ArgumentUnreadable(_) => {}
        Deed::Echo(text) => answer.echo = text,
        Deed::Share(bytes) => answer.shared = next(&bytes),
        Deed::Dawdle => std::thread::sleep(std::time::Duration::from_millis(1)),
        Deed::Delegate => {
            let pool = Pool::new(1).unwrap();
            assert_eq!(pool.map(|x: u8| x + 1, [1, 2]).unwrap(), [2, 3]);
        }
        Deed::Panic => panic!("on purpose"),
        Deed::PanicWithoutText => std::panic::panic_any(7_u8),
        Deed::PanicTwice => panic_twice(),
        #[expect(clippy::disallowed_methods, reason = "this is the behaviour under test")]
        Deed::Exit(code) => std::process::exit(i32::from(code)),
        Deed::Abort => std::process::abort(),
        Deed::Overflow => answer.echo = Text(overflow(0).to_string()),
        Deed::KillItself => {
            rustix::process::kill_process(rustix::process::getpid(), Signal::KILL).unwrap();
        }
        Deed::Stay => stay(),
        Deed::Scribble => {
            scribble();
            stay();
        }
        Deed::CloseAll => {
            let log = LOG.get().unwrap().as_raw_fd();
            for descriptor in (3..64).filter(|descriptor| *descriptor != log) {
                let _ = nix::unistd::close(descriptor);
            }
        }
        Deed::ResultUnwritable => answer.stubborn = Some(Stubborn::Unwritable),
        Deed::ResultUnreadable => answer.stubborn = Some(Stubborn::Unreadable),
    }
    answer
}

fn stay() -> ! {
    loop {
        std::thread::park();
    }
}

fn panic_twice() {
    struct PanicsWhenDropped;
    impl Drop for PanicsWhenDropped {
        fn drop(&mut self) {
            panic!("while panicking");
        }
    }
    let _panics = PanicsWhenDropped;
    panic!("the first one");
}

fn overflow(depth: u64) -> u64 {
    if depth == u64::MAX { 0 } else { overflow(std::hint::black_box(depth) + 1) + 1 }
}

/// Sends nonsense over every socket of this process. If there is none left, since a call before has closed them
/// all, nobody would ever hear of it: then the process ends by the signal that nonsense brings.
fn scribble() {
    let this = rustix::process::pidfd_open(rustix::process::getpid(), PidfdFlags::empty()).unwrap();
    let copies = (3..64)
        .filter_map(|number| rustix::process::pidfd_getfd(&this, number, PidfdGetfdFlags::empty()).ok());
    let nonsense = [0xa5; 100];
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    if copies.filter(|descriptor| rustix::net::send(descriptor, &nonsense, flags).is_ok()).count() == 0 {
        rustix::process::kill_process(rustix::process::getpid(), Signal::KILL).unwrap();
    }
}

/// Whether this is what has to come of the call.
pub(crate) fn is_expected(call: &Call, outcome: &Result<Answer, Error>) -> bool {
    let died = |expected: &[ExitStatus]| matches!(outcome, Err(Error::Died { status, .. }) if expected.contains(status));
    let panicked = |text: &str| matches!(outcome, Err(Error::Panicked { message, .. }) if message == text);
    let shared = match &call.deed {
        Deed::Share(bytes) => next(bytes),
        _ => SharedBytes::default(),
    };
    let echo = match &call.deed {
        Deed::Answer | Deed::Share(_) | Deed::Dawdle | Deed::Delegate => "",
        Deed::Echo(text) => &text.0,
        Deed::Panic => return panicked("on purpose"),
        Deed::PanicWithoutText => return panicked("a value that is not text"),
        Deed::PanicTwice | Deed::Abort => return died(&[ExitStatus::Signal(libc::SIGABRT)]),
        Deed::Exit(code) => return died(&[ExitStatus::Code(i32::from(*code))]),
        // A test program may lack the handler that makes a SIGABRT of it.
        Deed::Overflow => return died(&[libc::SIGSEGV, libc::SIGABRT].map(ExitStatus::Signal)),
        Deed::KillItself | Deed::Scribble => return died(&[ExitStatus::Signal(libc::SIGKILL)]),
        Deed::Stay => return matches!(outcome, Err(Error::TimedOut { .. })),
        // The answer may have been on its way in the shared memory, or not.
        Deed::CloseAll if outcome.is_err() => return matches!(outcome, Err(Error::Died { .. })),
        Deed::CloseAll => "",
        Deed::ArgumentUnwritable(_) => {
            return matches!(outcome, Err(Error::Serialise { value: Value::Argument, .. }));
        }
        Deed::ArgumentUnreadable(_) => {
            let is_unreadable = matches!(outcome, Err(Error::Deserialise { value: Value::Argument, .. }));
            return is_unreadable && !is_not_there(outcome);
        }
        Deed::ResultUnwritable => {
            return matches!(outcome, Err(Error::Serialise { value: Value::Result, .. }));
        }
        Deed::ResultUnreadable => {
            return matches!(outcome, Err(Error::Deserialise { value: Value::Result, .. }));
        }
    };
    matches!(outcome, Ok(answer) if answer.number == call.number && answer.echo.0 == echo && answer.shared == shared)
}

/// Whether this is what comes of a call whose worker was killed from outside.
pub(crate) fn is_killed(outcome: &Result<Answer, Error>) -> bool {
    matches!(outcome, Err(Error::Died { status: ExitStatus::Signal(libc::SIGKILL), .. }))
}

/// Whether the descriptor was closed with which long bytes had come.
pub(crate) fn is_not_there(outcome: &Result<Answer, Error>) -> bool {
    match outcome {
        Err(error @ Error::Deserialise { value: Value::Argument, .. }) => {
            let why = std::error::Error::source(error).map(ToString::to_string);
            why.is_some_and(|why| why.contains("did not come along"))
        }
        _ => false,
    }
}

pub(crate) fn is_dead(outcome: &Result<Answer, Error>) -> bool {
    matches!(outcome, Err(Error::Died { .. }))
}
