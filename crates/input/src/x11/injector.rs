//! Applies a helper's input to the sharer's display, as far and as long as a token allows.

use super::display::Display;
use crate::event::{InputEvent, Wheel};
use crate::{InputBatch, InputError, Limiter};
use farpane_policy::{InputToken, Reach};
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use x11rb::errors::ReplyError;

/// How often the token and the display are looked at while something is down. While nothing is,
/// nobody wakes up.
const WATCH: Duration = Duration::from_millis(2);

/// Moves the sharer's pointer and presses the sharer's keys.
///
/// It has a connection of its own to the display. Every event is applied only while the token is
/// valid, and only if its batch was made under the same permission; with a token for pointing,
/// places of the pointer go to the app ([`Injector::poll_shown`]) and all else is refused. What
/// one helper can do in a second is bounded ([`Limiter`]).
///
/// Whatever is down is let go of when the token becomes invalid (in some 2 ms, by a thread of its
/// own), when another one takes its place, after an error and when the injector is dropped. Only
/// a killed process leaves keys down.
///
/// Places are pixels of the X screen; those outside of it count as the nearest one inside. Keys
/// go by their place on the keyboard, so the sharer's layout says what they write; buttons by
/// what they do, also where the sharer has exchanged them.
pub struct Injector {
    shared: Arc<Shared>,
    watch: Option<JoinHandle<()>>,
}

/// What became of a batch: each event counts once, a click of the wheel not at all by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Applied {
    /// Done on the display, or shown to the app.
    pub applied: u64,
    /// Not allowed, or not any more.
    pub refused: u64,
    /// Too many in too short a time, or too many at once.
    pub dropped: u64,
    /// Places of the pointer that gave way to a later one.
    pub merged: u64,
    /// Keys and buttons that the display does not have.
    pub unknown: u64,
}

/// The helper points at this pixel of the sharer's screen. The app shows it as it likes; the
/// sharer's own pointer stays where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PointerShown {
    /// Columns from the left edge.
    pub x: u32,
    /// Rows from the top edge.
    pub y: u32,
}

impl Injector {
    /// Opens `display` (as `:0`; `None`: the one that `DISPLAY` names) for what `token` allows.
    ///
    /// # Errors
    /// A display that cannot be reached or that lacks the XTEST extension.
    pub fn open(display: Option<&str>, token: InputToken) -> Result<Self, InputError> {
        let from_environment = || std::env::var("DISPLAY").unwrap_or_default();
        let name = display.map_or_else(from_environment, str::to_owned);
        let hands = Hands {
            display: Ok(Display::open(&name)?),
            name,
            token,
            limiter: Limiter::default(),
            down: Vec::new(),
            shown: None,
            closed: false,
        };
        let shared = Arc::new(Shared { hands: Mutex::new(hands), wake: Condvar::new() });
        let watched = shared.clone();
        let watch = std::thread::Builder::new()
            .name("farpane-input".into())
            .spawn(move || watched.watch())
            .map_err(|e| InputError::Thread(e.to_string()))?;
        Ok(Self { shared, watch: Some(watch) })
    }

    /// Applies a batch that arrived at `now_us`. Returns when the display was told; does not wait
    /// for it.
    ///
    /// # Errors
    /// When the display went away, now or before: then nothing is down, and nothing is applied
    /// ever again.
    pub fn apply(&mut self, batch: &InputBatch, now_us: u64) -> Result<Applied, InputError> {
        self.shared.with(|hands| hands.apply(batch, now_us))
    }

    /// Applies what waits, at [`Injector::next_deadline_us`].
    ///
    /// # Errors
    /// As [`Injector::apply`].
    pub fn handle_timeout(&mut self, now_us: u64) -> Result<Applied, InputError> {
        self.shared.with(|hands| hands.apply_waiting(now_us))
    }

    /// When [`Injector::handle_timeout`] is to be called; `None` while nothing waits.
    pub fn next_deadline_us(&self) -> Option<u64> {
        self.shared.lock().limiter.next_deadline_us()
    }

    /// Where the helper points, once after each change; the newest place only.
    pub fn poll_shown(&mut self) -> Option<PointerShown> {
        let mut hands = self.shared.lock();
        if !hands.token.is_valid() {
            hands.shown = None;
        }
        hands.shown.take()
    }

