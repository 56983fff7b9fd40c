//! How a helper takes part.

use crate::Membership;
use crate::audit::Audit;
use farpane_net::{Cancel, NetConfig};
use farpane_policy::{Mode, Rights};
use std::sync::Arc;

/// How a helper takes part.
#[derive(Clone)]
pub struct HelperOptions {
    /// The name that the sharer sees; not verified.
    pub name: String,
    /// What to ask the sharer for at first. Default: to see the screen, and what comes with it.
    pub rights: Rights,
    /// The tenant of this end. Default: none; then anybody with an invitation may share.
    pub membership: Option<Membership>,
    /// Where this end writes down what happens. Default: nowhere.
    pub audit: Audit,
    /// Called from other threads whenever there is a new picture, cursor or event. Must not block.
    pub on_change: Arc<dyn Fn() + Send + Sync>,
    /// Ends connecting early, from another thread.
    pub cancel: Cancel,
    /// Limits and times of the transport.
    pub net: NetConfig,
}

impl Default for HelperOptions {
    fn default() -> Self {
        Self {
            name: "helper".to_owned(),
            rights: Rights::of(Mode::View),
            membership: None,
            audit: Audit::default(),
            on_change: Arc::new(|| {}),
            cancel: Cancel::default(),
            net: NetConfig::default(),
        }
    }
}
