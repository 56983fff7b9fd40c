//! Sessions: making, connecting, waiting, ending.

use crate::abi::*;
use crate::boundary::{Failure, Outcome, on_session, run};
use crate::event::{self, Told};
use crate::file::Arrivals;
use crate::handle::Table;
use crate::helper::HelperRole;
use crate::log;
use crate::memory::{self, Sized32};
use crate::sharer::SharerRole;
use crate::signal::Signal;
use crate::{audit, tenant};
use farpane::audit::Audit;
use farpane::policy::Side;
use farpane::{Helper, Membership, Sharer};
use std::collections::VecDeque;
use std::ffi::{c_char, c_void};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// All sessions that are alive.
pub(crate) static SESSIONS: Table<Session> = Table::new(1, 256);
/// Numbers sessions in the log.
static NEXT: AtomicU64 = AtomicU64::new(1);
/// The longest text in a configuration.
const MAX_TEXT_BYTES: usize = farpane::net::MAX_INVITATION_BYTES;

// SAFETY: `repr(C)`, begins with its size; all bytes 0 are NULL pointers and zeros.
unsafe impl Sized32 for farpane_session_config {
    const FIRST_BYTES: usize = std::mem::offset_of!(farpane_session_config, probe);
}

/// What a session is for.
pub(crate) enum Role {
    Sharer(Box<SharerRole>),
    Helper(Box<HelperRole>),
}

/// What runs in a session that was connected.
pub(crate) enum Live<'a> {
    Sharer(&'a Sharer),
    Helper(&'a Helper),
}

/// A session.
pub(crate) struct Session {
    pub(crate) number: u64,
    pub(crate) shared: Arc<Shared>,
    pub(crate) role: Role,
    poisoned: AtomicBool,
}

/// What a session shares with its threads.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) signal: Signal,
    own: Mutex<Own>,
}

/// What the session itself has to say, before what its role has.
#[derive(Default)]
struct Own {
    events: VecDeque<Told>,
    phase: Phase,
    /// Of the event that was taken last.
    last_text: String,
}

/// Where a session is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It was not connected yet.
    #[default]
    New,
    /// It was, and its end was not taken yet.
    Running,
    /// Its end was taken; a helper whose connection was `lost` may connect again.
    Ended { lost: bool },
    /// The app closed or released it; its end may not have been taken yet.
    Closing,
}

impl Shared {
    /// Queues an event and rings.
    pub(crate) fn tell(&self, event: impl Into<Told>) {
        self.own().events.push_back(event.into());
        self.signal.ring();
    }

    /// The whole text of the event that was taken last.
    pub(crate) fn last_text(&self) -> String {
        self.own().last_text.clone()
    }

