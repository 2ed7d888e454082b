//! What a child does that was started for one call.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::entry::Callee;
use crate::ipc::message::{EntryRef, FromChild, Refusal};
use crate::ipc::outcome::{self, Failure, Reason};
use crate::ipc::{letter, parcel, records};
use crate::panics;
use crate::status::{PANICKED, UNUSABLE};

/// Makes the call, answers, and gives the code to leave with.
///
/// The argument is what came with the parent's first message, unless there is a file for it.
pub(crate) fn run(
    socket: BorrowedFd<'_>,
    function: &EntryRef,
    payload: &[u8],
    file: Option<OwnedFd>,
) -> io::Result<i32> {
    panics::install_hook(false);
    let callee = match Callee::find(function) {
        Ok(callee) => callee,
        Err(reason) => {
            let refusal = FromChild::Refused(Refusal::WrongProgram(reason));
            letter::send(socket, &refusal, &[], &[])?;
            return Ok(UNUSABLE);
        }
    };
    let unpacked = file.map(parcel::unpack).transpose()?;
    let argument =
        records::only(unpacked.as_deref().unwrap_or(payload)).map_err(|_| io::ErrorKind::InvalidData)?;
    let mut answer = Vec::new();
    callee.call(argument, &mut answer);
    drop(unpacked);
    let succeeded = matches!(outcome::only(&answer), Ok(Ok(_)));
    reply(socket, &answer);
    Ok(if succeeded { 0 } else { PANICKED })
}

/// Says what came of the call. A parent that has dropped its handle does not want to know, and that is fine.
fn reply(socket: BorrowedFd<'_>, answer: &[u8]) {
    let here = FromChild::Answer { in_file: false };
    let _ = if answer.len() <= parcel::INLINE {
        letter::send(socket, &here, answer, &[])
    } else {
        match parcel::pack(answer) {
            Ok(file) => letter::send(socket, &FromChild::Answer { in_file: true }, &[], &[file.as_fd()]),
            Err(error) => {
                let mut failure = Vec::new();
                let reason = Reason::NoRoom(error.to_string());
                outcome::append_failure(&mut failure, &Failure::ResultNotEncoded(reason));
                letter::send(socket, &here, &failure, &[])
            }
        }
    };
}
