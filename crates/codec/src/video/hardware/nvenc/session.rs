//! One encoder of a device, and all that it holds there.

use super::driver::{Driver, check, cuda};
use super::layout::{
    API_VERSION, CUDA, Caps, Config, CreateInput, CreateOutput, Guid, H264, Initialize,
    LOW_LATENCY, LockInput, LockOutput, NV12, Open, PRESET, Picture, Preset, Reconfigure,
    WHOLE_FRAME,
};
use std::ffi::{c_int, c_void};
use std::sync::Arc;
use std::{ptr, slice};

/// `CU_CTX_SCHED_BLOCKING_SYNC`: waits without keeping a core busy.
const WAIT_ASLEEP: u32 = 4;
/// More codecs than these are not looked at. There are three.
const CODECS: u32 = 64;

/// An encoder. Its calls are made with its CUDA context current.
pub(super) struct Session {
    driver: Arc<Driver>,
    context: *mut c_void,
    /// Null until open; so are the buffers.
    encoder: *mut c_void,
    input: *mut c_void,
    output: *mut c_void,
    width: u32,
    height: u32,
}

// SAFETY: NVENC and CUDA may be called from any thread, one at a time for an encoder: all methods
// that call them have the session to themselves (`&mut`).
unsafe impl Send for Session {}

impl Session {
    /// Opens an encoder on a device, and makes sure that it makes H.264.
    pub(super) fn open(driver: Arc<Driver>, device: c_int) -> Result<Self, String> {
        let mut context = ptr::null_mut();
        // SAFETY: CUDA writes one handle, and makes the context current, which is undone at once.
        unsafe {
            let status = (driver.context_create)(&raw mut context, WAIT_ASLEEP, device);
            cuda(status, "making a context")?;
            (driver.context_pop)(&raw mut context);
        }
        let null = ptr::null_mut();
        let (encoder, input, output) = (null, null, null);
        let mut session = Self { driver, context, encoder, input, output, width: 0, height: 0 };
        session.current(|session| {
            let mut open = Open::new();
            open.put(Open::DEVICE_TYPE, CUDA);
            open.put_pointer(Open::DEVICE, session.context);
            open.put(Open::API, API_VERSION);
            let open_session = session.driver.open;
            // SAFETY: the structure is whole, and NVENC writes one handle.
            let status = unsafe { open_session(open.as_mut_ptr(), &raw mut session.encoder) };
            check(status, "opening an encoder")?;
            if session.codecs()?.contains(&H264) { Ok(()) } else { Err("no H.264".into()) }
        })?;
        Ok(session)
    }

    fn codecs(&mut self) -> Result<Vec<Guid>, String> {
        let mut count = 0;
        // SAFETY: the encoder is open, and NVENC writes one number.
        let status = unsafe { (self.driver.codec_count)(self.encoder, &raw mut count) };
        check(status, "counting codecs")?;
        let mut codecs = vec![Guid::default(); count.min(CODECS) as usize];
        let room = codecs.len() as u32;
        // SAFETY: NVENC writes at most `room` of them, and their number.
        let status = unsafe {
            (self.driver.codecs)(self.encoder, codecs.as_mut_ptr(), room, &raw mut count)
        };
        check(status, "listing codecs")?;
        Ok(codecs)
    }

    /// One of the encoder's capabilities for H.264.
    pub(super) fn caps(&mut self, what: u32) -> Result<u32, String> {
        self.current(|session| {
            let mut caps = Caps::new();
            caps.put(Caps::QUERY, what);
            let mut value = 0;
            let (ask, caps) = (session.driver.caps, caps.as_mut_ptr());
            // SAFETY: the structure is whole, and NVENC writes one number.
            let status = unsafe { ask(session.encoder, H264, caps, &raw mut value) };
            check(status, "asking for capabilities")?;
            Ok(u32::try_from(value).unwrap_or(0))
        })
    }

