//! How it ends, and what a helper that never confirms can do.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use farpane_net::{CloseReason, Identity};
use quinn::crypto::rustls::QuicClientConfig;

use crate::support::{Sharer, Wire, join, on_net, quick};

#[test]
fn the_helper_hears_the_sharers_code_and_words() {
    on_net(async {
        let sharer = Sharer::start(quick()).await;
        let (near, far) = sharer.pair(&quick()).await;
        far.close(17, "the sharer stopped");
        let reason = "the sharer stopped".to_owned();
        assert_eq!(near.closed().await, CloseReason::Peer { code: 17, reason });
        assert_eq!(far.closed().await, CloseReason::Local);
    });
}

#[test]
fn a_close_goes_out_although_the_window_is_full() {
    on_net(async {
        let sharer = Sharer::start(quick()).await;
        let wire = Wire::to(sharer.address);
        let invitation = sharer.invite_to(&[wire.address.to_string()]);
        let near = join(&invitation, &quick()).await.unwrap();
        let far = sharer.listener.accept().await.unwrap();
        wire.cut_up();
        far.window().set(0);
        // Nothing is acknowledged, so the fifth packet has to wait, and the buffer fills.
        let burst = std::iter::repeat_n(Bytes::from_static(&[0; 1000]), 1000);
        let waits = tokio::time::timeout(Duration::from_millis(50), far.send_datagrams(burst));
        assert!(waits.await.is_err(), "a full window must hold datagrams back");
        far.close(5, "enough");
        assert_eq!(near.closed().await, CloseReason::Peer { code: 5, reason: "enough".to_owned() });
    });
}

#[test]
fn a_cut_wire_is_noticed_by_both_sides() {
    on_net(async {
        let sharer = Sharer::start(quick()).await;
        let wire = Wire::to(sharer.address);
        let invitation = sharer.invite_to(&[wire.address.to_string()]);
        let near = join(&invitation, &quick()).await.unwrap();
        let far = sharer.listener.accept().await.unwrap();
        wire.cut();
        assert_eq!(near.closed().await, CloseReason::TimedOut);
        assert_eq!(far.closed().await, CloseReason::TimedOut);
    });
}

#[test]
fn a_dropped_connection_tells_the_other_side() {
    on_net(async {
        let sharer = Sharer::start(quick()).await;
        let (near, far) = sharer.pair(&quick()).await;
        drop(near);
        assert_eq!(far.closed().await, CloseReason::Dropped);
    });
}

#[test]
fn a_helper_that_never_confirms_is_sent_away() {
    on_net(async {
        let sharer = Sharer::start(quick()).await;
        let stranger = stranger(sharer.address).await;
        assert_eq!(application_code(&stranger).await, 0x106);
        assert_eq!(sharer.listener.stats().refused, 1);
    });
}

#[test]
fn before_the_confirmation_there_is_one_stream_and_no_datagram() {
    on_net(async {
        let sharer = Sharer::start(quick()).await;
        let first = stranger(sharer.address).await;
        let _only = first.open_bi().await.unwrap();
        tokio::select! {
            Ok(_) = first.open_bi() => panic!("a second stream was allowed"),
            Ok(_) = first.open_uni() => panic!("a blob was allowed"),
            code = application_code(&first) => assert_eq!(code, 0x106),
        }
        let second = stranger(sharer.address).await;
        second.send_datagram(vec![0; 100].into()).unwrap();
        assert_eq!(application_code(&second).await, 0x107);
    });
}

#[test]
fn a_long_or_senseless_hello_is_a_violation() {
    on_net(async {
        let sharer = Sharer::start(quick()).await;
        let senseless = [&[0, 0, 0, 51][..], &[0xff; 51]].concat();
        let version_9 = [&[0, 0, 0, 51, 1, 0, 9][..], &[0; 48]].concat();
        let long = u32::MAX.to_be_bytes().to_vec();
        for (hello, code) in [(senseless, 0x107), (version_9, 0x101), (long, 0x121)] {
            let stranger = stranger(sharer.address).await;
            let (mut stream, _) = stranger.open_bi().await.unwrap();
            stream.write_all(&hello).await.unwrap();
            assert_eq!(application_code(&stranger).await, code);
        }
    });
}

