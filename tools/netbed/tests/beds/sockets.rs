//! Sockets in spaces, and whether what one sends reaches another.

use farpane_netbed::Space;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

/// For what shall arrive; a machine that does much else is slow.
const ARRIVES: Duration = Duration::from_secs(5);
/// For what shall not: a hundred times what it would take.
pub(crate) const LOST: Duration = Duration::from_millis(100);
const PING: &[u8] = b"ping";

/// A socket at any port of the space.
pub(crate) fn udp(space: &Space) -> UdpSocket {
    udp_at(space, 0)
}

/// A socket at this port of the space. At its address and not at any, so that it also answers
/// from there: in `public` there are others.
pub(crate) fn udp_at(space: &Space, port: u16) -> UdpSocket {
    space.inside(|| UdpSocket::bind((space.address(), port)).unwrap()).unwrap()
}

/// Where others find a socket of a space, if they find the space.
pub(crate) fn at(socket: &UdpSocket) -> SocketAddr {
    socket.local_addr().unwrap()
}

/// Sends to `to`, which is where `other` is to be found; from where it came there.
pub(crate) fn reaches(socket: &UdpSocket, to: SocketAddr, other: &UdpSocket) -> SocketAddr {
    socket.send_to(PING, to).unwrap();
    received(other, ARRIVES).expect("nothing came")
}

/// Sends to `to`, and whether it does not come to `other`.
pub(crate) fn is_lost(socket: &UdpSocket, to: SocketAddr, other: &UdpSocket) -> bool {
    socket.send_to(PING, to).unwrap();
    received(other, LOST).is_none()
}

/// From where something comes within `limit`.
pub(crate) fn received(socket: &UdpSocket, limit: Duration) -> Option<SocketAddr> {
    socket.set_read_timeout(Some(limit)).unwrap();
    let mut buffer = [0; 16];
    let (bytes, from) = socket.recv_from(&mut buffer).ok()?;
    assert_eq!(&buffer[..bytes], PING);
    Some(from)
}

/// A UDP server in a space that answers what it is sent, until the test program ends.
pub(crate) fn udp_echo(space: &Space) -> SocketAddr {
    let socket = udp(space);
    let address = at(&socket);
    std::thread::spawn(move || {
        let mut buffer = [0; 2_000];
        while let Ok((bytes, from)) = socket.recv_from(&mut buffer) {
            let _ = socket.send_to(&buffer[..bytes], from);
        }
    });
    address
}

/// A TCP server in a space that answers what it is sent, until the test program ends.
pub(crate) fn tcp_echo(space: &Space, port: u16) -> SocketAddr {
    let address = space.address();
    let listener = space.inside(|| TcpListener::bind((address, port)).unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut buffer = [0; 65_536];
                while let Ok(bytes @ 1..) = stream.read(&mut buffer) {
                    if stream.write_all(&buffer[..bytes]).is_err() {
                        break;
                    }
                }
            });
        }
    });
    address
}

/// A connection from a space.
pub(crate) fn tcp(space: &Space, to: SocketAddr) -> std::io::Result<TcpStream> {
    const LIMIT: Duration = Duration::from_millis(300);
    space.inside(|| TcpStream::connect_timeout(&to, LIMIT)).unwrap()
}

/// Whether what is sent over a connection to [`tcp_echo`] comes back.
pub(crate) fn echoes(stream: &mut TcpStream, limit: Duration) -> bool {
    stream.set_read_timeout(Some(limit)).unwrap();
    let mut buffer = [0; PING.len()];
    stream.write_all(PING).is_ok() && stream.read_exact(&mut buffer).is_ok() && buffer == *PING
}
