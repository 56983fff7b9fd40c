//! NVENC with a driver of Rust in place of NVIDIA's, that checks what it is given. The numbers here
//! are the header's, written down a second time.

use super::driver::{CudaStatus, Status};
use super::layout::Guid;
use super::*;
use crate::video::hardware::scripted;
use std::cell::RefCell;
use std::ffi::{c_char, c_int, c_void};
use std::{ptr, slice};

type Handle = *mut c_void;

const SIZE: Size = Size::new(64, 32);
const RATE: VideoRate = VideoRate { bits_per_s: 3_000_000, pictures_per_s: 30.0 };
/// Wider than the picture, as real ones are.
const PITCH: usize = 96;

/// Makes the driver another one.
type Change = fn(&mut State);

/// What the driver has been told and has given out.
#[derive(Default)]
struct State {
    calls: Vec<&'static str>,
    /// The function that fails.
    broken: &'static str,
    /// What was made and not destroyed.
    alive: Vec<&'static str>,
    devices: i32,
    /// Devices before this one have no encoder.
    first_encoder: i32,
    device: i32,
    other_codecs_only: bool,
    changes_rate: bool,
    null_data: bool,
    pitch: u32,
    unit_bytes: Option<u32>,
    input: Vec<u8>,
    unit: Vec<u8>,
    initialize: Vec<u8>,
    config: Vec<u8>,
    /// Flags and numbers of the pictures.
    pictures: Vec<(u32, u32)>,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

fn with<T>(look: impl FnOnce(&mut State) -> T) -> T {
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

fn number(bytes: &[u8], at: usize) -> u32 {
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

fn driver() -> Arc<Driver> {
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

fn encode(encoder: &mut dyn VideoEncoder, out: &mut Vec<u8>) -> Result<Option<Unit>, VideoError> {
    let luma: Vec<u8> = (0..64 * 32).map(|i| (i % 251) as u8).collect();
    let data = [&luma[..], &[1; 32 * 16], &[2; 32 * 16]];
    let strides = [64, 32, 32];
    encoder.encode(&Planes { size: SIZE, chroma: Chroma::Quarter, data, strides }, out)
}

#[test]
fn pictures_go_in_with_the_drivers_pitch_and_units_come_out() {
    let Opened { mut encoder, driver } = open_with(&driver(), SIZE, RATE).unwrap();
    assert_eq!(driver, "Card 0, CUDA 12.4");
    assert_eq!(encoder.capabilities().largest, Size::new(4096, 4096));
    let mut out = b"before".to_vec();
    assert_eq!(encode(encoder.as_mut(), &mut out), Ok(Some(Unit { keyframe: true })));
    assert_eq!(out, [b"before", scripted::KEYFRAME].concat());
    with(|state| {
        let (row, last) = (&state.input[PITCH..][..PITCH], &state.input[47 * PITCH..]);
        let luma: Vec<u8> = (64..128).collect();
        assert_eq!((&row[..64], &row[64..]), (&luma[..], &[7; PITCH - 64][..]));
        assert_eq!((&last[..64], &last[64..]), (&[1, 2].repeat(32)[..], &[7; PITCH - 64][..]));
    });
    drop(encoder);
    with(|state| assert!(state.alive.is_empty(), "{:?}", state.alive));
}

#[test]
fn only_the_first_picture_and_those_asked_for_are_keyframes() {
    let mut encoder = open_with(&driver(), SIZE, RATE).unwrap().encoder;
    let mut keyframes = Vec::new();
    for number in 0..6 {
        if number == 3 {
            encoder.request_keyframe();
        }
        let unit = encode(encoder.as_mut(), &mut Vec::new()).unwrap().unwrap();
        keyframes.push(unit.keyframe);
    }
    assert_eq!(keyframes, [true, false, false, true, false, false]);
    let pictures = [(6, 0), (0, 1), (0, 2), (6, 3), (0, 4), (0, 5)];
    with(|state| assert_eq!(state.pictures, pictures));
}

#[test]
fn the_encoder_is_set_up_for_no_delay_no_periodic_keyframes_and_bt_709() {
    let _encoder = open_with(&driver(), SIZE, RATE).unwrap();
    with(|state| {
        let at = |offset| number(&state.initialize, offset);
        assert_eq!([36, 40, 44, 48, 96, 100].map(at), [64, 32, 64, 32, 64, 32]);
        assert_eq!([52, 56, 60, 64, 136].map(at), [30_000, 1000, 0, 1, 3]);
        assert_eq!((at(4), at(20)), (0x6bc8_2762, 0x90a7_b826));
        let at = |offset| number(&state.config, offset);
        assert_eq!((at(4), at(20), at(24), at(176)), (0xe7cb_c309, u32::MAX, 1, u32::MAX));
        assert_eq!([44, 60, 64, 68, 72].map(at), [2, 3_000_000, 3_000_000, 400_000, 400_000]);
        assert_eq!(at(76), 1 << 3 | 1 << 9, "what the preset had stays, but look-ahead");
        assert_eq!(at(168), 1 << 12 | 1 << 18);
        assert_eq!([248, 252, 256, 260, 264, 268, 272, 288].map(at), [1, 5, 0, 1, 1, 1, 1, 1]);
        assert_eq!((at(228), at(360)), (1, 1));
    });
}

#[test]
fn the_rate_changes_without_a_keyframe() {
    let mut encoder = open_with(&driver(), SIZE, RATE).unwrap().encoder;
    encode(encoder.as_mut(), &mut Vec::new()).unwrap();
    encoder.set_rate(VideoRate { bits_per_s: 800_000, pictures_per_s: 20.0 }).unwrap();
    with(|state| {
        assert_eq!(number(&state.initialize, 52), 20_000);
        let at = |offset| number(&state.config, offset);
        assert_eq!([60, 64, 68, 72].map(at), [800_000, 800_000, 160_000, 160_000]);
        assert_eq!(at(20), u32::MAX);
        state.broken = "reconfigure";
    });
    let unit = encode(encoder.as_mut(), &mut Vec::new());
    assert_eq!(unit, Ok(Some(Unit { keyframe: false })));
    let refused = encoder.set_rate(RATE).unwrap_err().to_string();
    assert_eq!(refused, "nvenc failed: changing the rate: invalid parameter (8)");
}

#[test]
fn whatever_function_fails_is_named_and_all_that_was_made_is_destroyed() {
    let opening = [
        ("device_count", "counting devices: CUDA error 8"),
        ("context_create", "making a context: CUDA error 8"),
        ("open", "opening an encoder: invalid parameter (8)"),
        ("codec_count", "counting codecs: invalid parameter (8)"),
        ("codecs", "listing codecs: invalid parameter (8)"),
        ("caps", "asking for capabilities: invalid parameter (8)"),
        ("preset", "asking for settings: invalid parameter (8)"),
        ("initialize", "initializing: invalid parameter (8)"),
        ("create_input", "making an input buffer: invalid parameter (8)"),
        ("create_output", "making an output buffer: invalid parameter (8)"),
    ];
    for (broken, reason) in opening {
        let driver = driver();
        with(|state| state.broken = broken);
        let error = open_with(&driver, SIZE, RATE).err();
        assert_eq!(error, Some(Backend::Nvenc.unavailable(reason)));
        with(|state| assert!(state.alive.is_empty(), "{broken}: {:?}", state.alive));
    }
    let encoding = [
        ("lock_input", "locking the input"),
        ("encode", "encoding"),
        ("lock_output", "locking the output"),
    ];
    for (broken, what) in encoding {
        let mut encoder = open_with(&driver(), SIZE, RATE).unwrap().encoder;
        with(|state| state.broken = broken);
        let error = encode(encoder.as_mut(), &mut Vec::new()).unwrap_err().to_string();
        assert_eq!(error, format!("nvenc failed: {what}: invalid parameter (8)"));
        drop(encoder);
        with(|state| assert!(state.alive.is_empty(), "{broken}: {:?}", state.alive));
    }
}

#[test]
fn the_first_device_with_an_encoder_is_used() {
    let driver = driver();
    with(|state| (state.devices, state.first_encoder) = (3, 2));
    assert_eq!(open_with(&driver, SIZE, RATE).unwrap().driver, "Card 2, CUDA 12.4");
    with(|state| {
        assert_eq!(state.calls.iter().filter(|call| **call == "open").count(), 3);
        assert!(state.alive.is_empty(), "{:?}", state.alive);
    });
}

#[test]
fn devices_that_cannot_do_it_say_so() {
    let cases: [(Change, &str); 4] = [
        (|state| state.devices = 0, "there is no device"),
        (|state| state.first_encoder = 1, "opening an encoder: unsupported device (2)"),
        (|state| state.other_codecs_only = true, "no H.264"),
        (|state| state.changes_rate = false, "the device cannot change the rate"),
    ];
    for (prepare, reason) in cases {
        let driver = driver();
        with(prepare);
        let error = open_with(&driver, SIZE, RATE).err();
        assert_eq!(error, Some(Backend::Nvenc.unavailable(reason)));
        with(|state| assert!(state.alive.is_empty(), "{reason}: {:?}", state.alive));
    }
}

#[test]
fn buffers_that_cannot_be_right_are_not_touched() {
    let cases: [(Change, &str); 4] = [
        (|state| state.pitch = 63, "an input buffer with a pitch of 63"),
        (|state| state.pitch = 0, "an input buffer with a pitch of 0"),
        (|state| state.null_data = true, "an input buffer with a pitch of 96"),
        (|state| state.unit_bytes = Some(64 * 32 * 3 + 1), "a unit of 6145 bytes"),
    ];
    for (prepare, reason) in cases {
        let mut encoder = open_with(&driver(), SIZE, RATE).unwrap().encoder;
        with(prepare);
        let mut out = Vec::new();
        let error = encode(encoder.as_mut(), &mut out);
        assert_eq!(error, Err(failed(reason.into())));
        assert!(out.is_empty());
        with(|state| assert!(!state.alive.iter().any(|alive| alive.contains("locked"))));
    }
}

#[test]
fn sizes_beyond_the_devices_bounds_are_refused() {
    for (width, height) in [(4098, 32), (64, 4098), (46, 32), (64, 14), (63, 32), (64, 31)] {
        let found = Size::new(width, height);
        let error = open_with(&driver(), found, RATE).err();
        assert_eq!(error, Some(VideoError::Size { found, largest: Size::new(4096, 4096) }));
    }
    let mut encoder = open_with(&driver(), SIZE, RATE).unwrap().encoder;
    let (size, chroma) = (Size::new(32, 16), Chroma::Quarter);
    let other = Planes { size, chroma, data: [&[0; 512]; 3], strides: [32; 3] };
    assert_eq!(encoder.encode(&other, &mut Vec::new()), Err(VideoError::Kind));
}
