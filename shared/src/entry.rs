//! How a function crosses into another process.
//!
//! Both processes run the same program, so a function need not be sent, only named. For each triple of
//! function, argument and result the compiler makes one [`Entry`], a static that knows how to decode arguments,
//! call the function and encode results. Its distance from the start of the program is the name
//! that crosses, with the name of the types beside it. The receiver calls nothing before the program's
//! identity, the place, the marker there and the name agree.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::{any, fs, io};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ipc::attachments::{self, Attachment, Outgoing};
use crate::ipc::chunk::Chunk;
use crate::ipc::message::{EntryRef, Identity};
use crate::ipc::outcome::{self, Failure, Reason};
use crate::ipc::{codec, records};
use crate::panics;
use crate::sys::image::Entry;
use crate::sys::{function, image};

/// Carries the types of a call.
struct Call<F, A, R>(PhantomData<(F, A, R)>);

impl<F, A, R> Call<F, A, R>
where
    F: Fn(A) -> R + Copy + 'static,
    A: DeserializeOwned,
    R: Serialize,
{
    const ENTRY: &'static Entry<Calls> =
        &Entry::new(Calls { name: any::type_name::<Self>, once: Self::once, all: Self::all });

    fn once(argument: &[u8], outcome: &mut Vec<u8>, outgoing: &mut Outgoing) {
        outcome::append(outcome, |buffer| {
            let call = || {
                let argument = codec::decode(argument)
                    .map_err(|error| Failure::ArgumentNotDecoded(Reason::Codec(error)))?;
                let result = function::conjure::<F>()(argument);
                codec::encode_with(&result, buffer, outgoing)
                    .map_err(|error| Failure::ResultNotEncoded(error.into()))
            };
            panics::catch(call).unwrap_or_else(|panic| Err(panicked(panic)))
        });
    }

    /// One loop for the types of this call, into which all of it is compiled, so that a small call costs
    /// nanoseconds. A panic ends it; then it goes on behind the call that has panicked.
    fn all(chunk: &mut Chunk<'_>) -> io::Result<()> {
        loop {
            match panics::catch(|| chunk.make_calls(Self::in_chunk)) {
                Ok(done) => return done,
                Err(panic) => chunk.fail(&panicked(panic))?,
            }
        }
    }

    #[inline(always)]
    fn in_chunk(argument: &[u8], result: &mut Vec<u8>, outgoing: &mut Outgoing) -> Result<(), Box<Failure>> {
        let argument = codec::decode(argument).map_err(not_decoded)?;
        let value = function::conjure::<F>()(argument);
        codec::encode_with(&value, result, outgoing).map_err(not_encoded)
    }
}

#[cold]
fn not_decoded(error: codec::Error) -> Box<Failure> {
    Box::new(Failure::ArgumentNotDecoded(Reason::Codec(error)))
}

#[cold]
fn not_encoded(error: codec::Error) -> Box<Failure> {
    Box::new(Failure::ResultNotEncoded(error.into()))
}

fn panicked(panic: panics::Caught) -> Failure {
    Failure::Panicked { message: panic.message, location: panic.location }
}

/// The ways to call a function whose types are known only where it was compiled.
struct Calls {
    /// The name of the types involved.
    name: fn() -> &'static str,
    /// Reads the encoded argument, appends the outcome, has memory go along with it.
    once: fn(&[u8], &mut Vec<u8>, &mut Outgoing),
    /// Makes all calls of a chunk.
    all: fn(&mut Chunk<'_>) -> io::Result<()>,
}

/// The name of a function to another process; `None` if it is not part of the program's own file.
///
/// The function is taken by value, though it holds nothing, since that proves that there is one.
pub(crate) fn name<F, A, R>(_function: F) -> Option<EntryRef>
where
    F: Fn(A) -> R + Copy + 'static,
    A: DeserializeOwned,
    R: Serialize,
{
    const {
        assert!(
            function::holds_no_data::<F>(),
            "this function cannot cross into another process: it has to be a plain function by its name, or a closure \
             that captures nothing. Pass what it needs as its argument. A variable of a type like `fn(u64) -> u64` \
             holds an address: name the function itself, or send an enum and match on it"
        );
    }
    let entry = Call::<F, A, R>::ENTRY;
    Some(EntryRef { distance: entry.distance()?, name: Cow::Borrowed((entry.what.name)()) })
}

/// The argument of one call, ready to cross.
#[derive(Debug)]
pub(crate) struct Argument {
    /// A row of one record.
    pub(crate) bytes: Vec<u8>,
    attached: Vec<Attachment>,
}

impl Argument {
    pub(crate) fn new<A: Serialize>(value: &A) -> Result<Argument, Failure> {
        let (mut bytes, mut outgoing) = (Vec::new(), Outgoing::default());
        records::append(&mut bytes, |buffer| codec::encode_with(value, buffer, &mut outgoing))
            .map_err(|error| Failure::ArgumentNotEncoded(error.into()))?;
        Ok(Argument { bytes, attached: outgoing.take() })
    }

    /// The memory that belongs to it.
    pub(crate) fn files(&self) -> io::Result<Vec<OwnedFd>> {
        self.attached.iter().map(|memory| memory.as_fd().try_clone_to_owned()).collect()
    }
}

/// A function that was found in this program.
#[derive(Clone, Copy)]
pub(crate) struct Callee(&'static Calls);

impl Callee {
    /// The function that another process has named; an explanation if there is none such.
    pub(crate) fn find(named: &EntryRef) -> Result<Callee, String> {
        let entry = Entry::<Calls>::at(named.distance)
            .ok_or_else(|| format!("there is no function at distance {:#x}", named.distance))?;
        let name = (entry.what.name)();
        if name != named.name {
            return Err(format!("the function there is `{name}`, not `{}`", named.name));
        }
        Ok(Callee(&entry.what))
    }

    /// Calls the function with the encoded argument, with which these came, and appends what came of it, a panic
    /// included. Gives what goes along with that.
    pub(crate) fn call(self, argument: &[u8], came: &[Attachment], outcome: &mut Vec<u8>) -> Vec<Attachment> {
        let mut outgoing = Outgoing::default();
        attachments::with(came, || (self.0.once)(argument, outcome, &mut outgoing));
        outgoing.take()
    }

    /// Calls the function with all arguments of a chunk.
    pub(crate) fn call_all(self, mut chunk: Chunk<'_>) -> io::Result<()> {
        (self.0.all)(&mut chunk)
    }
}

/// Which program this process runs.
///
/// The build id tells, where the linker was asked for one: a child may run the same program though its file
/// was touched, replaced or deleted meanwhile. Else the file has to do.
pub(crate) fn program() -> io::Result<Identity> {
    if let Some(id) = image::build_id() {
        return Ok(Identity::BuildId(id.to_owned()));
    }
    let file = fs::metadata("/proc/self/exe")?;
    Ok(Identity::File {
        device: file.dev(),
        inode: file.ino(),
        size: file.size(),
        modified: (file.mtime(), file.mtime_nsec()),
    })
}
