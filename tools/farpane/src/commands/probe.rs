//! `farpane probe-encoder`: the process in which `farpane share` tries a driver.

use anyhow::{Context, Result, bail};
use farpane::{HardwareBackend, HardwareOptions};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// The command's name on the command line.
const COMMAND: &str = "probe-encoder";
/// `off`: films are not encoded in hardware; `auto`, as when it is absent: where it works.
const VARIABLE: &str = "FARPANE_HARDWARE";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// What to try: nvenc or vulkan-video.
    #[arg(value_name = "BACKEND")]
    backend: HardwareBackend,
}

/// Tries a driver and prints the verdict.
pub(crate) fn run(args: &Args) -> ExitCode {
    farpane::probe_encoder(args.backend)
}

/// How `farpane share` finds out what works: by this program itself. `None` where it has no such
/// encoder, or the user wants none.
///
/// # Errors
/// The user's wish is none, or there is no place to remember what was found.
pub(crate) fn options() -> Result<Option<HardwareOptions>> {
    let wish = std::env::var_os(VARIABLE).unwrap_or_else(|| "auto".into());
    match wish.to_str() {
        Some("auto") => {}
        Some("off") => return Ok(None),
        _ => bail!("{VARIABLE} is {wish:?}: use auto or off"),
    }
    if HardwareBackend::compiled().next().is_none() {
        return Ok(None);
    }
    let program = std::env::current_exe().context("this program's own file is not known")?;
    let folder = state_folder(|name| std::env::var_os(name).map(PathBuf::from));
    let folder = folder.context("neither XDG_STATE_HOME nor HOME names a folder")?;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
    made.with_context(|| format!("cannot make the folder {}", folder.display()))?;
    Ok(Some(HardwareOptions::new(folder.join("hardware"), move |backend| {
        let mut command = Command::new(&program);
        command.args([COMMAND, backend.name()]);
        command
    })))
}

/// Where this program keeps what it finds out, as the XDG Base Directory Specification 0.8 has it.
fn state_folder(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let absolute = |name| variable(name).filter(|path| path.is_absolute());
    let home = || absolute("HOME").map(|home| home.join(".local/state"));
    absolute("XDG_STATE_HOME").or_else(home).map(|state| state.join("farpane"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_lies_where_the_specification_has_it() {
        let of = |state: Option<&str>, home: Option<&str>| {
            let named = |name: &str| if name == "HOME" { home } else { state };
            state_folder(|name| named(name).map(PathBuf::from))
        };
        assert_eq!(of(Some("/s"), Some("/h")), Some("/s/farpane".into()));
        assert_eq!(of(None, Some("/h")), Some("/h/.local/state/farpane".into()));
        assert_eq!(of(Some("relative"), Some("/h")), Some("/h/.local/state/farpane".into()));
        assert_eq!(of(Some(""), None), None);
    }
}
