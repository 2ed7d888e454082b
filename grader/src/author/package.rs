//! The names of a question's packages, by which cargo and the grader find them.

use std::fs;

use crate::submission::Workspace;

/// What is wrong with the names of these questions' packages, a sentence each.
///
/// Cargo builds nothing of a workspace in which two packages have one name.
pub(super) fn misnamed<'a>(workspace: &Workspace, ids: impl Iterator<Item = &'a String>) -> Vec<String> {
    let packages = ids.flat_map(|id| {
        [(workspace.exercise(id), format!("exercise-{id}")), (workspace.solution(id), id.clone())]
    });
    let mistake = |(folder, name): (std::path::PathBuf, String)| {
        let path = folder.join("Cargo.toml");
        let place = path.strip_prefix(workspace.root()).unwrap_or(&path).display();
        // Where there is none it is told that there is none.
        let text = fs::read_to_string(&path).ok()?;
        match package_name(&text) {
            Some(found) if found == name => None,
            Some(found) => Some(format!("{place}: the package has to be named `{name}`, not `{found}`")),
            None => Some(format!("{place}: the package has to be named `{name}`")),
        }
    };
    packages.filter_map(mistake).collect()
}

fn package_name(manifest: &str) -> Option<String> {
    let table: toml::Table = manifest.parse().ok()?;
    table.get("package")?.get("name")?.as_str().map(str::to_owned)
}
