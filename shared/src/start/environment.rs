//! The environment of a child that is to be started.

use std::collections::BTreeMap;
use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// This process's environment with these variables added, those later in the row in place of earlier ones.
pub(super) fn with<'a>(
    variables: impl IntoIterator<Item = &'a (OsString, OsString)>,
) -> io::Result<Vec<CString>> {
    let mut all: BTreeMap<OsString, OsString> = std::env::vars_os().collect();
    for (name, value) in variables {
        if name.is_empty() || name.as_bytes().contains(&b'=') {
            let text = "a variable's name is empty or contains `=`";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        all.insert(name.clone(), value.clone());
    }
    all.into_iter().map(|(name, value)| c_string([name, value].join(OsStr::new("=")))).collect()
}

pub(super) fn c_string(string: OsString) -> io::Result<CString> {
    Ok(CString::new(string.into_vec())?)
}
