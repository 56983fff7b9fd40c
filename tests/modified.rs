//! A helper that says whatever it likes.

use bytes::Bytes;
use farpane::net::{
    CloseReason, Identity, Invitation, Link, LinkHandle, LinkSink, NetConfig, NetThread, connect,
};
use farpane_proto::control::Control;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// A confirmed connection to a sharer, without the library's own helper behind it.
pub struct ModifiedHelper {
    link: LinkHandle,
    heard: Heard,
    _net: NetThread,
}

/// What the sharer has said.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<Control>>>, Arc<Mutex<Option<CloseReason>>>);

impl LinkSink for Heard {
    fn datagram(&mut self, _now_us: u64, _bytes: Bytes) {}

    fn control(&mut self, bytes: Bytes) {
        let message = Control::read(&bytes).expect("a sharer says what there is to say");
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(message);
    }

    fn blob(&mut self, _kind: u8, _bytes: Bytes) {}

    fn mtu(&mut self, _max_datagram_bytes: usize) {}

    fn closed(&mut self, reason: CloseReason) {
        *self.1.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
    }
}

impl ModifiedHelper {
    /// Connects by the invitation in a file.
    ///
    /// # Panics
    /// When the sharer does not let it in.
    pub fn connect(invitation: &Path) -> Self {
        let invitation = Invitation::load(invitation).expect("an invitation");
        let identity = Identity::generate().expect("a key");
        let net = NetThread::start().expect("a thread");
        let connecting =
            async move { connect(&invitation, &identity, &NetConfig::default()).await };
        let connection = net.run(connecting).expect("a thread").expect("a sharer that listens");
        let heard = Heard::default();
        Self { link: Link::spawn(connection, heard.clone()), heard, _net: net }
    }

    /// Says this; whether there was room for it.
    pub fn say(&self, message: &Control) -> bool {
        self.say_bytes(message.to_bytes())
    }

    /// Says what need not be a message; whether there was room for it.
    pub fn say_bytes(&self, message: Vec<u8>) -> bool {
        self.link.send_control(message.into()).is_ok()
    }

    /// Sends a blob; whether there was room for it.
    pub fn send(&self, kind: u8, bytes: Vec<u8>) -> bool {
        self.link.send_blob(kind, bytes.into()).is_ok()
    }

    /// What the sharer has said.
    pub fn heard(&self) -> Vec<Control> {
        self.heard.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why it is over, if it is.
    pub fn closed(&self) -> Option<CloseReason> {
        self.heard.1.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
