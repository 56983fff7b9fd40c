//! Connections driven from threads without async.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use bytes::Bytes;
use farpane_net::{
    CloseReason, Connection, Link, LinkHandle, LinkSink, NetThread, SendError, now_us,
};

use crate::support::{Sharer, quick};

/// Only a hang reaches it.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug, PartialEq)]
enum Heard {
    Datagram(u64, Bytes),
    BatchEnd,
    Control(Bytes),
    Blob(u8, Bytes),
    Mtu(usize),
    Drained,
    Closed(CloseReason),
}

struct Ear(Sender<Heard>);

impl Ear {
    fn hear(&self, heard: Heard) {
        let _ = self.0.send(heard);
    }
}

impl LinkSink for Ear {
    fn datagram(&mut self, now_us: u64, bytes: Bytes) {
        self.hear(Heard::Datagram(now_us, bytes));
    }

    fn batch_end(&mut self) {
        self.hear(Heard::BatchEnd);
    }

    fn control(&mut self, bytes: Bytes) {
        self.hear(Heard::Control(bytes));
    }

    fn blob(&mut self, kind: u8, bytes: Bytes) {
        self.hear(Heard::Blob(kind, bytes));
    }

    fn mtu(&mut self, max_datagram_bytes: usize) {
        self.hear(Heard::Mtu(max_datagram_bytes));
    }

    fn drained(&mut self) {
        self.hear(Heard::Drained);
    }

    fn closed(&mut self, reason: CloseReason) {
        self.hear(Heard::Closed(reason));
    }
}

struct End {
    handle: LinkHandle,
    heard: Receiver<Heard>,
}

impl End {
    fn new(connection: Connection) -> Self {
        let (sender, heard) = channel();
        Self { handle: Link::spawn(connection, Ear(sender)), heard }
    }

    /// What `pick` takes out of the next callback that it knows.
    fn wait<T>(&self, mut pick: impl FnMut(Heard) -> Option<T>) -> T {
        loop {
            let heard = self.heard.recv_timeout(PATIENCE).expect("the link went silent");
            if let Some(found) = pick(heard) {
                return found;
            }
        }
    }

    fn closed(&self) -> CloseReason {
        self.wait(|heard| if let Heard::Closed(reason) = heard { Some(reason) } else { None })
    }
}

/// A network thread, and a link's two ends: the helper's and the sharer's.
fn linked() -> (NetThread, End, End) {
    let net = NetThread::start().unwrap();
    let pair = async {
        let sharer = Sharer::start(quick()).await;
        sharer.pair(&quick()).await
    };
    let (near, far) = net.run(pair).unwrap();
    (net, End::new(near), End::new(far))
}

#[test]
fn datagrams_control_messages_and_blobs_reach_the_sink() {
    let (_net, near, far) = linked();
    let before_us = now_us();
    assert_eq!(far.handle.send_datagrams([Bytes::from_static(b"one")]), 1);
    let (at_us, bytes) = near.wait(|heard| match heard {
        Heard::Datagram(at_us, bytes) => Some((at_us, bytes)),
        _ => None,
    });
    assert_eq!(bytes, b"one"[..]);
    assert!(before_us <= at_us && at_us <= now_us());
    near.wait(|heard| (heard == Heard::BatchEnd).then_some(()));
    far.wait(|heard| (heard == Heard::Drained).then_some(()));
    near.handle.send_control(Bytes::from_static(b"two")).unwrap();
    let two = far.wait(|heard| if let Heard::Control(b) = heard { Some(b) } else { None });
    assert_eq!(two, b"two"[..]);
    let shape = Bytes::from(vec![3; 300 << 10]);
    far.handle.send_blob(9, shape.clone()).unwrap();
    let blob = near.wait(|heard| if let Heard::Blob(k, b) = heard { Some((k, b)) } else { None });
    assert_eq!(blob, (9, shape));
}

#[test]
fn the_sink_learns_what_mtu_discovery_finds() {
    let (_net, near, _far) = linked();
    let first = near.wait(|heard| if let Heard::Mtu(bytes) = heard { Some(bytes) } else { None });
    assert!(first >= 1100, "{first}");
    // Discovery may have ended before the link began.
    if first <= 1300 {
        near.wait(|heard| matches!(heard, Heard::Mtu(bytes) if bytes > 1300).then_some(()));
    }
    assert!(near.handle.max_datagram_bytes() > 1300);
}

