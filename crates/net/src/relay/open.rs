//! Finds the way to a relay and asks it for an address.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::tls::TlsCarrier;
use super::turn::Turn;
use super::udp::UdpCarrier;
use super::{Carrier, Driver, Handle, Relay, RelayError, RelayTransport, RelayUrl};
use crate::endpoint;
use crate::network::Network;

/// How long a relay may take in all.
const LIMIT: Duration = Duration::from_secs(5);
/// Head start of each of a relay's addresses and ports over the next.
const STAGGER: Duration = Duration::from_millis(100);
/// Most addresses tried for one name.
const MAX_RESOLVED: usize = 4;

impl Relay {
    /// Gets an address from the relay at `url`: tries its addresses and ports, staggered, and keeps
    /// the first that gives one.
    ///
    /// # Errors
    /// The last reason when none gives one, within 5 s.
    pub(crate) async fn open(
        url: &RelayUrl,
        network: &Arc<dyn Network>,
    ) -> Result<Self, RelayError> {
        let deadline = Instant::now() + LIMIT;
        let no_answer = || {
            let ports: Vec<_> = url.ports().iter().map(ToString::to_string).collect();
            let carrier = match url.transport() {
                RelayTransport::Udp => "UDP",
                RelayTransport::Tls => "TCP",
            };
            RelayError::NoAnswer {
                what: format!("{carrier} to {} port {}", url.host(), ports.join(", ")),
                limit_ms: LIMIT.as_millis() as u64,
            }
        };
        let hosts = match timeout_at(deadline, look_up(url.host())).await {
            Ok(hosts) => hosts?,
            Err(_) => {
                let why = format!("no answer within {} ms", LIMIT.as_millis());
                return Err(RelayError::Lookup { host: url.host().to_owned(), why });
            }
        };
        let mut targets = url.ports().into_iter().flat_map(|port| {
            hosts.iter().map(move |host| SocketAddr::new(host.ip(), port)).collect::<Vec<_>>()
        });
        let (mut running, mut last) = (JoinSet::new(), None);
        let mut next = targets.next();
        let mut next_start = Instant::now();
        loop {
            if running.is_empty() && next.is_none() {
                return Err(last.unwrap_or_else(no_answer));
            }
            tokio::select! {
                _ = tokio::time::sleep_until(deadline) => {
                    return Err(last.unwrap_or_else(no_answer));
                }
                _ = tokio::time::sleep_until(next_start), if next.is_some() => {
                    if let Some(server) = next.take() {
                        running.spawn(allocate(url.clone(), server, network.clone()));
                    }
                    next = targets.next();
                    next_start = Instant::now() + STAGGER;
                }
                Some(done) = running.join_next() => match done {
                    Ok(Ok(relay)) => return Ok(relay),
                    // What it says is worth more than that nobody answered.
                    Ok(Err(error)) if last.is_none() || !is_silence(&error) => last = Some(error),
                    _ => {}
                },
            }
        }
    }
}

fn is_silence(error: &RelayError) -> bool {
    matches!(error, RelayError::NoAnswer { .. } | RelayError::Refused(super::TurnRefusal::Silent))
}

pub(crate) async fn look_up(host: &str) -> Result<Vec<SocketAddr>, RelayError> {
    if let Some(address) = super::literal(host) {
        return Ok(vec![SocketAddr::new(address, 0)]);
    }
    let failed = |why: String| RelayError::Lookup { host: host.to_owned(), why };
    let found = tokio::net::lookup_host((host, 0)).await.map_err(|e| failed(e.to_string()))?;
    let found: Vec<_> = found.take(MAX_RESOLVED).collect();
    if found.is_empty() { Err(failed("no address".to_owned())) } else { Ok(found) }
}

async fn allocate(
    url: RelayUrl,
    server: SocketAddr,
    network: Arc<dyn Network>,
) -> Result<Relay, RelayError> {
    let (carrier, local) = match url.transport() {
        RelayTransport::Udp => {
            let local = endpoint::any_local(server);
            let socket = network.bind(local).map_err(RelayError::Connect)?;
            let local = socket.local_addr().map_err(RelayError::Connect)?;
            // A new socket takes nothing before the system has said so once.
            let mut poller = socket.clone().create_io_poller();
            let writable = poll_fn(|cx| poller.as_mut().poll_writable(cx)).await;
            writable.map_err(RelayError::Connect)?;
            (Carrier::Udp(UdpCarrier::new(socket, server)), local)
        }
        RelayTransport::Tls => {
            let tls = TlsCarrier::connect(server, url.host(), url.pins()).await?;
            let local = tls.local_address().map_err(RelayError::Connect)?;
            (Carrier::Tls(Box::new(tls)), local)
        }
    };
    let is_stream = url.transport() == RelayTransport::Tls;
    let credential = url.credential().cloned();
    let turn = Turn::new(local, server, credential, is_stream, Instant::now().into_std());
    let (inner, allocated) = Driver::spawn(turn, carrier);
    let relayed = allocated.await.map_err(|_| super::TurnRefusal::Silent)??;
    Ok(Relay(Arc::new(Handle { inner, url, server, relayed })))
}