    fn own(&self) -> MutexGuard<'_, Own> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    fn new(config: &farpane_session_config) -> Outcome<Self> {
        let texts = Texts::read(config)?;
        let shared = Arc::new(Shared::default());
        let role = match config.role {
            FARPANE_ROLE_SHARER => Role::Sharer(Box::new(SharerRole::new(&texts, config)?)),
            FARPANE_ROLE_HELPER => Role::Helper(Box::new(HelperRole::new(&texts, config)?)),
            other => return Err(Failure::argument(format!("there is no role {other}"))),
        };
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Ok(Self { number, shared, role, poisoned: AtomicBool::new(false) })
    }

    /// The sharer's role, or why there is none.
    pub(crate) fn sharer(&self) -> Outcome<&SharerRole> {
        match &self.role {
            Role::Sharer(sharer) => Ok(sharer),
            Role::Helper(_) => Err(Failure::new(FARPANE_ERR_STATE, "this session is a helper's")),
        }
    }

    /// The helper's role, or why there is none.
    pub(crate) fn helper(&self) -> Outcome<&HelperRole> {
        match &self.role {
            Role::Helper(helper) => Ok(helper),
            Role::Sharer(_) => Err(Failure::new(FARPANE_ERR_STATE, "this session is a sharer's")),
        }
    }

    /// Calls `with` what runs: a sharer that knows the helper `id`, or a helper, whose other side
    /// is 0.
    pub(crate) fn with_live<T>(
        &self,
        id: u64,
        with: impl FnOnce(Live<'_>) -> Outcome<T>,
    ) -> Outcome<T> {
        match &self.role {
            Role::Sharer(role) => role.with(|sharer| {
                role.check_helper(id)?;
                with(Live::Sharer(sharer))
            }),
            Role::Helper(role) => role.with(|helper| match id {
                0 => with(Live::Helper(helper)),
                _ => Err(Failure::argument("the other side of a helper is 0")),
            }),
        }
    }

    /// Files that come.
    pub(crate) fn arrivals(&self) -> &Arrivals {
        match &self.role {
            Role::Sharer(role) => &role.arrivals,
            Role::Helper(role) => &role.arrivals,
        }
    }

    pub(crate) fn is_poisoned(&self) -> bool {
        self.poisoned.load(Ordering::SeqCst)
    }

    /// A call panicked: nothing is captured or shown any more, and the app is told.
    pub(crate) fn poison(&self) {
        self.poisoned.store(true, Ordering::SeqCst);
        self.close_role();
        let text = "a bug in the library ended the session".to_owned();
        self.shared.tell(event::ended(FARPANE_END_ERROR, text, false));
    }

    fn connect(&self) -> Outcome<farpane_result> {
        let mut own = self.shared.own();
        match own.phase {
            Phase::New | Phase::Ended { lost: true } => own.phase = Phase::Running,
            Phase::Running => return Err(Failure::new(FARPANE_ERR_STATE, "it is connected")),
            Phase::Ended { .. } | Phase::Closing => {
                return Err(Failure::new(FARPANE_ERR_STATE, "the session is over"));
            }
        }
        drop(own);
        let started = match &self.role {
            Role::Sharer(sharer) => sharer.connect(&self.shared),
            Role::Helper(helper) => helper.connect(&self.shared),
        };
        if started.is_err() {
            self.shared.own().phase = Phase::New;
        }
        started.map(|()| FARPANE_OK)
    }

    /// Ends the session, once; the event of its end follows.
    fn close(&self) {
        let before = std::mem::replace(&mut self.shared.own().phase, Phase::Closing);
        match before {
            Phase::New => {
                let reason = match self.role {
                    Role::Sharer(_) => FARPANE_END_SHARER_ENDED,
                    Role::Helper(_) => FARPANE_END_HELPER_ENDED,
                };
                let text = "closed before it was connected".to_owned();
                self.shared.tell(event::ended(reason, text, false));
            }
            Phase::Running => self.close_role(),
            Phase::Ended { .. } => self.shared.own().phase = Phase::Ended { lost: false },
            Phase::Closing => {}
        }
        log::info(&format!("session {}: closed", self.number));
    }

    fn close_role(&self) {
        match &self.role {
            Role::Sharer(sharer) => sharer.close(),
            Role::Helper(helper) => helper.close(),
        }
    }

    /// Ends everything and waits for the threads.
    fn release(&self) {
        let mut own = self.shared.own();
        own.phase = Phase::Ended { lost: false };
        own.events.clear();
        own.last_text.clear();
        drop(own);
        self.shared.signal.set_wakeup(None, std::ptr::null_mut());
        // Calls that wait see the end.
        self.shared.signal.ring();
        match &self.role {
            Role::Sharer(sharer) => sharer.release(),
            Role::Helper(helper) => helper.release(),
        }
        log::info(&format!("session {}: released", self.number));
    }

    /// Whether everything that the session had to say was taken.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.shared.own().phase, Phase::Ended { .. })
    }

    /// The next event that is there.
    pub(crate) fn next_event(&self) -> Option<farpane_event> {
        let own = self.shared.own().events.pop_front();
        let Told { event, text } = match (own, &self.role) {
            (Some(told), _) => told,
            (None, _) if self.is_over() => return None,
            (None, Role::Sharer(sharer)) => sharer.next_event()?,
            (None, Role::Helper(helper)) => helper.next_event()?,
        };
        self.shared.own().last_text = text;
        if event.kind == FARPANE_EVENT_ENDED {
            self.arrivals().clear();
            let mut own = self.shared.own();
            let lost = event.lost == 1 && own.phase == Phase::Running;
            own.phase = Phase::Ended { lost };
            log::info(&format!("session {}: ended, reason {}", self.number, event.reason));
        }
        if [FARPANE_EVENT_FAILED, FARPANE_EVENT_SCREEN_LOST].contains(&event.kind) {
            log::warn(&format!("session {}: event {}", self.number, event.kind));
        }
        Some(event)
    }

    /// Whether an event or a frame is there.
    fn has_news(&self) -> bool {
        let own = !self.shared.own().events.is_empty();
        own || match &self.role {
            Role::Sharer(sharer) => sharer.has_news(),
            Role::Helper(helper) => helper.has_news(),
        }
    }

    /// Takes what `poll` finds, waiting for it. With nothing there, the descriptor is cleared
    /// unless something else is.
    pub(crate) fn wait<T>(
        &self,
        timeout_ms: u32,
        mut poll: impl FnMut() -> Option<T>,
    ) -> Result<T, farpane_result> {
        let forever = timeout_ms == FARPANE_FOREVER;
        let timeout = Duration::from_millis(timeout_ms.into());
        let deadline = (!forever).then(|| Instant::now() + timeout);
        let signal = &self.shared.signal;
        loop {
            let seen = signal.rings();
            if let Some(found) = poll() {
                return Ok(found);
            }
            if self.is_over() {
                return Err(FARPANE_ENDED);
            }
            if timeout_ms > 0 && signal.wait(seen, deadline) {
                continue;
            }
            signal.clear_descriptor();
            if self.has_news() {
                signal.set_descriptor();
            }
            return poll().ok_or(FARPANE_AGAIN);
        }
    }
}

