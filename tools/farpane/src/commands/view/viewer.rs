//! Watches a screen: connects, shows, hands input over, comes back.

use super::super::{deadline, is_over, relay};
use super::Args;
use super::desk::Desk;
use crate::bell::Bell;
use crate::interrupt::Interrupt;
use crate::snapshot;
use crate::stats::StatsFile;
use crate::window::{CursorImage, Hands, Window, WindowEvent, WindowOptions};
use anyhow::{Context, Result, bail};
use farpane::capture::{CursorShape, monotonic_us};
use farpane::input::InputEvent;
use farpane::net::{Identity, Invitation};
use farpane::policy::{Mode, Reach, Rights};
use farpane::{Helper, HelperEvent, HelperOptions, Picture, RemoteCursor};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a lost connection is tried again.
const RECONNECT_FOR: Duration = Duration::from_secs(60);
/// Pause between two tries.
const RECONNECT_PAUSE: Duration = Duration::from_secs(1);
/// How often Ctrl-C, the clock and the window are looked at while there is no connection.
const LOOK: Duration = Duration::from_millis(50);
/// How often statistics reach the file.
const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// How watching came to an end.
pub(super) enum Outcome {
    /// The person or the clock ended it here.
    Closed,
    /// The other side ended it.
    Ended(String),
    /// The connection broke, and did not come back if this is the end.
    Lost(String),
}

/// Wakes the viewer from other threads: by its window's descriptor, or while there is none.
#[derive(Default)]
pub(super) struct Waker {
    bell: Bell,
    window: Mutex<Option<crate::window::WindowWaker>>,
}

impl Waker {
    pub(super) fn ring(&self) {
        match &*self.window.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(window) => window.ring(),
            None => self.bell.ring(),
        }
    }

    fn attach(&self, window: &Window) {
        *self.window.lock().unwrap_or_else(PoisonError::into_inner) = Some(window.waker());
        // What rang before the window was there is not to be missed.
        window.waker().ring();
    }
}

/// What `view` keeps across connections.
pub(super) struct Viewer<'a> {
    pub(super) args: &'a Args,
    pub(super) waker: Arc<Waker>,
    pub(super) interrupt: Interrupt,
    pub(super) deadline: Option<Instant>,
    pub(super) stats: Option<StatsFile>,
    flushed: Instant,
    /// Whether the statistics hold what is not yet in their file.
    unflushed: bool,
    /// Whether any picture arrived.
    pub(super) seen: bool,
    screen: Option<Window>,
    /// Kept only for a snapshot: a picture that is let go can be composed in place.
    last: Option<Picture>,
    /// The pointer's shape as the window takes it.
    shape: Option<(u64, Arc<CursorShape>)>,
    pub(super) desk: Desk,
    /// What of mouse and keyboard the sharer takes.
    reach: Option<Reach>,
    /// What of them the window hands over.
    handed: Hands,
    /// Input that the link had no room for yet.
    unsent: Vec<InputEvent>,
}

impl<'a> Viewer<'a> {
    pub(super) fn new(
        args: &'a Args,
        waker: Arc<Waker>,
        interrupt: Interrupt,
        desk: Desk,
    ) -> Result<Self> {
        Ok(Self {
            args,
            waker,
            interrupt,
            deadline: deadline(args.seconds)?,
            stats: args.stats.as_deref().map(StatsFile::create).transpose()?,
            flushed: Instant::now(),
            unflushed: false,
            seen: false,
            screen: None,
            last: None,
            shape: None,
            desk,
            reach: None,
            handed: Hands::Off,
            unsent: Vec::new(),
        })
    }

