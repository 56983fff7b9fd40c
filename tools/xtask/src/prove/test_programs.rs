//! The test programs of the workspace, compiled as `tools/test` compiles them: what was compiled
//! for the one is there for the other.

use super::cargo_test::{self, Tests};
use crate::command::{command, output, passes};
use anyhow::{Context, ensure};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One line of `cargo test --message-format json`.
#[derive(Deserialize)]
struct Message {
    manifest_path: Option<PathBuf>,
    target: Option<Target>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// Which program: the folder of its package, and its target's name.
pub(super) type Name = (&'static str, &'static str);

/// Test programs that are there.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Programs(Vec<(PathBuf, String, PathBuf)>);

impl Programs {
    /// Compiles them all, and the program `farpane` that some of them start.
    ///
    /// # Errors
    /// They do not compile.
    pub(super) fn build(root: &Path) -> anyhow::Result<Self> {
        let farpane = ["build", "--workspace", "--bin", "farpane", "--example", "loopback"];
        ensure!(passes(command(root, "cargo", farpane))?, "farpane does not compile");
        let tests = ["test", "--workspace", "--all-features", "--no-run", "--message-format=json"];
        Self::read(&output(command(root, "cargo", tests)).context("the tests do not compile")?)
    }

    fn read(lines: &str) -> anyhow::Result<Self> {
        let mut programs = Vec::new();
        for line in lines.lines().filter(|line| line.starts_with('{')) {
            let message: Message = serde_json::from_str(line).context("what cargo says")?;
            let Message { manifest_path, target, executable } = message;
            if let (Some(manifest), Some(target), Some(path)) = (manifest_path, target, executable)
                && let Some(folder) = manifest.parent()
            {
                programs.push((folder.to_owned(), target.name, path));
            }
        }
        Ok(Self(programs))
    }

    fn find(&self, (package, target): Name) -> anyhow::Result<&(PathBuf, String, PathBuf)> {
        let mut programs =
            self.0.iter().filter(|(folder, name, _)| folder.ends_with(package) && name == target);
        let program = programs.next();
        program.with_context(|| format!("there is no test program {target} of {package}"))
    }

    /// Runs the tests of one whose names begin so, as `change` wants it.
    ///
    /// # Errors
    /// There is no such program.
    pub(super) fn run(
        &self,
        name: Name,
        filter: &str,
        change: impl FnOnce(&mut Command),
    ) -> anyhow::Result<Tests> {
        let (folder, _, path) = self.find(name)?;
        let mut run = command(folder, &path.to_string_lossy(), filter.split_terminator(' '));
        change(&mut run);
        cargo_test::finish_program(run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_by_package_and_name() {
        let line = |target: &str, executable: &str| {
            let manifest = r#""manifest_path":"/w/crates/net/Cargo.toml""#;
            format!(r#"{{{manifest},"target":{{"name":"{target}"}},"executable":{executable}}}"#)
        };
        let lines = [
            line("transport", r#""/w/target/transport-1""#),
            line("farpane_net", "null"),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
            "warning: else".to_owned(),
        ];
        let programs = Programs::read(&lines.join("\n")).unwrap();
        let path = &programs.find(("crates/net", "transport")).unwrap().2;
        assert_eq!(path, Path::new("/w/target/transport-1"));
        for missing in [("crates/net", "farpane_net"), ("crates/rate", "transport")] {
            let error = programs.find(missing).unwrap_err().to_string();
            assert!(error.contains(missing.1), "{error}");
        }
        assert!(Programs::read("{}\n{").is_err());
    }
}