    /// The settings that NVIDIA recommends for low latency.
    pub(super) fn preset(&mut self) -> Result<Config, String> {
        self.current(|session| {
            let mut preset = Preset::new();
            preset.put_record(Preset::CONFIG, &Config::new());
            let (ask, to) = (session.driver.preset, preset.as_mut_ptr());
            // SAFETY: the structure is whole, and so is the one in it.
            let status = unsafe { ask(session.encoder, H264, PRESET, LOW_LATENCY, to) };
            check(status, "asking for settings")?;
            Ok(Config(preset.record(Preset::CONFIG)))
        })
    }

    /// Makes the encoder ready for pictures of one size, in NV12.
    pub(super) fn initialize(
        &mut self,
        initialize: &Initialize,
        config: &Config,
    ) -> Result<(), String> {
        self.width = initialize.get(Initialize::WIDTH);
        self.height = initialize.get(Initialize::HEIGHT);
        let (mut initialize, mut config) = (initialize.clone(), config.clone());
        self.current(|session| {
            initialize.put_pointer(Initialize::CONFIG, config.as_mut_ptr());
            // SAFETY: the structure is whole, and the one that it points to lives as long.
            let status =
                unsafe { (session.driver.initialize)(session.encoder, initialize.as_mut_ptr()) };
            check(status, "initializing")?;
            session.create_buffers()
        })
    }

    fn create_buffers(&mut self) -> Result<(), String> {
        let mut input = CreateInput::new();
        input.put(CreateInput::WIDTH, self.width);
        input.put(CreateInput::HEIGHT, self.height);
        input.put(CreateInput::FORMAT, NV12);
        // SAFETY: the structure is whole, and the encoder initialized.
        let status = unsafe { (self.driver.create_input)(self.encoder, input.as_mut_ptr()) };
        check(status, "making an input buffer")?;
        self.input = input.pointer(CreateInput::BUFFER);
        let mut output = CreateOutput::new();
        // SAFETY: as above.
        let status = unsafe { (self.driver.create_output)(self.encoder, output.as_mut_ptr()) };
        check(status, "making an output buffer")?;
        self.output = output.pointer(CreateOutput::BUFFER);
        Ok(())
    }

    /// Goes on with other settings, without a keyframe.
    pub(super) fn reconfigure(
        &mut self,
        initialize: &Initialize,
        config: &Config,
    ) -> Result<(), String> {
        let (mut initialize, mut config) = (initialize.clone(), config.clone());
        self.current(|session| {
            initialize.put_pointer(Initialize::CONFIG, config.as_mut_ptr());
            let mut change = Reconfigure::new();
            change.put_record(Reconfigure::INITIALIZE, &initialize);
            // SAFETY: the structure is whole, and the one that it points to lives as long.
            let status =
                unsafe { (session.driver.reconfigure)(session.encoder, change.as_mut_ptr()) };
            check(status, "changing the rate")
        })
    }

    /// Encodes the picture that `fill` writes, given bytes and the pitch, and appends its unit to
    /// `out`. Gives NVENC's type of the picture.
    pub(super) fn encode(
        &mut self,
        flags: u32,
        index: u64,
        fill: impl FnOnce(&mut [u8], usize),
        out: &mut Vec<u8>,
    ) -> Result<u32, String> {
        self.current(|session| {
            let pitch = session.write_input(fill)?;
            let mut picture = Picture::new();
            picture.put(Picture::WIDTH, session.width);
            picture.put(Picture::HEIGHT, session.height);
            picture.put(Picture::PITCH, pitch);
            picture.put(Picture::FLAGS, flags);
            picture.put(Picture::INDEX, index as u32);
            picture.put_long(Picture::TIME, index);
            picture.put_pointer(Picture::INPUT, session.input);
            picture.put_pointer(Picture::OUTPUT, session.output);
            picture.put(Picture::FORMAT, NV12);
            picture.put(Picture::STRUCTURE, WHOLE_FRAME);
            // SAFETY: the structure is whole, and the buffers are this encoder's and unlocked.
            let status = unsafe { (session.driver.encode)(session.encoder, picture.as_mut_ptr()) };
            check(status, "encoding")?;
            session.read_output(out)
        })
    }

