//! A sharer and a helper, each in its own network, with the whole of the library between them.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use farpane::capture::PushScreen;
use farpane::damage::Processor;
use farpane::frame::{FrameBuf, FrameRef, PixelFormat, Rect, Size};
use farpane::input::InputEvent;
use farpane::net::{
    Credential, Identity, Invitation, InvitedRelay, NetConfig, PathKind, PathState, RelayPin,
    RelayState, RelayUrl,
};
use farpane::policy::{Answer, Mode};
use farpane::{Helper, HelperOptions, InputTarget, Sharer, SharerEvent, SharerOptions};
use farpane_benches::recordings::{Shots, TYPING};
use farpane_capture::Xvfb;
use farpane_netbed::{Bed, Relay, Space};

const VALID: Duration = Duration::from_secs(3_600);
/// Longer than anything here takes.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);
/// Of an emulated link, each way.
const PROPAGATION: Duration = Duration::from_millis(20);
/// What changes from picture to picture.
pub(crate) const AREA: Rect = Rect::new(640, 360, 256, 192);

/// How a session is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Direct,
    Udp,
    Tls,
    Both,
}

/// A relay's addresses as one side is to use them.
pub(crate) fn urls(relay: &Relay, way: Way, [udp, tls]: [SocketAddr; 2]) -> Vec<RelayUrl> {
    let login = relay.login(VALID).expect("a login");
    let credential = Credential::new(login.user, login.password);
    let pin = RelayPin(relay.spki_sha256());
    let (udp, tls) = (format!("turn:{udp}"), format!("turns:{tls}?pin={pin}"));
    let texts = match way {
        Way::Direct => Vec::new(),
        Way::Udp => vec![udp],
        Way::Tls => vec![tls],
        Way::Both => vec![udp, tls],
    };
    let url = |text: String| text.parse::<RelayUrl>().expect("a relay");
    texts.into_iter().map(|text| url(text).with_credential(credential.clone())).collect()
}

/// A screen that a sharer shares with whoever comes.
pub(crate) struct Sharing {
    sharer: Arc<Sharer>,
    screen: PushScreen,
    picture: FrameBuf,
    person: Arc<Person>,
    thread: Option<JoinHandle<()>>,
    /// The display to which input goes; after the sharer.
    _display: Xvfb,
}

/// Who sits there: sees the indicator and where helpers point, and says yes to all who ask.
#[derive(Default)]
struct Person {
    is_gone: AtomicBool,
    asked: AtomicUsize,
    /// The column that was pointed at last.
    pointed: AtomicU32,
}

impl Person {
    fn sit(&self, sharer: &Sharer) {
        while !self.is_gone.load(Ordering::Relaxed) {
            match sharer.next_event(Duration::from_millis(200)) {
                Some(SharerEvent::ConsentRequested { helper, .. }) => {
                    self.asked.fetch_add(1, Ordering::Relaxed);
                    sharer.answer(helper, Answer::Allow(Mode::View.into()));
                }
                Some(SharerEvent::Pointing { x, .. }) => self.pointed.store(x, Ordering::Relaxed),
                _ => {}
            }
            sharer.acknowledge_indicator();
        }
    }
}