    /// Lets go of everything, and goes on with another token.
    ///
    /// # Errors
    /// As [`Injector::apply`].
    pub fn renew(&mut self, token: InputToken) -> Result<(), InputError> {
        self.shared.with(|hands| {
            let released = hands.let_go();
            hands.token = token;
            released
        })
    }

    /// Lets go of everything, and waits until the display has done all that it was told.
    ///
    /// # Errors
    /// As [`Injector::apply`].
    pub fn let_go(&mut self) -> Result<(), InputError> {
        self.shared.with(|hands| {
            hands.let_go()?;
            hands.try_on(|display| display.settle())
        })
    }
}

impl Drop for Injector {
    fn drop(&mut self) {
        self.shared.with(|hands| {
            hands.closed = true;
            // A display that went away holds nothing down.
            let _ = hands.let_go();
        });
        if let Some(watch) = self.watch.take() {
            let _ = watch.join();
        }
    }
}

impl fmt::Debug for Injector {
    /// Without what is down: no log ever holds what was typed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Injector").finish_non_exhaustive()
    }
}

struct Shared {
    hands: Mutex<Hands>,
    wake: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Hands> {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, act: impl FnOnce(&mut Hands) -> T) -> T {
        let mut hands = self.lock();
        let idle = hands.down.is_empty();
        let result = act(&mut hands);
        if hands.closed || idle != hands.down.is_empty() {
            self.wake.notify_one();
        }
        result
    }

    /// While something is down: lets go of it when the token is not valid any more.
    fn watch(&self) {
        let mut hands = self.lock();
        while !hands.closed {
            hands = if hands.down.is_empty() {
                self.wake.wait(hands).unwrap_or_else(PoisonError::into_inner)
            } else {
                let waited = self.wake.wait_timeout(hands, WATCH);
                let mut hands = waited.unwrap_or_else(PoisonError::into_inner).0;
                // An error is kept for the next call.
                let _ = hands.look();
                hands
            };
        }
    }
}

struct Hands {
    /// Or why it is of no use any more.
    display: Result<Display, InputError>,
    name: String,
    token: InputToken,
    limiter: Limiter,
    /// What is down on the display: the event that lets go of it, and the code to do so with.
    down: Vec<(InputEvent, u8)>,
    shown: Option<PointerShown>,
    closed: bool,
}

impl Hands {
    fn apply(&mut self, batch: &InputBatch, now_us: u64) -> Result<Applied, InputError> {
        self.look()?;
        let mut applied = Applied::default();
        let (dropped, merged) = (self.limiter.dropped(), self.limiter.merged());
        for event in batch.events() {
            if batch.epoch() != self.token.epoch() || !self.allows(*event) {
                applied.refused += 1;
                continue;
            }
            self.limiter.handle_event(*event, now_us);
            self.drain(now_us, &mut applied)?;
        }
        self.finish()?;
        applied.dropped = self.limiter.dropped() - dropped;
        applied.merged = self.limiter.merged() - merged;
        Ok(applied)
    }

    fn apply_waiting(&mut self, now_us: u64) -> Result<Applied, InputError> {
        self.look()?;
        let mut applied = Applied::default();
        self.drain(now_us, &mut applied)?;
        self.finish()?;
        Ok(applied)
    }

    /// Before anything is done: whether the display still works, and the token.
    fn look(&mut self) -> Result<(), InputError> {
        self.try_on(Display::catch_up)?;
        if self.token.is_valid() { Ok(()) } else { self.let_go() }
    }

    /// Tells the display, and lets go should the token have become invalid meanwhile.
    fn finish(&mut self) -> Result<(), InputError> {
        self.try_on(|display| display.flush())?;
        if self.token.is_valid() { Ok(()) } else { self.let_go() }
    }

    fn allows(&self, event: InputEvent) -> bool {
        let pointing = matches!(event, InputEvent::Move { .. });
        self.token.is_valid() && (pointing || self.token.reach() == Reach::Full)
    }

    /// What the limiter lets through is all of the token's own epoch: another one empties it.
    fn drain(&mut self, now_us: u64, applied: &mut Applied) -> Result<(), InputError> {
        let (token, epoch) = (self.token.clone(), self.token.epoch());
        while let Some(event) = self.limiter.poll_event(now_us) {
            // The token is asked before every event: it may have changed since the last.
            let done = match token.reach() {
                Reach::Pointer => token.point(epoch, || self.show(event)),
                Reach::Full => token.inject(epoch, || self.act(event)),
            };
            *(match done.transpose()? {
                None => &mut applied.refused,
                Some(true) => &mut applied.applied,
                Some(false) => &mut applied.unknown,
            }) += 1;
        }
        Ok(())
    }

