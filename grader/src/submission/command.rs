//! A command of the user's as a program.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::Access;

use super::Build;
use crate::sys::Program;

/// Looks up a command from where the user stands; a command that is not there is the submission's fault.
pub(super) fn build(words: &[String]) -> Build {
    let folder =
        std::env::current_dir().map_err(|error| format!("The current folder is not there: {error}."));
    match folder.and_then(|folder| program(words, &folder)) {
        Ok(program) => Build::Ready(program),
        Err(sentence) => Build::Failed { rendered: sentence },
    }
}

/// The program that a command names, to be run in `folder`.
///
/// As in a shell, a word with a slash is a path, here relative to `folder`, and any other is looked up in PATH.
///
/// # Errors
///
/// A sentence that says what is wrong with the command.
pub fn program(words: &[String], folder: &Path) -> Result<Program, String> {
    let [name, args @ ..] = words else { return Err("The command is empty.".to_owned()) };
    let executable = if name.contains('/') { at_path(name, folder)? } else { in_path(name)? };
    Ok(Program { executable, args: args.iter().map(Into::into).collect(), folder: folder.to_owned() })
}

fn at_path(name: &str, folder: &Path) -> Result<PathBuf, String> {
    let file = folder.join(name);
    match file.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(format!("There is no file `{name}`.")),
        Err(error) => Err(format!("The file `{name}` cannot be looked at: {error}.")),
        Ok(metadata) if metadata.is_dir() => Err(format!("`{name}` is a folder, not a program.")),
        Ok(_) if !is_program(&file) => {
            Err(format!("`{name}` may not be executed: `chmod +x {name}` allows it."))
        }
        Ok(_) => Ok(file),
    }
}

fn in_path(name: &str) -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    first_in(&path, name).ok_or_else(|| format!("There is no program `{name}` in PATH."))
}

/// An entry of PATH that is relative would change its meaning with the folder, and is left out.
fn first_in(path: &OsStr, name: &str) -> Option<PathBuf> {
    if name.is_empty() {
        return None;
    }
    std::env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    file.is_file() && rustix::fs::access(file, Access::EXEC_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn a_name_is_looked_up_in_path_and_a_path_from_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let found = program(&words(&["sh", "-c", "exit 3"]), folder.path()).unwrap();
        assert!(found.executable.is_absolute() && found.executable.ends_with("sh"));
        assert_eq!(found.args, ["-c", "exit 3"]);
        let script = folder.path().join("run");
        fs::write(&script, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&script, Permissions::from_mode(0o755)).unwrap();
        assert_eq!(
            program(&words(&["./run"]), folder.path()).unwrap().executable,
            folder.path().join("./run")
        );
    }

    #[test]
    fn what_is_wrong_with_a_command_is_said_in_a_sentence() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("plain"), "").unwrap();
        let sentence = |command: &[&str]| program(&words(command), folder.path()).unwrap_err();
        assert_eq!(
            sentence(&["no-such-program-here"]),
            "There is no program `no-such-program-here` in PATH."
        );
        assert_eq!(sentence(&["./missing"]), "There is no file `./missing`.");
        assert_eq!(sentence(&["./plain"]), "`./plain` may not be executed: `chmod +x ./plain` allows it.");
        assert_eq!(sentence(&["/"]), "`/` is a folder, not a program.");
        assert_eq!(sentence(&[""]), "There is no program `` in PATH.");
        assert_eq!(sentence(&[]), "The command is empty.");
    }
}
