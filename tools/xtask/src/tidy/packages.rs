//! Rules about packages: which may import which, which forbid unsafe code, and that none is empty.

use super::{File, Finding, tokens};
use crate::command::{command, output};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// A package of the workspace as `cargo metadata` tells of it.
#[derive(Debug, Deserialize)]
pub(super) struct Package {
    name: String,
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    name: String,
    /// None for what the package itself needs, else `dev` or `build`.
    kind: Option<String>,
    /// The folder of a dependency that is not from a registry.
    path: Option<PathBuf>,
}

/// What each library may import of ours. Tests may import more, and programs anything.
const MAY_IMPORT: [(&str, &[&str]); 12] = [
    ("farpane-frame", &[]),
    ("farpane-capture", &["farpane-frame"]),
    ("farpane-damage", &["farpane-frame"]),
    ("farpane-codec", &["farpane-frame"]),
    ("farpane-proto", &["farpane-frame"]),
    ("farpane-policy", &[]),
    ("farpane-input", &["farpane-frame", "farpane-proto", "farpane-policy"]),
    ("farpane-rate", &[]),
    ("farpane-linksim", &[]),
    ("farpane-net", &["farpane-proto", "farpane-policy", "farpane-rate"]),
    (
        "farpane",
        &[
            "farpane-frame",
            "farpane-capture",
            "farpane-damage",
            "farpane-codec",
            "farpane-proto",
            "farpane-policy",
            "farpane-input",
            "farpane-rate",
            "farpane-net",
        ],
    ),
    ("farpane-capi", &["farpane"]),
];
/// Packages that no app links.
const PROGRAMS: [&str; 7] = [
    "farpane-cli",
    "farpane-linkemu",
    "farpane-netbed",
    "farpane-netlab",
    "farpane-tests",
    "farpane-benches",
    "xtask",
];
/// The sans-IO crates, what all else is built on, and what acts for a helper.
const FORBID_UNSAFE: [&str; 5] =
    ["farpane-frame", "farpane-proto", "farpane-policy", "farpane-input", "farpane-rate"];
/// `deny` can be lifted for one module, `forbid` cannot.
const DENY_UNSAFE: [&str; 1] = ["farpane-net"];

pub(super) fn read(root: &Path) -> anyhow::Result<Vec<Package>> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    let arguments = ["metadata", "--no-deps", "--format-version=1"];
    let text = output(command(root, "cargo", arguments))?;
    let mut packages = serde_json::from_str::<Metadata>(&text)?.packages;
    let root = root.canonicalize()?;
    for package in &mut packages {
        if let Ok(relative) = package.manifest_path.strip_prefix(&root) {
            package.manifest_path = relative.to_owned();
        }
    }
    Ok(packages)
}

pub(super) fn check(packages: &[Package], files: &[File]) -> Vec<Finding> {
    let checks = [imports, unsafe_forbidden, not_empty];
    let mut findings = Vec::new();
    for package in packages {
        for check in checks {
            findings.extend(check(package, files).into_iter().map(|message| Finding {
                path: package.manifest_path.clone(),
                line: 0,
                message,
            }));
        }
    }
    findings
}

fn imports(package: &Package, _: &[File]) -> Vec<String> {
    let name = package.name.as_str();
    if PROGRAMS.contains(&name) {
        return Vec::new();
    }
    let Some((_, allowed)) = MAY_IMPORT.iter().find(|(package, _)| *package == name) else {
        return vec![format!("`{name}` has no line in tidy's table of who may import whom")];
    };
    let ours = package.dependencies.iter().filter(|dependency| dependency.path.is_some());
    ours.filter(|dependency| dependency.kind.as_deref() != Some("dev"))
        .filter(|dependency| !allowed.contains(&dependency.name.as_str()))
        .map(|dependency| format!("`{name}` may not import `{}`", dependency.name))
        .collect()
}

