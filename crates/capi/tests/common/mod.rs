//! A sharer and a helper, driven by the exported functions only.
#![allow(dead_code, unreachable_pub)]

use farpane_capi::abi::*;
use farpane_capi::*;
use std::ffi::{CStr, c_char};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

/// Only a hang reaches it.
pub const LIMIT_MS: u32 = 20_000;
pub const WIDTH: u32 = 160;
pub const HEIGHT: u32 = 120;

pub fn zeroed<T>() -> T {
    // SAFETY: every structure of the interface takes zeros.
    unsafe { std::mem::zeroed() }
}

pub fn config(role: u32) -> farpane_session_config {
    let struct_size = size_of::<farpane_session_config>() as u32;
    farpane_session_config { struct_size, role, ..zeroed() }
}

pub fn event() -> farpane_event {
    farpane_event { struct_size: size_of::<farpane_event>() as u32, ..zeroed() }
}

pub fn frame_info() -> farpane_frame_info {
    farpane_frame_info { struct_size: size_of::<farpane_frame_info>() as u32, ..zeroed() }
}

pub fn plane() -> farpane_plane {
    farpane_plane { struct_size: size_of::<farpane_plane>() as u32, ..zeroed() }
}

pub fn cursor() -> farpane_cursor {
    farpane_cursor { struct_size: size_of::<farpane_cursor>() as u32, ..zeroed() }
}

pub fn input(kind: u32) -> farpane_input {
    farpane_input { struct_size: size_of::<farpane_input>() as u32, kind, ..zeroed() }
}

pub fn stats() -> farpane_stats {
    farpane_stats { struct_size: size_of::<farpane_stats>() as u32, ..zeroed() }
}

/// A picture of one colour, and its memory.
pub struct Picture {
    pixels: Vec<u8>,
    pub width: u32,
    pub height: u32,
}

impl Picture {
    pub fn new(width: u32, height: u32, colour: u8) -> Self {
        Self { pixels: vec![colour; (width * height * 4) as usize], width, height }
    }

    pub fn raw(&self) -> farpane_picture {
        farpane_picture {
            struct_size: size_of::<farpane_picture>() as u32,
            format: FARPANE_FORMAT_BGRX,
            width: self.width,
            height: self.height,
            pixels: self.pixels.as_ptr(),
            pixels_len: self.pixels.len(),
            stride: self.width as usize * 4,
            ..zeroed()
        }
    }
}

pub fn text(at: &[c_char]) -> String {
    // SAFETY: the library ends its texts with a NUL.
    unsafe { CStr::from_ptr(at.as_ptr()) }.to_str().unwrap().to_owned()
}

pub fn last_error() -> String {
    let (mut said, mut len) = ([0; 1024], 0);
    // SAFETY: the buffer has that capacity.
    let result = unsafe { farpane_last_error(said.as_mut_ptr(), said.len(), &mut len) };
    assert_eq!(result, FARPANE_OK);
    assert_eq!(text(&said).len(), len);
    text(&said)
}

/// A session that is released when dropped.
pub struct Session(pub *mut farpane_session);

// SAFETY: sessions may be used from any thread.
unsafe impl Send for Session {}
// SAFETY: as above.
unsafe impl Sync for Session {}

impl Session {
    pub fn create(config: &farpane_session_config) -> Self {
        let mut session = std::ptr::null_mut();
        // SAFETY: both are valid.
        let result = unsafe { farpane_session_create(config, &mut session) };
        assert_eq!(result, FARPANE_OK, "{}", last_error());
        assert!(!session.is_null());
        Self(session)
    }

    /// A sharer that pushes its pictures, on loopback.
    pub fn sharer() -> Self {
        let listen = "127.0.0.1:0";
        Self::create(&farpane_session_config {
            listen: listen.as_ptr().cast(),
            listen_len: listen.len(),
            ..config(FARPANE_ROLE_SHARER)
        })
    }

    /// A sharer that listens.
    pub fn listening() -> Self {
        let sharer = Self::sharer();
        sharer.connect();
        sharer
    }

    pub fn helper(invitation: &str) -> Self {
        let name = "Ada";
        Self::create(&farpane_session_config {
            name: name.as_ptr().cast(),
            name_len: name.len(),
            invitation: invitation.as_ptr().cast(),
            invitation_len: invitation.len(),
            ..config(FARPANE_ROLE_HELPER)
        })
    }

    /// Connects, and waits until it is.
    pub fn connect(&self) {
        assert_eq!(farpane_session_connect(self.0), FARPANE_OK, "{}", last_error());
        self.wait(FARPANE_EVENT_CONNECTED);
    }

    pub fn next(&self, timeout_ms: u32) -> Result<farpane_event, farpane_result> {
        let mut event = event();
        // SAFETY: the event is valid.
        match unsafe { farpane_event_next(self.0, timeout_ms, &mut event) } {
            FARPANE_OK => Ok(event),
            other => Err(other),
        }
    }

    /// Waits for an event of this kind; others before it are passed over.
    pub fn wait(&self, kind: u32) -> farpane_event {
        let deadline = Instant::now() + Duration::from_millis(LIMIT_MS.into());
        loop {
            let event = self.next(LIMIT_MS).unwrap_or_else(|r| panic!("{r} instead of {kind}"));
            if event.kind == kind {
                return event;
            }
            assert!(Instant::now() < deadline, "no event {kind}");
            let is_end = event.kind == FARPANE_EVENT_ENDED;
            assert!(!is_end, "ended instead of {kind}: {}", text(&event.text));
        }
    }