    /// Shows the app where the helper points; whether the event says that.
    fn show(&mut self, event: InputEvent) -> Result<bool, InputError> {
        let InputEvent::Move { x, y } = event else { return Ok(false) };
        let (x, y) = self.try_on(|display| Ok(display.nearest(x, y)))?;
        self.shown = Some(PointerShown { x: x.into(), y: y.into() });
        Ok(true)
    }

    /// Does it; whether the display has such a key or button.
    fn act(&mut self, event: InputEvent) -> Result<bool, InputError> {
        let code = match event {
            InputEvent::Move { x, y } => {
                self.try_on(|display| display.point(display.nearest(x, y)))?;
                return Ok(true);
            }
            InputEvent::Wheel(wheel) => return self.try_on(|display| turn(display, wheel)),
            InputEvent::Press(button) => self.try_on(|display| Ok(display.button_code(button)))?,
            InputEvent::KeyDown(key) => self.try_on(|display| Ok(display.key_code(key)))?,
            InputEvent::Release(_) | InputEvent::KeyUp(_) => {
                self.down.iter().find(|(up, _)| *up == event).map(|(_, code)| *code)
            }
        };
        let Some(code) = code else { return Ok(false) };
        match event {
            // Before it goes down, so that it is let go of whatever happens.
            InputEvent::Press(button) => self.down.push((InputEvent::Release(button), code)),
            InputEvent::KeyDown(key) => self.down.push((InputEvent::KeyUp(key), code)),
            _ => {}
        }
        self.try_on(|display| switch(display, event, code))?;
        self.down.retain(|(up, _)| *up != event);
        Ok(true)
    }

    /// Whatever the token says: letting go is always allowed.
    fn let_go(&mut self) -> Result<(), InputError> {
        self.shown = None;
        self.sort_down();
        let down = self.down.clone();
        if down.is_empty() {
            return self.display.as_ref().map(|_| ()).map_err(Clone::clone);
        }
        self.try_on(|display| release(display, &down))?;
        self.down.clear();
        Ok(())
    }

    /// Puts what is down into the order in which it is let go of, and tells the limiter.
    fn sort_down(&mut self) {
        let order = self.limiter.release_all();
        let place = |up: &InputEvent| order.iter().position(|event| event == up);
        self.down.sort_by_key(|(up, _)| place(up).unwrap_or(usize::MAX));
    }

    /// Does something on the display. When that fails, what is down is let go of by another
    /// connection: the server keeps it down when this one breaks.
    fn try_on<T>(
        &mut self,
        act: impl FnOnce(&mut Display) -> Result<T, ReplyError>,
    ) -> Result<T, InputError> {
        let display = self.display.as_mut().map_err(|gone| gone.clone())?;
        let error = match act(display) {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let gone = InputError::Display { display: self.name.clone(), reason: error.to_string() };
        self.display = Err(gone.clone());
        self.sort_down();
        let down = std::mem::take(&mut self.down);
        if !down.is_empty()
            && let Ok(display) = Display::open(&self.name)
        {
            let _ = release(&display, &down);
        }
        Err(gone)
    }
}

/// A click is a button that goes down and up.
fn turn(display: &Display, wheel: Wheel) -> Result<bool, ReplyError> {
    let codes = display.wheel_codes(wheel.right(), wheel.down());
    let clicks = [wheel.right().unsigned_abs(), wheel.down().unsigned_abs()];
    let mut known = false;
    for (code, clicks) in codes.into_iter().zip(clicks) {
        let Some(code) = code else { continue };
        for _ in 0..clicks {
            display.button(code, true)?;
            display.button(code, false)?;
            known = true;
        }
    }
    Ok(known)
}

/// Presses or lets go of what has this code.
fn switch(display: &Display, event: InputEvent, code: u8) -> Result<(), ReplyError> {
    let down = !event.is_release();
    match event {
        InputEvent::Press(_) | InputEvent::Release(_) => display.button(code, down),
        _ => display.key(code, down),
    }
}

/// Waits until all are up, so that no connection ends with a release on its way.
fn release(display: &Display, down: &[(InputEvent, u8)]) -> Result<(), ReplyError> {
    for (event, code) in down {
        switch(display, *event, *code)?;
    }
    display.settle()
}
