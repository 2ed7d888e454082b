//! Finding a static of this program by its distance from the start of the program's image.
//!
//! Parent and child run the same file, but the kernel may load it at different addresses. A static's distance
//! from the load address is the same in both, so that number can be sent. The receiver does not trust it:
//! [`Entry::at`] looks only at the image's own read-only memory and only where the marker stands, so that a
//! wrong number is found out and never jumped to.

use std::any::TypeId;
use std::ffi::{c_int, c_void};
use std::ops::Range;
use std::sync::OnceLock;

use super::note;

/// What an entry carries so that it is known for one: 16 bytes drawn at random.
const MARKER: [u64; 2] = [0x9b41_d7c5_03f8_6a2e, 0x5e72_b80d_c694_1f3b];

/// Something that another process can be asked for: what stands at the place whose distance is sent.
#[repr(C)]
pub(crate) struct Entry<T: 'static> {
    head: Head,
    pub(crate) what: T,
}

/// What every entry begins with.
#[derive(Clone, Copy)]
#[repr(C)]
struct Head {
    marker: [u64; 2],
    /// The type of what the entry is of.
    is_of: fn() -> TypeId,
}

impl<T> Entry<T> {
    pub(crate) const fn new(what: T) -> Entry<T> {
        Entry { head: Head { marker: MARKER, is_of: TypeId::of::<T> }, what }
    }

    /// The distance of this entry from the start of the program's image; `None` when it is not part of that
    /// image, as with a function of a library loaded at run time.
    pub(crate) fn distance(&'static self) -> Option<u64> {
        let address = std::ptr::from_ref(self).addr();
        let image = Image::own()?;
        image.holds(address, size_of::<Self>()).then(|| (address - image.start) as u64)
    }

    /// The entry at this distance, if one of this type is there.
    pub(crate) fn at(distance: u64) -> Option<&'static Entry<T>> {
        let image = Image::own()?;
        let address = image.start.checked_add(usize::try_from(distance).ok()?)?;
        if !image.holds(address, size_of::<Self>()) || address % align_of::<Self>() != 0 {
            return None;
        }
        let place = std::ptr::with_exposed_provenance::<Self>(address);
        // SAFETY: `read` asks for readable, aligned, initialised memory of that type. The address is aligned
        // and lies in a segment that is mapped for good and never written; any bytes are valid integers.
        let marker = unsafe { place.cast::<[u64; 2]>().read() };
        if marker != MARKER {
            return None;
        }
        // SAFETY: `read` asks for readable, aligned, initialised memory of that type. Range and alignment are
        // checked, and the marker, 128 random bits in read-only memory, stands only where `Entry::new` put it,
        // in an entry of whatever type, all of which begin with a head.
        let head = unsafe { place.cast::<Head>().read() };
        if (head.is_of)() != TypeId::of::<T>() {
            return None;
        }
        // SAFETY: a reference asks for an aligned, initialised, never changing `Entry<T>`: as above, and the
        // entry is one of `T`.
        Some(unsafe { &*place })
    }
}

/// What the linker has drawn from this program's contents, looked up once; `None` where it was not asked to.
pub(crate) fn build_id() -> Option<&'static [u8]> {
    static ID: OnceLock<Option<Vec<u8>>> = OnceLock::new();
    ID.get_or_init(|| find_build_id().map(<[u8]>::to_vec)).as_deref()
}

fn find_build_id() -> Option<&'static [u8]> {
    Image::own()?.notes.iter().find_map(|notes| {
        let place = std::ptr::with_exposed_provenance::<u8>(notes.start);
        // SAFETY: `from_raw_parts` asks for initialised memory of that length that stays and is not written:
        // the range lies in a segment of the program's own image that is mapped for good and never written.
        note::build_id(unsafe { std::slice::from_raw_parts(place, notes.len()) })
    })
}

/// Where this program's own file is loaded.
#[derive(Default)]
struct Image {
    start: usize,
    /// What the linker has noted in it, all of it read-only.
    notes: Vec<Range<usize>>,
    /// Segments that cannot be written, and what the loader makes read-only once it has filled in addresses.
    read_only: Vec<Range<usize>>,
}

impl Image {
    /// The image that this very code is part of, looked up once.
    fn own() -> Option<&'static Image> {
        static OWN: OnceLock<Image> = OnceLock::new();
        let image = OWN.get_or_init(|| {
            let mut image = Image::default();
            // SAFETY: `dl_iterate_phdr` asks for a callback that fits the data pointer it is given: `visit`
            // takes it for an `Image`, which it is, and nothing else uses the image meanwhile.
            unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut image).cast()) };
            image
        });
        (!image.read_only.is_empty()).then_some(image)
    }

    fn holds(&self, address: usize, length: usize) -> bool {
        let Some(end) = address.checked_add(length) else { return false };
        self.read_only.iter().any(|range| range.start <= address && end <= range.end)
    }
}

/// Called by the loader for each image until it returns something else than 0.
unsafe extern "C" fn visit(info: *mut libc::dl_phdr_info, _size: usize, data: *mut c_void) -> c_int {
    // SAFETY: a reference asks for a valid pointee: the loader passes a filled-in structure that lives during
    // the call.
    let info = unsafe { &*info };
    // SAFETY: `from_raw_parts` asks for an array of that length: the loader describes its own table of
    // headers.
    let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) };
    let start = info.dlpi_addr as usize;
    let range = |header: &libc::Elf64_Phdr| {
        let from = start.wrapping_add(header.p_vaddr as usize);
        from..from.wrapping_add(header.p_memsz as usize)
    };
    let here = visit as *const () as usize;
    let loaded = |header: &&libc::Elf64_Phdr| header.p_type == libc::PT_LOAD;
    if !headers.iter().filter(loaded).any(|header| range(header).contains(&here)) {
        return 0;
    }
    let read_only = |header: &&libc::Elf64_Phdr| {
        header.p_type == libc::PT_GNU_RELRO
            || header.p_type == libc::PT_LOAD && header.p_flags & (libc::PF_R | libc::PF_W) == libc::PF_R
    };
    // SAFETY: a reference asks for a valid pointee that nothing else uses: `data` is the `Image` that `own`
    // lent.
    let image = unsafe { &mut *data.cast::<Image>() };
    image.start = start;
    image.read_only = headers.iter().filter(read_only).map(range).collect();
    let notes = headers.iter().filter(|header| header.p_type == libc::PT_NOTE).map(range);
    image.notes = notes.filter(|notes| image.holds(notes.start, notes.len())).collect();
    1
}
