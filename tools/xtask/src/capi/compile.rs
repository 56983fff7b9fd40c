//! C and C++ compilers, as an app's build calls them.

use super::install::Installed;
use crate::command::{command, limited};
use anyhow::ensure;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(120);
const STRICT: [&str; 4] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"];
/// Uses every initial value.
const ALL_INITS: &str = "\
#include <farpane.h>
int main(void) {
  farpane_session_config a = FARPANE_SESSION_CONFIG_INIT;
  farpane_event b = FARPANE_EVENT_INIT;
  farpane_picture c = FARPANE_PICTURE_INIT;
  farpane_frame_info d = FARPANE_FRAME_INFO_INIT;
  farpane_plane e = FARPANE_PLANE_INIT;
  farpane_cursor f = FARPANE_CURSOR_INIT;
  farpane_input g = FARPANE_INPUT_INIT;
  farpane_stats h = FARPANE_STATS_INIT;
  return !(a.struct_size && b.struct_size && c.struct_size && d.struct_size && e.struct_size &&
           f.struct_size && g.struct_size && h.struct_size);
}
";

/// The headers compile alone and strictly, and the fields are where Rust has them.
pub(super) fn headers(root: &Path, installed: &Installed) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).map(|()| path)
    };
    let plain = file("plain.c", ALL_INITS)?;
    let layout = root.join("crates/capi/tests/layout.c");
    let cpp = file("plain.cpp", &format!("#include <farpane.hpp>\n{ALL_INITS}"))?;
    for (compiler, standard, source) in
        [("cc", "-std=c99", &plain), ("cc", "-std=c11", &layout), ("c++", "-std=c++17", &cpp)]
    {
        let mut compile = command(root, compiler, [standard, "-c", "-o", "/dev/null"]);
        compile.args(STRICT).arg("-I").arg(installed.include()).arg(source);
        succeed(compile)?;
    }
    Ok(())
}

/// The examples compile with the line of the documentation, and by CMake.
pub(super) fn examples(root: &Path, installed: &Installed) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    for source in ["c/sharer.c", "c/helper.c", "cpp/helper.cpp"] {
        example(root, installed, source, &folder.path().join("program"), &[])?;
    }
    let build = folder.path().join("cmake");
    let mut configure = command(root, "cmake", ["-S", "crates/capi/examples", "-B"]);
    configure.arg(&build).env("PKG_CONFIG_PATH", installed.pkg_config());
    succeed(configure)?;
    let mut make = command(root, "cmake", ["--build"]);
    make.arg(&build);
    succeed(make)
}

/// Compiles the example `source` to `program` by pkg-config.
pub(super) fn example(
    root: &Path,
    installed: &Installed,
    source: &str,
    program: &Path,
    flags: &[&str],
) -> anyhow::Result<()> {
    let compiler = match source.ends_with(".c") {
        true => "cc -std=c11 -D_POSIX_C_SOURCE=200809L",
        false => "c++ -std=c++17",
    };
    let line = "$COMPILER -Wall -Wextra -Wpedantic -Werror -g $FLAGS \
                \"crates/capi/examples/$SOURCE\" -o \"$PROGRAM\" \
                $(pkg-config --cflags --libs farpane) -lX11";
    let mut compile = command(root, "sh", ["-c", line]);
    compile.env("COMPILER", compiler).env("FLAGS", flags.join(" "));
    compile.env("SOURCE", source).env("PROGRAM", program);
    compile.env("PKG_CONFIG_PATH", installed.pkg_config());
    succeed(compile)
}

fn succeed(command: Command) -> anyhow::Result<()> {
    let finished = limited(&command, LIMIT)?;
    ensure!(finished.ok, "{command:?} failed:\n{}{}", finished.stdout, finished.stderr);
    Ok(())
}