/// The texts of a configuration.
pub(crate) struct Texts<'a> {
    pub(crate) name: Option<&'a str>,
    pub(crate) invitation: Option<&'a str>,
    pub(crate) source: Option<&'a str>,
    pub(crate) monitor: Option<&'a str>,
    pub(crate) listen: Option<&'a str>,
    pub(crate) probe: Option<&'a str>,
    pub(crate) remembered: Option<&'a str>,
    pub(crate) code: Option<&'a str>,
    pub(crate) relays: Option<&'a str>,
    pub(crate) input: Option<&'a str>,
}

/// What a session of either side may have.
pub(crate) fn of_tenant(
    config: &farpane_session_config,
    side: Side,
) -> Outcome<(Option<Membership>, Audit)> {
    Ok((tenant::get(config.membership, side)?, audit::get(config.audit)?))
}

impl Texts<'_> {
    fn read(config: &farpane_session_config) -> Outcome<Self> {
        let text = |what, at, bytes| {
            // SAFETY: the caller of farpane_session_create promised it.
            let text = unsafe { memory::text(what, at, bytes, MAX_TEXT_BYTES)? };
            Ok(text.filter(|text| !text.is_empty()))
        };
        Ok(Self {
            name: text("name", config.name, config.name_len)?,
            invitation: text("invitation", config.invitation, config.invitation_len)?,
            source: text("source", config.source, config.source_len)?,
            monitor: text("monitor", config.monitor, config.monitor_len)?,
            listen: text("listen address", config.listen, config.listen_len)?,
            probe: text("probe", config.probe, config.probe_len)?,
            remembered: text("remembered", config.remembered, config.remembered_len)?,
            code: text("code", config.code, config.code_len)?,
            relays: text("relays", config.relays, config.relays_len)?,
            input: text("input display", config.input, config.input_len)?,
        })
    }
}

/// Makes a session and stores it in `out`; NULL there when it fails. Nothing is connected or
/// captured yet. Release it with farpane_session_unref.
///
/// Any thread. Errors: FARPANE_ERR_ARGUMENT, FARPANE_ERR_UNSUPPORTED, FARPANE_ERR_INVITATION,
/// FARPANE_ERR_LIMIT above 256 sessions, FARPANE_ERR_HANDLE for a membership or an audit log that
/// is none, FARPANE_ERR_SYSTEM.
///
/// # Safety
/// `config` is NULL or readable for its struct_size, its texts for their lengths; `out` is NULL or
/// writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn farpane_session_create(
    config: *const farpane_session_config,
    out: *mut *mut farpane_session,
) -> farpane_result {
    run(|| {
        // SAFETY: the caller's promise.
        let config = unsafe {
            memory::put("session", out, std::ptr::null_mut())?;
            memory::read(config)?
        };
        let session = Arc::new(Session::new(&config)?);
        let number = session.number;
        let handle = SESSIONS.insert(session);
        let handle = handle.ok_or_else(|| Failure::new(FARPANE_ERR_LIMIT, "too many sessions"))?;
        log::info(&format!("session {number}: created, role {}", config.role));
        // SAFETY: as above.
        unsafe { memory::put("session", out, handle as *mut farpane_session)? };
        Ok(FARPANE_OK)
    })
}

/// Begins. A sharer listens when this returns; a helper is connected by another thread, and
/// FARPANE_EVENT_CONNECTED or FARPANE_EVENT_ENDED says what came of it. After an end with `lost`
/// a helper may call this again: it comes back with the same key.
///
/// Any thread, does not block. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_STATE when it was called
/// before or the session is over, FARPANE_ERR_SYSTEM when the address cannot be used.
#[unsafe(no_mangle)]
pub extern "C" fn farpane_session_connect(session: *mut farpane_session) -> farpane_result {
    on_session(session, Session::connect)
}

