//! The C header and the list of exported functions, made of the C ABI's source.

use super::{equal, read};
use anyhow::{Context, anyhow};
use std::path::Path;

/// What is made of the source, as (path in the repository, content).
pub(super) fn generate(root: &Path) -> anyhow::Result<[(&'static str, String); 2]> {
    let package = root.join("crates/capi");
    let config = cbindgen::Config::from_file(package.join("cbindgen.toml"));
    let config = config.map_err(|error| anyhow!("cbindgen.toml: {error}"))?;
    let builder = cbindgen::Builder::new().with_config(config);
    let bindings = builder
        .with_src(package.join("src/lib.rs"))
        .generate()
        .context("cbindgen cannot read the C ABI's source")?;
    let mut header = Vec::new();
    bindings.write(&mut header);
    let header = without_safety(&String::from_utf8(header)?);
    let exports = functions(&header).collect::<Vec<_>>().join("\n") + "\n";
    Ok([("crates/capi/include/farpane.h", header), ("crates/capi/exports.txt", exports)])
}

/// Whether what is committed is what the source makes.
pub(super) fn check(root: &Path) -> anyhow::Result<()> {
    for (path, made) in generate(root)? {
        equal(path, &read(root, path)?, &made)?;
    }
    Ok(())
}

/// C programmers know that a pointer must be valid; the words for it are for Rust.
fn without_safety(header: &str) -> String {
    let mut out = String::new();
    let mut skipping = false;
    for line in header.lines() {
        let is_comment = line.starts_with("//");
        skipping = is_comment && (skipping || line.trim_end() == "// # Safety");
        if !skipping {
            if !is_comment && out.ends_with("//\n") {
                out.truncate(out.len() - "//\n".len());
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
    out
}

/// The functions that the header declares, sorted.
fn functions(header: &str) -> impl Iterator<Item = &str> {
    let mut names: Vec<&str> = header
        .lines()
        .filter(|line| !line.starts_with("//") && !line.starts_with("typedef"))
        .filter_map(|line| line.split_once('('))
        .filter_map(|(before, _)| before.rsplit([' ', '*']).next())
        .filter(|name| name.starts_with("farpane_"))
        .collect();
    names.sort_unstable();
    names.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_for_rust_are_left_out() {
        let header = "// Does it.\n//\n// # Safety\n// `a` is valid.\nint f(void);\n// Next.\n";
        assert_eq!(without_safety(header), "// Does it.\nint f(void);\n// Next.\n");
    }

    #[test]
    fn functions_are_found_and_types_are_not() {
        let header = "// farpane_no(\ntypedef void (*farpane_log_fn)(int);\n\
                      farpane_result farpane_b(int a,\n    int b);\n\
                      const char *farpane_a(void);\n";
        assert_eq!(functions(header).collect::<Vec<_>>(), ["farpane_a", "farpane_b"]);
    }
}
