//! A sharer's session.

use crate::abi::*;
use crate::boundary::{Failure, Outcome};
use crate::credentials::Secrets;
use crate::event::{self, Told};
use crate::file::Arrivals;
use crate::session::{Shared, Texts, of_tenant};
use crate::{hardware, scope};
use farpane::audit::Audit;
use farpane::capture::{PushScreen, SourceSpec};
use farpane::net::{MAX_RELAYS, NetConfig, RelayUrl};
use farpane::policy::{Capabilities, EndReason, Peer, Side};
use farpane::{HardwareOptions, InputTarget, Membership, Sharer, SharerEvent, SharerOptions};
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
    unattended: bool,
    lease_by_app: bool,
    input: InputTarget,
    membership: Option<Membership>,
    audit: Audit,
    pub(crate) arrivals: Arrivals,
    pub(crate) secrets: Secrets,
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
    /// Who they are, once that was said.
    helpers: BTreeMap<u64, Option<Peer>>,
}

impl SharerRole {
    pub(crate) fn new(texts: &Texts<'_>, config: &farpane_session_config) -> Outcome<Self> {
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
        if config.flags & !FARPANE_SESSION_LEASE_BY_APP != 0 {
            return Err(Failure::new(FARPANE_ERR_UNSUPPORTED, "there is no such flag"));
        }
        let (allow, unattended) = scope::limit(config.scopes)?;
        let (membership, audit) = of_tenant(config, Side::Sharer)?;
        let listen = texts.listen.unwrap_or("0.0.0.0:0");
        let wrong = |_| Failure::argument("the listen address is no \"IP:port\"");
        Ok(Self {
            name: texts.name.unwrap_or("sharer").to_owned(),
            listen: listen.parse().map_err(wrong)?,
            source,
            hardware: hardware::options(texts)?.map(Box::new),
            relays: relays(texts.relays.unwrap_or_default())?,
            allow,
            unattended,
            lease_by_app: config.flags & FARPANE_SESSION_LEASE_BY_APP != 0,
            input: input(texts),
            membership,
            audit,
            arrivals: Arrivals::default(),
            secrets: Secrets::default(),
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
        (options.unattended, options.lease_by_app) = (self.unattended, self.lease_by_app);
        (options.membership, options.audit) = (self.membership.clone(), self.audit.clone());
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

    pub(crate) fn next_event(&self) -> Option<Told> {
        loop {
            let event = {
                let live = self.read();
                live.as_ref()?.next_event(Duration::ZERO)?
            };
            self.forget(&event);
            let peer = self.note(&event);
            if let Some(told) = self.tell(event) {
                return Some(match peer {
                    Some(peer) => told.about(&peer),
                    None => told,
                });
            }
        }
    }

    pub(crate) fn has_news(&self) -> bool {
        self.read().as_ref().is_some_and(Sharer::has_event)
    }

    /// Forgets the files and secrets that end with it. With nothing else locked: whoever answers a
    /// file holds them, and then asks who is there.
    fn forget(&self, event: &SharerEvent) {
        match event {
            SharerEvent::Left { helper, .. } => {
                self.arrivals.forget(*helper);
                self.secrets.forget(*helper);
            }
            SharerEvent::SignOut { helper } => self.secrets.forget(*helper),
            SharerEvent::Stopped { .. } => self.secrets.clear(),
            _ => {}
        }
    }

    /// Remembers what the app is about to be told, and knows whom it is about.
    fn note(&self, event: &SharerEvent) -> Option<Peer> {
        let mut known = self.known();
        match event {
            SharerEvent::ConsentRequested { helper, request } => {
                known.requests.insert(*helper);
                known.helpers.insert(*helper, Some(request.peer.clone()));
                Some(request.peer.clone())
            }
            SharerEvent::ShowIndicator { helper, peer, .. } => {
                known.helpers.insert(*helper, Some(peer.clone()));
                Some(peer.clone())
            }
            // They come before anybody has said who it is.
            SharerEvent::ComplianceWarning { helper, .. }
            | SharerEvent::LeaseDue { helper, .. } => {
                known.helpers.entry(*helper).or_default().clone()
            }
            SharerEvent::QuestionWithdrawn { helper } => {
                known.requests.remove(helper);
                known.helpers.get(helper).cloned().flatten()
            }
            SharerEvent::Left { helper, .. } => {
                known.requests.remove(helper);
                known.helpers.remove(helper).flatten()
            }
            SharerEvent::Stopped { .. } => {
                *known = Known::default();
                None
            }
            SharerEvent::Sharing { helper }
            | SharerEvent::PathChanged { helper, .. }
            | SharerEvent::Chat { helper, .. }
            | SharerEvent::Clipboard { helper, .. }
            | SharerEvent::File { helper, .. }
            | SharerEvent::Credentials { helper, .. }
            | SharerEvent::SignOut { helper }
            | SharerEvent::InputFailed { helper, .. } => {
                known.helpers.get(helper).cloned().flatten()
            }
            _ => None,
        }
    }

    /// What the app is told; of a file or a secret it also keeps what the app will ask for.
    fn tell(&self, event: SharerEvent) -> Option<Told> {
        let about = |kind, id| farpane_event { id, ..event::new(kind) };
        Some(match event {
            SharerEvent::Chat { helper, text } => {
                Told::saying(about(FARPANE_EVENT_CHAT, helper), text)
            }
            SharerEvent::Clipboard { helper, text } => {
                Told::saying(about(FARPANE_EVENT_CLIPBOARD, helper), text)
            }
            SharerEvent::File { helper, event } => self.arrivals.note(helper, event)?,
            SharerEvent::Credentials { helper, secret } => {
                self.secrets.keep(helper, secret);
                about(FARPANE_EVENT_CREDENTIALS, helper).into()
            }
            SharerEvent::Pointing { helper, x, y } => {
                farpane_event { x, y, ..about(FARPANE_EVENT_POINTING, helper) }.into()
            }
            other => convert(other)?,
        })
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

fn convert(event: SharerEvent) -> Option<Told> {
    let about = |kind, id| farpane_event { id, ..event::new(kind) };
    let saying = |kind, id, text| Told::saying(about(kind, id), text);
    Some(match event {
        SharerEvent::ConsentRequested { helper, request } => {
            let peer = &request.peer;
            let more: Vec<_> = peer.job_title().into_iter().chain(peer.company()).collect();
            let event = farpane_event {
                scopes: scope::bits(request.rights),
                posture: event::posture(request.posture),
                ..about(FARPANE_EVENT_CONSENT_REQUESTED, helper)
            };
            Told::saying(event, more.join(", "))
        }
        SharerEvent::ShowIndicator { helper, mode, .. } => farpane_event {
            scopes: scope::of_mode(mode),
            ..about(FARPANE_EVENT_SHOW_INDICATOR, helper)
        }
        .into(),
        SharerEvent::QuestionWithdrawn { helper } => {
            about(FARPANE_EVENT_CONSENT_WITHDRAWN, helper).into()
        }
        SharerEvent::Refused { helper, reason } => {
            saying(FARPANE_EVENT_HELPER_REFUSED, helper, reason)
        }
        SharerEvent::ComplianceWarning { helper, posture } => farpane_event {
            posture: event::posture(posture),
            ..about(FARPANE_EVENT_COMPLIANCE_WARNING, helper)
        }
        .into(),
        SharerEvent::LeaseDue { helper, renewal } => {
            farpane_event { renewal: renewal.0, ..about(FARPANE_EVENT_LEASE_DUE, helper) }.into()
        }
        SharerEvent::SignOut { helper } => about(FARPANE_EVENT_SIGN_OUT, helper).into(),
        SharerEvent::Sharing { helper } => about(FARPANE_EVENT_SHARING, helper).into(),
        SharerEvent::InputFailed { helper, reason } => {
            saying(FARPANE_EVENT_INPUT_FAILED, helper, reason)
        }
        SharerEvent::PathChanged { helper, switch } => event::path_changed(helper, &switch),
        SharerEvent::Left { helper, reason } => {
            let event = about(FARPANE_EVENT_HELPER_LEFT, helper);
            Told::saying(farpane_event { reason: reason.code(), ..event }, reason.to_string())
        }
        other => return of_screen(other),
    })
}

/// What is about the screen or the session as a whole.
fn of_screen(event: SharerEvent) -> Option<Told> {
    Some(match event {
        SharerEvent::ScreenLost { reason } => {
            Told::saying(event::new(FARPANE_EVENT_SCREEN_LOST), reason)
        }
        SharerEvent::SourceEnded => event::new(FARPANE_EVENT_SOURCE_ENDED).into(),
        SharerEvent::Failed { reason } => Told::saying(event::new(FARPANE_EVENT_FAILED), reason),
        SharerEvent::Missed { events } => farpane_event {
            missed: u32::try_from(events).unwrap_or(u32::MAX),
            ..event::new(FARPANE_EVENT_MISSED)
        }
        .into(),
        SharerEvent::Stopped { failed } => {
            let reason = if failed { EndReason::Error } else { EndReason::SharerEnded };
            event::ended(reason.code(), reason.to_string(), false)
        }
        _ => return None,
    })
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
