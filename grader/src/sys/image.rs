//! What becomes a process: a program, its arguments and its environment, in the form that execve(2) takes.
//!
//! All memory is allocated when an [`Image`] is made, so that nothing needs to be between fork and exec.

#![expect(unsafe_code, reason = "execve(2) takes arrays of pointers")]

use std::ffi::{CStr, CString, OsStr, OsString, c_char};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::ptr;

/// A program, ready to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The file to execute, as an absolute path.
    pub executable: PathBuf,
    /// Its arguments, without its own name.
    pub args: Vec<OsString>,
    /// The folder that it runs in.
    pub folder: PathBuf,
}

/// All environment variables of a process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Environment(pub(crate) Vec<(OsString, OsString)>);

/// A program as execve(2) takes it.
pub(super) struct Image {
    path: CString,
    folder: CString,
    /// Own the texts that the pointers lead to.
    _texts: Vec<CString>,
    argv: Vec<*const c_char>,
    envp: Vec<*const c_char>,
}

impl Image {
    /// Copies everything; fails where a text holds a zero byte, which no process can be given.
    pub(super) fn new(program: &Program, environment: &Environment) -> io::Result<Image> {
        let path = c_text(program.executable.as_os_str())?;
        let arguments = std::iter::once(program.executable.as_os_str())
            .chain(program.args.iter().map(OsString::as_os_str));
        let arguments = arguments.map(c_text).collect::<io::Result<Vec<_>>>()?;
        let variables = environment.0.iter().map(variable).collect::<io::Result<Vec<_>>>()?;
        let argv = pointers(&arguments);
        let envp = pointers(&variables);
        let texts = arguments.into_iter().chain(variables).collect();
        Ok(Image { path, folder: c_text(program.folder.as_os_str())?, _texts: texts, argv, envp })
    }

    /// The folder that the program runs in.
    pub(super) fn folder(&self) -> &CStr {
        &self.folder
    }

    /// Replaces this process by the program; returns only where that fails.
    pub(super) fn exec(&self) -> io::Error {
        // SAFETY: execve(2) requires a path and two arrays of pointers to texts, each array with a null pointer
        // at its end; `new` made them so, and the texts live as long as `self`.
        unsafe { libc::execve(self.path.as_ptr(), self.argv.as_ptr(), self.envp.as_ptr()) };
        io::Error::last_os_error()
    }
}

fn c_text(text: &OsStr) -> io::Result<CString> {
    Ok(CString::new(text.as_bytes())?)
}

/// `NAME=value`.
fn variable((name, value): &(OsString, OsString)) -> io::Result<CString> {
    let mut text = name.clone();
    text.push("=");
    text.push(value);
    Ok(CString::new(text.into_vec())?)
}

/// The addresses of the texts, which stay where they are when the vector of their owners moves.
fn pointers(texts: &[CString]) -> Vec<*const c_char> {
    texts.iter().map(|text| text.as_ptr()).chain(std::iter::once(ptr::null())).collect()
}