#[test]
fn a_full_queue_pushes_back_and_loses_nothing() {
    let (_net, near, far) = linked();
    let total = 3000;
    let mut next = 0_u32;
    let mut pushed_back = false;
    while next < total {
        let batch = (next..total).map(|index| Bytes::from(index.to_be_bytes().repeat(250)));
        let accepted = far.handle.send_datagrams(batch) as u32;
        next += accepted;
        if next < total {
            pushed_back = true;
            far.wait(|heard| (heard == Heard::Drained).then_some(()));
        }
    }
    assert!(pushed_back, "3 MB must not fit a queue of 256 KiB");
    for index in 0..total {
        let bytes = near.wait(|heard| match heard {
            Heard::Datagram(_, bytes) => Some(bytes),
            _ => None,
        });
        assert_eq!(bytes[..4], index.to_be_bytes());
    }
    assert_eq!(near.handle.stats().connection.datagrams_received, u64::from(total));
}

#[test]
fn a_close_reaches_both_sinks_and_silences_the_handle() {
    let (_net, near, far) = linked();
    far.handle.close(5, "enough");
    assert_eq!(far.handle.send_datagrams([Bytes::from_static(b"late")]), 0);
    assert_eq!(near.closed(), CloseReason::Peer { code: 5, reason: "enough".to_owned() });
    assert_eq!(far.closed(), CloseReason::Local);
    let late = far.handle.send_control(Bytes::from_static(b"late"));
    assert_eq!(late, Err(SendError::Closed(CloseReason::Local)));
}

#[test]
fn nothing_that_is_queued_goes_out_after_a_close() {
    let (_net, near, far) = linked();
    far.handle.window().set(0);
    let burst = (0..150).map(|_| Bytes::from(vec![0; 1000]));
    assert_eq!(far.handle.send_datagrams(burst), 150);
    far.handle.close(1, "stop");
    let sent = far.handle.stats().connection.datagrams_sent;
    assert_eq!(far.handle.queued_bytes(), 0);
    let mut received = 0;
    let reason = near.wait(|heard| match heard {
        Heard::Closed(reason) => Some(reason),
        Heard::Datagram(..) => {
            received += 1;
            None
        }
        _ => None,
    });
    assert!(matches!(reason, CloseReason::Peer { code: 1, .. }), "{reason}");
    far.closed();
    assert_eq!(far.handle.stats().connection.datagrams_sent, sent);
    assert!(received <= sent, "{received} of {sent}");
}

#[test]
fn messages_over_the_limit_are_refused_at_once() {
    let (_net, near, _far) = linked();
    let error = near.handle.send_control(vec![0; 16385].into()).unwrap_err();
    assert_eq!(error, SendError::TooLarge { bytes: 16385, limit_bytes: 16384 });
    let error = near.handle.send_blob(0, vec![0; 307_201].into()).unwrap_err();
    assert_eq!(error, SendError::TooLarge { bytes: 307_201, limit_bytes: 307_200 });
}

#[test]
fn a_dropped_handle_closes_the_connection() {
    let (_net, near, far) = linked();
    drop(near.handle);
    assert_eq!(far.closed(), CloseReason::Dropped);
}

#[test]
fn a_stopped_network_thread_still_says_goodbye() {
    let sharer_net = NetThread::start().unwrap();
    let helper_net = NetThread::start().unwrap();
    let sharer = sharer_net.run(Sharer::start(quick())).unwrap();
    let invitation = sharer.invite();
    let helper = farpane_net::Identity::generate().unwrap();
    let joining = async move { farpane_net::connect(&invitation, &helper, &quick()).await };
    let near = End::new(helper_net.run(joining).unwrap().unwrap());
    let accepting = async move { (sharer.listener.accept().await, sharer) };
    let (far, _sharer) = sharer_net.run(accepting).unwrap();
    let far = End::new(far.unwrap());
    near.handle.close(3, "bye");
    drop(helper_net);
    assert_eq!(far.closed(), CloseReason::Peer { code: 3, reason: "bye".to_owned() });
}

#[test]
fn a_panic_in_the_sink_ends_the_connection() {
    struct Clumsy;
    impl LinkSink for Clumsy {
        fn datagram(&mut self, _now_us: u64, _bytes: Bytes) {
            panic!("on purpose");
        }
        fn control(&mut self, _bytes: Bytes) {}
        fn blob(&mut self, _kind: u8, _bytes: Bytes) {}
        fn mtu(&mut self, _max_datagram_bytes: usize) {}
        fn closed(&mut self, _reason: CloseReason) {}
    }
    let net = NetThread::start().unwrap();
    let pair = async {
        let sharer = Sharer::start(quick()).await;
        sharer.pair(&quick()).await
    };
    let (near, far) = net.run(pair).unwrap();
    let _clumsy = Link::spawn(near, Clumsy);
    let far = End::new(far);
    far.handle.send_datagrams([Bytes::from_static(b"trip")]);
    assert_eq!(far.closed(), CloseReason::Dropped);
}
