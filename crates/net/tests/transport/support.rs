//! A sharer, its helpers, and a UDP relay whose wire can be cut.

use std::future::Future;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use farpane_net::{
    ConnectError, Connection, Identity, Invitation, Invitations, Listener, NetConfig, NetThread,
    connect,
};

/// Far beyond what any of the tests needs; only a hang reaches it.
const WATCHDOG: Duration = Duration::from_secs(20);
const HOUR: Duration = Duration::from_secs(3600);

/// Runs `test` on a network thread of its own.
pub(crate) fn on_net(test: impl Future<Output = ()> + Send + 'static) {
    let net = NetThread::start().unwrap();
    let test = async move { tokio::time::timeout(WATCHDOG, test).await };
    net.run(test).expect("the test panicked, see above").expect("the test hung");
}

pub(crate) fn quick() -> NetConfig {
    let mut config = NetConfig::default();
    // Long enough for a loaded machine not to look like a dead peer.
    config.timing.idle_timeout = Duration::from_millis(1500);
    config.timing.keep_alive = Duration::from_millis(100);
    config.timing.confirmation = Duration::from_millis(500);
    config.timing.connect = Duration::from_millis(1500);
    config.timing.stagger = Duration::from_millis(20);
    config
}

pub(crate) struct Sharer {
    pub(crate) identity: Identity,
    pub(crate) invitations: Invitations,
    pub(crate) listener: Listener,
    pub(crate) address: SocketAddr,
}

impl Sharer {
    pub(crate) async fn start(config: NetConfig) -> Self {
        let identity = Identity::generate().unwrap();
        let invitations = Invitations::new();
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let listener = Listener::bind(any, &identity, invitations.clone(), config).await.unwrap();
        let address = listener.local_address().unwrap();
        Self { identity, invitations, listener, address }
    }

    pub(crate) fn invite(&self) -> Invitation {
        self.invite_to(&[self.address.to_string()])
    }

    pub(crate) fn invite_to(&self, addresses: &[String]) -> Invitation {
        let key = self.identity.public_key();
        self.invitations.issue(key, addresses.to_vec(), HOUR).unwrap()
    }

    /// A helper's and the sharer's end of one new connection.
    pub(crate) async fn pair(&self, config: &NetConfig) -> (Connection, Connection) {
        let invitation = self.invite();
        let helper = Identity::generate().unwrap();
        let (helper_end, sharer_end) =
            tokio::join!(connect(&invitation, &helper, config), self.listener.accept());
        (helper_end.unwrap(), sharer_end.unwrap())
    }
}

/// Joins with a fresh identity.
pub(crate) async fn join(
    invitation: &Invitation,
    config: &NetConfig,
) -> Result<Connection, ConnectError> {
    connect(invitation, &Identity::generate().unwrap(), config).await
}

/// The same invitation with other fields, with a correct integrity check again.
pub(crate) fn forge(invitation: &Invitation, change: impl FnOnce(&mut [u8])) -> Invitation {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use ring::hmac::{HMAC_SHA256, Key, sign};
    let prefix = "farpane-invitation:";
    let text = invitation.to_text();
    let mut bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(prefix).unwrap()).unwrap();
    let body_bytes = bytes.len() - 32;
    change(&mut bytes[..body_bytes]);
    let root = Key::new(HMAC_SHA256, &bytes[SECRET_AT..SECRET_AT + 32]);
    let key = sign(&root, b"farpane invitation integrity");
    let tag = sign(&Key::new(HMAC_SHA256, key.as_ref()), &bytes[..body_bytes]);
    bytes[body_bytes..].copy_from_slice(tag.as_ref());
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes)).parse().unwrap()
}

/// Where the fields lie in an invitation's bytes.
pub(crate) const ID_AT: usize = 1;
pub(crate) const SECRET_AT: usize = 17;
pub(crate) const KEY_AT: usize = 49;

/// Forwards UDP between one helper and the sharer until its wire is cut.
pub(crate) struct Wire {
    pub(crate) address: SocketAddr,
    up_is_cut: Arc<AtomicBool>,
    down_is_cut: Arc<AtomicBool>,
}

impl Wire {
    pub(crate) fn to(sharer: SocketAddr) -> Self {
        let near = UdpSocket::bind("127.0.0.1:0").unwrap();
        let far = UdpSocket::bind("127.0.0.1:0").unwrap();
        far.connect(sharer).unwrap();
        let address = near.local_addr().unwrap();
        let wire = Self { address, up_is_cut: Arc::default(), down_is_cut: Arc::default() };
        let helper = Arc::new(Mutex::new(None::<SocketAddr>));
        let (near_in, far_out) = (near.try_clone().unwrap(), far.try_clone().unwrap());
        let (is_cut, helper_up) = (wire.up_is_cut.clone(), helper.clone());
        std::thread::spawn(move || {
            let mut buffer = [0; 65536];
            while let Ok((bytes, from)) = near_in.recv_from(&mut buffer) {
                *helper_up.lock().unwrap() = Some(from);
                if !is_cut.load(Ordering::Relaxed) {
                    let _ = far_out.send(&buffer[..bytes]);
                }
            }
        });
        let is_cut = wire.down_is_cut.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 65536];
            while let Ok(bytes) = far.recv(&mut buffer) {
                let helper = *helper.lock().unwrap();
                if let (false, Some(helper)) = (is_cut.load(Ordering::Relaxed), helper) {
                    let _ = near.send_to(&buffer[..bytes], helper);
                }
            }
        });
        wire
    }

    pub(crate) fn cut(&self) {
        self.set(true);
    }

    pub(crate) fn mend(&self) {
        self.set(false);
    }

    /// Nothing gets from the helper to the sharer any more; the other way still works.
    pub(crate) fn cut_up(&self) {
        self.up_is_cut.store(true, Ordering::Relaxed);
    }

    fn set(&self, is_cut: bool) {
        self.up_is_cut.store(is_cut, Ordering::Relaxed);
        self.down_is_cut.store(is_cut, Ordering::Relaxed);
    }
}