fn unsafe_forbidden(package: &Package, files: &[File]) -> Vec<String> {
    let name = package.name.as_str();
    let levels: &[&str] = if FORBID_UNSAFE.contains(&name) {
        &["#![forbid("]
    } else if DENY_UNSAFE.contains(&name) {
        &["#![forbid(", "#![deny("]
    } else {
        return Vec::new();
    };
    let root = package.manifest_path.with_file_name("src").join("lib.rs");
    let text = files.iter().find(|file| file.path == root).and_then(File::rust).unwrap_or("");
    let says_so = text.lines().any(|line| {
        levels.iter().any(|level| line.starts_with(level)) && line.contains("unsafe_code")
    });
    if says_so { Vec::new() } else { vec![format!("lib.rs lacks `{}unsafe_code)]`", levels[0])] }
}

fn not_empty(package: &Package, files: &[File]) -> Vec<String> {
    let folder = package.manifest_path.parent().unwrap_or(Path::new(""));
    let mut sources = files.iter().filter(|file| file.path.starts_with(folder));
    if sources.any(|file| file.rust().is_some_and(tokens::has_code)) {
        Vec::new()
    } else {
        vec![format!("`{}` has no function that does anything", package.name)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, dependencies: &[(&str, Option<&str>)]) -> Package {
        let dependencies = dependencies.iter().map(|(name, kind)| Dependency {
            name: (*name).to_owned(),
            kind: kind.map(str::to_owned),
            path: name.starts_with("farpane").then(|| format!("../{name}").into()),
        });
        Package {
            name: name.to_owned(),
            manifest_path: "crates/a/Cargo.toml".into(),
            dependencies: dependencies.collect(),
        }
    }

    #[test]
    fn imports_against_the_layers_are_found() {
        let upward = package("farpane-proto", &[("farpane-frame", None), ("farpane-net", None)]);
        assert_eq!(imports(&upward, &[]), ["`farpane-proto` may not import `farpane-net`"]);
        let sideways = package("farpane-capture", &[("farpane-damage", Some("build"))]);
        assert_eq!(imports(&sideways, &[]).len(), 1);
    }

    #[test]
    fn tests_and_programs_may_import_more() {
        let tested = package("farpane-net", &[("farpane-linksim", Some("dev")), ("quinn", None)]);
        assert!(imports(&tested, &[]).is_empty());
        assert!(imports(&package("farpane-cli", &[("farpane-net", None)]), &[]).is_empty());
    }

    #[test]
    fn a_package_nobody_has_placed_is_found() {
        assert_eq!(imports(&package("farpane-new", &[]), &[]).len(), 1);
    }

    #[test]
    fn crates_that_do_not_forbid_unsafe_code_are_found() {
        let lib = |text: &str| [File::new("crates/a/src/lib.rs", text)];
        let (rate, net) = (package("farpane-rate", &[]), package("farpane-net", &[]));
        let (forbid, deny) = (lib("#![forbid(unsafe_code)]\n"), lib("#![deny(unsafe_code)]\n"));
        assert!(unsafe_forbidden(&rate, &forbid).is_empty());
        assert_eq!(unsafe_forbidden(&rate, &deny).len(), 1);
        assert_eq!(unsafe_forbidden(&rate, &lib("// #![forbid(unsafe_code)]\n")).len(), 1);
        assert!(unsafe_forbidden(&net, &deny).is_empty());
        assert_eq!(unsafe_forbidden(&net, &lib("fn f() {}\n")).len(), 1);
        assert!(unsafe_forbidden(&package("farpane-codec", &[]), &lib("")).is_empty());
    }

    #[test]
    fn empty_packages_are_found() {
        let a = package("farpane-a", &[]);
        let elsewhere = File::new("crates/ab/src/lib.rs", "fn f() { g() }");
        let docs = File::new("crates/a/src/lib.rs", "//! Soon.\n");
        assert_eq!(not_empty(&a, &[elsewhere, docs]).len(), 1);
        let code = File::new("crates/a/src/b.rs", "fn f() { g() }");
        assert!(not_empty(&a, &[code]).is_empty());
    }
}
