//! A sharer's session.

use crate::abi::*;
use crate::boundary::{Failure, Outcome};
use crate::session::{Shared, Texts};
use crate::{event, hardware, scope};
use farpane::capture::{PushScreen, SourceSpec};
use farpane::net::{MAX_RELAYS, NetConfig, RelayUrl};
use farpane::policy::{Capabilities, EndReason, Peer, Rights};
use farpane::{HardwareOptions, InputTarget, Sharer, SharerEvent, SharerOptions};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

/// What makes a session a sharer's.
pub(crate) struct SharerRole {
    name: String,
    listen: SocketAddr,
    source: Source,
    hardware: Option<Box<HardwareOptions>>,
    relays: Vec<RelayUrl>,
    allow: Capabilities,
    input: InputTarget,
    live: RwLock<Option<Sharer>>,
    known: Mutex<Known>,
}

/// Where the pictures come from.
enum Source {
    /// From the app.
    Pushed(PushScreen),
    /// From what this describes.
    Captured(SourceSpec),
}

/// The numbers that the app was told and may use.
#[derive(Default)]
struct Known {
    requests: BTreeSet<u64>,
    helpers: BTreeMap<u64, Peer>,
}

impl SharerRole {
    pub(crate) fn new(texts: &Texts<'_>) -> Outcome<Self> {
        if texts.invitation.is_some() {
            return Err(Failure::argument("a sharer has no invitation: it makes them"));
        }
        if texts.code.is_some() {
            return Err(Failure::argument("a sharer has no pairing code: it makes them"));
        }
        let source = match texts.source {
            Some(source) => Source::Captured(
                SourceSpec::parse(source, texts.monitor)
                    .map_err(|e| Failure::argument(e.to_string()))?,
            ),
            None if texts.monitor.is_some() => {
                return Err(Failure::argument("a monitor is given but no source"));
            }
            None => Source::Pushed(PushScreen::new().map_err(Failure::system)?),
        };
        let listen = texts.listen.unwrap_or("0.0.0.0:0");
        let wrong = |_| Failure::argument("the listen address is no \"IP:port\"");
        Ok(Self {
            name: texts.name.unwrap_or("sharer").to_owned(),
            listen: listen.parse().map_err(wrong)?,
            source,
            hardware: hardware::options(texts)?.map(Box::new),
            relays: relays(texts.relays.unwrap_or_default())?,
            allow: allow(texts)?,
            input: input(texts),
            live: RwLock::default(),
            known: Mutex::default(),
        })
    }

    /// Listens.
    pub(crate) fn connect(&self, shared: &Arc<Shared>) -> Outcome {
        let ringing = Arc::clone(shared);
        let mut options = match &self.source {
            Source::Pushed(screen) => {
                let screen = screen.clone();
                SharerOptions::new(move || Ok(Box::new(screen.source())))
            }
            Source::Captured(spec) => {
                let spec = spec.clone();
                SharerOptions::new(move || spec.open())
            }
        };
        options.listen = self.listen;
        options.name = self.name.clone();
        options.hardware = self.hardware.as_deref().cloned();
        options.net = NetConfig { relays: self.relays.clone(), ..NetConfig::default() };
        (options.allow, options.input) = (self.allow, self.input.clone());
        options.wait_for_start = true;
        options.on_event = Arc::new(move || ringing.signal.ring());
        let sharer = Sharer::start(options).map_err(Failure::system)?;
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = Some(sharer);
        shared.tell(event::new(FARPANE_EVENT_CONNECTED));
        Ok(())
    }

    pub(crate) fn close(&self) {
        if let Some(sharer) = &*self.read() {
            sharer.stop();
        }
    }

    pub(crate) fn release(&self) {
        let sharer = self.live.write().unwrap_or_else(PoisonError::into_inner).take();
        drop(sharer);
    }

    /// Calls `with` the sharer that listens.
    pub(crate) fn with<T>(&self, with: impl FnOnce(&Sharer) -> Outcome<T>) -> Outcome<T> {
        match &*self.read() {
            Some(sharer) => with(sharer),
            None => Err(Failure::new(FARPANE_ERR_STATE, "the session was not connected yet")),
        }
    }

    /// Where the app pushes its pictures.
    pub(crate) fn pushed(&self) -> Outcome<&PushScreen> {
        match &self.source {
            Source::Pushed(screen) => Ok(screen),
            Source::Captured(_) => {
                let text = "the session captures by itself: create it without a source to push";
                Err(Failure::new(FARPANE_ERR_STATE, text))
            }
        }
    }

    /// Takes a request out of those that wait for an answer.
    pub(crate) fn take_request(&self, id: u64) -> Outcome {
        let known = self.known().requests.remove(&id);
        if known { Ok(()) } else { Err(unknown("request", id)) }
    }

    /// Whether the app was told of this helper and not yet that it left.
    pub(crate) fn check_helper(&self, id: u64) -> Outcome {
        let known = self.known().helpers.contains_key(&id);
        if known { Ok(()) } else { Err(unknown("helper", id)) }
    }

