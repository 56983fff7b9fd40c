//! A router that opens TLS, as those of some companies do.

use crate::bed::Bed;
use crate::certificate::Certificate;
use crate::config::Side;
use crate::fault::Fault;
use crate::program::Program;
use crate::relay::Relay;
use crate::router::Router;
use crate::run::need;
use anyhow::Context;
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::time::Duration;

/// What it runs, with the Debian packages.
const TOOLS: [(&str, &str); 2] = [("socat", "socat"), ("openssl", "openssl")];
/// Who the certificate says it is.
const NAME: &str = "Corporate Inspection CA";
/// The proxy's port in the router is this one, or above it as far as the bed has numbers.
const FIRST_PORT: usize = 20_443;
/// For the proxy to listen after its start.
const READY_LIMIT: Duration = Duration::from_secs(10);
/// For a connection within a machine.
const CONNECT_LIMIT: Duration = Duration::from_millis(200);

/// A proxy that reads what goes to a relay over TLS, until it is dropped; connections through it
/// end then.
#[must_use = "it ends when this is dropped"]
pub struct Interception {
    // Nobody shall be sent to a proxy that has ended.
    _redirection: Fault,
    _program: Program,
    certificate: Certificate,
}

impl Interception {
    /// The certificate that clients see instead of the relay's, a PEM file that lives as long as
    /// the bed.
    pub fn certificate(&self) -> &Path {
        &self.certificate.path
    }

    /// The SHA-256 of that certificate's SubjectPublicKeyInfo.
    pub fn spki_sha256(&self) -> [u8; 32] {
        self.certificate.spki_sha256
    }
}

impl Bed {
    /// From now on new connections from the side to the relay's TLS port reach a proxy in the
    /// side's router, which ends TLS with a key of its own and passes on what is inside. Those that
    /// are there stay.
    ///
    /// # Errors
    /// socat or openssl is not installed or fails.
    pub fn intercept_tls(&self, side: Side, relay: &Relay) -> anyhow::Result<Interception> {
        need(&TOOLS)?;
        let folder = self.new_folder("interception")?;
        let certificate = Certificate::make(&folder, NAME, "DNS:inspection.test")?;
        let router = self.router(side);
        let port = u16::try_from(FIRST_PORT + self.number()).context("too many numbers")?;

        let v6 = router.address().is_ipv6();
        let family = if v6 { ",pf=ip6" } else { "" };
        let (path, key) = (certificate.path.display(), certificate.key.display());
        let mut command = router.command("socat");
        // It has a process for each connection, which shall end with it.
        command.process_group(0);
        command.arg(format!(
            "OPENSSL-LISTEN:{port},reuseaddr,fork,verify=0,cert={path},key={key}{family}"
        ));
        command.arg(format!("OPENSSL:{},verify=0", relay.tls()));
        let mut program = Program::start(command, folder.join("log"))?;
        let address = (router.address(), port).into();
        let ready = || {
            let connect = || TcpStream::connect_timeout(&address, CONNECT_LIMIT).is_ok();
            router.inside(connect).unwrap_or(false)
        };
        program.wait_ready(READY_LIMIT, ready)?;

        let ip = if v6 { "ip6" } else { "ip" };
        let (machine, tls) = (self.machine(side).address(), relay.tls());
        let redirection = self.table(
            router,
            "inet",
            &format!(
                "chain prerouting {{ type nat hook prerouting priority -100;\n\
                 iifname \"{}\" {ip} saddr {machine} {ip} daddr {} tcp dport {} \
                 redirect to :{port}\n}}",
                Router::IN,
                tls.ip(),
                tls.port()
            ),
        )?;
        Ok(Interception { _redirection: redirection, _program: program, certificate })
    }
}
