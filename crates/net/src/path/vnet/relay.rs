//! A TURN server in a virtual network: the crate turn.

use std::any::Any;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use turn::auth::{AuthHandler, generate_auth_key};
use turn::relay::relay_none::RelayAddressGeneratorNone;
use turn::server::Server;
use turn::server::config::{ConnConfig, ServerConfig};
use webrtc_util::Conn;

use super::host::Host;
use crate::relay::RelayUrl;

const PORT: u16 = 3478;
const PASSWORD: &str = "password";

/// A running server.
pub(super) struct Relay {
    url: RelayUrl,
    _server: Server,
}

impl Relay {
    pub(super) async fn start(host: &Host) -> Self {
        let listening = host.net().bind(SocketAddr::new(host.ip(), PORT)).await.unwrap();
        let relay_addr_generator =
            Box::new(RelayAddressGeneratorNone { address: host.ip().to_string(), net: host.net() });
        let server = Server::new(ServerConfig {
            conn_configs: vec![ConnConfig {
                conn: Arc::new(Listening(listening)),
                relay_addr_generator,
            }],
            realm: "relay.example".to_owned(),
            auth_handler: Arc::new(Anyone),
            channel_bind_timeout: Duration::ZERO,
            alloc_close_notify: None,
        });
        let url = format!("turn:user:{PASSWORD}@{}:{PORT}", host.ip()).parse().unwrap();
        Self { url, _server: server.await.unwrap() }
    }

    pub(super) fn url(&self) -> RelayUrl {
        self.url.clone()
    }
}

/// Takes every user with the one password.
struct Anyone;

impl AuthHandler for Anyone {
    fn auth_handle(
        &self,
        username: &str,
        realm: &str,
        _: SocketAddr,
    ) -> Result<Vec<u8>, turn::Error> {
        Ok(generate_auth_key(username, realm, PASSWORD))
    }
}

/// The socket that all allocations share. The crate closes it with the first that ends.
struct Listening(Arc<dyn Conn + Send + Sync>);

type Result<T, E = webrtc_util::Error> = std::result::Result<T, E>;

#[async_trait]
impl Conn for Listening {
    async fn connect(&self, to: SocketAddr) -> Result<()> {
        self.0.connect(to).await
    }

    async fn recv(&self, buffer: &mut [u8]) -> Result<usize> {
        self.0.recv(buffer).await
    }

    async fn recv_from(&self, buffer: &mut [u8]) -> Result<(usize, SocketAddr)> {
        self.0.recv_from(buffer).await
    }

    async fn send(&self, packet: &[u8]) -> Result<usize> {
        self.0.send(packet).await
    }

    async fn send_to(&self, packet: &[u8], to: SocketAddr) -> Result<usize> {
        self.0.send_to(packet, to).await
    }

    fn local_addr(&self) -> Result<SocketAddr> {
        self.0.local_addr()
    }

    fn remote_addr(&self) -> Option<SocketAddr> {
        self.0.remote_addr()
    }

    async fn close(&self) -> Result<()> {
        Ok(())
    }

    fn as_any(&self) -> &(dyn Any + Send + Sync) {
        self
    }
}
