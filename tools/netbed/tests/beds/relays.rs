//! coturn as clients see it, through the routers.

use crate::sockets::{at, reaches, udp, udp_echo};
use farpane_netbed::{Bed, Config, Family, Layout, Login, Relay, RelayConfig, Side, Space};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);

/// Whether coturn's own client gets 5 messages to `public` and back through a relay.
fn relays(bed: &Bed, side: Side, relay: &Relay, login: &Login, tls: bool) -> bool {
    // It begins to send after up to 5 s, and hardly gives up.
    const LIMIT: &str = "15";
    let (echo, space) = (udp_echo(bed.public()), bed.machine(side));
    let mut command = space.command("timeout");
    command.args([LIMIT, "turnutils_uclient", "-c", "-n", "5", "-m", "1", "-l", "100"]);
    command.args(["-e", &echo.ip().to_string(), "-r", &echo.port().to_string()]);
    let port = if tls {
        command.args(["-t", "-S"]);
        relay.tls().port()
    } else {
        relay.udp().port()
    };
    if relay.address().is_ipv6() {
        command.arg("-x");
    }
    command.args(["-p", &port.to_string(), "-u", &login.user, "-w", &login.password]);
    command.arg(relay.address().to_string());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    println!("uclient ended with {}:\n{said}", output.status);
    output.status.success() && said.contains("tot_send_msgs=5, tot_recv_msgs=5\n")
}

/// As [`relays`], over UDP for the sharer and over TLS for the helper, at the same time.
fn both_relay(bed: &Bed, relay: &Relay, login: &Login) -> bool {
    std::thread::scope(|scope| {
        let sharer = scope.spawn(|| relays(bed, Side::Sharer, relay, login, false));
        relays(bed, Side::Helper, relay, login, true) && sharer.join().unwrap()
    })
}

fn bed(layout: Layout, family: Family) -> Bed {
    Bed::build(&Config { layout, family, ..Config::default() }).unwrap()
}

/// The SHA-256 of the key of the certificate that a TLS server presents, as OpenSSL sees it.
fn presented(space: &Space, relay: &Relay) -> Vec<u8> {
    let script = "openssl s_client -connect \"$0\" </dev/null 2>/dev/null \
        | openssl x509 -pubkey -noout | openssl pkey -pubin -outform der \
        | openssl dgst -sha256 -binary";
    let mut command = space.command("sh");
    command.args(["-c", script, &relay.tls().to_string()]);
    command.stderr(Stdio::null()).output().unwrap().stdout
}

/// OpenSSL's client, connected to a relay; it ends only when the connection does.
fn connected(space: &Space, relay: &Relay) -> Child {
    let mut command = space.command("openssl");
    command.args(["s_client", "-connect", &relay.tls().to_string()]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut client = command.spawn().unwrap();
    let mut lines = BufReader::new(client.stdout.as_mut().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("Verify return code")));
    client
}

#[test]
fn it_relays_over_udp_and_tls_for_those_with_the_password() {
    for family in [Family::V4, Family::V6] {
        let bed = bed(Layout::TwoNats, family);
        let relay = bed.relay(&RelayConfig::default()).unwrap();
        let login = relay.login(HOUR).unwrap();
        assert!(both_relay(&bed, &relay, &login), "{}", relay.log());
        let wrong = Login { password: "wrong".to_owned(), ..login };
        assert!(!relays(&bed, Side::Sharer, &relay, &wrong, false));
    }
}

#[test]
fn logins_from_a_secret_end_at_their_time() {
    let bed = bed(Layout::OneLan, Family::V4);
    let relay = bed.relay(&RelayConfig::with_secret("a secret")).unwrap();
    let login = relay.login(HOUR).unwrap();
    assert!(both_relay(&bed, &relay, &login), "{}", relay.log());
    let forged = Login { user: login.user.replace(":user", ":root"), ..login };
    assert!(!relays(&bed, Side::Sharer, &relay, &forged, false));
    let short = relay.login(Duration::ZERO).unwrap();
    std::thread::sleep(Duration::from_secs(2));
    assert!(!relays(&bed, Side::Sharer, &relay, &short, false));
}