/// Ends the session: nothing newly captured is sent, the other side is told, and
/// FARPANE_EVENT_ENDED follows. Calling it again changes nothing.
///
/// Any thread, does not block. Errors: FARPANE_ERR_HANDLE.
#[unsafe(no_mangle)]
pub extern "C" fn farpane_session_close(session: *mut farpane_session) -> farpane_result {
    on_session_always(session, |session| {
        session.close();
        Ok(FARPANE_OK)
    })
}

/// Ends the session if it is not over, waits for its threads and releases it: the handle is
/// invalid from now on, and calls that wait in other threads return FARPANE_ENDED. Frames live on.
/// Never call it from a callback.
///
/// Any thread; waits for running threads, usually a few milliseconds. Errors: FARPANE_ERR_HANDLE,
/// FARPANE_ERR_REENTRANT.
#[unsafe(no_mangle)]
pub extern "C" fn farpane_session_unref(session: *mut farpane_session) -> farpane_result {
    run(|| {
        let released = SESSIONS.release(session as usize);
        let released = released.ok_or_else(|| Failure::handle("session"))?;
        if let Some(session) = released {
            session.release();
        }
        Ok(FARPANE_OK)
    })
}

/// Waits until an event or a frame may be there, at most `timeout_ms` milliseconds: 0 does not
/// wait, FARPANE_FOREVER waits without end. Takes nothing.
///
/// Any thread. Returns FARPANE_AGAIN when nothing came in that time, FARPANE_ENDED when the session
/// is over. Errors: FARPANE_ERR_HANDLE.
#[unsafe(no_mangle)]
pub extern "C" fn farpane_session_wait(
    session: *mut farpane_session,
    timeout_ms: u32,
) -> farpane_result {
    on_session_always(session, |session| {
        let waited = session.wait(timeout_ms, || session.has_news().then_some(FARPANE_OK));
        Ok(waited.unwrap_or_else(|result| result))
    })
}

/// Stores a descriptor that poll(2) finds readable when an event or a frame may be there. It stays
/// readable until farpane_event_next or farpane_frame_next returned FARPANE_AGAIN with nothing left
/// to take. The session owns it: do not read, write or close it.
///
/// Any thread. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_ARGUMENT, FARPANE_ERR_SYSTEM,
/// FARPANE_ERR_UNSUPPORTED where the system has no such descriptor.
///
/// # Safety
/// `fd` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn farpane_session_event_fd(
    session: *mut farpane_session,
    fd: *mut i32,
) -> farpane_result {
    on_session_always(session, |session| {
        // SAFETY: the caller's promise.
        unsafe { memory::put("descriptor", fd, -1)? };
        let number = session.shared.signal.descriptor()?;
        // SAFETY: as above.
        unsafe { memory::put("descriptor", fd, number)? };
        Ok(FARPANE_OK)
    })
}

/// Has `call` called with `user` when an event or a frame may be there; NULL ends that. It is
/// called from threads of the library, must return at once and must not call the library. When
/// this returns, the callback of before is not running and never runs again.
///
/// Any thread. Errors: FARPANE_ERR_HANDLE.
///
/// # Safety
/// `call` can be called with `user` from any thread until it is replaced or the session released.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn farpane_session_set_wakeup(
    session: *mut farpane_session,
    call: farpane_wakeup_fn,
    user: *mut c_void,
) -> farpane_result {
    on_session_always(session, |session| {
        session.shared.signal.set_wakeup(call, user);
        Ok(FARPANE_OK)
    })
}

/// Sharer: copies out where it listens, as "192.0.2.7:4433" with a NUL, and stores its bytes
/// without the NUL in `len`.
///
/// Any thread. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_STATE before farpane_session_connect,
/// FARPANE_ERR_ARGUMENT, FARPANE_ERR_BUFFER when `capacity` is not above `*len`.
///
/// # Safety
/// `text` is NULL or writable for `capacity` bytes; `len` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn farpane_session_address(
    session: *mut farpane_session,
    text: *mut c_char,
    capacity: usize,
    len: *mut usize,
) -> farpane_result {
    on_session(session, |session| {
        let address = session.sharer()?.with(|sharer| Ok(sharer.local_address()))?;
        // SAFETY: the caller's promise.
        unsafe { memory::put_text(&address.to_string(), text, capacity, len)? };
        Ok(FARPANE_OK)
    })
}

/// As [`on_session`], also after a panic: for what takes the end and releases.
pub(crate) fn on_session_always(
    handle: *const farpane_session,
    body: impl FnOnce(&Session) -> Outcome<farpane_result>,
) -> farpane_result {
    run(|| {
        let session = SESSIONS.get(handle as usize).ok_or_else(|| Failure::handle("session"))?;
        body(&session)
    })
}
