//! The rules of the house that compilers and linters do not know, each with a test that shows it
//! firing. `tools/test` runs them on the repository itself.

mod files;
mod packages;
mod tokens;

use crate::command::{command, output};
use anyhow::Context;
use std::path::{Path, PathBuf};
use std::{fmt, fs};

/// A place where a rule does not hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// The file, relative to the repository.
    pub(crate) path: PathBuf,
    /// The line, from 1; 0 when the whole file is meant.
    pub(crate) line: usize,
    /// What is wrong and what would be right.
    pub(crate) message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path.display(), self.line, self.message)
    }
}

/// Prints where the repository at `root` breaks a rule; whether it breaks none.
pub(crate) fn run(root: &Path) -> anyhow::Result<bool> {
    let findings = check(root)?;
    for finding in &findings {
        println!("{finding}");
    }
    println!("tidy: {} findings", findings.len());
    Ok(findings.is_empty())
}

/// The repository's shell scripts, relative to `root`.
pub(crate) fn scripts(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let scripts = files_of(root)?.into_iter().filter(File::is_shell_script);
    Ok(scripts.map(|file| file.path).collect())
}

/// A file of the repository.
struct File {
    /// Relative to the repository.
    path: PathBuf,
    bytes: Vec<u8>,
    executable: bool,
}

impl File {
    /// The file's text, unless it is binary.
    fn text(&self) -> Option<&str> {
        str::from_utf8(&self.bytes).ok().filter(|text| !text.contains('\0'))
    }

    /// The text of a Rust source file.
    fn rust(&self) -> Option<&str> {
        self.path.extension().filter(|extension| *extension == "rs").and_then(|_| self.text())
    }

    fn is_shell_script(&self) -> bool {
        let first = self.text().and_then(|text| text.lines().next()).unwrap_or("");
        first.starts_with("#!") && first.ends_with("sh")
    }

    fn finding(&self, line: usize, message: impl Into<String>) -> Finding {
        Finding { path: self.path.clone(), line, message: message.into() }
    }
}

fn check(root: &Path) -> anyhow::Result<Vec<Finding>> {
    let files = files_of(root)?;
    let packages = packages::read(root)?;
    let mut findings = packages::check(&packages, &files);
    for file in &files {
        findings.extend(files::check(file));
        findings.extend(tokens::check(file));
    }
    findings.sort();
    findings.dedup();
    Ok(findings)
}

/// The files that are committed or would be by `git add`.
fn files_of(root: &Path) -> anyhow::Result<Vec<File>> {
    // Continuous integration often owns the folder as somebody else; listing it is harmless.
    let arguments = ["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others"];
    let mut list = command(root, "git", arguments);
    list.arg("--exclude-standard");
    let names = output(list).context("tidy looks at the files that git knows")?;
    let names = names.split_terminator('\0').map(PathBuf::from);
    // A name without a file is deleted but not committed yet.
    names.filter(|name| root.join(name).is_file()).map(|name| read(root, name)).collect()
}

fn read(root: &Path, path: PathBuf) -> anyhow::Result<File> {
    use std::os::unix::fs::PermissionsExt;
    let whole = root.join(&path);
    let context = || format!("cannot read {}", whole.display());
    let bytes = fs::read(&whole).with_context(context)?;
    let mode = fs::metadata(&whole).with_context(context)?.permissions().mode();
    Ok(File { path, bytes, executable: mode & 0o111 != 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    impl File {
        pub(super) fn new(path: &str, text: impl Into<Vec<u8>>) -> Self {
            Self { path: path.into(), bytes: text.into(), executable: false }
        }
    }

    #[test]
    fn the_repository_is_tidy() {
        let findings = check(&crate::repository_root().unwrap()).unwrap();
        let findings: Vec<_> = findings.iter().map(Finding::to_string).collect();
        assert!(findings.is_empty(), "{}", findings.join("\n"));
    }

    #[test]
    fn the_files_are_those_of_the_repository() {
        let files = files_of(&crate::repository_root().unwrap()).unwrap();
        let find = |path: &str| files.iter().find(|file| file.path == Path::new(path));
        assert!(find("tools/test").is_some_and(|file| file.executable));
        assert!(find("tools/xtask/src/tidy/mod.rs").is_some_and(|file| file.rust().is_some()));
        assert!(files.iter().all(|file| !file.path.starts_with("target")));
    }

    #[test]
    fn the_scripts_are_found() {
        let scripts = scripts(&crate::repository_root().unwrap()).unwrap();
        for script in [".ci/run", "tools/setup", "tools/run", "tools/test"] {
            assert!(scripts.iter().any(|path| path == Path::new(script)), "{script}");
        }
        assert!(!scripts.iter().any(|path| path.ends_with("Cargo.toml")));
    }
}