    /// Connects, watches, and comes back with the same key while that makes sense.
    pub(super) fn take_part(
        &mut self,
        invitation: &Invitation,
        identity: &Identity,
        options: &HelperOptions,
    ) -> Result<Outcome> {
        let Some(first) = self.connect(invitation, identity, options)? else {
            if is_over(self.deadline) {
                bail!("the time of --for was over before the sharer answered");
            }
            return Ok(Outcome::Closed);
        };
        let mut helper = first?;
        loop {
            let reason = match self.watch(&helper)? {
                Outcome::Lost(reason) => reason,
                outcome => return Ok(outcome),
            };
            eprintln!("the connection is lost ({reason}); trying again");
            drop(helper);
            let until = Instant::now() + RECONNECT_FOR;
            helper = loop {
                match self.connect(invitation, identity, options)? {
                    None => return Ok(Outcome::Closed),
                    Some(Ok(again)) => break again,
                    Some(Err(error)) => eprintln!("not yet: {error}"),
                }
                if Instant::now() >= until {
                    let reason = "the sharer did not come back within a minute";
                    return Ok(Outcome::Lost(reason.to_owned()));
                }
                if self.pauses(Instant::now() + RECONNECT_PAUSE)? {
                    return Ok(Outcome::Closed);
                }
            };
        }
    }

