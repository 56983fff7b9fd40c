//! An app that links the library: a sharer that consents, helpers that keep their picture.

use crate::{difference, wait_for, wait_until_none};
use farpane::capture::SourceSpec;
use farpane::frame::FrameBuf;
use farpane::net::{Identity, Invitation};
use farpane::{Helper, HelperEvent, HelperOptions, Picture, Sharer, SharerEvent, SharerOptions};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long invitations and consents hold: longer than any test.
const VALID: Duration = Duration::from_secs(300);
/// How often the app says that its indicator shows.
const INDICATOR: Duration = Duration::from_millis(300);

/// A sharer's app that shares a display with everybody it invites.
pub struct SharerApp {
    sharer: Arc<Sharer>,
    stop: Arc<AtomicBool>,
    indicator: Option<JoinHandle<Vec<SharerEvent>>>,
}

impl SharerApp {
    /// Shares what `source` describes, on loopback.
    ///
    /// # Panics
    /// When `source` describes none, or it cannot listen.
    pub fn start(source: &str) -> Self {
        let source = SourceSpec::parse(source, None).expect("a source");
        let sharer = Sharer::start(SharerOptions {
            listen: "127.0.0.1:0".parse().expect("an address"),
            name: "test sharer".to_owned(),
            ..SharerOptions::new(move || source.open())
        });
        let sharer = Arc::new(sharer.expect("a sharer that listens"));
        let stop = Arc::new(AtomicBool::new(false));
        let indicator = std::thread::spawn({
            let (sharer, stop) = (Arc::clone(&sharer), Arc::clone(&stop));
            move || indicate(&sharer, &stop)
        });
        Self { sharer, stop, indicator: Some(indicator) }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.sharer.local_address()
    }

    /// An invitation for one helper, consented to in advance.
    ///
    /// # Panics
    /// When too many are alive.
    pub fn invite(&self) -> Invitation {
        self.invite_by(self.address())
    }

    /// As [`SharerApp::invite`], of a helper who finds the sharer at `address`.
    ///
    /// # Panics
    /// As there.
    pub fn invite_by(&self, address: SocketAddr) -> Invitation {
        let invitation = self.sharer.invite(vec![address.to_string()], VALID);
        let invitation = invitation.expect("an invitation");
        self.sharer.consent_in_advance(&invitation, VALID);
        invitation
    }

    /// Ends all sessions and tells what the app was told.
    ///
    /// # Panics
    /// When the app's thread did.
    pub fn stop(mut self) -> Vec<SharerEvent> {
        self.stop.store(true, Ordering::SeqCst);
        let indicator = self.indicator.take().expect("a running app");
        indicator.join().expect("an app that ends")
    }
}

impl Drop for SharerApp {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let events = self.indicator.take().map(JoinHandle::join);
        if std::thread::panicking() {
            eprintln!("--- the sharer's app was told: {events:?}");
        }
    }
}

impl Drop for HelperApp {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the helper's connection: {:?}", self.helper.stats());
        }
    }
}

/// Shows the indicator until it is to stop.
fn indicate(sharer: &Sharer, stop: &AtomicBool) -> Vec<SharerEvent> {
    let mut events = Vec::new();
    while !stop.load(Ordering::SeqCst) {
        let event = sharer.next_event(INDICATOR);
        assert_ne!(event, Some(SharerEvent::Stopped { failed: true }), "{events:?}");
        events.extend(event);
        sharer.acknowledge_indicator();
    }
    events
}

/// A helper's app.
pub struct HelperApp {
    helper: Helper,
    picture: Option<Picture>,
    end: Option<HelperEvent>,
}

impl HelperApp {
    /// Joins with a key of its own.
    ///
    /// # Panics
    /// When the sharer does not let it in.
    pub fn join(invitation: &Invitation) -> Self {
        Self::join_as(invitation, &Identity::generate().expect("a key"))
    }

    /// Joins with this key.
    ///
    /// # Panics
    /// When the sharer does not let it in.
    pub fn join_as(invitation: &Invitation, identity: &Identity) -> Self {
        let helper = Helper::connect(invitation, identity, HelperOptions::default());
        let helper = helper.unwrap_or_else(|e| panic!("the helper is not let in: {e}"));
        Self { helper, picture: None, end: None }
    }

    /// Waits until the picture is this one.
    ///
    /// # Panics
    /// When it is not within `limit`, or the session ends.
    pub fn wait_picture(&mut self, limit: Duration, expected: impl Fn() -> FrameBuf) {
        wait_until_none("the helper's picture is the sharer's", limit, || {
            self.update();
            assert_eq!(self.end, None, "the session ended");
            let Some(picture) = &self.picture else { return Some("no picture".to_owned()) };
            difference(&picture.pixels.view(), &expected().view())
        });
    }

    /// The number of the newest update in the picture; 0 before there is one.
    pub fn last_update(&mut self) -> u64 {
        self.update();
        self.picture.as_ref().map_or(0, |picture| picture.update)
    }

    /// Waits until the picture holds this update or a newer one.
    ///
    /// # Panics
    /// When it does not within `limit`.
    pub fn wait_update(&mut self, limit: Duration, update: u64) {
        wait_for("a newer picture", limit, || self.last_update() >= update);
    }

    /// Whether the session goes on.
    pub fn is_in(&mut self) -> bool {
        self.update();
        self.end.is_none()
    }

    fn update(&mut self) {
        while let Some(event) = self.helper.try_event() {
            if matches!(event, HelperEvent::Ended { .. }) {
                self.end = Some(event);
            }
        }
        if let Some(picture) = self.helper.take_picture() {
            self.picture = Some(picture);
        }
    }
}

/// Reads the invitation that `farpane share` wrote.
///
/// # Panics
/// When there is none.
pub fn load_invitation(path: &Path) -> Invitation {
    Invitation::load(path).unwrap_or_else(|e| panic!("{e}"))
}
