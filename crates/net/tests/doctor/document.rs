//! What docs/network.md tells administrators to do, done.

use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use farpane_net::{Credential, RelayPin};
use farpane_netbed::{Config, Relay, RelayConfig, Space};

use crate::support::{bed, examine, expect_tls, expect_udp, urls_for};

const PAGE: &str = include_str!("../../../../docs/network.md");
const SECRET: &str = "REPLACE-BY-64-RANDOM-HEX-DIGITS";
const READY_LIMIT: Duration = Duration::from_secs(10);

/// The first block of this language that contains `word`.
fn block(language: &str, word: &str) -> &'static str {
    let mut blocks = PAGE.split("```").skip(1).step_by(2);
    let is_it = |block: &&str| block.starts_with(&format!("{language}\n")) && block.contains(word);
    let block = blocks.find(is_it).unwrap_or_else(|| panic!("no block with {word}"));
    &block[language.len() + 1..]
}

/// Runs a block of shell, and gives what it prints.
fn shell(script: &str) -> String {
    let output = Command::new("sh").args(["-ec", script]).output().unwrap();
    assert!(output.status.success(), "{script}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// coturn as the page has it, with the key of `relay`, in whose place it is.
fn start(space: &Space, relay: &Relay, folder: &std::path::Path) -> Child {
    let certificate = relay.certificate();
    let key = certificate.with_file_name("key.pem");
    let config = block("conf", "listening-ip")
        .replace("/etc/coturn/relay.pem", &certificate.display().to_string())
        .replace("/etc/coturn/relay.key", &key.display().to_string())
        .replace("syslog", "log-file=stdout");
    let file = folder.join("turnserver.conf");
    std::fs::write(&file, config).unwrap();
    let mut command = space.command("turnserver");
    command.arg("-c").arg(&file).args(["--pidfile="]).arg("--userdb").arg(folder.join("users"));
    let log = std::fs::File::create(folder.join("log")).unwrap();
    let mut child = command.stdout(log).stderr(Stdio::null()).spawn().unwrap();
    let end = Instant::now() + READY_LIMIT;
    while space.inside(|| TcpStream::connect(relay.tls())).unwrap().is_err() {
        let log = || std::fs::read_to_string(folder.join("log"));
        assert!(child.try_wait().unwrap().is_none() && Instant::now() < end, "{:?}", log());
        std::thread::sleep(Duration::from_millis(20));
    }
    let log = std::fs::read_to_string(folder.join("log")).unwrap();
    assert!(!log.contains("Bad configuration") && !log.contains("Unknown"), "{log}");
    child
}

#[test]
fn the_relay_of_the_page_serves_sessions() {
    let (bed, mut relay) = bed(&Config::default(), RelayConfig::default());
    relay.kill();
    let folder = tempfile::tempdir().unwrap();
    let mut coturn = start(bed.public(), &relay, folder.path());
    let script = block("sh", "hmac");
    let credential = format!("SECRET={SECRET}\n{script}\nprintf '%s %s' \"$user\" \"$password\"");
    let credential = shell(&credential);
    let (user, password) = credential.split_once(' ').unwrap();
    let report = examine(bed.helper(), &urls_for(&relay, &Credential::new(user, password)));
    coturn.kill().unwrap();
    coturn.wait().unwrap();
    expect_udp(&report.relays[0]);
    expect_tls(&report.relays[1]);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let end: u64 = user.split_once(':').unwrap().0.parse().unwrap();
    assert!((now + 3_500..=now + 3_600).contains(&end));
    let same = Credential::time_limited(SECRET.as_bytes(), end, "ada");
    assert_eq!(same, Credential::new(user, password));
}

#[test]
fn the_pin_of_the_page_is_the_relays() {
    let (_bed, relay) = bed(&Config::default(), RelayConfig::default());
    let certificate = relay.certificate().display().to_string();
    let pin = shell(&block("sh", "-pubkey").replace("/etc/coturn/relay.pem", &certificate));
    assert_eq!(pin, RelayPin(relay.spki_sha256()).to_string());
}
