//! What others on the way see: nothing of what is said, and no flow that a machine did not begin.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use farpane_net::Connection;
use farpane_netbed::{Bed, Config, Side};

use crate::session::Session;
use crate::support::{Carriers, bed, urls};
use crate::tshark;

/// What must not be seen. Nothing else in a capture is like it.
const MARKER: &[u8] = b"farpane-plaintext-marker-71c2";
const COUNT: usize = 50;

/// A session that says the marker both ways, recorded in the sharer's, the helper's and the public
/// network; the files in this order.
fn recorded(bed: &Bed, folder: &Path, session: impl FnOnce() -> Session) -> [PathBuf; 3] {
    let spaces = [bed.sharer(), bed.helper(), bed.public()];
    let files = ["sharer", "helper", "public"].map(|name| folder.join(name));
    let captures: Vec<_> =
        spaces.iter().zip(&files).map(|(space, file)| bed.capture(space, file).unwrap()).collect();
    let session = session();
    for _ in 0..COUNT {
        let (near, far) = (session.near.clone(), session.far.clone());
        let send = |end: std::sync::Arc<Connection>| async move {
            end.send_datagram(Bytes::from(MARKER.repeat(10))).await.unwrap();
        };
        let read = |end: std::sync::Arc<Connection>| async move {
            assert_eq!(end.read_datagram().await.unwrap(), MARKER.repeat(10));
        };
        session.helper.run(send(near.clone())).unwrap();
        session.sharer.net.run(read(far.clone())).unwrap();
        session.sharer.net.run(send(far)).unwrap();
        session.helper.run(read(near)).unwrap();
    }
    session.control_passes();
    captures.into_iter().for_each(|capture| capture.stop().unwrap());
    files
}

fn nothing_is_seen(carriers: Carriers) {
    let (bed, relay) = bed(&Config::default());
    let folder = tempfile::tempdir().unwrap();
    let begin = || Session::begin(&bed, urls(&relay, carriers), None);
    let files = recorded(&bed, folder.path(), begin);
    for file in &files {
        let bytes = std::fs::read(file).unwrap();
        println!("  {}: {} bytes", file.display(), bytes.len());
        assert!(bytes.len() > 2 * COUNT * MARKER.len() * 10, "the capture has not all");
        for word in [MARKER, b"from the sharer", b"from the helper"] {
            assert!(!contains(&bytes, word), "{} has plaintext", file.display());
        }
    }
    for (side, file) in [Side::Sharer, Side::Helper].into_iter().zip(&files) {
        only_outbound(bed.machine(side).address().to_string(), file);
    }
}

fn contains(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}

/// The first packet of every flow leaves the machine.
fn only_outbound(machine: String, file: &Path) {
    let names = [
        "ip.src",
        "ip.dst",
        "ip.proto",
        "tcp.srcport",
        "tcp.dstport",
        "udp.srcport",
        "udp.dstport",
    ];
    let lines = tshark::fields(file, "(udp || tcp) && !icmp", &names);
    let mut flows = Vec::new();
    for line in &lines {
        let parts: Vec<_> = line.iter().map(String::as_str).collect();
        let (from, to) = match parts[..] {
            [src, dst, proto, "", "", sport, dport] | [src, dst, proto, sport, dport, "", ""] => {
                ((src, sport, proto), (dst, dport, proto))
            }
            _ => panic!("{line:?}"),
        };
        let is_known = flows.iter().any(|flow| *flow == (from, to) || *flow == (to, from));
        if !is_known {
            assert_eq!(from.0, machine, "{line:?} came in unasked");
            flows.push((from, to));
        }
    }
    println!("  {machine}: {} packets, flows {flows:?}", lines.len());
    assert!(!flows.is_empty());
}

#[test]
fn nothing_of_a_session_by_the_relay_over_udp_is_seen() {
    nothing_is_seen(Carriers::Udp);
}

#[test]
fn nothing_of_a_session_by_the_relay_over_tls_is_seen() {
    nothing_is_seen(Carriers::Tls);
}

#[test]
fn nothing_of_a_session_with_standbys_is_seen() {
    nothing_is_seen(Carriers::Both);
}