    fn write_input(&mut self, fill: impl FnOnce(&mut [u8], usize)) -> Result<u32, String> {
        let mut lock = LockInput::new();
        lock.put_pointer(LockInput::BUFFER, self.input);
        // SAFETY: the structure is whole, and the buffer is this encoder's.
        let status = unsafe { (self.driver.lock_input)(self.encoder, lock.as_mut_ptr()) };
        check(status, "locking the input")?;
        let (data, pitch) = (lock.pointer(LockInput::DATA), lock.get(LockInput::PITCH));
        let sound = !data.is_null() && pitch >= self.width;
        if sound {
            let bytes = pitch as usize * self.height as usize / 2 * 3;
            // SAFETY: NVENC says that the buffer, made for NV12 of this size, has rows of `pitch`
            // bytes; it is ours until it is unlocked.
            fill(unsafe { slice::from_raw_parts_mut(data.cast(), bytes) }, pitch as usize);
        }
        // SAFETY: the buffer is locked.
        let status = unsafe { (self.driver.unlock_input)(self.encoder, self.input) };
        check(status, "unlocking the input")?;
        if sound { Ok(pitch) } else { Err(format!("an input buffer with a pitch of {pitch}")) }
    }

    fn read_output(&mut self, out: &mut Vec<u8>) -> Result<u32, String> {
        let mut lock = LockOutput::new();
        lock.put_pointer(LockOutput::OUTPUT, self.output);
        // SAFETY: the structure is whole, and the buffer is this encoder's. This waits for the
        // picture.
        let status = unsafe { (self.driver.lock_output)(self.encoder, lock.as_mut_ptr()) };
        check(status, "locking the output")?;
        let (data, bytes) = (lock.pointer(LockOutput::DATA), lock.get(LockOutput::BYTES) as usize);
        // Drivers give room for twice the raw picture.
        let sound = !data.is_null() && bytes <= self.width as usize * self.height as usize * 3;
        if sound {
            // SAFETY: NVENC says that so many bytes are there until the buffer is unlocked.
            out.extend_from_slice(unsafe { slice::from_raw_parts(data.cast(), bytes) });
        }
        // SAFETY: the buffer is locked.
        let status = unsafe { (self.driver.unlock_output)(self.encoder, self.output) };
        check(status, "unlocking the output")?;
        if sound { Ok(lock.get(LockOutput::TYPE)) } else { Err(format!("a unit of {bytes} bytes")) }
    }

    /// Makes the context current, for some calls.
    fn current<T>(
        &mut self,
        calls: impl FnOnce(&mut Self) -> Result<T, String>,
    ) -> Result<T, String> {
        // SAFETY: the context lives as long as the session.
        cuda(unsafe { (self.driver.context_push)(self.context) }, "entering the context")?;
        let result = calls(self);
        let mut popped = ptr::null_mut();
        // SAFETY: CUDA writes one handle: the context that was pushed above.
        cuda(unsafe { (self.driver.context_pop)(&raw mut popped) }, "leaving the context")?;
        result
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.current(|session| {
            let driver = &session.driver;
            // SAFETY: all handles that are not null are this session's and are not used again,
            // and the buffers go before the encoder.
            unsafe {
                if !session.input.is_null() {
                    (driver.destroy_input)(session.encoder, session.input);
                }
                if !session.output.is_null() {
                    (driver.destroy_output)(session.encoder, session.output);
                }
                if !session.encoder.is_null() {
                    (driver.destroy)(session.encoder);
                }
            }
            Ok(())
        });
        // SAFETY: nothing of this context is left.
        unsafe { (self.driver.context_destroy)(self.context) };
    }
}
