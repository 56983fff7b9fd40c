//! A driver of Rust in place of NVIDIA's, that checks what it is given, for encoders of 64x32
//! pixels. The numbers here are the header's, written down a second time.

use super::driver::{CudaStatus, Driver, Status};
use super::layout::{Guid, H264, PRESET};
use crate::video::hardware::scripted;
use std::cell::RefCell;
use std::ffi::{c_char, c_int, c_void};
use std::sync::Arc;
use std::{ptr, slice};

type Handle = *mut c_void;

/// Wider than the picture, as real ones are.
pub(super) const PITCH: usize = 96;

/// Makes the driver another one.
pub(super) type Change = fn(&mut State);

/// What the driver has been told and has given out.
#[derive(Default)]
pub(super) struct State {
    pub(super) calls: Vec<&'static str>,
    /// The function that fails.
    pub(super) broken: &'static str,
    /// What was made and not destroyed.
    pub(super) alive: Vec<&'static str>,
    pub(super) devices: i32,
    /// Devices before this one have no encoder.
    pub(super) first_encoder: i32,
    pub(super) device: i32,
    pub(super) other_codecs_only: bool,
    pub(super) changes_rate: bool,
    pub(super) null_data: bool,
    pub(super) pitch: u32,
    pub(super) unit_bytes: Option<u32>,
    pub(super) input: Vec<u8>,
    pub(super) unit: Vec<u8>,
    pub(super) initialize: Vec<u8>,
    pub(super) config: Vec<u8>,
    /// Flags and numbers of the pictures.
    pub(super) pictures: Vec<(u32, u32)>,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

pub(super) fn with<T>(look: impl FnOnce(&mut State) -> T) -> T {
    STATE.with_borrow_mut(look)
}

/// Notes a call: 8 if it fails, which is "invalid parameter", else what `call` does.
fn called(name: &'static str, call: impl FnOnce(&mut State)) -> Status {
    with(|state| {
        state.calls.push(name);
        if state.broken == name {
            return 8;
        }
        call(state);
        0
    })
}

fn destroyed(name: &'static str, what: &'static str) -> Status {
    called(name, |state| {
        assert_eq!(state.alive.pop(), Some(what), "{name}");
    })
}

const CONTEXT: usize = 0x100;
const ENCODER: usize = 0x200;
const INPUT: usize = 0x300;
const OUTPUT: usize = 0x400;

fn handle(number: usize) -> Handle {
    ptr::without_provenance_mut(number)
}

/// The bytes of a structure of this version and size.
fn bytes<'a>(record: Handle, version: u32, len: usize) -> &'a mut [u8] {
    // SAFETY: the code under test gives structures of this size; Miri would tell if not.
    let bytes = unsafe { slice::from_raw_parts_mut(record.cast::<u8>(), len) };
    assert_eq!(number(bytes, 0), version);
    bytes
}

pub(super) fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn long(bytes: &[u8], at: usize) -> usize {
    usize::from_ne_bytes(bytes[at..at + 8].try_into().unwrap())
}

fn put(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_ne_bytes());
}

fn put_long(bytes: &mut [u8], at: usize, value: usize) {
    bytes[at..at + 8].copy_from_slice(&value.to_ne_bytes());
}

/// Writes what a function gives to where it was told to.
fn give<T>(to: *mut T, value: T) {
    // SAFETY: the code under test gives valid pointers.
    unsafe { to.write(value) }
}

unsafe extern "C" fn version(to: *mut c_int) -> CudaStatus {
    give(to, 12_040);
    0
}

unsafe extern "C" fn device_count(to: *mut c_int) -> CudaStatus {
    called("device_count", |state| give(to, state.devices)) as CudaStatus
}

unsafe extern "C" fn device_name(to: *mut c_char, len: c_int, device: c_int) -> CudaStatus {
    let name = format!("Card {device}\0");
    assert!(name.len() <= len as usize);
    // SAFETY: there is room, as was checked.
    unsafe { ptr::copy_nonoverlapping(name.as_ptr(), to.cast(), name.len()) };
    0
}

unsafe extern "C" fn context_create(to: *mut Handle, flags: u32, device: c_int) -> CudaStatus {
    assert_eq!(flags, 4);
    called("context_create", |state| {
        state.alive.extend(["context", "current"]);
        state.device = device;
        give(to, handle(CONTEXT));
    }) as CudaStatus
}

unsafe extern "C" fn context_destroy(context: Handle) -> CudaStatus {
    assert_eq!(context.addr(), CONTEXT);
    destroyed("context_destroy", "context") as CudaStatus
}

