//! A helper's session.

use crate::abi::*;
use crate::boundary::{Failure, Outcome};
use crate::event::{self, Told};
use crate::file::Arrivals;
use crate::scope;
use crate::session::{Shared, Texts, of_tenant};
use farpane::audit::Audit;
use farpane::net::{Cancel, ConnectError, Identity, Invitation, NetThreadError, PairingCode};
use farpane::policy::{EndReason, Reach, Rights, Side};
use farpane::{Error, Helper, HelperEvent, HelperOptions, Membership};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;

/// What makes a session a helper's.
pub(crate) struct HelperRole {
    name: String,
    rights: Rights,
    invitation: Invitation,
    /// One key for the session's life, so that it can come back.
    identity: Identity,
    membership: Option<Membership>,
    audit: Audit,
    pub(crate) arrivals: Arrivals,
    live: Arc<RwLock<Option<Helper>>>,
    connecting: Mutex<Connecting>,
}

/// The thread that connects, and how to stop it.
#[derive(Default)]
struct Connecting {
    thread: Option<JoinHandle<()>>,
    cancel: Cancel,
}

impl HelperRole {
    pub(crate) fn new(texts: &Texts<'_>, config: &farpane_session_config) -> Outcome<Self> {
        let foreign = [
            (texts.source, "source"),
            (texts.monitor, "monitor"),
            (texts.listen, "address"),
            (texts.probe, "probe"),
            (texts.remembered, "file of what probes found"),
            (texts.relays, "relays but those of its invitation"),
            (texts.input, "display for input"),
        ];
        for (text, what) in foreign {
            if text.is_some() {
                return Err(Failure::argument(format!("a helper has no {what}")));
            }
        }
        if config.flags != 0 {
            return Err(Failure::new(FARPANE_ERR_UNSUPPORTED, "a helper has no flags"));
        }
        let (membership, audit) = of_tenant(config, Side::Helper)?;
        let text = texts.invitation.ok_or_else(|| Failure::argument("no invitation is given"))?;
        let mut invitation = parse(text)?;
        if let Some(code) = texts.code {
            let code = code.parse::<PairingCode>();
            invitation = invitation.with_code(code.map_err(|e| Failure::argument(e.to_string()))?);
        }
        if invitation.needs_code() {
            return Err(Failure::argument("the invitation needs the pairing code, in `code`"));
        }
        let name = texts.name.unwrap_or("helper").to_owned();
        let rights = scope::rights(config.scopes)?;
        let identity = Identity::generate().map_err(Failure::system)?;
        let (arrivals, live, connecting) = Default::default();
        Ok(Self {
            name,
            rights,
            invitation,
            identity,
            membership,
            audit,
            arrivals,
            live,
            connecting,
        })
    }

    /// Connects in the background.
    pub(crate) fn connect(&self, shared: &Arc<Shared>) -> Outcome {
        let mut connecting = self.connecting();
        if let Some(before) = connecting.thread.take() {
            // It has said what came of it, so it is about to end.
            let _ = before.join();
        }
        // The helper of the connection that was lost.
        drop(self.write().take());
        connecting.cancel = Cancel::default();
        let ringing = Arc::clone(shared);
        let options = HelperOptions {
            name: self.name.clone(),
            rights: self.rights,
            membership: self.membership.clone(),
            audit: self.audit.clone(),
            on_change: Arc::new(move || ringing.signal.ring()),
            cancel: connecting.cancel.clone(),
            ..HelperOptions::default()
        };
        let (invitation, identity) = (self.invitation.clone(), self.identity.clone());
        let (live, shared) = (Arc::clone(&self.live), Arc::clone(shared));
        let cancel = connecting.cancel.clone();
        let thread = std::thread::Builder::new().name("farpane-connect".to_owned());
        let thread = thread.spawn(move || {
            let connected = catch_unwind(AssertUnwindSafe(|| {
                farpane::fault::point("farpane-connect");
                Helper::connect(&invitation, &identity, options)
            }));
            shared.tell(match connected {
                Ok(Ok(helper)) => {
                    let mut live = live.write().unwrap_or_else(PoisonError::into_inner);
                    let helper = live.insert(helper);
                    if cancel.is_cancelled() {
                        // The session was closed meanwhile and found no helper to end.
                        helper.end("the helper left");
                    }
                    event::new(FARPANE_EVENT_CONNECTED).into()
                }
                Ok(Err(error)) => {
                    let (reason, lost) = reason(&error);
                    event::ended(reason, error.to_string(), lost)
                }
                Err(_) => {
                    let text = "a bug ended connecting".to_owned();
                    event::ended(FARPANE_END_ERROR, text, false)
                }
            });
        });
        connecting.thread = Some(thread.map_err(Failure::system)?);
        Ok(())
    }

