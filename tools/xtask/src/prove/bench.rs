//! What every measurement needs: the repository, a release build, other programs.

use crate::command::{command, output, passes};
use anyhow::{Context, bail, ensure};
use std::env;
use std::path::{Path, PathBuf};

/// A repository with a release build of farpane.
#[derive(Debug)]
pub(super) struct Bench {
    /// The repository.
    pub(super) root: PathBuf,
    /// The program, by its absolute path.
    pub(super) farpane: PathBuf,
}

impl Bench {
    /// Builds farpane, or takes the build that is `given`.
    ///
    /// # Errors
    /// It does not compile, or is not there.
    pub(super) fn prepare(root: &Path, given: Option<&Path>) -> anyhow::Result<Self> {
        let farpane = match given {
            Some(path) => path.to_owned(),
            None => {
                let build = ["build", "--release", "-p", "farpane-cli"];
                ensure!(passes(command(root, "cargo", build))?, "farpane does not compile");
                target_directory(root)?.join("release/farpane")
            }
        };
        let farpane = farpane
            .canonicalize()
            .with_context(|| format!("no program at {}", farpane.display()))?;
        Ok(Self { root: root.to_owned(), farpane })
    }
}

/// Why `programs` cannot be used here: those that are not installed. `None` when all are.
pub(super) fn missing(programs: &[&str]) -> Option<String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let missing: Vec<_> = programs
        .iter()
        .filter(|program| !env::split_paths(&path).any(|folder| folder.join(program).is_file()))
        .copied()
        .collect();
    (!missing.is_empty()).then(|| format!("not installed: {}", missing.join(", ")))
}

/// Where cargo builds.
fn target_directory(root: &Path) -> anyhow::Result<PathBuf> {
    let text = output(command(root, "cargo", ["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: serde_json::Value = serde_json::from_str(&text)?;
    match metadata["target_directory"].as_str() {
        Some(path) => Ok(path.into()),
        None => bail!("cargo metadata tells no target directory"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_installed_is_named() {
        assert_eq!(missing(&["sh"]), None);
        let reason = missing(&["sh", "no-such-program-a", "no-such-program-b"]);
        let expected = "not installed: no-such-program-a, no-such-program-b";
        assert_eq!(reason.as_deref(), Some(expected));
    }

    #[test]
    fn a_build_that_is_not_there_is_an_error() {
        let error = Bench::prepare(Path::new("/"), Some(Path::new("/no/such/farpane")));
        assert!(error.unwrap_err().to_string().contains("/no/such/farpane"));
    }
}
