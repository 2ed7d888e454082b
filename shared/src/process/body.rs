//! What a child does that was started for one call.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::entry::Callee;
use crate::ipc::attachments::Attachment;
use crate::ipc::message::{EntryRef, FromChild, Refusal};
use crate::ipc::outcome::{self, Failure, Reason};
use crate::ipc::{letter, parcel, records};
use crate::panics;
use crate::status::{PANICKED, UNUSABLE};

/// Makes the call, answers, and gives the code to leave with.
///
/// The argument is what came with the parent's first message, unless it is in the first of the files.
pub(crate) fn run(
    socket: BorrowedFd<'_>,
    function: &EntryRef,
    payload: &[u8],
    in_file: bool,
    files: Vec<OwnedFd>,
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
    let mut files = files.into_iter();
    let file = if in_file { Some(files.next().ok_or(io::ErrorKind::InvalidData)?) } else { None };
    let unpacked = file.map(parcel::unpack).transpose()?;
    let argument =
        records::only(unpacked.as_deref().unwrap_or(payload)).map_err(|_| io::ErrorKind::InvalidData)?;
    let mut answer = Vec::new();
    let attached = callee.call(argument, &Attachment::open_all(files), &mut answer);
    drop(unpacked);
    let succeeded = matches!(outcome::only(&answer), Ok(Ok(_)));
    reply(socket, &answer, &attached);
    Ok(if succeeded { 0 } else { PANICKED })
}

/// Says what came of the call. A parent that has dropped its handle does not want to know, and that is fine.
fn reply(socket: BorrowedFd<'_>, answer: &[u8], attached: &[Attachment]) {
    if let Err(error) = send(socket, answer, attached) {
        let mut failure = Vec::new();
        let reason = Reason::NoRoom(error.to_string());
        outcome::append_failure(&mut failure, &Failure::ResultNotEncoded(reason));
        let _ = send(socket, &failure, &[]);
    }
}

fn send(socket: BorrowedFd<'_>, answer: &[u8], attached: &[Attachment]) -> io::Result<()> {
    let attached = attached.iter().map(AsFd::as_fd);
    if answer.len() <= parcel::INLINE {
        let files: Vec<_> = attached.collect();
        return letter::send(socket, &FromChild::Answer { in_file: false }, answer, &files);
    }
    let file = parcel::pack(answer)?;
    let files: Vec<_> = [file.as_fd()].into_iter().chain(attached).collect();
    letter::send(socket, &FromChild::Answer { in_file: true }, &[], &files)
}