#[test]
fn only_so_many_may_be_pending() {
    on_net(async {
        let mut config = quick();
        config.limits.pending = 1;
        let sharer = Sharer::start(config).await;
        let _first = stranger(sharer.address).await;
        let invitation = sharer.invite();
        let error = join(&invitation, &quick()).await.unwrap_err();
        assert!(error.to_string().contains("busy"), "{error}");
        assert_eq!(sharer.listener.stats().turned_away, 1);
    });
}

#[test]
fn a_helper_without_a_key_gets_no_connection() {
    on_net(async {
        let sharer = Sharer::start(quick()).await;
        let anonymous = connect_raw(sharer.address, None).await;
        // The sharer's answer may come after the helper's own handshake has ended.
        let error = match anonymous {
            Ok(connection) => connection.closed().await,
            Err(error) => error,
        };
        assert!(matches!(error, quinn::ConnectionError::ConnectionClosed(_)), "{error}");
    });
}

/// A QUIC connection with a key, but without any confirmation.
async fn stranger(address: SocketAddr) -> quinn::Connection {
    connect_raw(address, Some(raw::certified_key())).await.unwrap()
}

async fn application_code(connection: &quinn::Connection) -> u64 {
    match connection.closed().await {
        quinn::ConnectionError::ApplicationClosed(close) => close.error_code.into_inner(),
        other => panic!("{other}"),
    }
}

async fn connect_raw(
    address: SocketAddr,
    key: Option<Arc<rustls::sign::CertifiedKey>>,
) -> Result<quinn::Connection, quinn::ConnectionError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(raw::AnySharer(provider)));
    let mut tls = match key {
        Some(key) => builder.with_client_cert_resolver(Arc::new(
            rustls::client::AlwaysResolvesClientRawPublicKeys::new(key),
        )),
        None => builder.with_no_client_auth(),
    };
    tls.alpn_protocols = vec![b"farpane/1".to_vec()];
    let crypto = QuicClientConfig::try_from(tls).unwrap();
    let endpoint = quinn::Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
    let config = quinn::ClientConfig::new(Arc::new(crypto));
    endpoint.connect_with(config, address, "x").unwrap().await
}

/// TLS with a raw public key, written apart from the crate's own.
mod raw {
    use super::*;
    use ring::signature::Ed25519KeyPair;
    use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
    use rustls::crypto::{CryptoProvider, verify_tls13_signature_with_raw_key};
    use rustls::pki_types::{
        CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, SubjectPublicKeyInfoDer,
        UnixTime,
    };
    use rustls::{DigitallySignedStruct, Error, SignatureScheme};

    pub(super) fn certified_key() -> Arc<rustls::sign::CertifiedKey> {
        let random = ring::rand::SystemRandom::new();
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pkcs8.as_ref().to_vec()));
        let key = rustls::crypto::ring::sign::any_supported_type(&der).unwrap();
        let spki = CertificateDer::from(key.public_key().unwrap().to_vec());
        Arc::new(rustls::sign::CertifiedKey::new(vec![spki], key))
    }

    #[derive(Debug)]
    pub(super) struct AnySharer(pub(super) Arc<CryptoProvider>);

    impl ServerCertVerifier for AnySharer {
        fn verify_server_cert(
            &self,
            _end_entity: &CertificateDer<'_>,
            _intermediates: &[CertificateDer<'_>],
            _server_name: &ServerName<'_>,
            _ocsp_response: &[u8],
            _now: UnixTime,
        ) -> Result<ServerCertVerified, Error> {
            Ok(ServerCertVerified::assertion())
        }

        fn verify_tls12_signature(
            &self,
            _message: &[u8],
            _cert: &CertificateDer<'_>,
            _dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Err(Error::General("QUIC needs TLS 1.3".to_owned()))
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            let spki = SubjectPublicKeyInfoDer::from(cert.as_ref());
            let algorithms = &self.0.signature_verification_algorithms;
            verify_tls13_signature_with_raw_key(message, &spki, dss, algorithms)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            vec![SignatureScheme::ED25519]
        }

        fn requires_raw_public_keys(&self) -> bool {
            true
        }
    }

    #[test]
    fn both_ways_of_making_keys_agree_on_their_form() {
        let spki = certified_key().cert[0].clone();
        assert!(farpane_net::PublicKey::from_spki(&spki).is_some());
        assert_eq!(spki.len(), Identity::generate().unwrap().public_key().as_spki().len());
    }
}
