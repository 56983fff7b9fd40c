//! coturn in the public network.

use crate::bed::Bed;
use crate::certificate::{Certificate, hmac_sha1_base64};
use crate::program::Program;
use crate::relay_config::{Credentials, Login, RelayConfig};
use crate::run::need;
use crate::space::Space;
use anyhow::{Context, ensure};
use rustix::process::Signal;
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What a relay runs, with the Debian packages.
const TOOLS: [(&str, &str); 2] = [("turnserver", "coturn"), ("openssl", "openssl")];
/// The name that a relay's certificate is for, besides its address.
const NAME: &str = "relay.test";
/// For a relay to answer after its start; it takes a tenth of a second on an idle machine.
const READY_LIMIT: Duration = Duration::from_secs(10);
/// For one answer from the same machine.
const ANSWER_LIMIT: Duration = Duration::from_millis(200);

/// A TURN relay at an address of its own. Dropping it ends it.
pub struct Relay {
    space: Space,
    address: IpAddr,
    config: RelayConfig,
    folder: PathBuf,
    certificate: Certificate,
    /// None while it is stopped.
    program: Option<Program>,
}

impl Bed {
    /// Starts a relay, and waits until it answers over UDP and takes connections for TLS.
    ///
    /// # Errors
    /// coturn is not installed, or does not answer within 10 s; then the error has its log's end.
    pub fn relay(&self, config: &RelayConfig) -> anyhow::Result<Relay> {
        need(&TOOLS)?;
        let address = self.plan.relay_address(self.relay_number())?;
        let add = self.plan.add_address(address, crate::plan::PUBLIC_BRIDGE);
        self.public().ip(&add)?;
        let folder = self.new_folder("relay")?;
        let names = format!("DNS:{NAME},IP:{address}");
        let certificate = Certificate::make(&folder, NAME, &names)?;
        let (space, config) = (self.public().clone(), config.clone());
        let mut relay = Relay { space, address, config, folder, certificate, program: None };
        relay.start()?;
        Ok(relay)
    }
}

impl Relay {
    /// Its address, which no other relay of the bed has or will have.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// Where it takes TURN over UDP, and over TCP without TLS.
    pub fn udp(&self) -> SocketAddr {
        (self.address, self.config.udp_port).into()
    }

    /// Where it takes TURN over TLS.
    pub fn tls(&self) -> SocketAddr {
        (self.address, self.config.tls_port).into()
    }

    /// The name that its certificate is for, as it is for its address.
    pub fn server_name(&self) -> &'static str {
        NAME
    }

    /// Its certificate, a PEM file that lives as long as the bed. It signs itself.
    pub fn certificate(&self) -> &Path {
        &self.certificate.path
    }

    /// The SHA-256 of its certificate's SubjectPublicKeyInfo. The same after [`Relay::restart`].
    pub fn spki_sha256(&self) -> [u8; 32] {
        self.certificate.spki_sha256
    }

    /// A login: the one there is, or a new one that is `valid` from now on.
    ///
    /// # Errors
    /// `openssl` fails.
    pub fn login(&self, valid: Duration) -> anyhow::Result<Login> {
        match &self.config.credentials {
            Credentials::LongTerm { user, password } => {
                Ok(Login { user: user.clone(), password: password.clone() })
            }
            Credentials::Secret(secret) => {
                let until = SystemTime::now().duration_since(UNIX_EPOCH)? + valid;
                let user = format!("{}:user", until.as_secs());
                let password = hmac_sha1_base64(&self.folder, secret, &user)?;
                Ok(Login { user, password })
            }
        }
    }

    /// All that it has logged, also before a restart.
    pub fn log(&self) -> String {
        let bytes = std::fs::read(self.log_path()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The number of its process; None while it is stopped.
    pub fn process_id(&self) -> Option<u32> {
        self.program.as_ref().map(Program::id)
    }

    /// Ends it as a crash would: nobody is told.
    pub fn kill(&mut self) {
        self.program = None;
    }

    /// Ends it as an administrator would, by SIGTERM.
    ///
    /// # Errors
    /// It does not end within 5 s, and was killed.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        self.program.take().map_or(Ok(()), |mut program| program.stop(Signal::TERM))
    }

    /// Starts it again at the same address with the same certificate, killing it if it runs.
    ///
    /// # Errors
    /// As [`Bed::relay`].
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.kill();
        self.start()
    }

    fn start(&mut self) -> anyhow::Result<()> {
        let mut program = Program::start(self.command(), self.log_path())?;
        let (space, udp, tls) = (&self.space, self.udp(), self.tls());
        let ready = || space.inside(|| answers(udp, tls).is_ok()).unwrap_or(false);
        program.wait_ready(READY_LIMIT, ready).with_context(|| format!("no relay at {udp}"))?;
        self.program = Some(program);
        Ok(())
    }

    fn command(&self) -> Command {
        let config = &self.config;
        let mut command = self.space.command("turnserver");
        let address = self.address.to_string();
        // Without `-n` it reads the system's file, and without a database of its own the system's.
        command.args(["-n", "--no-cli", "--no-dtls", "--log-file=stdout", "--verbose"]);
        command.args(["--listening-ip", &address, "--relay-ip", &address]);
        command.arg(format!("--listening-port={}", config.udp_port));
        command.arg(format!("--tls-listening-port={}", config.tls_port));
        command.arg(format!("--realm={NAME}"));
        command.arg("--cert").arg(&self.certificate.path);
        command.arg("--pkey").arg(&self.certificate.key);
        command.arg("--userdb").arg(self.folder.join("users"));
        command.arg("--pidfile").arg(self.folder.join("pid"));
        match &config.credentials {
            Credentials::LongTerm { user, password } => {
                command.arg("--lt-cred-mech").arg(format!("--user={user}:{password}"));
            }
            Credentials::Secret(secret) => {
                command.arg("--use-auth-secret").arg(format!("--static-auth-secret={secret}"));
            }
        }
        if let Some(quota) = config.user_quota {
            command.arg(format!("--user-quota={quota}"));
        }
        command.args(config.denied_peers.iter().map(|peer| format!("--denied-peer-ip={peer}")));
        command.args(&config.arguments);
        command
    }

    fn log_path(&self) -> PathBuf {
        self.folder.join("log")
    }
}

/// Whether a relay answers a STUN binding request over UDP, and takes connections for TLS.
fn answers(udp: SocketAddr, tls: SocketAddr) -> anyhow::Result<()> {
    /// A request without attributes: its type and length, the cookie, and 12 bytes of its own.
    const REQUEST: &[u8; 20] = b"\x00\x01\x00\x00\x21\x12\xa4\x42netbed ready";
    const SUCCESS: [u8; 2] = [1, 1];
    let socket = UdpSocket::bind(SocketAddr::new(udp.ip(), 0))?;
    socket.set_read_timeout(Some(ANSWER_LIMIT))?;
    socket.send_to(REQUEST, udp)?;
    let mut answer = [0; 512];
    let (bytes, from) = socket.recv_from(&mut answer)?;
    ensure!(from == udp && bytes >= REQUEST.len() && answer[..2] == SUCCESS, "another answer");
    TcpStream::connect_timeout(&tls, ANSWER_LIMIT)?;
    Ok(())
}