    pub(crate) fn close(&self) {
        let connecting = self.connecting();
        connecting.cancel.cancel();
        if let Some(helper) = &*self.read() {
            helper.end("the helper left");
        }
    }

    pub(crate) fn release(&self) {
        let mut connecting = self.connecting();
        connecting.cancel.cancel();
        if let Some(thread) = connecting.thread.take() {
            let _ = thread.join();
        }
        let helper = self.write().take();
        drop(helper);
    }

    /// Calls `with` the connected helper.
    pub(crate) fn with<T>(&self, with: impl FnOnce(&Helper) -> Outcome<T>) -> Outcome<T> {
        match &*self.read() {
            Some(helper) => with(helper),
            None => Err(Failure::new(FARPANE_ERR_STATE, "the helper is not connected")),
        }
    }

    /// The newest frame, if it was not taken yet.
    pub(crate) fn take_picture(&self) -> Option<farpane::Picture> {
        self.read().as_ref()?.take_picture()
    }

    pub(crate) fn next_event(&self) -> Option<Told> {
        loop {
            let event = self.read().as_ref()?.try_event()?;
            let told = match event {
                HelperEvent::File(event) => self.arrivals.note(0, event),
                other => convert(other),
            };
            if told.is_some() {
                return told;
            }
        }
    }

    pub(crate) fn has_news(&self) -> bool {
        self.read().as_ref().is_some_and(|helper| helper.has_picture() || helper.has_event())
    }

    fn connecting(&self) -> MutexGuard<'_, Connecting> {
        self.connecting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Option<Helper>> {
        self.live.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Option<Helper>> {
        self.live.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn convert(event: HelperEvent) -> Option<Told> {
    let scopes = |kind, scopes| farpane_event { scopes, ..event::new(kind) }.into();
    Some(match event {
        HelperEvent::ConsentPending => event::new(FARPANE_EVENT_CONSENT_PENDING).into(),
        HelperEvent::Granted(rights) => scopes(FARPANE_EVENT_CONSENT_GRANTED, scope::bits(rights)),
        HelperEvent::Refused => event::new(FARPANE_EVENT_REFUSED).into(),
        HelperEvent::Suspended => event::new(FARPANE_EVENT_SUSPENDED).into(),
        HelperEvent::Resumed => event::new(FARPANE_EVENT_RESUMED).into(),
        HelperEvent::Input(reach) => {
            let counts = match reach {
                None => 0,
                Some(Reach::Pointer) => FARPANE_SCOPE_VIEW,
                Some(Reach::Full) => FARPANE_SCOPE_VIEW | FARPANE_SCOPE_CONTROL,
            };
            scopes(FARPANE_EVENT_INPUT, counts)
        }
        HelperEvent::SharerVerified(sharer) => {
            let event = event::new(FARPANE_EVENT_SHARER_VERIFIED);
            Told::saying(event, sharer.device.as_str().to_owned()).about(&sharer.peer)
        }
        HelperEvent::ComplianceWarning(posture) => {
            let posture = event::posture(posture);
            farpane_event { posture, ..event::new(FARPANE_EVENT_COMPLIANCE_WARNING) }.into()
        }
        HelperEvent::Prompt { open } => {
            farpane_event { open: open.into(), ..event::new(FARPANE_EVENT_PROMPT) }.into()
        }
        HelperEvent::Chat { text } => Told::saying(event::new(FARPANE_EVENT_CHAT), text),
        HelperEvent::Clipboard { text } => Told::saying(event::new(FARPANE_EVENT_CLIPBOARD), text),
        HelperEvent::PathChanged(switch) => event::path_changed(0, &switch),
        HelperEvent::Ended { cause, reason, lost } => event::ended(cause.code(), reason, lost),
        _ => return None,
    })
}

/// Reads an invitation's text.
pub(crate) fn parse(text: &str) -> Outcome<Invitation> {
    let invitation = Invitation::parse(text.as_bytes());
    invitation.map_err(|error| Failure::new(FARPANE_ERR_INVITATION, error.to_string()))
}

/// Why connecting failed, and whether trying again may help.
fn reason(error: &Error) -> (u32, bool) {
    match error {
        Error::Connect(
            ConnectError::Unreachable { .. }
            | ConnectError::TimedOut { .. }
            | ConnectError::Lost(_),
        ) => (FARPANE_END_CONNECTION_LOST, true),
        Error::Connect(_) => (FARPANE_END_NOT_PERMITTED, false),
        Error::Net(NetThreadError::Cancelled) => (EndReason::HelperEnded.code(), false),
        _ => (FARPANE_END_ERROR, false),
    }
}
