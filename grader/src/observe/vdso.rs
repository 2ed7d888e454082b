//! The code by which programs read clocks without a call, see vdso(7).
//!
//! The kernel maps it into every process.
//! Where time is passed over, programs have to make the calls, which the tracer can answer: so the beginning of each of
//! these functions is overwritten by the call itself.
//! That is done while nobody runs there, and a process's copies inherit it.

use std::fs;
use std::fs::File;
use std::os::unix::fs::FileExt;

use rustix::process::Pid;

use super::proc;

/// The functions, and the calls that they stand for.
#[cfg(target_arch = "x86_64")]
const FUNCTIONS: [(&str, libc::c_long); 3] = [
    ("__vdso_clock_gettime", libc::SYS_clock_gettime),
    ("__vdso_gettimeofday", libc::SYS_gettimeofday),
    ("__vdso_time", libc::SYS_time),
];
#[cfg(target_arch = "aarch64")]
const FUNCTIONS: [(&str, libc::c_long); 2] =
    [("__kernel_clock_gettime", libc::SYS_clock_gettime), ("__kernel_gettimeofday", libc::SYS_gettimeofday)];

/// The entry of the list that a program gets which says where the code lies, see getauxval(3).
const AT_SYSINFO_EHDR: u64 = 33;

/// The code has two to four pages.
const MOST: usize = 1 << 14;

/// Types of a segment and of entries of its dynamic section, see elf(5).
const PT_DYNAMIC: u64 = 2;
const DT_STRTAB: u64 = 5;
const DT_SYMTAB: u64 = 6;

/// Makes a process, none of whose threads runs in that code, read clocks by calls from now on.
///
/// `None` where that is not possible: it then reads the clocks as they are.
pub(super) fn redirect(process: Pid) -> Option<()> {
    let base = address(process)?;
    let image = read(process, base)?;
    for (name, call) in FUNCTIONS {
        if let Some(offset) = function(&image, name) {
            proc::overwrite(process, base.checked_add(offset)?, &stub(call))?;
        }
    }
    Some(())
}

/// Where an instruction lies that makes a call.
pub(super) fn call_instruction(process: Pid) -> Option<u64> {
    let base = address(process)?;
    let image = read(process, base)?;
    let offset = image.windows(CALL.len()).step_by(ALIGNMENT).position(|code| code == CALL)?;
    base.checked_add((offset * ALIGNMENT) as u64)
}

/// Where the code lies in a process.
fn address(process: Pid) -> Option<u64> {
    let list = fs::read(format!("/proc/{}/auxv", process.as_raw_pid())).ok()?;
    let entry = (0..list.len() / 16).find(|entry| word(&list, entry * 16) == Some(AT_SYSINFO_EHDR))?;
    word(&list, entry * 16 + 8)
}

fn read(process: Pid, address: u64) -> Option<Vec<u8>> {
    let mut image = vec![0; MOST];
    let memory = File::open(format!("/proc/{}/mem", process.as_raw_pid())).ok()?;
    let length = memory.read_at(&mut image, address).ok()?;
    image.truncate(length);
    Some(image)
}

/// Where a function begins in the code, which is a shared object: see elf(5) for the layout.
///
/// Its process may have written anything there.
fn function(image: &[u8], name: &str) -> Option<u64> {
    let half = |at: usize| {
        image.get(at..at.checked_add(2)?)?.try_into().ok().map(u16::from_le_bytes).map(usize::from)
    };
    let four = |at: usize| image.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes);
    let place = |at: usize| usize::try_from(word(image, at)?).ok();
    let (segments, size, count) = (place(32)?, half(54)?, half(56)?);
    let mut headers = (0..count).map_while(|index| segments.checked_add(index * size));
    let dynamic = headers.find(|at| four(*at).map(u64::from) == Some(PT_DYNAMIC))?;
    let (dynamic, length) = (place(dynamic.checked_add(8)?)?, place(dynamic.checked_add(32)?)?);
    let entry = |kind| {
        let mut entries = (dynamic..dynamic.checked_add(length)?.min(image.len())).step_by(16);
        entries.find(|at| word(image, *at) == Some(kind)).and_then(|at| place(at.checked_add(8)?))
    };
    // The names come right behind the symbols, of 24 bytes each.
    let (symbols, names) = (entry(DT_SYMTAB)?, entry(DT_STRTAB)?);
    let is_named = |symbol: &usize| {
        let text = four(*symbol).and_then(|at| image.get(names.checked_add(at as usize)?..));
        text.is_some_and(|text| text.starts_with(name.as_bytes()) && text.get(name.len()) == Some(&0))
    };
    let symbol = (symbols..names.min(image.len())).step_by(24).find(is_named)?;
    word(image, symbol.checked_add(8)?).filter(|offset| *offset != 0)
}

fn word(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at.checked_add(8)?)?.try_into().ok().map(u64::from_le_bytes)
}

/// `syscall`, or `svc #0`, and at which multiples it may lie.
#[cfg(target_arch = "x86_64")]
const CALL: [u8; 2] = [0x0f, 0x05];
#[cfg(target_arch = "x86_64")]
const ALIGNMENT: usize = 1;
#[cfg(target_arch = "aarch64")]
const CALL: [u8; 4] = 0xd400_0001_u32.to_le_bytes();
#[cfg(target_arch = "aarch64")]
const ALIGNMENT: usize = 4;

/// `mov eax, call; syscall; ret`: the arguments are where the call wants them.
#[cfg(target_arch = "x86_64")]
fn stub(call: libc::c_long) -> [u8; 8] {
    let number = u32::try_from(call).unwrap_or(u32::MAX).to_le_bytes();
    [0xb8, number[0], number[1], number[2], number[3], 0x0f, 0x05, 0xc3]
}

/// `bti c; mov x8, call; svc #0; ret`: the arguments are where the call wants them.
///
/// The first says that this may be called by a pointer, and is nothing to a CPU that does not ask for it.
#[cfg(target_arch = "aarch64")]
fn stub(call: libc::c_long) -> [u8; 16] {
    let number = u32::try_from(call).unwrap_or(u32::MAX) & 0xffff;
    let mut code = [0; 16];
    let instructions = [0xd503_245f, 0xd280_0008 | number << 5, 0xd400_0001, 0xd65f_03c0];
    for (place, instruction) in instructions.into_iter().enumerate() {
        code[place * 4..place * 4 + 4].copy_from_slice(&u32::to_le_bytes(instruction));
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_functions_of_this_process_are_found() {
        let me = rustix::process::getpid();
        let image = read(me, address(me).expect("an address")).expect("the code");
        let mut found = FUNCTIONS.map(|(name, _)| function(&image, name).expect(name));
        found.sort_unstable();
        assert!(found.windows(2).all(|two| two[1] - two[0] >= stub(0).len() as u64), "{found:?}");
        assert_eq!(function(&image, "__vdso_clock"), None);
    }
}
