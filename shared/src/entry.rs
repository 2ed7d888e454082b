//! How a function crosses into another process.
//!
//! Both processes run the same program, so a function need not be sent, only named. For each triple of
//! function, argument and result the compiler makes one [`Entry`], a static that knows how to decode the
//! argument, call the function and encode the result. Its distance from the start of the program is the name
//! that crosses, with the name of the types beside it. The receiver calls nothing before the program's
//! identity, the place, the marker there and the name agree.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::os::unix::fs::MetadataExt;
use std::{any, fs, io};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ipc::codec;
use crate::ipc::message::{EntryRef, Identity};
use crate::ipc::outcome::{self, Failure, Reason};
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
    const ENTRY: &'static Entry = &Entry::new(any::type_name::<Self>, Self::call);

    fn call(argument: &[u8], outcome: &mut Vec<u8>) {
        outcome::append(outcome, |buffer| {
            let call = || {
                let argument = codec::decode(argument)
                    .map_err(|error| Failure::ArgumentNotDecoded(Reason::Codec(error)))?;
                let result = function::conjure::<F>()(argument);
                codec::encode(&result, buffer).map_err(|error| Failure::ResultNotEncoded(error.into()))
            };
            panics::catch(call).unwrap_or_else(|panic| {
                Err(Failure::Panicked { message: panic.message, location: panic.location })
            })
        });
    }
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
            "this function cannot cross into another process: it has to be a plain function or a closure that \
             captures nothing. Pass what it needs as its argument"
        );
    }
    let entry = Call::<F, A, R>::ENTRY;
    Some(EntryRef { distance: entry.distance()?, name: Cow::Borrowed((entry.name)()) })
}

/// A function that was found in this program.
#[derive(Clone, Copy)]
pub(crate) struct Callee(&'static Entry);

impl Callee {
    /// The function that another process has named; an explanation if there is none such.
    pub(crate) fn find(named: &EntryRef) -> Result<Callee, String> {
        let entry = Entry::at(named.distance)
            .ok_or_else(|| format!("there is no function at distance {:#x}", named.distance))?;
        let name = (entry.name)();
        if name != named.name {
            return Err(format!("the function there is `{name}`, not `{}`", named.name));
        }
        Ok(Callee(entry))
    }

    /// Calls the function with the encoded argument and appends what came of it, a panic included.
    pub(crate) fn call(self, argument: &[u8], outcome: &mut Vec<u8>) {
        (self.0.call)(argument, outcome);
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
