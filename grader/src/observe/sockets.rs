//! Which two sockets belong together, as the kernel tells by netlink; see sock_diag(7).

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink};

/// Numbers of `<linux/sock_diag.h>` and `<linux/unix_diag.h>`: the request, the wish for the other end, and its answer.
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const UDIAG_SHOW_PEER: u32 = 4;
const UNIX_DIAG_PEER: u16 = 2;

/// See netlink(7): the flag of a request, and the length of the header before every message.
const NLM_F_REQUEST: u16 = 1;
const HEADER: usize = 16;

/// The length of `struct unix_diag_req`, and of the `struct unix_diag_msg` before the answer's attributes.
const REQUEST: usize = 24;
const MESSAGE: usize = 16;

/// The other end of a connected socket of the family AF_UNIX, both as in `socket:[4711]`.
pub(super) fn other_end(socket: &str) -> Option<String> {
    let number = socket.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()?;
    Some(format!("socket:[{}]", other_number(number)?))
}

fn other_number(number: u32) -> Option<u32> {
    let (flags, protocol) = (SocketFlags::CLOEXEC, Some(netlink::SOCK_DIAG));
    let kernel = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, protocol).ok()?;
    rustix::net::send(&kernel, &request(number), SendFlags::empty()).ok()?;
    let mut answer = [0; 1024];
    // The kernel has answered by the time that the request is sent.
    let (length, _) = rustix::net::recv(&kernel, &mut answer, RecvFlags::DONTWAIT).ok()?;
    peer(answer.get(..length)?)
}

fn request(number: u32) -> [u8; HEADER + REQUEST] {
    let family = u32::from(u8::try_from(AddressFamily::UNIX.as_raw()).unwrap_or(0));
    // Any state, and any cookie.
    let body = [family, u32::MAX, number, UDIAG_SHOW_PEER, u32::MAX, u32::MAX];
    let kind = u32::from(SOCK_DIAG_BY_FAMILY) | u32::from(NLM_F_REQUEST) << 16;
    let words = [(HEADER + REQUEST) as u32, kind, 0, 0].into_iter().chain(body);
    let mut bytes = [0; HEADER + REQUEST];
    for (place, word) in bytes.chunks_exact_mut(4).zip(words) {
        place.copy_from_slice(&word.to_ne_bytes());
    }
    bytes
}

/// The attribute of an answer that names the other end; each begins with its length and its kind.
fn peer(answer: &[u8]) -> Option<u32> {
    let half = |at: usize| answer.get(at..at + 2)?.try_into().ok().map(u16::from_ne_bytes);
    if half(4)? != SOCK_DIAG_BY_FAMILY {
        return None;
    }
    let mut at = HEADER + MESSAGE;
    loop {
        let length = usize::from(half(at)?).max(4);
        if half(at + 2)? == UNIX_DIAG_PEER {
            return answer.get(at + 4..at + 8)?.try_into().ok().map(u32::from_ne_bytes);
        }
        at += length.next_multiple_of(4);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::net::socketpair;

    #[test]
    fn the_two_ends_of_a_pair_find_each_other() {
        let pair = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None);
        let (one, other) = pair.expect("a pair of sockets");
        let name = |socket| format!("socket:[{}]", rustix::fs::fstat(socket).expect("a descriptor").st_ino);
        assert_eq!(other_end(&name(&one)), Some(name(&other)));
        assert_eq!(other_end(&name(&other)), Some(name(&one)));
    }

    #[test]
    fn what_is_no_socket_has_no_other_end() {
        assert_eq!(other_end("pipe:[17]"), None);
        assert_eq!(peer(&[0; 7]), None);
    }
}
