//! Virtual networks behind translators, joined by one that counts what passes.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use webrtc_util::vnet::chunk::Chunk;
use webrtc_util::vnet::nat::NatType;
use webrtc_util::vnet::net::{Net, NetConfig};
use webrtc_util::vnet::router::{Nic, Router, RouterConfig};

use super::host::Host;
use super::relay::Relay;
use super::types::Translator;
use crate::relay::RelayUrl;

/// Each way, for all that passes between networks.
const DELAY: Duration = Duration::from_millis(5);
const RELAY: &str = "203.0.113.1";
/// Of the datagrams that tests send, sealed. QUIC's own packets are shorter, or probe the MTU.
const DATA_BYTES: std::ops::Range<usize> = 1_000..1_100;

/// The network that joins all others, with a relay.
pub(super) struct Internet {
    wan: Segment,
    relay: Relay,
    traffic: Arc<Traffic>,
}

impl Internet {
    /// With translators that do or do not let two machines behind them meet at their outside
    /// addresses (hairpinning: RFC 4787, section 6).
    pub(super) async fn new(hairpins: bool) -> Self {
        let wan = Segment::new("203.0.113.0/24", None, None, DELAY);
        let traffic = Arc::new(Traffic::default());
        let (seen, relay) = (traffic.clone(), RELAY.parse::<IpAddr>().unwrap());
        // What goes to where it comes from is at the translator whose both addresses these are.
        let filter = move |chunk: &(dyn Chunk + Send + Sync)| {
            let (from, to) = (chunk.get_source_ip(), chunk.get_destination_ip());
            seen.note(chunk);
            hairpins || from != to || from == relay
        };
        wan.0.lock().await.add_chunk_filter(Box::new(filter)).await;
        let relay = Relay::start(&*wan.host(RELAY).await).await;
        Self { wan, relay, traffic }
    }

    /// A network of its own for machines behind a translator with this address outside.
    pub(super) async fn behind(&self, outside: &str, nat: Option<NatType>) -> Segment {
        self.wan.behind(outside, "192.168.1.0/24", nat).await
    }

    /// A machine that has this address outside.
    pub(super) async fn host(&self, outside: &str, translator: Translator) -> Arc<Host> {
        match translator.nat_type() {
            None => self.wan.host(outside).await,
            nat => self.behind(outside, nat).await.host("192.168.1.2").await,
        }
    }

    pub(super) fn wan(&self) -> &Segment {
        &self.wan
    }

    pub(super) fn relay(&self) -> RelayUrl {
        self.relay.url()
    }

    pub(super) fn traffic(&self) -> &Traffic {
        &self.traffic
    }
}

/// A network, with the translator by which it is joined to another.
#[derive(Clone)]
pub(super) struct Segment(Arc<Mutex<Router>>);

impl Segment {
    fn new(subnet: &str, outside: Option<&str>, nat: Option<NatType>, delay: Duration) -> Self {
        let mut router = Router::new(RouterConfig {
            cidr: subnet.to_owned(),
            static_ips: outside.into_iter().map(str::to_owned).collect(),
            nat_type: nat,
            min_delay: delay,
            ..RouterConfig::default()
        })
        .unwrap();
        // It runs from here on; the future would start routers behind it, and there are none yet.
        drop(router.start());
        Self(Arc::new(Mutex::new(router)))
    }

    /// A network behind a translator that has the address `outside` here.
    pub(super) async fn behind(&self, outside: &str, subnet: &str, nat: Option<NatType>) -> Self {
        let inner = Self::new(subnet, Some(outside), nat, Duration::ZERO);
        self.0.lock().await.add_router(inner.0.clone()).await.unwrap();
        inner.0.lock().await.set_router(self.0.clone()).await.unwrap();
        inner
    }

    /// What can keep all packets of this network from passing.
    pub(super) async fn cable(&self) -> Cable {
        let cable = Cable::default();
        let is_cut = cable.is_cut.clone();
        let filter = move |_: &(dyn Chunk + Send + Sync)| !is_cut.load(Ordering::Relaxed);
        self.0.lock().await.add_chunk_filter(Box::new(filter)).await;
        cable
    }

    /// A machine in it.
    pub(super) async fn host(&self, ip: &str) -> Arc<Host> {
        let config = NetConfig { static_ips: vec![ip.to_owned()], ..NetConfig::default() };
        let net = Arc::new(Net::new(Some(config)));
        let nic = net.get_nic().unwrap();
        self.0.lock().await.add_net(nic.clone()).await.unwrap();
        nic.lock().await.set_router(self.0.clone()).await.unwrap();
        Host::new(net, ip.parse().unwrap())
    }
}

/// Between a network's machines and its translator.
#[derive(Default)]
pub(super) struct Cable {
    is_cut: Arc<AtomicBool>,
}

impl Cable {
    pub(super) fn cut(&self) {
        self.is_cut.store(true, Ordering::Relaxed);
    }

    pub(super) fn mend(&self) {
        self.is_cut.store(false, Ordering::Relaxed);
    }
}

/// What has passed between networks.
#[derive(Debug, Default)]
pub(super) struct Traffic(std::sync::Mutex<HashMap<(IpAddr, IpAddr), Flow>>);

#[derive(Clone, Debug, Default)]
struct Flow {
    packets: usize,
    data: usize,
    /// The port that the last packet came from, and how many there were before it.
    port: u16,
    changes: usize,
}

impl Traffic {
    fn note(&self, chunk: &(dyn Chunk + Send + Sync)) {
        let (from, to) = (chunk.source_addr(), chunk.destination_addr());
        let mut flows = self.0.lock().unwrap();
        let flow = flows.entry((from.ip(), to.ip())).or_default();
        flow.changes += usize::from(flow.packets > 0 && flow.port != from.port());
        flow.port = from.port();
        flow.packets += 1;
        flow.data += usize::from(DATA_BYTES.contains(&chunk.user_data().len()));
    }

    fn flow(&self, from: &str, to: &str) -> Flow {
        let (from, to) = (from.parse().unwrap(), to.parse().unwrap());
        self.0.lock().unwrap().get(&(from, to)).cloned().unwrap_or_default()
    }

    /// Packets from one outside address to another.
    pub(super) fn packets(&self, from: &str, to: &str) -> usize {
        self.flow(from, to).packets
    }

    /// How often packets from one outside address to another came from another port than before.
    pub(super) fn changes(&self, from: &str, to: &str) -> usize {
        self.flow(from, to).changes
    }

    /// Datagrams that tests sent by the relay, each counted once.
    pub(super) fn relayed(&self) -> usize {
        self.data(|from, to, relay| from != relay && to == relay)
    }

    /// Datagrams that tests sent between networks without the relay.
    pub(super) fn direct(&self) -> usize {
        self.data(|from, to, relay| from != relay && to != relay)
    }

    fn data(&self, is_meant: impl Fn(IpAddr, IpAddr, IpAddr) -> bool) -> usize {
        let relay = RELAY.parse().unwrap();
        let flows = self.0.lock().unwrap();
        let meant = flows.iter().filter(|((from, to), _)| is_meant(*from, *to, relay));
        meant.map(|(_, flow)| flow.data).sum()
    }
}