unsafe extern "C" fn context_push(context: Handle) -> CudaStatus {
    assert_eq!(context.addr(), CONTEXT);
    called("context_push", |state| state.alive.insert(0, "current")) as CudaStatus
}

unsafe extern "C" fn context_pop(to: *mut Handle) -> CudaStatus {
    called("context_pop", |state| {
        let at = state.alive.iter().position(|what| *what == "current").unwrap();
        state.alive.remove(at);
        give(to, handle(CONTEXT));
    }) as CudaStatus
}

/// A call about the encoder, with its context current.
fn of_encoder(name: &'static str, encoder: Handle, call: impl FnOnce(&mut State)) -> Status {
    assert_eq!(encoder.addr(), ENCODER);
    called(name, |state| {
        assert!(state.alive.contains(&"current"), "{name} without its context");
        call(state);
    })
}

unsafe extern "C" fn open_session(record: Handle, to: *mut Handle) -> Status {
    let record = bytes(record, 0x7101_000c, 1552);
    let told = (number(record, 4), long(record, 8), number(record, 24));
    assert_eq!(told, (1, CONTEXT, 0x0100_000c));
    let status = called("open", |state| {
        if state.device >= state.first_encoder {
            state.alive.push("encoder");
            give(to, handle(ENCODER));
        }
    });
    let lacking = with(|state| state.device < state.first_encoder);
    if lacking { 2 } else { status }
}

unsafe extern "C" fn codec_count(encoder: Handle, to: *mut u32) -> Status {
    of_encoder("codec_count", encoder, |_| give(to, 2))
}

unsafe extern "C" fn codecs(encoder: Handle, to: *mut Guid, room: u32, count: *mut u32) -> Status {
    assert_eq!(room, 2);
    of_encoder("codecs", encoder, |state| {
        let known = if state.other_codecs_only { Guid::default() } else { H264 };
        // SAFETY: there is room for two.
        unsafe { to.copy_from_nonoverlapping([Guid::default(), known].as_ptr(), 2) };
        give(count, 2);
    })
}

unsafe extern "C" fn caps(encoder: Handle, codec: Guid, record: Handle, to: *mut c_int) -> Status {
    assert_eq!(codec, H264);
    let record = bytes(record, 0x7101_000c, 256);
    of_encoder("caps", encoder, |state| {
        let value = match number(record, 4) {
            16 | 17 => 4096,
            45 => 48,
            46 => 16,
            20 => i32::from(state.changes_rate),
            other => panic!("an unknown capability: {other}"),
        };
        give(to, value);
    })
}

unsafe extern "C" fn preset(
    encoder: Handle,
    codec: Guid,
    preset: Guid,
    tuning: u32,
    record: Handle,
) -> Status {
    assert_eq!((codec, preset, tuning), (H264, PRESET, 3));
    let record = bytes(record, 0xf104_000c, 5128);
    assert_eq!(number(record, 8), 0xf108_000c);
    of_encoder("preset", encoder, |_| {
        // Adaptive quantization and look-ahead; no parameter sets but filler data.
        put(record, 8 + 76, 1 << 3 | 1 << 5);
        put(record, 8 + 168, 1 << 7 | 1 << 17 | 1 << 18);
        put(record, 8 + 24, 4);
    })
}

/// Keeps what a structure for initializing says, and the settings that it points to.
fn keep_settings(state: &mut State, initialize: &[u8]) {
    assert_eq!(number(initialize, 0), 0xf106_000c);
    state.initialize = initialize.to_vec();
    let config = ptr::with_exposed_provenance_mut(long(initialize, 88));
    state.config = bytes(config, 0xf108_000c, 3584).to_vec();
}

unsafe extern "C" fn initialize_encoder(encoder: Handle, record: Handle) -> Status {
    let record = bytes(record, 0xf106_000c, 1808);
    of_encoder("initialize", encoder, |state| keep_settings(state, record))
}

unsafe extern "C" fn reconfigure(encoder: Handle, record: Handle) -> Status {
    let record = bytes(record, 0xf101_000c, 1824);
    assert_eq!(number(record, 8 + 1808), 0, "neither a reset nor a keyframe");
    of_encoder("reconfigure", encoder, |state| keep_settings(state, &record[8..8 + 1808]))
}

