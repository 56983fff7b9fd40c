//! A program that is its own probe, as `farpane.h` describes it.

mod common;

use common::config;
use farpane_capi::abi::*;
use farpane_capi::*;
use std::ffi::c_char;
use std::process::Command;
use std::ptr::{null, null_mut};

/// Names the encoder to the process of the probe.
const CHILD: &str = "FARPANE_TEST_PROBE";

fn probe(name: &str) -> farpane_result {
    // SAFETY: the text has its length.
    unsafe { farpane_probe_encoder(name.as_ptr().cast(), name.len()) }
}

fn create(fields: &farpane_session_config) -> farpane_result {
    let mut session = null_mut();
    // SAFETY: the texts have their lengths.
    let result = unsafe { farpane_session_create(fields, &mut session) };
    assert_eq!(session.is_null(), result != FARPANE_OK);
    if result == FARPANE_OK {
        assert_eq!(farpane_session_unref(session), FARPANE_OK);
    }
    result
}

#[test]
fn names_of_no_encoder_are_refused() {
    // SAFETY: NULL is allowed.
    assert_eq!(unsafe { farpane_probe_encoder(null(), 0) }, FARPANE_ERR_ARGUMENT);
    for name in ["", "magic", "NVENC", "nvenc ", &"x".repeat(100)] {
        assert_eq!(probe(name), FARPANE_ERR_ARGUMENT, "{name}");
    }
}

#[test]
fn a_process_of_its_own_says_whether_it_works() {
    if let Ok(name) = std::env::var(CHILD) {
        std::process::exit(i32::from(probe(&name) != FARPANE_OK));
    }
    for name in ["nvenc", "vulkan-video"] {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["a_process_of_its_own_says_whether_it_works", "--exact", "--nocapture"]);
        let output = command.env(CHILD, name).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let verdict = said.lines().find(|line| line.starts_with("farpane-probe "));
        let verdict = verdict.unwrap_or_else(|| panic!("no verdict: {said}"));
        println!("{name}: {verdict}");
        let works = verdict.starts_with("farpane-probe works ");
        assert!(works || verdict.starts_with("farpane-probe fails "), "{verdict}");
        assert_eq!(output.status.code(), Some(i32::from(!works)));
    }
}

#[test]
fn a_probe_and_a_place_for_what_it_finds_are_given_together() {
    let (sharer, helper) = (config(FARPANE_ROLE_SHARER), config(FARPANE_ROLE_HELPER));
    let (text, len) = (c"/tmp/x".as_ptr().cast::<c_char>(), 6);
    let probe = farpane_session_config { probe: text, probe_len: len, ..sharer };
    let remembered = farpane_session_config { remembered: text, remembered_len: len, ..sharer };
    let both = farpane_session_config { remembered: text, remembered_len: len, ..probe };
    assert_eq!(create(&probe), FARPANE_ERR_ARGUMENT);
    assert_eq!(create(&remembered), FARPANE_ERR_ARGUMENT);
    assert_eq!(create(&both), FARPANE_OK);
    let role = farpane_session_config { role: helper.role, ..both };
    assert_eq!(create(&role), FARPANE_ERR_ARGUMENT);
}

#[test]
fn programs_that_do_not_know_probes_yet_go_on() {
    let struct_size = std::mem::offset_of!(farpane_session_config, probe) as u32;
    let mut older = farpane_session_config { struct_size, ..config(FARPANE_ROLE_SHARER) };
    // What lies behind an older program's structure is not looked at.
    (older.probe, older.probe_len) = (null(), 7);
    assert_eq!(create(&older), FARPANE_OK);
}
