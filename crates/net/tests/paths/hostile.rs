//! Path messages that nobody of the session sent: they change nothing.

use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::time::Duration;

use farpane_net::{Connection, PathKind, RelayState};
use farpane_netbed::{Bed, Config, Layout, Side, Space};

use crate::session::Session;
use crate::support::{Carriers, bed, urls};
use crate::tshark;

/// Marks a path message.
const FIRST_BYTE: u8 = 0x0f;
/// The mark, the session's name, and the counter.
const HEADER_BYTES: usize = 17;
const TIMES: usize = 20;
/// For pings to be sent, and for what is thrown to have an effect if it has one.
const CALM: Duration = Duration::from_millis(700);

/// Where a session's paths lead, without what changes all the time.
fn places(connection: &Connection) -> Vec<(PathKind, SocketAddr, Option<SocketAddr>)> {
    let paths = connection.paths();
    let mut places: Vec<_> = paths.iter().map(|p| (p.kind, p.remote, p.relay)).collect();
    places.sort_by_key(|place| (place.1, place.2));
    places
}

/// A direct session that has sent path messages to the sharer; they were recorded.
fn recorded(bed: &Bed, session: &Session, folder: &Path) -> Vec<Vec<u8>> {
    let file = folder.join("helper");
    let capture = bed.capture(bed.helper(), &file).unwrap();
    for _ in 0..3 {
        let mut film = session.film();
        film.watch(CALM / 2);
        film.end();
        // The last frame is followed by a ping.
        std::thread::sleep(CALM / 2);
    }
    capture.stop().unwrap();
    let port = session.sharer.listener.local_address().unwrap().port();
    let filter = format!("udp.dstport == {port} && udp.payload[0:1] == 0f");
    let lines = tshark::fields(&file, &filter, &["udp.payload"]);
    lines.iter().map(|line| tshark::bytes(&line[0])).collect()
}

/// Throws each message several times from another space; the sharer's machine gets them.
fn throw(from: &Space, source: &str, to: SocketAddr, messages: &[Vec<u8>]) {
    let socket = from.inside(|| UdpSocket::bind((source, 0)).unwrap()).unwrap();
    for _ in 0..TIMES {
        for message in messages {
            socket.send_to(message, to).unwrap();
        }
    }
}

/// The session is as it was, shows a film, and passes control messages.
fn nothing_happened(session: Session, before: &[Vec<(PathKind, SocketAddr, Option<SocketAddr>)>]) {
    let mut film = session.film();
    film.watch(CALM);
    let now = [places(&session.near), places(&session.far)];
    assert_eq!(now[..], *before, "{}", session.told());
    assert_eq!(session.changes(), [0; 2], "{}", session.told());
    assert!(film.had.len() > 20, "{} frames", film.had.len());
    film.end();
    session.control_passes();
}

/// A direct session in one network, and messages made from what was recorded, thrown from the
/// router of that network at the sharer's port.
fn thrown(make: impl Fn(&[Vec<u8>]) -> Vec<Vec<u8>>) {
    let (bed, relay) = bed(&Config { layout: Layout::OneLan, ..Config::default() });
    let here = Some(bed.sharer().address());
    let session = Session::begin(&bed, urls(&relay, Carriers::Both), here);
    let folder = tempfile::tempdir().unwrap();
    let recorded = recorded(&bed, &session, folder.path());
    let messages = make(&recorded);
    println!("  {} recorded, {} made", recorded.len(), messages.len());
    assert!(!messages.is_empty());
    let before = [places(&session.near), places(&session.far)];
    let port = session.sharer.listener.local_address().unwrap().port();
    let sharer = SocketAddr::new(bed.sharer().address(), port);
    let file = folder.path().join("sharer");
    let capture = bed.capture(bed.sharer(), &file).unwrap();
    throw(bed.router(Side::Sharer), "0.0.0.0", sharer, &messages);
    capture.stop().unwrap();
    let filter = format!("udp.dstport == {port} && ip.src != {}", bed.helper().address());
    let came = tshark::fields(&file, &filter, &["ip.src"]).len();
    assert_eq!(came, messages.len() * TIMES);
    nothing_happened(session, &before);
}

/// Bytes like random ones, the same every time.
fn noise(seed: usize, bytes: usize) -> Vec<u8> {
    let mut state = seed as u64 + 1;
    let next = |_| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..bytes).map(next).collect()
}

#[test]
fn garbage_does_nothing() {
    thrown(|_| {
        let lengths = (0..64).chain([100, 500, 1_200, 1_400]);
        lengths.map(|bytes| [vec![FIRST_BYTE], noise(bytes, bytes)].concat()).collect()
    });
}

#[test]
fn garbage_with_the_sessions_name_does_nothing() {
    thrown(|recorded| {
        let name = &recorded[0][..9];
        let lengths = (0..64).chain([100, 500, 1_200, 1_400]);
        lengths.map(|bytes| [name, &noise(bytes, bytes)].concat()).collect()
    });
}

#[test]
fn changed_messages_do_nothing() {
    thrown(|recorded| {
        let message = recorded.last().unwrap();
        let flipped = (9..message.len()).map(|at| {
            let mut message = message.clone();
            message[at] ^= 1;
            message
        });
        // With a counter that has not been, and cut off.
        let later = [&message[..9], &u64::MAX.to_be_bytes(), &message[HEADER_BYTES..]].concat();
        flipped
            .chain([later])
            .chain((1..message.len()).map(|end| message[..end].to_vec()))
            .collect()
    });
}

#[test]
fn repeated_messages_do_nothing() {
    thrown(<[_]>::to_vec);
}

#[test]
fn another_sessions_messages_do_nothing() {
    let config = Config { layout: Layout::OneLan, ..Config::default() };
    let (bed, relay) = bed(&config);
    let here = Some(bed.sharer().address());
    let session = Session::begin(&bed, urls(&relay, Carriers::Both), here);
    let folder = tempfile::tempdir().unwrap();
    let others = recorded(&bed, &session, folder.path());
    // The other session's keys are still known to its sharer, but not to this one.
    thrown(|_| others.clone());
    session.control_passes();
}

#[test]
fn garbage_by_the_relay_does_nothing() {
    let (bed, relay) = bed(&Config::default());
    let session = Session::begin(&bed, urls(&relay, Carriers::Udp), None);
    std::thread::sleep(CALM);
    let before = [places(&session.near), places(&session.far)];
    let states = session.sharer.listener.relays();
    let RelayState::Open(sharer) = states[0].1 else { panic!("{states:?}") };
    // The sharer's relay forwards what comes from its own address, as helpers' packets do.
    let messages: Vec<_> =
        (0..200).map(|bytes| [vec![FIRST_BYTE], noise(bytes, bytes)].concat()).collect();
    throw(bed.public(), &relay.address().to_string(), sharer, &messages);
    nothing_happened(session, &before);
}