unsafe extern "C" fn create_input(encoder: Handle, record: Handle) -> Status {
    let record = bytes(record, 0x7101_000c, 776);
    assert_eq!([4, 8, 12, 16].map(|at| number(record, at)), [64, 32, 0, 1]);
    of_encoder("create_input", encoder, |state| {
        state.alive.insert(2, "input");
        put_long(record, 24, INPUT);
    })
}

unsafe extern "C" fn create_output(encoder: Handle, record: Handle) -> Status {
    let record = bytes(record, 0x7101_000c, 776);
    of_encoder("create_output", encoder, |state| {
        state.alive.insert(3, "output");
        put_long(record, 16, OUTPUT);
    })
}

/// Takes one of what is alive away.
fn gone(name: &'static str, encoder: Handle, what: &'static str) -> Status {
    of_encoder(name, encoder, |state| {
        let at = state.alive.iter().position(|alive| *alive == what);
        state.alive.remove(at.unwrap_or_else(|| panic!("{name} without any")));
    })
}

unsafe extern "C" fn destroy_input(encoder: Handle, input: Handle) -> Status {
    assert_eq!(input.addr(), INPUT);
    gone("destroy_input", encoder, "input")
}

unsafe extern "C" fn destroy_output(encoder: Handle, output: Handle) -> Status {
    assert_eq!(output.addr(), OUTPUT);
    gone("destroy_output", encoder, "output")
}

unsafe extern "C" fn destroy(encoder: Handle) -> Status {
    with(|state| assert!(!state.alive.contains(&"input") && !state.alive.contains(&"output")));
    gone("destroy", encoder, "encoder")
}

unsafe extern "C" fn lock_input(encoder: Handle, record: Handle) -> Status {
    let record = bytes(record, 0x7101_000c, 1544);
    assert_eq!(long(record, 8), INPUT);
    of_encoder("lock_input", encoder, |state| {
        state.alive.push("locked input");
        state.input = vec![7; PITCH * 48];
        let data = state.input.as_mut_ptr().expose_provenance();
        put_long(record, 16, if state.null_data { 0 } else { data });
        put(record, 24, state.pitch);
    })
}

unsafe extern "C" fn unlock_input(encoder: Handle, input: Handle) -> Status {
    assert_eq!(input.addr(), INPUT);
    gone("unlock_input", encoder, "locked input")
}

unsafe extern "C" fn encode_picture(encoder: Handle, record: Handle) -> Status {
    let record = bytes(record, 0xf106_000c, 3360);
    of_encoder("encode", encoder, |state| {
        assert!(!state.alive.contains(&"locked input"));
        let told = [4, 8, 12, 64, 68].map(|at| number(record, at));
        assert_eq!(told, [64, 32, PITCH as u32, 1, 1]);
        assert_eq!((long(record, 40), long(record, 48)), (INPUT, OUTPUT));
        assert_eq!(long(record, 24), number(record, 20) as usize);
        state.pictures.push((number(record, 16), number(record, 20)));
        let keyframe = state.pictures.last().unwrap().0 != 0;
        state.unit = if keyframe { scripted::KEYFRAME } else { scripted::PREDICTED }.to_vec();
    })
}

unsafe extern "C" fn lock_output(encoder: Handle, record: Handle) -> Status {
    let record = bytes(record, 0xf101_000c, 1552);
    assert_eq!((number(record, 4), long(record, 8)), (0, OUTPUT));
    of_encoder("lock_output", encoder, |state| {
        state.alive.push("locked output");
        let data = state.unit.as_mut_ptr().expose_provenance();
        put_long(record, 56, if state.null_data { 0 } else { data });
        put(record, 36, state.unit_bytes.unwrap_or(state.unit.len() as u32));
        put(record, 64, if state.pictures.last().unwrap().0 == 0 { 0 } else { 3 });
    })
}

unsafe extern "C" fn unlock_output(encoder: Handle, output: Handle) -> Status {
    assert_eq!(output.addr(), OUTPUT);
    gone("unlock_output", encoder, "locked output")
}

pub(super) fn driver() -> Arc<Driver> {
    with(|state| {
        *state = State { devices: 1, changes_rate: true, pitch: PITCH as u32, ..State::default() };
    });
    Arc::new(Driver {
        version,
        device_count,
        device_name,
        context_create,
        context_destroy,
        context_push,
        context_pop,
        open: open_session,
        codec_count,
        codecs,
        caps,
        preset,
        initialize: initialize_encoder,
        reconfigure,
        create_input,
        destroy_input,
        lock_input,
        unlock_input,
        create_output,
        destroy_output,
        lock_output,
        unlock_output,
        encode: encode_picture,
        destroy,
    })
}
