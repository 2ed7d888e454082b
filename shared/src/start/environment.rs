//! The environment of a child that is to be started.

use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// This process's environment with these variables added, those later in the row in place of earlier ones:
/// `NAME=value` and a zero byte for each.
pub(super) fn with<'a>(variables: impl IntoIterator<Item = &'a (OsString, OsString)>) -> io::Result<Vec<u8>> {
    let mut added: Vec<(&OsStr, &OsStr)> = Vec::new();
    for (name, value) in variables {
        let name_is_usable = !name.is_empty() && !name.as_bytes().contains(&b'=');
        if !name_is_usable || [name, value].iter().any(|text| text.as_bytes().contains(&0)) {
            let text = "a variable's name is empty or contains `=`, or there is a zero byte";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        added.retain(|(other, _)| other != name);
        added.push((name, value));
    }
    let mut all = Vec::new();
    for (name, value) in std::env::vars_os() {
        if added.iter().all(|(other, _)| *other != name) {
            append(&mut all, &name, &value);
        }
    }
    added.into_iter().for_each(|(name, value)| append(&mut all, name, value));
    Ok(all)
}

fn append(all: &mut Vec<u8>, name: &OsStr, value: &OsStr) {
    for part in [name.as_bytes(), b"=", value.as_bytes(), b"\0"] {
        all.extend_from_slice(part);
    }
}

pub(super) fn c_string(string: OsString) -> io::Result<CString> {
    Ok(CString::new(string.into_vec())?)
}
