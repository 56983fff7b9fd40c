//! Refuses to build a slow OpenH264 without saying so: without nasm its build leaves out all
//! assembly, and encoding and decoding take about three times as long.

use std::process::{Command, Stdio};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=PATH");
    let set = |name: &str| std::env::var_os(name).is_some();
    let arch = std::env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    if !set("CARGO_FEATURE_OPENH264_SOURCE") || !matches!(&arch[..], "x86" | "x86_64") {
        return;
    }
    let nasm = Command::new("nasm").arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !nasm.is_ok_and(|status| status.success()) {
        println!(
            "cargo::error=nasm is missing: OpenH264 would be built without its assembly and be \
             three times slower. Install nasm (Debian: apt-get install nasm), or build without \
             the feature openh264-source."
        );
    }
}
