//! Refuses to build slow coders of video without saying so: without nasm their builds leave out
//! all assembly, and encoding and decoding take about three times as long.

use std::process::{Command, Stdio};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=PATH");
    let set = |name: &str| std::env::var_os(name).is_some();
    let features =
        [("CARGO_FEATURE_AV1", "av1"), ("CARGO_FEATURE_OPENH264_SOURCE", "openh264-source")];
    let features: Vec<_> =
        features.iter().filter(|(variable, _)| set(variable)).map(|(_, name)| *name).collect();
    let arch = std::env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    if features.is_empty() || !matches!(&arch[..], "x86" | "x86_64") {
        return;
    }
    let nasm = Command::new("nasm").arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !nasm.is_ok_and(|status| status.success()) {
        println!(
            "cargo::error=nasm is missing: video would be coded without assembly and be three \
             times slower. Install nasm (Debian: apt-get install nasm), or build without {}.",
            features.join(" and ")
        );
    }
}