    pub(crate) fn next_event(&self) -> Option<farpane_event> {
        loop {
            let event = {
                let live = self.read();
                live.as_ref()?.next_event(Duration::ZERO)?
            };
            let peer = self.note(&event);
            if let Some(event) = convert(event) {
                return Some(peer.map_or(event, |peer| event::about(event, &peer)));
            }
        }
    }

    pub(crate) fn has_news(&self) -> bool {
        self.read().as_ref().is_some_and(Sharer::has_event)
    }

    /// Remembers what the app is about to be told, and knows whom it is about.
    fn note(&self, event: &SharerEvent) -> Option<Peer> {
        let mut known = self.known();
        match event {
            SharerEvent::ConsentRequested { helper, request } => {
                known.requests.insert(*helper);
                known.helpers.insert(*helper, request.peer.clone());
                Some(request.peer.clone())
            }
            SharerEvent::ShowIndicator { helper, peer, .. } => {
                known.helpers.insert(*helper, peer.clone());
                Some(peer.clone())
            }
            SharerEvent::Sharing { helper } | SharerEvent::PathChanged { helper, .. } => {
                known.helpers.get(helper).cloned()
            }
            SharerEvent::QuestionWithdrawn { helper } => {
                known.requests.remove(helper);
                known.helpers.get(helper).cloned()
            }
            SharerEvent::Left { helper, .. } => {
                known.requests.remove(helper);
                known.helpers.remove(helper)
            }
            SharerEvent::Stopped { .. } => {
                *known = Known::default();
                None
            }
            _ => None,
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> RwLockReadGuard<'_, Option<Sharer>> {
        self.live.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unknown(what: &str, id: u64) -> Failure {
    Failure::new(FARPANE_ERR_NOT_FOUND, format!("there is no {what} {id}"))
}

fn convert(event: SharerEvent) -> Option<farpane_event> {
    let about = |kind, id| farpane_event { id, ..event::new(kind) };
    Some(match event {
        SharerEvent::ConsentRequested { helper, request } => farpane_event {
            scopes: scope::bits(request.rights.mode()),
            ..about(FARPANE_EVENT_CONSENT_REQUESTED, helper)
        },
        SharerEvent::ShowIndicator { helper, mode, .. } => farpane_event {
            scopes: scope::bits(mode),
            ..about(FARPANE_EVENT_SHOW_INDICATOR, helper)
        },
        SharerEvent::Sharing { helper } => about(FARPANE_EVENT_SHARING, helper),
        SharerEvent::Left { helper, reason } => farpane_event {
            reason: reason.code(),
            ..event::saying(about(FARPANE_EVENT_HELPER_LEFT, helper), &reason.to_string())
        },
        SharerEvent::ScreenLost { reason } => {
            event::saying(event::new(FARPANE_EVENT_SCREEN_LOST), &reason)
        }
        SharerEvent::SourceEnded => event::new(FARPANE_EVENT_SOURCE_ENDED),
        SharerEvent::Failed { reason } => event::saying(event::new(FARPANE_EVENT_FAILED), &reason),
        SharerEvent::Missed { events } => farpane_event {
            missed: u32::try_from(events).unwrap_or(u32::MAX),
            ..event::new(FARPANE_EVENT_MISSED)
        },
        SharerEvent::Stopped { failed } => {
            let reason = if failed { EndReason::Error } else { EndReason::SharerEnded };
            event::ended(reason.code(), &reason.to_string(), false)
        }
        SharerEvent::PathChanged { helper, switch } => event::path_changed(helper, &switch),
        SharerEvent::QuestionWithdrawn { helper } => about(FARPANE_EVENT_CONSENT_WITHDRAWN, helper),
        SharerEvent::InputFailed { helper, reason } => {
            event::saying(about(FARPANE_EVENT_INPUT_FAILED, helper), &reason)
        }
        _ => return None,
    })
}

/// What helpers may be allowed at most.
fn allow(texts: &Texts<'_>) -> Outcome<Capabilities> {
    Ok(Rights::of(scope::mode(texts.scopes)?).mode().needs())
}

/// Where their input goes.
fn input(texts: &Texts<'_>) -> InputTarget {
    let of_source = texts.source.and_then(SourceSpec::display);
    match (texts.input, of_source) {
        (Some(display), of_source) => InputTarget::X11 {
            display: Some(display.to_owned()),
            monitor: texts.monitor.filter(|_| of_source.is_some()).map(str::to_owned),
        },
        (None, Some(display)) => {
            InputTarget::X11 { display, monitor: texts.monitor.map(str::to_owned) }
        }
        (None, None) => InputTarget::None,
    }
}

/// Relays, one a line.
fn relays(text: &str) -> Outcome<Vec<RelayUrl>> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let relays: Vec<_> = lines
        .map(RelayUrl::from_str)
        .collect::<Result<_, _>>()
        .map_err(|e| Failure::argument(e.to_string()))?;
    match relays.len() {
        0..=MAX_RELAYS => Ok(relays),
        count => Err(Failure::argument(format!("{count} relays are more than {MAX_RELAYS}"))),
    }
}
