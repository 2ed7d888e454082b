//! The one place that calls cargo.
//!
//! Cargo tells what it built and what the compiler said in JSON, one object a line; see "External tools" in the
//! Cargo book.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::Colour;

/// Why nothing could be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Cargo could not be started.
    #[error("start `{}`", cargo.display())]
    Start {
        /// The program that was to be started.
        cargo: PathBuf,
        /// Why it could not be.
        #[source]
        source: io::Error,
    },
    /// Cargo gave up before it compiled anything.
    #[error("build with cargo, which says:\n{text}")]
    Cargo {
        /// Its own words.
        text: String,
    },
    /// There is no package whose dependencies a single file could use.
    #[error("find the package of `{question}` in `exercises` or `solutions`")]
    NoPackage {
        /// The question's id.
        question: String,
    },
    /// A dependency cannot be named in another manifest.
    #[error("use the dependency `{name}` from `{origin}`: only registries and paths are supported")]
    Dependency {
        /// The dependency's name.
        name: String,
        /// Where it comes from, as cargo puts it.
        origin: String,
    },
    /// The generated packages could not be written.
    #[error("write `{}`", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why it could not be written.
        #[source]
        source: io::Error,
    },
    /// A manifest could not be read.
    #[error("read `{}`", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What one build came to.
#[derive(Debug, Default)]
pub(super) struct Built {
    executables: Vec<(Target, PathBuf)>,
    errors: Vec<(Target, String)>,
    /// What cargo itself had to say.
    text: String,
}

/// A part of a package that is compiled on its own.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The package's Cargo.toml.
    pub(super) manifest: PathBuf,
    /// The target's name, in most packages the package's.
    pub(super) name: String,
}

impl Built {
    /// The executable of the target that `is_wanted`, or why there is none.
    pub(super) fn executable(&self, is_wanted: impl Fn(&Target) -> bool) -> Result<&Path, String> {
        if let Some((_, path)) = self.executables.iter().find(|(target, _)| is_wanted(target)) {
            return Ok(path);
        }
        let all = |wanted: &dyn Fn(&Target) -> bool| -> String {
            self.errors.iter().filter(|(target, _)| wanted(target)).map(|(_, text)| text.as_str()).collect()
        };
        let own = all(&is_wanted);
        if !own.is_empty() {
            return Err(own);
        }
        // Without an error of its own, one of a package that it depends on is to blame.
        let of_others = all(&|_| true);
        Err(if of_others.is_empty() { self.text.clone() } else { of_others })
    }

    fn parse(output: &Output) -> Option<Built> {
        let mut built = Built { text: text(output), ..Built::default() };
        let mut finished = false;
        for line in output.stdout.split(|byte| *byte == b'\n') {
            // What is no JSON was printed by a build script or a compiler's wrapper.
            let Ok(message) = serde_json::from_slice::<Value>(line) else { continue };
            finished |= message["reason"] == "build-finished";
            built.take(&message);
        }
        finished.then_some(built)
    }

    fn take(&mut self, message: &Value) {
        let (Some(manifest), Some(name)) =
            (message["manifest_path"].as_str(), message["target"]["name"].as_str())
        else {
            return;
        };
        let target = Target { manifest: manifest.into(), name: name.to_owned() };
        if let Some(executable) = message["executable"].as_str() {
            self.executables.push((target, executable.into()));
        } else if let Some(rendered) = error_text(&message["message"]) {
            self.errors.push((target, rendered.to_owned()));
        }
    }
}

/// The text of a diagnostic that stands in the way of a program; a warning does not.
fn error_text(diagnostic: &Value) -> Option<&str> {
    let level = diagnostic["level"].as_str()?;
    (level.starts_with("error") || level == "failure-note").then(|| diagnostic["rendered"].as_str())?
}

/// Calls `cargo build` in `folder` for as much of what `arguments` name as can be built.
pub(super) fn build(folder: &Path, arguments: &[OsString], colour: Colour) -> Result<Built, BuildError> {
    let format = match colour {
        Colour::Never => "json",
        Colour::Always => "json-diagnostic-rendered-ansi",
    };
    let mut all: Vec<OsString> =
        ["build", "--quiet", "--keep-going", "--message-format", format].map(Into::into).into();
    all.extend_from_slice(arguments);
    let output = call(folder, &all)?;
    Built::parse(&output).ok_or_else(|| BuildError::Cargo { text: text(&output) })
}

/// What cargo knows of the workspace's own packages.
pub(super) fn metadata(folder: &Path) -> Result<Value, BuildError> {
    let output =
        call(folder, &["metadata", "--quiet", "--no-deps", "--format-version", "1"].map(Into::into))?;
    let parsed = if output.status.success() { serde_json::from_slice(&output.stdout).ok() } else { None };
    parsed.ok_or_else(|| BuildError::Cargo { text: text(&output) })
}

#[expect(clippy::disallowed_methods, reason = "the one place that starts cargo; it ends by itself")]
fn call(folder: &Path, arguments: &[OsString]) -> Result<Output, BuildError> {
    // Cargo tells the programs that it runs which cargo it is, so that the grader uses the same one.
    let cargo = PathBuf::from(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let mut command = Command::new(&cargo);
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    // A relative folder is meant from where the user stands, not from where cargo is called.
    if let Some(target) =
        std::env::var_os("CARGO_TARGET_DIR").and_then(|target| std::path::absolute(target).ok())
    {
        command.env("CARGO_TARGET_DIR", target);
    }
    command.output().map_err(|source| BuildError::Start { cargo, source })
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;

    fn output(lines: &[&str]) -> Output {
        let stderr = b"error: could not compile\n".to_vec();
        Output { status: ExitStatus::from_raw(0), stdout: lines.join("\n").into_bytes(), stderr }
    }

    const ARTIFACT: &str = r#"{"reason":"compiler-artifact","manifest_path":"/w/a/Cargo.toml","target":{"name":"a","kind":["bin"]},"executable":"/w/target/a"}"#;
    const ERROR: &str = r#"{"reason":"compiler-message","manifest_path":"/w/lib/Cargo.toml","target":{"name":"lib"},"message":{"level":"error","rendered":"error: broken\n"}}"#;
    const WARNING: &str = r#"{"reason":"compiler-message","manifest_path":"/w/b/Cargo.toml","target":{"name":"b"},"message":{"level":"warning","rendered":"warning: odd\n"}}"#;
    const FINISHED: &str = r#"{"reason":"build-finished","success":false}"#;

    #[test]
    fn each_package_gets_its_executable_or_its_errors() {
        let built = Built::parse(&output(&[ARTIFACT, "hello from a build script", ERROR, WARNING, FINISHED]))
            .unwrap();
        assert_eq!(built.executable(|target| target.name == "a"), Ok(Path::new("/w/target/a")));
        assert_eq!(built.executable(|target| target.name == "lib"), Err("error: broken\n".to_owned()));
    }

    #[test]
    fn a_package_without_an_error_of_its_own_gets_those_of_its_dependencies() {
        let built = Built::parse(&output(&[ERROR, WARNING, FINISHED])).unwrap();
        assert_eq!(built.executable(|target| target.name == "b"), Err("error: broken\n".to_owned()));
        let built = Built::parse(&output(&[FINISHED])).unwrap();
        assert_eq!(built.executable(|target| target.name == "b"), Err("error: could not compile".to_owned()));
    }

    #[test]
    fn a_build_that_did_not_begin_is_no_build() {
        assert!(Built::parse(&output(&[ERROR])).is_none());
    }
}