#[test]
fn several_relays_are_killed_stopped_and_started_again_each_for_itself() {
    let bed = bed(Layout::TwoNats, Family::V4);
    let mut relays_ = [0, 1].map(|_| bed.relay(&RelayConfig::default()).unwrap());
    assert_ne!(relays_[0].address(), relays_[1].address());
    assert_ne!(relays_[0].spki_sha256(), relays_[1].spki_sha256());
    let login = relays_[0].login(HOUR).unwrap();
    let [first, second] = &mut relays_;
    let key = first.spki_sha256();

    first.kill();
    assert_eq!(first.process_id(), None);
    assert!(!relays(&bed, Side::Sharer, first, &login, true));
    assert!(relays(&bed, Side::Sharer, second, &login, true));
    first.restart().unwrap();
    assert!(relays(&bed, Side::Sharer, first, &login, true));
    first.stop().unwrap();
    first.stop().unwrap();
    first.restart().unwrap();
    let process = first.process_id().unwrap();
    let name = std::fs::read_to_string(format!("/proc/{process}/comm")).unwrap();
    assert_eq!(name.trim(), "turnserver", "its process is the program's own");
    assert_eq!(presented(bed.sharer(), first), key);
}

#[test]
fn quotas_and_denied_peers_hold() {
    let bed = bed(Layout::TwoNats, Family::V4);
    let few = bed.relay(&RelayConfig { user_quota: Some(1), ..RelayConfig::default() }).unwrap();
    let login = few.login(HOUR).unwrap();
    // The client makes two allocations.
    assert!(!relays(&bed, Side::Sharer, &few, &login, false));
    assert!(few.log().contains("Allocation Quota Reached"), "{}", few.log());
    let denied = vec!["203.0.113.0-203.0.113.255".to_owned()];
    let none = bed.relay(&RelayConfig { denied_peers: denied, ..RelayConfig::default() }).unwrap();
    assert!(!relays(&bed, Side::Sharer, &none, &login, false));
    assert!(none.log().contains("Forbidden IP"), "{}", none.log());
}

#[test]
fn a_relay_that_does_not_start_says_why() {
    let bed = bed(Layout::TwoNats, Family::V4);
    let arguments = vec!["--no-such-option".to_owned()];
    let error = bed.relay(&RelayConfig { arguments, ..RelayConfig::default() }).err().unwrap();
    let error = format!("{error:#}");
    assert!(error.contains("no-such-option") && error.contains("log ends with"), "{error}");
}

#[test]
fn intercepted_tls_shows_another_key_and_passes_on_what_is_inside() {
    for family in [Family::V4, Family::V6] {
        let bed = bed(Layout::TwoNats, family);
        let relay = bed.relay(&RelayConfig::default()).unwrap();
        let login = relay.login(HOUR).unwrap();
        let interception = bed.intercept_tls(Side::Sharer, &relay).unwrap();
        assert_ne!(interception.spki_sha256(), relay.spki_sha256());
        assert_eq!(presented(bed.sharer(), &relay), interception.spki_sha256());
        assert_eq!(presented(bed.helper(), &relay), relay.spki_sha256());
        assert!(relays(&bed, Side::Sharer, &relay, &login, true), "{}", relay.log());
        let mut client = connected(bed.sharer(), &relay);
        drop(interception);
        assert!(client.wait().is_ok(), "a connection ends with the proxy");
        assert_eq!(presented(bed.sharer(), &relay), relay.spki_sha256());
    }
}

#[test]
fn a_capture_has_what_passed_while_it_ran() {
    let bed = bed(Layout::TwoNats, Family::V4);
    let folder = tempfile::tempdir().unwrap();
    let server = udp(bed.public());
    let to = at(&server);
    let mut counts = Vec::new();
    for space in [bed.sharer(), bed.router(Side::Sharer), bed.public()] {
        let path = folder.path().join("packets.pcapng");
        let socket = udp(bed.sharer());
        reaches(&socket, to, &server);
        let capture = bed.capture(space, &path).unwrap();
        for _ in 0..3 {
            reaches(&socket, to, &server);
        }
        capture.stop().unwrap();
        reaches(&socket, to, &server);
        let mut read = Command::new("tshark");
        read.args(["-T", "fields", "-e", "udp.dstport", "-Y", "udp.payload == 70:69:6e:67"]);
        let output = read.arg("-r").arg(&path).output().unwrap();
        counts.push(String::from_utf8(output.stdout).unwrap().lines().count());
    }
    // A router's devices and their ports each see every packet.
    assert_eq!(counts[0], 3);
    assert!(counts[1] >= 6 && counts[2] >= 3, "{counts:?}");
}
