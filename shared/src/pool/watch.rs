//! What there is to wait for from the workers of a pool: two sets of descriptors (epoll(7)), which anyone can
//! wait for without a hold on the workers.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};

use super::member::Member;

/// Which worker, for as long as the pool lives.
pub(super) type Id = u64;

/// The sets, of which each worker's descriptors are members.
pub(super) struct Watch {
    /// The channels: readable when a worker has a message.
    channels: OwnedFd,
    /// The pidfds: readable when a worker has ended.
    ends: OwnedFd,
}

impl Watch {
    pub(super) fn new() -> io::Result<Watch> {
        let create = || epoll::create(epoll::CreateFlags::CLOEXEC);
        Ok(Watch { channels: create()?, ends: create()? })
    }

    /// Readable when one of the channels is to be served.
    pub(super) fn channels(&self) -> BorrowedFd<'_> {
        self.channels.as_fd()
    }

    /// Readable when one of the workers has ended.
    pub(super) fn ends(&self) -> BorrowedFd<'_> {
        self.ends.as_fd()
    }

    pub(super) fn add(&self, id: Id, member: &Member) -> io::Result<()> {
        let data = epoll::EventData::new_u64(id);
        epoll::add(&self.channels, member.channel(), data, epoll::EventFlags::IN)?;
        Ok(epoll::add(&self.ends, member.child().ended(), data, epoll::EventFlags::IN)?)
    }

    /// Takes a worker out, since a copy of its descriptors in a process that was forked off would keep it in.
    pub(super) fn remove(&self, member: &Member) {
        // It may not be there any more.
        self.ignore(member);
        let _ = epoll::delete(&self.ends, member.child().ended());
    }

    /// Waits no more for a worker's channel: it is closed, and would be readable for ever.
    pub(super) fn ignore(&self, member: &Member) {
        let _ = epoll::delete(&self.channels, member.channel());
    }

    /// Waits for room in a worker's channel as well, or no longer.
    pub(super) fn wait_for_room(&self, id: Id, member: &Member, waits: bool) {
        let room = if waits { epoll::EventFlags::OUT } else { epoll::EventFlags::empty() };
        let data = epoll::EventData::new_u64(id);
        // It is among them, or its channel is closed and there is nothing to wait for.
        let _ = epoll::modify(&self.channels, member.channel(), data, epoll::EventFlags::IN | room);
    }

    /// The workers whose channels are to be served now.
    pub(super) fn served(&self) -> Vec<Id> {
        ready(&self.channels)
    }

    /// The workers that have ended.
    pub(super) fn ended(&self) -> Vec<Id> {
        ready(&self.ends)
    }
}

/// Those that are ready now, or some of them: the rest is ready the next time.
fn ready(set: &OwnedFd) -> Vec<Id> {
    let mut events = Vec::with_capacity(16);
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    // Interrupted by a signal, it is asked again by whoever waits for the set.
    let _ = epoll::wait(set, spare_capacity(&mut events), Some(&now));
    events.iter().map(|event: &epoll::Event| event.data.u64()).collect()
}
