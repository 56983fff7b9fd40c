//! The configuration of this crate's connections for `quinn_proto` in virtual time.

use std::sync::Arc;

use quinn::congestion::ControllerFactory;

use crate::config::NetConfig;
use crate::congestion::WindowHandle;
use crate::identity::{Identity, IdentityError};
use crate::tls;

/// Both ends of a connection that the two sides of a session would make.
#[derive(Debug)]
pub struct Ends {
    /// The sharer's end.
    pub sharer: quinn::ServerConfig,
    /// The helper's end, which opens the connection.
    pub helper: quinn::ClientConfig,
}

/// A window set from above, and the controller that obeys it.
pub fn window(bytes: u64) -> (WindowHandle, Arc<dyn ControllerFactory + Send + Sync>) {
    let window = WindowHandle::new(bytes);
    let factory = window.factory();
    (window, factory)
}

/// Ends of one connection between fresh identities, each with a congestion controller of quinn's.
///
/// # Errors
/// The system gives no random numbers, or rustls refuses the configuration.
pub fn ends(
    config: &NetConfig,
    sharer: Arc<dyn ControllerFactory + Send + Sync>,
    helper: Arc<dyn ControllerFactory + Send + Sync>,
) -> Result<Ends, LabError> {
    let (sharer_identity, helper_identity) = (Identity::generate()?, Identity::generate()?);
    let mut server = tls::sharer_config(&sharer_identity)?;
    server.transport_config(config.transport_with(sharer));
    let (mut client, _) = tls::helper_config(&helper_identity, sharer_identity.public_key())?;
    client.transport_config(config.transport_with(helper));
    Ok(Ends { sharer: server, helper: client })
}

/// Why there are no ends.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabError {
    /// No identity could be made.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// rustls refuses the configuration.
    #[error("TLS refuses its configuration: {0}")]
    Tls(#[from] rustls::Error),
}
