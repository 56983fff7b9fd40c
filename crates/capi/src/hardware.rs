//! Encoders in hardware: the process that tries a driver, and how a sharer starts it.

use crate::abi::*;
use crate::boundary::{Failure, Outcome, run};
use crate::memory;
use crate::session::Texts;
use farpane::{HardwareBackend, HardwareOptions};
use std::ffi::c_char;
use std::process::{Command, ExitCode};

/// The first argument of the program that tries a driver.
const ARGUMENT: &str = "probe-encoder";
/// The longest name of a way to encode.
const MAX_NAME_BYTES: usize = 64;

/// How a sharer has drivers tried; `None` without a program that does.
pub(crate) fn options(texts: &Texts<'_>) -> Outcome<Option<HardwareOptions>> {
    match (texts.probe, texts.remembered) {
        (None, None) => Ok(None),
        (Some(program), Some(remembered)) => {
            let program = program.to_owned();
            Ok(Some(HardwareOptions::new(remembered, move |backend| {
                let mut command = Command::new(&program);
                command.args([ARGUMENT, backend.name()]);
                command
            })))
        }
        _ => Err(Failure::argument("of probe and remembered one is given without the other")),
    }
}

/// Tries the driver of the encoder in hardware called `name`, which is the last argument of a
/// program that a sharer started as its `probe`, and prints the verdict to the standard output.
/// The driver may hang or crash here. Call it once, as the first thing of a process that does
/// nothing else and then exits with 0 for FARPANE_OK and with 1 for anything else; after a minute
/// the process aborts by itself.
///
/// Blocks. Errors: FARPANE_ERR_ARGUMENT for a name of no encoder, FARPANE_ERR_SYSTEM when it does
/// not work here.
///
/// # Safety
/// `name` is NULL or readable for `name_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn farpane_probe_encoder(
    name: *const c_char,
    name_len: usize,
) -> farpane_result {
    run(|| {
        // SAFETY: the caller's promise.
        let name = unsafe { memory::text("name", name, name_len, MAX_NAME_BYTES)? };
        let backend: Result<HardwareBackend, _> = name.unwrap_or_default().parse();
        let backend = backend.map_err(|error| Failure::argument(error.to_string()))?;
        if farpane::probe_encoder(backend) == ExitCode::SUCCESS {
            return Ok(FARPANE_OK);
        }
        Err(Failure::system(format!("{backend} does not work: see the standard output")))
    })
}
