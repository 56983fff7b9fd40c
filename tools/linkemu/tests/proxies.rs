//! Real sockets through real links on the wall clock.

use farpane_linkemu::{Path, TcpProxy, UdpProxy};
use farpane_linksim::{LinkConfig, Loss, MS, QueueKind, Rate};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

const ANY: &str = "127.0.0.1:0";

fn link(mbit: u64, delay_ms: u64) -> LinkConfig {
    LinkConfig {
        rate: Rate::constant(mbit * 1_000_000),
        queue: QueueKind::DropTailTime { time: 500 * MS },
        propagation: delay_ms * MS,
        ..LinkConfig::default()
    }
}

fn any() -> SocketAddr {
    ANY.parse().unwrap()
}

/// Sends `count` datagrams at once, as many as the kernel keeps for a reader that is late; when
/// each arrived, and which.
fn burst(path: Path, count: u8) -> (Vec<(Duration, u8)>, farpane_linkemu::Lateness) {
    let server = UdpSocket::bind(ANY).unwrap();
    server.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let proxy = UdpProxy::start(any(), server.local_addr().unwrap(), path).unwrap();
    let client = UdpSocket::bind(ANY).unwrap();
    let begun = Instant::now();
    for i in 0..count {
        client.send_to(&[i; 1_222], proxy.address()).unwrap();
    }
    let mut buffer = [0; 2_000];
    let mut arrived = Vec::new();
    while let Ok((bytes, _)) = server.recv_from(&mut buffer) {
        assert_eq!(bytes, 1_222);
        arrived.push((begun.elapsed(), buffer[0]));
        if arrived.len() == usize::from(count) {
            break;
        }
    }
    (arrived, proxy.stop())
}

#[test]
fn datagrams_take_the_rate_and_the_delay_of_the_link() {
    // 1,250 bytes with headers: a millisecond each at 10 Mbit/s.
    let path = Path { up: link(10, 20), down: link(10, 20) };
    let (arrived, lateness) = burst(path, 60);
    assert_eq!(arrived.len(), 60);
    assert!(arrived.windows(2).all(|pair| pair[0].1 < pair[1].1));
    let (first, last) = (arrived[0].0, arrived[59].0);
    assert!(first >= Duration::from_millis(21), "{first:?}");
    assert!(last >= Duration::from_millis(80), "{last:?}");
    if lateness.is_valid() {
        assert!(last < Duration::from_millis(100), "{last:?}");
    }
    assert_eq!(lateness.packets(), 60);
}

#[test]
fn answers_find_their_way_back_to_each_sender() {
    let server = UdpSocket::bind(ANY).unwrap();
    let path = Path { up: link(100, 1), down: link(100, 1) };
    let proxy = UdpProxy::start(any(), server.local_addr().unwrap(), path).unwrap();
    let clients = [0, 1, 2].map(|_| UdpSocket::bind(ANY).unwrap());
    for (i, client) in clients.iter().enumerate() {
        client.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        client.send_to(&[i as u8], proxy.address()).unwrap();
    }
    let mut buffer = [0; 16];
    for _ in 0..3 {
        let (bytes, from) = server.recv_from(&mut buffer).unwrap();
        server.send_to(&buffer[..bytes], from).unwrap();
    }
    for (i, client) in clients.iter().enumerate() {
        assert_eq!(client.recv(&mut buffer).unwrap(), 1);
        assert_eq!(buffer[0], i as u8);
    }
}

#[test]
fn losses_are_those_of_the_seed() {
    let lossy = LinkConfig { loss: Loss::Random(0.3), seed: 9, ..link(100, 0) };
    let run = || {
        let path = Path { up: lossy.clone(), down: link(100, 0) };
        burst(path, 60).0.into_iter().map(|(_, i)| i).collect::<Vec<_>>()
    };
    let first = run();
    assert!((25..58).contains(&first.len()), "{}", first.len());
    assert_eq!(first, run());
}

#[test]
fn a_stream_comes_through_whole_and_at_the_rate_of_the_link() {
    let listener = TcpListener::bind(ANY).unwrap();
    let path = Path { up: link(8, 10), down: link(100, 10) };
    let proxy = TcpProxy::start(any(), listener.local_addr().unwrap(), path).unwrap();
    let address = proxy.address();
    let sent: Vec<u8> = (0..300_000u32).map(|i| (i % 251) as u8).collect();
    let begun = Instant::now();
    let expected = sent.clone();
    let client = std::thread::spawn(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(&sent).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    let (mut stream, _) = listener.accept().unwrap();
    let mut received = Vec::new();
    stream.read_to_end(&mut received).unwrap();
    let took = begun.elapsed();
    assert!(received == expected);
    // 300 ms at 8 Mbit/s, headers and propagation on top.
    assert!(took > Duration::from_millis(310), "{took:?}");
    stream.write_all(b"thanks").unwrap();
    drop(stream);
    assert_eq!(client.join().unwrap(), "thanks");
}