    /// Connects on a thread of its own, so that it can be given up; `None` when it was.
    fn connect(
        &mut self,
        invitation: &Invitation,
        identity: &Identity,
        options: &HelperOptions,
    ) -> Result<Option<Result<Helper, farpane::Error>>> {
        let (sender, connected) = channel();
        let (invitation, identity, options) =
            (invitation.clone(), identity.clone(), options.clone());
        std::thread::Builder::new()
            .name("connect".to_owned())
            .spawn(move || {
                let _ = sender.send(Helper::connect(&invitation, &identity, options));
            })
            .context("cannot start a thread")?;
        loop {
            match connected.recv_timeout(LOOK) {
                Ok(result) => return Ok(Some(result)),
                Err(RecvTimeoutError::Timeout) if self.is_over() || self.is_closed()? => {
                    return Ok(None);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => bail!("the connecting thread failed"),
            }
        }
    }

    /// Waits until then; true when the person or the clock ends it before.
    fn pauses(&mut self, until: Instant) -> Result<bool> {
        while Instant::now() < until {
            if self.is_over() || self.is_closed()? {
                return Ok(true);
            }
            std::thread::sleep(LOOK.min(until.saturating_duration_since(Instant::now())));
        }
        Ok(false)
    }

    fn watch(&mut self, helper: &Helper) -> Result<Outcome> {
        loop {
            while let Some(event) = helper.try_event() {
                match event {
                    HelperEvent::PathChanged(switch) => {
                        eprintln!("the sharer is reached {}", relay::told(&switch));
                        if let Some(stats) = &mut self.stats {
                            stats.switch("view", None, &switch);
                        }
                    }
                    HelperEvent::Input(reach) => self.reach = reach,
                    HelperEvent::Ended { reason, lost, .. } => {
                        self.reach = None;
                        self.hand_over(helper)?;
                        return Ok(if lost {
                            Outcome::Lost(reason)
                        } else {
                            Outcome::Ended(reason)
                        });
                    }
                    other => self.desk.handle(helper, other)?,
                }
            }
            self.desk.listen(helper)?;
            self.hand_over(helper)?;
            if let Some(picture) = helper.take_picture() {
                self.show(picture)?;
            }
            self.point(helper.cursor())?;
            self.record(helper);
            if self.is_over() || self.is_closed()? {
                helper.end("the helper left");
                return Ok(Outcome::Closed);
            }
            self.wait()?;
        }
    }

    /// Hands the person's input to the sharer, as far as it counts.
    fn hand_over(&mut self, helper: &Helper) -> Result<()> {
        let Some(window) = &mut self.screen else { return Ok(()) };
        let wanted = match self.reach {
            None => Hands::Off,
            Some(Reach::Pointer) => Hands::Pointing,
            Some(Reach::Full) => Hands::Control,
        };
        if window.hands() != wanted && self.handed != wanted {
            window.set_hands(wanted)?;
            self.handed = wanted;
            if wanted == Hands::Control {
                eprintln!("mouse and keyboard are the sharer's; Ctrl+Alt+Shift+Escape ends that");
            }
        }
        let mut events = std::mem::take(&mut self.unsent);
        events.extend(window.take_input());
        if self.handed == Hands::Control && window.hands() == Hands::Off {
            // The person has ended it. More than seeing is asked for anew.
            self.handed = Hands::Off;
            self.reach = None;
            eprintln!("mouse and keyboard are yours again");
            let _ = helper.ask(Rights::of(Mode::View));
        }
        if !events.is_empty() {
            // What does not count any more, the sharer has let go of.
            let sent = helper.send_input(&events).unwrap_or(events.len());
            self.unsent = events.split_off(sent);
        }
        Ok(())
    }

    fn show(&mut self, picture: Picture) -> Result<()> {
        let view = picture.pixels.view();
        self.seen = true;
        if !self.args.headless {
            if self.screen.is_none() {
                let title = format!("Farpane: {}", self.args.invite.display());
                let fullscreen = self.args.fullscreen;
                let options = WindowOptions { title, size: view.size(), fullscreen };
                let window = Window::open(None, &options)
                    .context("cannot show a window; --headless does without")?;
                self.waker.attach(&window);
                self.screen = Some(window);
            }
            if let Some(window) = &mut self.screen {
                window.present(&view, picture.damage.rects())?;
            }
        }
        if self.args.snapshot.is_some() {
            self.last = Some(picture);
        }
        Ok(())
    }

    fn point(&mut self, cursor: Option<RemoteCursor>) -> Result<()> {
        let (Some(window), Some(cursor)) = (&mut self.screen, cursor) else { return Ok(()) };
        let Some(shape) = cursor.shape.filter(|_| cursor.position.visible) else {
            return window.set_cursor(None);
        };
        if self.shape.as_ref().is_none_or(|(id, _)| *id != shape.id) {
            let known = CursorShape {
                serial: shape.id,
                width: shape.width,
                height: shape.height,
                hot_x: shape.hot_x,
                hot_y: shape.hot_y,
                bgra: shape.bgra.clone(),
            };
            self.shape = Some((shape.id, Arc::new(known)));
        }
        let Some((_, shape)) = &self.shape else { return Ok(()) };
        let (x, y) = (cursor.position.x, cursor.position.y);
        window.set_cursor(Some(CursorImage { x, y, shape: Arc::clone(shape) }))
    }

    fn record(&mut self, helper: &Helper) {
        let Some(stats) = &mut self.stats else { return };
        let presented_us = self.screen.is_some().then(monotonic_us);
        while let Some(record) = helper.try_record() {
            stats.view(&record, presented_us);
            self.unflushed = true;
        }
        if self.unflushed && self.flushed.elapsed() >= FLUSH_EVERY {
            self.flushed = Instant::now();
            self.unflushed = false;
            stats.flush();
        }
    }

    fn is_over(&self) -> bool {
        is_over(self.deadline) || self.interrupt.is_set()
    }

    fn is_closed(&mut self) -> Result<bool> {
        let Some(window) = &mut self.screen else { return Ok(false) };
        Ok(window.events()?.contains(&WindowEvent::Close))
    }

    fn wait(&mut self) -> Result<()> {
        let flush = self.unflushed.then(|| self.flushed + FLUSH_EVERY);
        let again = (!self.unsent.is_empty()).then(|| Instant::now() + LOOK);
        let next = self.deadline.into_iter().chain(flush).chain(again).min();
        let left = next.map(|at| at.saturating_duration_since(Instant::now()));
        match &mut self.screen {
            Some(window) => window.wait(left),
            None => {
                self.waker.bell.wait(left.unwrap_or(Duration::from_secs(3_600)));
                Ok(())
            }
        }
    }

    pub(super) fn finish(&mut self) -> Result<()> {
        let (Some(path), Some(picture)) = (&self.args.snapshot, &self.last) else {
            if self.args.snapshot.is_some() {
                bail!("no picture arrived, so there is no snapshot");
            }
            return Ok(());
        };
        snapshot::write_png(path, &picture.pixels.view())
    }
}
