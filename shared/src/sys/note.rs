//! Notes that the linker leaves in a program: elf(5), "Notes (Nhdr)".

/// The name of the GNU tools' notes, and the type of the one that holds the build id.
const GNU: &[u8] = b"GNU\0";
const BUILD_ID: u32 = 3;

/// The build id among these notes, as they stand in memory. Nonsense is passed over.
pub(super) fn build_id(mut notes: &[u8]) -> Option<&[u8]> {
    loop {
        let name_size = take_word(&mut notes)? as usize;
        let size = take_word(&mut notes)? as usize;
        let kind = take_word(&mut notes)?;
        let name = take_padded(&mut notes, name_size)?;
        let content = take_padded(&mut notes, size)?;
        if name == GNU && kind == BUILD_ID && !content.is_empty() {
            return Some(content);
        }
    }
}

fn take_word(notes: &mut &[u8]) -> Option<u32> {
    let (word, rest) = notes.split_first_chunk()?;
    *notes = rest;
    Some(u32::from_ne_bytes(*word))
}

/// Takes so many bytes, and what fills them up to whole words.
fn take_padded<'a>(notes: &mut &'a [u8], size: usize) -> Option<&'a [u8]> {
    let (bytes, rest) = notes.split_at_checked(size)?;
    let padding = size.next_multiple_of(size_of::<u32>()) - size;
    *notes = rest.get(padding.min(rest.len())..)?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn note(name: &[u8], kind: u32, content: &[u8]) -> Vec<u8> {
        let mut note = Vec::new();
        for word in [name.len() as u32, content.len() as u32, kind] {
            note.extend(word.to_ne_bytes());
        }
        for part in [name, content] {
            note.extend(part);
            note.resize(note.len().next_multiple_of(4), 0);
        }
        note
    }

    #[test]
    fn the_build_id_is_found_among_other_notes() {
        let notes = [note(b"stapsdt\0", 3, b"a probe"), note(GNU, 1, b"version"), note(GNU, 3, b"twenty")];
        assert_eq!(build_id(&notes.concat()), Some(b"twenty".as_slice()));
        assert_eq!(build_id(&notes[..2].concat()), None);
        assert_eq!(build_id(&note(GNU, 3, b"")), None);
    }

    proptest! {
        #[test]
        fn any_bytes_hold_a_build_id_or_none(bytes: Vec<u8>) {
            prop_assert!(build_id(&bytes).is_none_or(|id| id.len() <= bytes.len()));
        }
    }
}
