//! Keeps one end's relays: opens them, and opens them again when they are lost.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::Mux;
use crate::network::Network;
use crate::relay::{Relay, RelayError, RelayUrl};

/// How long to wait before a relay that was open for [`STEADY`] is opened again, since it may have
/// been the network and the session may have no other; then before the first and the last of
/// several tries.
const AGAIN_WAIT: Duration = Duration::from_millis(50);
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LAST_WAIT: Duration = Duration::from_secs(30);
/// How long the other relays may take once one is open.
const OTHERS: Duration = Duration::from_secs(1);
/// How long a relay may take to say that an old allocation is there.
const ASK: Duration = Duration::from_millis(600);
/// How often it is looked whether a relay is silent, and what addresses this end has for others.
const LOOK: Duration = Duration::from_secs(5);
const STEADY: Duration = Duration::from_secs(1);

/// What became of a relay.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RelayState {
    /// It is asked for an address.
    Opening,
    /// It gave this one.
    Open(SocketAddr),
    /// It is of no use now, and tried again from time to time.
    Failed(Arc<RelayError>),
}

/// One end's relays, as they are now.
#[derive(Clone, Debug)]
pub(crate) struct Relays {
    urls: Vec<RelayUrl>,
    states: watch::Receiver<Vec<RelayState>>,
    /// Hosts that helpers' addresses on relays may have.
    permitted: Arc<Mutex<Vec<IpAddr>>>,
}

impl Relays {
    /// Opens the relays at `urls`, but those that are open already, for as long as `mux` lives.
    pub(crate) fn keep(mux: &Mux, urls: &[RelayUrl], mut opened: Vec<Option<Relay>>) -> Self {
        opened.resize(urls.len(), None);
        let initial = urls.iter().map(|_| RelayState::Opening).collect::<Vec<_>>();
        let (sender, states) = watch::channel(initial);
        let permitted = Arc::default();
        let relays = Self { urls: urls.to_vec(), states, permitted };
        let sender = Arc::new(sender);
        for (slot, opened) in opened.into_iter().enumerate() {
            let keeper = Keeper {
                mux: mux.downgrade(),
                slot,
                url: urls[slot].clone(),
                network: mux.network(),
                states: sender.clone(),
                permitted: relays.permitted.clone(),
            };
            tokio::spawn(keeper.run(opened));
        }
        relays
    }

    /// Every relay and what became of it.
    pub(crate) fn states(&self) -> Vec<(RelayUrl, RelayState)> {
        self.urls.iter().cloned().zip(self.states.borrow().iter().cloned()).collect()
    }

    /// Waits until each has given an address or failed once; when one has given an address, not
    /// much longer for the others.
    pub(crate) async fn settled(&self) {
        let is_open = |states: &Vec<RelayState>| {
            states.iter().any(|state| matches!(state, RelayState::Open(_)))
        };
        let mut states = self.states.clone();
        let enough = async {
            if states.wait_for(is_open).await.is_ok() {
                sleep(OTHERS).await;
            }
        };
        tokio::select! {
            () = self.all_settled() => {}
            () = enough => {}
        }
    }

    async fn all_settled(&self) {
        let is_settled = |states: &Vec<RelayState>| {
            states.iter().all(|state| !matches!(state, RelayState::Opening))
        };
        // An end of the senders is the end of the sockets: nothing will change.
        let _ = self.states.clone().wait_for(is_settled).await;
    }
}

struct Keeper {
    mux: super::mux::WeakMux,
    slot: usize,
    url: RelayUrl,
    network: Arc<dyn Network>,
    states: Arc<watch::Sender<Vec<RelayState>>>,
    permitted: Arc<Mutex<Vec<IpAddr>>>,
}

impl Keeper {
    async fn run(self, mut opened: Option<Relay>) {
        let mut mux = self.mux.clone();
        tokio::select! {
            () = mux.closed() => {}
            () = async {
                let mut wait = FIRST_WAIT;
                loop {
                    let lived = self.open_and_watch(opened.take()).await;
                    wait = match lived {
                        true => AGAIN_WAIT,
                        false => (wait * 2).clamp(FIRST_WAIT, LAST_WAIT),
                    };
                    sleep(wait).await;
                }
            } => {}
        }
    }

    /// Opens the relay, unless it is open, and waits for its end; whether it was steady.
    async fn open_and_watch(&self, opened: Option<Relay>) -> bool {
        let opened = match opened {
            Some(relay) => Ok(relay),
            None => Relay::open(&self.url, &self.network).await,
        };
        let relay = match opened {
            Ok(relay) => relay,
            Err(error) => {
                self.set(RelayState::Failed(Arc::new(error)));
                return false;
            }
        };
        if let Some(mux) = self.mux.upgrade() {
            self.open(&mux, &relay);
        }
        let start = Instant::now();
        let error = self.until_lost(relay).await;
        if let Some(mux) = self.mux.upgrade() {
            mux.state().close_relay(self.slot);
        }
        self.set(RelayState::Failed(error));
        start.elapsed() >= STEADY
    }

    /// Waits for the relay's end. When it has fallen silent it may only not know this end any more,
    /// as its address has changed: another allocation is tried beside it, and replaces it. If it
    /// knows this end, it is the other one that is cut off, and that will look for it there.
    async fn until_lost(&self, mut relay: Relay) -> Arc<RelayError> {
        let mut mux = self.mux.clone();
        loop {
            tokio::select! {
                error = relay.ended() => return error,
                () = sleep(LOOK) => {
                    if let Some(mux) = self.mux.upgrade() {
                        mux.state().ask_relay_again(self.slot);
                    }
                }
                _ = mux.cut_off() => {}
            }
            if !self.is_lost() {
                continue;
            }
            match Relay::open(&self.url, &self.network).await {
                Ok(another) if self.is_lost_still(&relay).await => {
                    relay = another;
                    if let Some(mux) = self.mux.upgrade() {
                        self.open(&mux, &relay);
                    }
                }
                _ => sleep(FIRST_WAIT).await,
            }
        }
    }

    fn is_lost(&self) -> bool {
        self.mux.upgrade().is_some_and(|mux| mux.state().has_lost_relay(self.slot))
    }

    /// The network leads to the relay again: so it may do for the old allocation.
    async fn is_lost_still(&self, old: &Relay) -> bool {
        if let Some(mux) = self.mux.upgrade() {
            mux.state().ask_by_relay(self.slot);
        }
        !old.is_kept(ASK).await && self.is_lost()
    }

    fn open(&self, mux: &Mux, relay: &Relay) {
        let mut state = mux.state();
        relay.deliver_all(state.inbox_of(self.slot));
        state.set_relay(self.slot, relay.clone());
        // A helper's address on a relay has the relay's own host. Each relay permits all.
        let mut permitted = self.permitted.lock().unwrap_or_else(PoisonError::into_inner);
        for host in [relay.relayed().ip(), relay.server().ip()] {
            if !permitted.contains(&host) {
                permitted.push(host);
            }
        }
        for relay in state.relays() {
            permitted.iter().for_each(|host| relay.permit(*host));
        }
        state.ask_relays();
        state.offer();
        self.set(RelayState::Open(relay.relayed()));
    }

    fn set(&self, state: RelayState) {
        self.states.send_modify(|states| states[self.slot] = state);
    }
}
