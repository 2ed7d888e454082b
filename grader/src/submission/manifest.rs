//! The manifests of generated packages.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;
use toml::Table;

use super::{BuildError, Workspace};

/// The version of `libc`, which every file may use beside the exercise's own dependencies.
const LIBC: &str = "0.2";

/// Members, and what of the real workspace decides how dependencies are compiled.
pub(super) fn of_workspace<'a>(
    workspace: &Workspace,
    questions: impl Iterator<Item = &'a str>,
) -> Result<String, BuildError> {
    let path = workspace.root().join("Cargo.toml");
    let manifest_error = |source| BuildError::Manifest { path: path.clone(), source };
    let text = fs::read_to_string(&path).map_err(|error| manifest_error(error.into()))?;
    let real: Table = text.parse().map_err(|error: toml::de::Error| manifest_error(error.into()))?;
    let mut own = Table::new();
    own.insert("members".to_owned(), questions.map(str::to_owned).collect::<Vec<_>>().into());
    if let Some(resolver) = real.get("workspace").and_then(|workspace| workspace.get("resolver")) {
        own.insert("resolver".to_owned(), resolver.clone());
    }
    let mut manifest = Table::new();
    manifest.insert("workspace".to_owned(), own.into());
    if let Some(profiles) = real.get("profile") {
        manifest.insert("profile".to_owned(), profiles.clone());
    }
    Ok(document(&manifest))
}

/// A package without lints, since a wrong program may well do what the course forbids.
pub(super) fn of_package(
    name: &str,
    like: &Value,
    programs: &BTreeMap<String, &str>,
) -> Result<String, BuildError> {
    let mut package = Table::new();
    package.insert("name".to_owned(), name.into());
    package.insert("version".to_owned(), "0.0.0".into());
    package.insert("edition".to_owned(), like["edition"].as_str().unwrap_or("2024").into());
    let mut dependencies = Table::new();
    dependencies.insert("libc".to_owned(), LIBC.into());
    for dependency in
        like["dependencies"].as_array().into_iter().flatten().filter(|one| one["kind"].is_null())
    {
        let name = dependency["rename"].as_str().or(dependency["name"].as_str()).unwrap_or_default();
        dependencies.insert(name.to_owned(), self::dependency(dependency)?.into());
    }
    let program = |(name, path): (&String, &&str)| {
        let path = toml::Value::from(*path);
        toml::Value::from(Table::from_iter([
            ("name".to_owned(), name.as_str().into()),
            ("path".to_owned(), path),
        ]))
    };
    let programs: Vec<toml::Value> = programs.iter().map(program).collect();
    let parts: [(&str, toml::Value); 3] =
        [("package", package.into()), ("dependencies", dependencies.into()), ("bin", programs.into())];
    Ok(document(&parts.into_iter().map(|(name, part)| (name.to_owned(), part)).collect()))
}

/// A dependency as `cargo metadata` describes it in the words of a manifest.
fn dependency(described: &Value) -> Result<Table, BuildError> {
    let name = described["name"].as_str().unwrap_or_default();
    let mut table = Table::new();
    if !described["rename"].is_null() {
        table.insert("package".to_owned(), name.into());
    }
    match (described["path"].as_str(), described["source"].as_str()) {
        (Some(path), _) => table.insert("path".to_owned(), path.into()),
        (None, Some(source)) if source.starts_with("registry+") || source.starts_with("sparse+") => {
            table.insert("version".to_owned(), described["req"].as_str().unwrap_or("*").into())
        }
        (None, source) => {
            let origin = source.unwrap_or_default().to_owned();
            return Err(BuildError::Dependency { name: name.to_owned(), origin });
        }
    };
    let features = described["features"].as_array().into_iter().flatten().filter_map(Value::as_str);
    table.insert("features".to_owned(), features.map(str::to_owned).collect::<Vec<_>>().into());
    table.insert(
        "default-features".to_owned(),
        described["uses_default_features"].as_bool().unwrap_or(true).into(),
    );
    Ok(table)
}

/// A manifest whose tables are all written inline, which needs no order of them.
fn document(manifest: &Table) -> String {
    manifest.iter().map(|(name, value)| format!("{} = {}\n", quoted(name), inline(value))).collect()
}

fn inline(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => quoted(text),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Float(number) => format!("{number:?}"),
        toml::Value::Boolean(truth) => truth.to_string(),
        toml::Value::Datetime(moment) => moment.to_string(),
        toml::Value::Array(values) => {
            format!("[{}]", values.iter().map(inline).collect::<Vec<_>>().join(", "))
        }
        toml::Value::Table(table) => {
            let pairs = table.iter().map(|(name, value)| format!("{} = {}", quoted(name), inline(value)));
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        }
    }
}

/// A basic string, see "String" in the TOML specification.
fn quoted(text: &str) -> String {
    let escaped = text.chars().map(|one| match one {
        '"' | '\\' => format!("\\{one}"),
        one if one.is_control() => format!("\\u{:04x}", u32::from(one)),
        one => one.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_as_what_it_was() {
        let text = r#"
            name = "a \"b\" \\ \u007f\n ä"
            [profile.dev]
            debug = "line-tables-only"
            opt-level = 1
            incremental = false
            [profile.dev.package."*"]
            ratio = 1.0
            list = [{ a = 1 }, []]
        "#;
        let table: Table = text.parse().unwrap();
        assert_eq!(document(&table).parse::<Table>().unwrap(), table);
    }
}
