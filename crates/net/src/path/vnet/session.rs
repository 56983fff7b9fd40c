//! A session between two machines of a virtual network.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, timeout};

use super::host::Host;
use super::internet::Internet;
use super::wait_for;
use crate::config::NetConfig;
use crate::connect::connect_over;
use crate::connection::Connection;
use crate::identity::Identity;
use crate::ledger::Invitations;
use crate::listener::Listener;
use crate::path::{PathKind, PathState};

const HOUR: Duration = Duration::from_secs(3600);
/// For what takes milliseconds where nothing else runs.
const HEAR: Duration = Duration::from_secs(10);
/// Sent each way at a time.
const DATAGRAMS: usize = 10;
const DATAGRAM_BYTES: usize = 1_000;
/// For data to go by one path alone: one that was in doubt has company for a while.
const SETTLE: Duration = Duration::from_secs(20);

/// Both ends of a session that began by the relay.
pub(super) struct Session {
    internet: Arc<Internet>,
    /// The helper's end.
    near: Connection,
    /// The sharer's end.
    far: Connection,
    _listener: Listener,
}

impl Session {
    /// Begins one by an invitation that names the relay and nothing else.
    pub(super) async fn begin(
        internet: &Arc<Internet>,
        sharer: Arc<Host>,
        helper: Arc<Host>,
    ) -> Self {
        Self::begin_with(internet, sharer, helper, NetConfig::default()).await
    }

    pub(super) async fn begin_with(
        internet: &Arc<Internet>,
        sharer: Arc<Host>,
        helper: Arc<Host>,
        config: NetConfig,
    ) -> Self {
        let config = NetConfig { relays: vec![internet.relay()], ..config };
        let (identity, invitations) = (Identity::generate().unwrap(), Invitations::new());
        let any = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0);
        let listener =
            Listener::bind_over(sharer, any, &identity, invitations.clone(), config.clone());
        let listener = listener.await.unwrap();
        let relays = listener.invited_relays().await;
        let key = identity.public_key();
        let invitation = invitations.issue_by_relays(key, Vec::new(), relays, HOUR).unwrap();
        let identity = Identity::generate().unwrap();
        let (near, far) = tokio::join!(
            connect_over(helper, &invitation, &identity, &config),
            timeout(HEAR, listener.accept())
        );
        let near = near.unwrap_or_else(|error| panic!("{error}"));
        let far = far.expect("the sharer takes the helper in").unwrap();
        Self { internet: internet.clone(), near, far, _listener: listener }
    }

    fn ends(&self) -> [&Connection; 2] {
        [&self.near, &self.far]
    }

    /// Whether both ends go by a path of this kind.
    pub(super) fn goes_by(&self, kind: PathKind) -> bool {
        self.ends().iter().all(|end| {
            let paths = end.paths();
            paths.iter().any(|path| path.state == PathState::Active && path.kind == kind)
        })
    }

    /// Waits until both ends go by a path of this kind.
    pub(super) async fn comes_to(&self, kind: PathKind, limit: Duration) -> bool {
        wait_for(limit, || self.goes_by(kind)).await
    }

    /// Whether some end goes or ever went by a path without relays, or holds one for working.
    pub(super) fn claims_direct(&self) -> bool {
        self.ends().iter().any(|end| {
            let mut switches = end.path_switches().into_iter();
            let paths = end.paths();
            switches.any(|switch| switch.to == PathKind::Direct)
                || paths.iter().any(|p| p.kind == PathKind::Direct && p.state != PathState::Dead)
        })
    }

    /// Sends and receives at both ends until all went by a path of this kind, which both claim.
    pub(super) async fn carries_by(&mut self, kind: PathKind) -> Result<(), String> {
        let end = Instant::now() + SETTLE;
        while Instant::now() < end {
            self.comes_to(kind, SETTLE).await;
            let before = self.internet.traffic().relayed();
            self.exchange().await.map_err(|error| format!("{error}\n{}", self.told()))?;
            let relayed = self.internet.traffic().relayed() - before;
            let is_right = match kind {
                PathKind::Direct => relayed == 0,
                _ => relayed >= 2 * DATAGRAMS,
            };
            if is_right && self.goes_by(kind) {
                return Ok(());
            }
        }
        Err(format!("data does not go by the path {kind}\n{}", self.told()))
    }

    /// Sends a control message each way; it is repeated until it comes.
    pub(super) async fn talks(&mut self) -> Result<(), String> {
        talk(&mut self.near, &mut self.far).await?;
        talk(&mut self.far, &mut self.near).await
    }

    async fn exchange(&mut self) -> Result<(), String> {
        carry(&mut self.near, &mut self.far).await?;
        carry(&mut self.far, &mut self.near).await
    }

    /// All that is known of both ends' paths, for a failed test.
    pub(super) fn told(&self) -> String {
        let told = self.ends().map(|end| {
            let paths = end.paths().into_iter().map(|path| format!("  {path:?}\n"));
            let switches = end.path_switches().into_iter().map(|s| format!("  {s:?}\n"));
            paths.chain(switches).collect::<String>()
        });
        format!("helper\n{}sharer\n{}", told[0], told[1])
    }
}

/// A control message from one end to the other.
async fn talk(from: &mut Connection, to: &mut Connection) -> Result<(), String> {
    from.control().0.send(b"control").await.map_err(|error| error.to_string())?;
    let heard = timeout(HEAR, to.control().1.recv()).await;
    let heard = heard.map_err(|_| "no control message came")?.map_err(|error| error.to_string())?;
    assert_eq!(&heard[..], b"control");
    Ok(())
}

/// Datagrams and a control message from one end to the other.
async fn carry(from: &mut Connection, to: &mut Connection) -> Result<(), String> {
    for _ in 0..DATAGRAMS {
        let datagram = Bytes::from(vec![7; DATAGRAM_BYTES]);
        from.send_datagram(datagram).await.map_err(|error| error.to_string())?;
    }
    for received in 0..DATAGRAMS {
        let read = timeout(HEAR, to.read_datagram()).await;
        let datagram = read.map_err(|_| format!("{received} of {DATAGRAMS} datagrams came"))?;
        let bytes = datagram.map_err(|reason| reason.to_string())?.len();
        assert_eq!(bytes, DATAGRAM_BYTES);
    }
    talk(from, to).await
}
