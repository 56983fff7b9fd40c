//! What is carried.

use bytes::Bytes;
use farpane_net::{CloseReason, StreamError};

use crate::support::{Sharer, on_net, quick};

#[test]
fn datagrams_and_control_messages_go_both_ways() {
    on_net(async {
        let sharer = Sharer::start(quick()).await;
        let (mut near, mut far) = sharer.pair(&quick()).await;
        for (from, to) in [(&mut near, &mut far)] {
            from.send_datagram(Bytes::from_static(b"media")).await.unwrap();
            assert_eq!(to.read_datagram().await.unwrap(), b"media"[..]);
            to.send_datagram(Bytes::from_static(b"feedback")).await.unwrap();
            assert_eq!(from.read_datagram().await.unwrap(), b"feedback"[..]);
            for length in [0, 1, 1000, 16 << 10] {
                let message = vec![length as u8; length];
                from.control().0.send(&message).await.unwrap();
                to.control().0.send(&message).await.unwrap();
                assert_eq!(to.control().1.recv().await.unwrap(), message);
                assert_eq!(from.control().1.recv().await.unwrap(), message);
            }
        }
    });
}

#[test]
fn many_small_control_messages_keep_their_bounds_and_order() {
    on_net(async {
        let sharer = Sharer::start(quick()).await;
        let (mut near, mut far) = sharer.pair(&quick()).await;
        let send = async {
            for index in 0..2000_u32 {
                let message = index.to_be_bytes().repeat(index as usize % 5);
                near.control().0.send(&message).await.unwrap();
            }
        };
        let receive = async {
            for index in 0..2000_u32 {
                let message = far.control().1.recv().await.unwrap();
                assert_eq!(message, index.to_be_bytes().repeat(index as usize % 5));
            }
        };
        tokio::join!(send, receive);
    });
}

#[test]
fn a_control_message_over_the_limit_is_refused_by_both_sides() {
    on_net(async {
        let sharer = Sharer::start(quick()).await;
        let (mut near, _far) = sharer.pair(&quick()).await;
        let error = near.control().0.send(&vec![0; (16 << 10) + 1]).await.unwrap_err();
        assert_eq!(error, StreamError::TooLarge { bytes: 16385, limit_bytes: 16384 });
        let mut generous = quick();
        generous.limits.control_message_bytes = 64 << 10;
        let (mut near, mut far) = sharer.pair(&generous).await;
        near.control().0.send(&vec![0; 20_000]).await.unwrap();
        let error = far.control().1.recv().await.unwrap_err();
        assert_eq!(error, StreamError::TooLarge { bytes: 20_000, limit_bytes: 16384 });
        assert_eq!(near.closed().await, CloseReason::MessageTooLarge);
    });
}

#[test]
fn blobs_up_to_the_limit_arrive_whole() {
    on_net(async {
        let sharer = Sharer::start(quick()).await;
        let (near, far) = sharer.pair(&quick()).await;
        for (kind, length) in [(0, 0), (1, 5), (2, 64 << 10), (3, 300 << 10)] {
            let blob: Bytes = (0..length).map(|i: u32| ((i * 31) >> 3) as u8).collect();
            let (sent, received) =
                tokio::join!(near.send_blob(kind, blob.clone()), far.recv_blob());
            sent.unwrap();
            assert_eq!(received.unwrap(), (kind, blob));
        }
        let error = near.send_blob(0, vec![0; (300 << 10) + 1].into()).await.unwrap_err();
        assert!(matches!(error, StreamError::TooLarge { .. }), "{error}");
    });
}

#[test]
fn a_blob_over_the_receivers_limit_ends_the_connection() {
    on_net(async {
        let sharer = Sharer::start(quick()).await;
        let mut generous = quick();
        generous.limits.blob_bytes = 1 << 20;
        let (near, far) = sharer.pair(&generous).await;
        let blob = Bytes::from(vec![0; 400 << 10]);
        let (_, received) = tokio::join!(near.send_blob(0, blob), far.recv_blob());
        assert!(matches!(received, Err(StreamError::TooLarge { .. })), "{received:?}");
        assert_eq!(near.closed().await, CloseReason::MessageTooLarge);
    });
}

#[test]
fn a_burst_of_one_mebibyte_arrives_complete_and_in_order() {
    on_net(async {
        let sharer = Sharer::start(quick()).await;
        let (near, far) = sharer.pair(&quick()).await;
        let length = 1100;
        let count = (1 << 20) / length as u32 + 1;
        let datagram = |index: u32| {
            let mut bytes = vec![index as u8; length];
            bytes[..4].copy_from_slice(&index.to_be_bytes());
            Bytes::from(bytes)
        };
        let receive = async {
            for index in 0..count {
                assert_eq!(near.read_datagram().await.unwrap(), datagram(index));
            }
        };
        let (sent, ()) = tokio::join!(far.send_datagrams((0..count).map(datagram)), receive);
        sent.unwrap();
        assert_eq!(far.stats().lost_packets, 0);
        assert_eq!(near.stats().datagrams_received, u64::from(count));
    });
}

#[test]
fn a_datagram_longer_than_the_path_allows_is_an_error_and_nothing_breaks() {
    on_net(async {
        let sharer = Sharer::start(quick()).await;
        let (near, far) = sharer.pair(&quick()).await;
        let error = near.send_datagram(vec![0; 60_000].into()).await.unwrap_err();
        assert!(matches!(error, farpane_net::SendError::TooLarge { bytes: 60_000, .. }), "{error}");
        near.send_datagram(Bytes::from_static(b"still here")).await.unwrap();
        assert_eq!(far.read_datagram().await.unwrap(), b"still here"[..]);
    });
}

#[test]
fn the_window_can_be_set_from_above() {
    on_net(async {
        let sharer = Sharer::start(quick()).await;
        let (_near, far) = sharer.pair(&quick()).await;
        far.window().set(50_000);
        assert_eq!(far.stats().window_bytes, 50_000);
        assert_eq!(far.window().bytes(), 50_000);
    });
}
