//! What a child does that was started for one call.

use std::io;

use crate::entry::Callee;
use crate::ipc::channel::Channel;
use crate::ipc::message::{FromChild, Refusal, ToChild};
use crate::ipc::{outcome, records};
use crate::panics;
use crate::status::{PANICKED, UNUSABLE};

/// Makes the call that the parent sends, answers, and gives the code to leave with.
pub(crate) fn run(mut channel: Channel) -> io::Result<i32> {
    panics::install_hook(false);
    let nonsense = || io::Error::from(io::ErrorKind::InvalidData);
    let Some(call) = channel.receive()? else { return Ok(UNUSABLE) };
    let (message, mut arguments) = call.message().map_err(|_| nonsense())?;
    let ToChild::Call { function, .. } = message else { return Err(nonsense()) };
    let callee = match Callee::find(&function) {
        Ok(callee) => callee,
        Err(reason) => {
            channel.send(&FromChild::Refused(Refusal::WrongProgram(reason)), &[])?;
            return Ok(UNUSABLE);
        }
    };
    let argument = records::take_first(&mut arguments).ok().flatten().ok_or_else(nonsense)?;
    let mut answer = Vec::new();
    callee.call(argument, &mut answer);
    drop(call);
    // A parent that has dropped its handle does not want the answer: the call was made all the same.
    let _ = channel.send(&FromChild::Outcomes { first: 0 }, &answer);
    let succeeded = matches!(outcome::take_first(&mut answer.as_slice()), Ok(Some(Ok(_))));
    Ok(if succeeded { 0 } else { PANICKED })
}
