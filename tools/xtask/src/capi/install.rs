//! Installing the library as a packager would, and looking at what it exports.

use super::{equal, read};
use crate::command::{command, limited, output, passes};
use anyhow::{bail, ensure};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The description of the ABI that later versions may only add to.
const DESCRIPTION: &str = "crates/capi/abi/farpane.abi";
const LIMIT: Duration = Duration::from_secs(120);

/// How the library is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Quickly, with its types.
    Debug,
    /// As it is shipped.
    Release,
}

/// The library in a folder of its own.
pub(crate) struct Installed {
    prefix: PathBuf,
}

impl Installed {
    pub(crate) fn library(&self) -> PathBuf {
        self.prefix.join("lib/libfarpane.so")
    }

    pub(crate) fn archive(&self) -> PathBuf {
        self.prefix.join("lib/libfarpane.a")
    }

    pub(crate) fn include(&self) -> PathBuf {
        self.prefix.join("include")
    }

    /// Where the loader finds the library.
    pub(crate) fn libraries(&self) -> PathBuf {
        self.prefix.join("lib")
    }

    /// Where pkg-config finds it.
    pub(crate) fn pkg_config(&self) -> PathBuf {
        self.prefix.join("lib/pkgconfig")
    }
}

/// Installs by cargo-c into `folder`.
pub(crate) fn install(root: &Path, folder: &Path, profile: Profile) -> anyhow::Result<Installed> {
    let prefix = folder.join("prefix");
    let mut install = command(root, "cargo", ["cinstall", "-p", "farpane-capi"]);
    install.arg("--prefix").arg(&prefix).arg("--libdir").arg(prefix.join("lib"));
    // What cargo-c compiles for this machine, macros and build scripts, is nothing that cargo takes
    // for its own: in one folder each would compile everything again after the other.
    install.arg("--target-dir").arg(root.join("target/capi"));
    install.arg(match profile {
        Profile::Debug => "--debug",
        Profile::Release => "--release",
    });
    ensure!(passes(install)?, "cargo cinstall failed; tools/setup ci installs cargo-c");
    Ok(Installed { prefix })
}

/// Whether the library exports what `exports.txt` lists and nothing else.
pub(super) fn check_exports(root: &Path, installed: &Installed) -> anyhow::Result<()> {
    let library = installed.library();
    let symbols = output(command(
        root,
        "nm",
        ["--dynamic", "--defined-only", "--format=posix", &library.to_string_lossy()],
    ))?;
    let mut names: Vec<&str> =
        symbols.lines().filter_map(|line| line.split_whitespace().next()).collect();
    names.sort_unstable();
    let names = names.join("\n") + "\n";
    equal("crates/capi/exports.txt", &read(root, "crates/capi/exports.txt")?, &names)
}

/// Writes the description of the ABI.
pub(super) fn describe(root: &Path, installed: &Installed) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let shape = shape(root, installed, folder.path())?;
    let mut describe = command(root, "abidw", ["--no-corpus-path", "--no-comp-dir-path"]);
    describe.args(["--no-show-locs", "--out-file", DESCRIPTION]).arg(shape);
    std::fs::create_dir_all(root.join(DESCRIPTION).with_file_name(""))?;
    ensure!(passes(describe)?, "abidw failed");
    println!("written: {DESCRIPTION}");
    Ok(())
}

/// Whether programs of the described version run with this library.
pub(super) fn check_abi(root: &Path, installed: &Installed) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut compare = command(root, "abidiff", ["--no-added-syms", DESCRIPTION]);
    compare.arg(shape(root, installed, folder.path())?);
    let finished = limited(&compare, LIMIT)?;
    if !finished.ok {
        bail!("abidiff: {}{}", finished.stdout, finished.stderr);
    }
    Ok(())
}

/// A library of what the header declares, without the code: of Rust's own debug information
/// libabigail reads no types. That the header, the code and the exports are one is for other
/// gates to show.
fn shape(root: &Path, installed: &Installed, folder: &Path) -> anyhow::Result<PathBuf> {
    let header = std::fs::read_to_string(installed.include().join("farpane.h"))?;
    let code: Vec<&str> = header.lines().filter(|line| !line.starts_with("//")).collect();
    let code = code.join("\n");
    let functions = code.split("\n\n").filter(|block| is_function(block));
    let bodies: String = functions
        .map(|block| block.trim().trim_end_matches(';').to_owned() + " { __builtin_trap(); }\n")
        .collect();
    let (source, library) = (folder.join("shape.c"), folder.join("libfarpane.so"));
    std::fs::write(&source, format!("#include <farpane.h>\n{bodies}"))?;
    let mut compile = command(root, "cc", ["-std=c11", "-g", "-shared", "-fPIC", "-I"]);
    compile.arg(installed.include()).arg("-o").arg(&library).arg(&source);
    ensure!(passes(compile)?, "the header's functions do not compile");
    Ok(library)
}

/// Whether a paragraph of the header declares a function.
fn is_function(block: &str) -> bool {
    let block = block.trim();
    let is_other = block.starts_with(['#', '}']) || block.starts_with("typedef");
    !is_other && block.contains("farpane_") && block.ends_with(");")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_told_from_types_and_constants() {
        for yes in ["\nfarpane_result farpane_a(int a,\n  int b);", "uint32_t farpane_b(void);"] {
            assert!(is_function(yes), "{yes}");
        }
        for no in ["#define FARPANE_A farpane_f(1);", "typedef void (*farpane_fn)(int);", "}"] {
            assert!(!is_function(no), "{no}");
        }
    }
}
