//! The gates of the C ABI. The calls that are wrong are tried by the package's own tests, those
//! that nobody thought of by the fuzz target `calls`.

mod compile;
pub(crate) mod exchange;
mod header;
pub(crate) mod install;

use anyhow::{Context, ensure};
use std::fs;
use std::path::Path;

/// What to do.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Arguments {
    /// First write the header, the list of exports and the description of the ABI anew
    #[arg(long)]
    write: bool,
}

/// Tries the gates; whether all are open.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> anyhow::Result<bool> {
    if arguments.write {
        write(root)?;
    }
    let gates = gates(root)?;
    for (name, outcome) in &gates {
        match outcome {
            Ok(()) => println!("passed: {name}"),
            Err(error) => println!("FAILED: {name}\n{error:#}"),
        }
    }
    Ok(gates.iter().all(|(_, outcome)| outcome.is_ok()))
}

/// Writes what is made of the source.
fn write(root: &Path) -> anyhow::Result<()> {
    for (path, content) in header::generate(root)? {
        fs::write(root.join(path), content)?;
        println!("written: {path}");
    }
    let folder = tempfile::tempdir()?;
    install::describe(root, &install::install(root, folder.path(), install::Profile::Debug)?)
}

/// A gate's name, and why it is shut.
type Gate = (&'static str, anyhow::Result<()>);

/// Installs the library and tries every gate.
pub(crate) fn gates(root: &Path) -> anyhow::Result<Vec<Gate>> {
    let folder = tempfile::tempdir()?;
    let installed = &install::install(root, folder.path(), install::Profile::Debug)?;
    let shows = |tool| exchange::run(root, installed, tool).map(|_first_ms| ());
    Ok(vec![
        ("header and exports are what the source makes", header::check(root)),
        ("nothing but the exports is exported", install::check_exports(root, installed)),
        ("programs of the described ABI run", install::check_abi(root, installed)),
        ("C99, C11 and C++17 take the headers alone", compile::headers(root, installed)),
        ("examples compile by pkg-config and CMake", compile::examples(root, installed)),
        ("C shows C a screen, AddressSanitizer", shows(exchange::Tool::AddressSanitizer)),
        ("C shows C a screen, valgrind", shows(exchange::Tool::Valgrind)),
        ("C shows C++ and Python a screen", exchange::other_languages(root, installed)),
    ])
}

/// Fails with what differs.
fn equal(path: &str, committed: &str, made: &str) -> anyhow::Result<()> {
    let mut lines = committed.lines().zip(made.lines()).enumerate();
    let first = lines.find(|(_, (a, b))| a != b).map(|(line, (a, b))| (line + 1, a, b));
    let advice = "look at it, then run `cargo xtask capi --write`";
    if let Some((line, old, new)) = first {
        anyhow::bail!("{path}:{line} is\n  {old}\nbut should be\n  {new}\n{advice}");
    }
    ensure!(committed == made, "{path} ends differently: {advice}");
    Ok(())
}

fn read(root: &Path, path: &str) -> anyhow::Result<String> {
    fs::read_to_string(root.join(path)).with_context(|| path.to_owned())
}