impl Sharing {
    pub(crate) fn start(space: &Space, relays: Vec<RelayUrl>) -> Self {
        let first = Shots::open(TYPING).and_then(|mut shots| shots.next());
        let picture = first.expect("it is committed").into_screen();
        let screen = PushScreen::new().expect("a screen");
        screen.push(&picture.view(), &[]).expect("it is taken");
        let source = screen.clone();
        let net = NetConfig { relays, find_direct: false, ..NetConfig::default() };
        let listen: SocketAddr = match space.address() {
            IpAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
            IpAddr::V6(_) => (std::net::Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let display = Xvfb::start(Size::new(1920, 1080), 24).expect("a display");
        let input = InputTarget::X11 { display: Some(display.display().to_owned()), monitor: None };
        let options = SharerOptions {
            listen,
            net,
            input,
            allow: Mode::View.usual(),
            processor: Processor::Cpu,
            ..SharerOptions::new(move || Ok(Box::new(source.source())))
        };
        let sharer = space.inside(|| Sharer::start(options)).expect("its network");
        let sharer = Arc::new(sharer.expect("a sharer"));
        let person = Arc::new(Person::default());
        let thread = std::thread::spawn({
            let (sharer, person) = (sharer.clone(), person.clone());
            move || person.sit(&sharer)
        });
        Self { sharer, screen, picture, person, thread: Some(thread), _display: display }
    }

    /// An invitation to `address`, or by relays whose addresses are `relays` to the helper, with
    /// consent in advance.
    pub(crate) fn invite(&self, address: Option<SocketAddr>, relays: Vec<RelayUrl>) -> Invitation {
        let start = Instant::now();
        let is_open = |states: &[(RelayUrl, RelayState)]| {
            states.iter().all(|(_, state)| matches!(state, RelayState::Open(_)))
        };
        while !is_open(&self.sharer.relays()) {
            assert!(start.elapsed() < LIMIT, "{:?}", self.sharer.relays());
            std::thread::sleep(Duration::from_millis(2));
        }
        let invitation = self.invite_asking(address, relays);
        self.sharer.consent_in_advance(&invitation, VALID);
        invitation
    }

    /// As [`Sharing::invite`], by those relays alone that are open, of somebody who has to ask.
    pub(crate) fn invite_asking(
        &self,
        address: Option<SocketAddr>,
        relays: Vec<RelayUrl>,
    ) -> Invitation {
        let states = self.sharer.relays().into_iter();
        let relays = relays.into_iter().zip(states).filter_map(|(url, (_, state))| match state {
            RelayState::Open(address) => Some(InvitedRelay { url, address: Some(address) }),
            _ => None,
        });
        let addresses = address.iter().map(ToString::to_string).collect();
        let invitation = self.sharer.invite_by(addresses, relays.collect(), VALID);
        invitation.expect("an invitation")
    }

    /// How many have asked for consent.
    pub(crate) fn asked(&self) -> usize {
        self.person.asked.load(Ordering::Relaxed)
    }

    /// The column that was pointed at last.
    pub(crate) fn pointed(&self) -> u32 {
        self.person.pointed.load(Ordering::Relaxed)
    }

    pub(crate) fn port(&self) -> u16 {
        self.sharer.local_address().port()
    }

    /// Draws the picture of number `step`: what changes is different in each.
    pub(crate) fn draw(&mut self, step: u32) {
        let [a, b, c, _] = (step + 1).wrapping_mul(0x9e37_79b1).to_le_bytes();
        self.picture.fill(AREA, [a, b, c, 0]);
        let half = Rect::new(AREA.x, AREA.y, 64, 64);
        self.picture.fill(half, [step as u8, (step >> 8) as u8, (step >> 16) as u8, 0]);
        self.screen.push(&self.picture.view(), &[AREA]).expect("it is taken");
    }

    pub(crate) fn picture(&self) -> &FrameBuf {
        &self.picture
    }
}

impl Drop for Sharing {
    fn drop(&mut self) {
        self.person.is_gone.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Somebody who sees it.
pub(crate) struct Viewing {
    pub(crate) helper: Helper,
    pub(crate) canvas: Arc<FrameBuf>,
}

impl Viewing {
    pub(crate) fn start(space: &Space, invitation: &Invitation) -> Self {
        let net = NetConfig { find_direct: false, ..NetConfig::default() };
        let options = HelperOptions { net, ..HelperOptions::default() };
        let identity = Identity::generate().expect("an identity");
        let helper = space.inside(|| Helper::connect(invitation, &identity, options));
        let helper = helper.expect("its network").expect("a helper");
        let canvas = FrameBuf::new(Size::new(1, 1), PixelFormat::Bgrx).expect("a canvas");
        Self { helper, canvas: Arc::new(canvas) }
    }

    /// Takes the newest picture, if there is one.
    pub(crate) fn look(&mut self) -> bool {
        let Some(picture) = self.helper.take_picture() else { return false };
        self.canvas = picture.pixels;
        true
    }

    /// Points at the column `x`, and waits until the sharer sees it.
    pub(crate) fn point(&self, sharing: &Sharing, x: u32) -> Duration {
        let start = Instant::now();
        let event = InputEvent::Move { x: x as i32, y: 1 };
        assert_eq!(self.helper.send_input(&[event]), Ok(1), "pointing is allowed");
        while sharing.pointed() != x {
            assert!(start.elapsed() < LIMIT, "{:?}", self.helper.paths());
            std::thread::sleep(Duration::from_micros(200));
        }
        start.elapsed()
    }

    /// The number of the picture that is shown.
    pub(crate) fn step(&self) -> u32 {
        let view = self.canvas.view();
        let pixel = view.span(AREA.x, AREA.y, 1);
        u32::from_le_bytes([pixel[0], pixel[1], pixel[2], 0])
    }

    /// Waits until it shows `picture`, pixel for pixel.
    pub(crate) fn wait_equal(&mut self, picture: &FrameBuf) -> Duration {
        let start = Instant::now();
        loop {
            let is_new = self.look();
            if is_new && equal(&self.canvas, picture) {
                return start.elapsed();
            }
            assert!(start.elapsed() < LIMIT, "{:?}", self.helper.paths());
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    pub(crate) fn active(&self) -> PathKind {
        let paths = self.helper.paths();
        let active = paths.iter().find(|path| path.state == PathState::Active);
        active.expect("a path in use").kind
    }
}

/// Whether all pixels are equal.
pub(crate) fn equal(a: &FrameBuf, b: &FrameBuf) -> bool {
    let (a, b): (FrameRef<'_>, FrameRef<'_>) = (a.view(), b.view());
    let size = a.size();
    size == b.size()
        && (0..size.height_px).all(|y| {
            let rows = [&a, &b].map(|view| view.span(0, y, size.width_px));
            rows[0].chunks_exact(4).zip(rows[1].chunks_exact(4)).all(|(a, b)| a[..3] == b[..3])
        })
}

/// Where a link begins.
pub(crate) struct Ends {
    pub(crate) udp: farpane_linkemu::Proxy,
    pub(crate) tcp: farpane_linkemu::Proxy,
}

/// Both ways by a link of `mbit_per_s` that takes 20 ms each way, to where a relay, or whoever
/// takes UDP, is.
pub(crate) fn emulate(space: &Space, mbit_per_s: u64, [udp, tcp]: [SocketAddr; 2]) -> Ends {
    let link = farpane_linksim::LinkConfig {
        rate: farpane_linksim::Rate::constant(mbit_per_s * 1_000_000),
        propagation: PROPAGATION.as_nanos() as u64,
        ..farpane_linksim::LinkConfig::default()
    };
    let path = farpane_linkemu::Path { up: link.clone(), down: link };
    let listen = SocketAddr::new(space.address(), 0);
    let proxies = space.inside(|| {
        let udp = farpane_linkemu::UdpProxy::start(listen, udp, path.clone());
        let tcp = farpane_linkemu::TcpProxy::start(listen, tcp, path);
        (udp, tcp)
    });
    let (udp, tcp) = proxies.expect("its network");
    Ends { udp: udp.expect("a link of UDP"), tcp: tcp.expect("a link of TCP") }
}

/// A new bed and its relay.
pub(crate) fn bed(config: &farpane_netbed::Config) -> (Bed, Relay) {
    let bed = Bed::build(config).expect("a network; this needs root");
    let relay = bed.relay(&farpane_netbed::RelayConfig::default()).expect("a relay");
    (bed, relay)
}
