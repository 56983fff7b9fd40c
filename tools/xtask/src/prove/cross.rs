//! The kernels of another processor, whose programs QEMU runs.

use super::cargo_test::{self, Tests};
use super::claim::Claim;
use crate::command::{command, output};
use std::path::{Path, PathBuf};

const TARGET: &str = "aarch64-unknown-linux-gnu";
const LINKER: &str = "aarch64-linux-gnu-gcc";
const EMULATOR: &str = "qemu-aarch64";
/// Where Debian's cross compiler keeps the libraries of the other processor.
const LIBRARIES: &str = "/usr/aarch64-linux-gnu";
/// Random pairs of frames; an emulator compares them slowly.
const PAIRS: usize = 4_000;

/// Whether the NEON kernel finds what the scalar one finds.
pub(super) fn neon(root: &Path) -> anyhow::Result<Vec<Claim>> {
    let name = "random pairs of frames, bit for bit equal by neon (aarch64 in QEMU)";
    let target = format!(">= {PAIRS}");
    let toolchain = match Toolchain::find(root) {
        Ok(toolchain) => toolchain,
        Err(missing) => return Ok(vec![Claim::not_measured(name, target, missing)]),
    };
    let tests = toolchain.test(root)?;
    let by_neon = |line: &&str| line.contains(" pairs equal by ") && line.contains("neon");
    let line = tests.text.lines().find(by_neon).unwrap_or_default();
    let count = cargo_test::number_before(line, " pairs equal by ");
    let ok = tests.ok && tests.failed.is_empty();
    let measured = format!("{count}, {} tests passed", tests.passed.len());
    Ok(vec![Claim::measured(name, target, measured, ok && count >= PAIRS)])
}

/// What compiles for the target.
#[derive(Debug)]
struct Toolchain {
    cargo: PathBuf,
    rustc: PathBuf,
    /// Whether the standard library is compiled as well, from its source.
    build_std: bool,
}

impl Toolchain {
    /// The one in use if it has the target's standard library, else Debian's with the source.
    fn find(root: &Path) -> Result<Self, String> {
        for program in [LINKER, EMULATOR] {
            let found = output(command(root, program, ["--version"]));
            found.map_err(|_| format!("no {program}: install gcc-aarch64-linux-gnu qemu-user"))?;
        }
        let own = Self { cargo: "cargo".into(), rustc: "rustc".into(), build_std: false };
        let debian = Self {
            cargo: "/usr/bin/cargo".into(),
            rustc: "/usr/bin/rustc".into(),
            build_std: true,
        };
        let usable = [own, debian].into_iter().find(|toolchain| toolchain.has_library(root));
        usable
            .ok_or_else(|| format!("no standard library for {TARGET}: rustup target add {TARGET}"))
    }

    fn has_library(&self, root: &Path) -> bool {
        let rustc = |arguments: &[&str]| {
            let found = output(command(root, &self.rustc.to_string_lossy(), arguments));
            found.map(|path| PathBuf::from(path.trim())).unwrap_or_default()
        };
        if self.build_std {
            rustc(&["--print", "sysroot"]).join("lib/rustlib/src/rust/library/std").is_dir()
        } else {
            rustc(&["--print", "target-libdir", "--target", TARGET]).is_dir()
        }
    }

    fn test(&self, root: &Path) -> anyhow::Result<Tests> {
        let mut test = command(root, &self.cargo.to_string_lossy(), ["test", "--no-fail-fast"]);
        test.args(["--release", "--target", TARGET, "--target-dir", "target/aarch64"]);
        if self.build_std {
            test.arg("-Zbuild-std").env("RUSTC_BOOTSTRAP", "1");
        }
        test.args(["-p", "farpane-damage", "--lib", "--test", "differential", "--test", "replay"]);
        test.env("RUSTC", &self.rustc).env_remove("RUSTUP_TOOLCHAIN");
        test.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", LINKER);
        let runner = format!("{EMULATOR} -L {LIBRARIES}");
        test.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER", runner);
        test.env("FARPANE_TEST_PAIRS", PAIRS.to_string());
        cargo_test::finish(test)
    }
}