    /// Waits for an event of one of these kinds.
    pub fn next_of(&self, kinds: &[u32]) -> farpane_event {
        loop {
            let event = self.next(LIMIT_MS).unwrap_or_else(|r| panic!("{r} instead of {kinds:?}"));
            if kinds.contains(&event.kind) {
                return event;
            }
        }
    }

    /// The whole text of the event taken last.
    pub fn event_text(&self) -> String {
        const CAPACITY: usize = FARPANE_EVENT_TEXT_CAPACITY;
        let (mut text, mut len) = (vec![0u8; CAPACITY], 0);
        // SAFETY: the buffer has that capacity.
        let result =
            unsafe { farpane_event_text(self.0, text.as_mut_ptr().cast(), CAPACITY, &mut len) };
        assert_eq!((result, text[len]), (FARPANE_OK, 0), "{}", last_error());
        text.truncate(len);
        String::from_utf8(text).unwrap()
    }

    pub fn address(&self) -> String {
        let (mut address, mut len) = ([0; 64], 0);
        // SAFETY: the buffer has that capacity.
        let result = unsafe { farpane_session_address(self.0, address.as_mut_ptr(), 64, &mut len) };
        assert_eq!(result, FARPANE_OK, "{}", last_error());
        text(&address)
    }

    pub fn invite(&self) -> String {
        self.invite_by(&self.address())
    }

    /// An invitation to these addresses.
    pub fn invite_by(&self, addresses: &str) -> String {
        const CAPACITY: usize = FARPANE_INVITATION_CAPACITY;
        let (mut invitation, mut len) = ([0; CAPACITY], 0);
        let out = invitation.as_mut_ptr();
        let (at, bytes) = (addresses.as_ptr().cast(), addresses.len());
        // SAFETY: all lengths are right.
        let result = unsafe {
            farpane_invitation_create(self.0, at, bytes, 60_000, out, CAPACITY, &mut len)
        };
        assert_eq!(result, FARPANE_OK, "{}", last_error());
        text(&invitation)
    }

    pub fn push(&self, picture: &Picture) {
        // SAFETY: the picture is valid.
        let result = unsafe { farpane_frame_push(self.0, &picture.raw()) };
        assert_eq!(result, FARPANE_OK, "{}", last_error());
    }

    /// Waits for a frame.
    pub fn frame(&self) -> Frame {
        let mut frame = std::ptr::null_mut();
        // SAFETY: the place is valid.
        let result = unsafe { farpane_frame_next(self.0, LIMIT_MS, &mut frame) };
        assert_eq!(result, FARPANE_OK, "{}", last_error());
        Frame(frame)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        farpane_session_unref(self.0);
    }
}

/// A frame that is released when dropped.
pub struct Frame(pub *mut farpane_frame);

impl Frame {
    pub fn info(&self) -> farpane_frame_info {
        let mut info = frame_info();
        // SAFETY: the structure is valid.
        assert_eq!(unsafe { farpane_frame_get_info(self.0, &mut info) }, FARPANE_OK);
        info
    }

    pub fn plane(&self) -> farpane_plane {
        let mut plane = plane();
        // SAFETY: the structure is valid.
        assert_eq!(unsafe { farpane_frame_get_plane(self.0, 0, &mut plane) }, FARPANE_OK);
        plane
    }

    /// Whether every pixel has this colour.
    pub fn is(&self, colour: u8) -> bool {
        let (info, plane) = (self.info(), self.plane());
        // SAFETY: the frame is alive.
        let all = unsafe { std::slice::from_raw_parts(plane.pixels, plane.pixels_len) };
        all.chunks(plane.stride).all(|row| {
            row[..info.width as usize * 4].chunks(4).all(|pixel| pixel[..3] == [colour; 3])
        })
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        farpane_frame_unref(self.0);
    }
}

/// A sharer that shares pushed pictures, and the helper that sees them.
pub struct Pair {
    pub helper: Session,
    pub sharer: Session,
    pub helper_id: u64,
}

/// Goes all the way: invitation, request, grant, indicator, capture.
pub fn sharing() -> Pair {
    let sharer = Session::listening();
    let helper = Session::helper(&sharer.invite());
    helper.connect();
    Pair::of(sharer, helper)
}

impl Pair {
    /// The rest of the way for a helper that is connected: request, grant, indicator, capture.
    pub fn of(sharer: Session, helper: Session) -> Self {
        let request = sharer.wait(FARPANE_EVENT_CONSENT_REQUESTED);
        assert_eq!(farpane_consent_grant(sharer.0, request.id, FARPANE_SCOPE_VIEW, 0), FARPANE_OK);
        sharer.wait(FARPANE_EVENT_SHOW_INDICATOR);
        assert_eq!(farpane_indicator_ack(sharer.0), FARPANE_OK);
        assert_eq!(farpane_capture_start(sharer.0), FARPANE_OK, "{}", last_error());
        Self { helper, sharer, helper_id: request.id }
    }
}

/// Says every half second that the indicator shows, until dropped.
pub struct Keeping(Option<std::sync::mpsc::Sender<()>>, Option<std::thread::JoinHandle<()>>);

impl Keeping {
    pub fn of(sharer: &Session) -> Self {
        let (name, (stop, stopped)) = (sharer.0 as usize, std::sync::mpsc::channel::<()>());
        assert_eq!(farpane_indicator_ack(sharer.0), FARPANE_OK);
        let thread = std::thread::spawn(move || {
            let half_a_second = Duration::from_millis(500);
            while stopped.recv_timeout(half_a_second) == Err(RecvTimeoutError::Timeout) {
                farpane_indicator_ack(name as *mut farpane_session);
            }
        });
        Self(Some(stop), Some(thread))
    }
}

impl Drop for Keeping {
    fn drop(&mut self) {
        self.0.take();
        self.1.take().map(std::thread::JoinHandle::join);
    }
}
