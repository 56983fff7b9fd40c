//! What a relay shall be like, and who may use it.

/// How to start a relay. By default [`RelayConfig::UDP_PORT`], [`RelayConfig::TLS_PORT`], and the
/// user `user` with the password `password`.
#[derive(Clone, Debug)]
pub struct RelayConfig {
    /// Who may use it.
    pub credentials: Credentials,
    /// TURN over UDP, and over TCP without TLS.
    pub udp_port: u16,
    /// TURN over TLS.
    pub tls_port: u16,
    /// Allocations that a user may have at once; None for any number.
    pub user_quota: Option<u32>,
    /// Addresses or ranges (`A-B`) that nothing is relayed to.
    pub denied_peers: Vec<String>,
    /// Further arguments of `turnserver`, such as `--stale-nonce=60`.
    pub arguments: Vec<String>,
}

/// Who may use a relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// One user, for ever.
    LongTerm {
        /// The name.
        user: String,
        /// The password.
        password: String,
    },
    /// Whoever has a login made from this secret, until the time in the login.
    Secret(String),
}

/// What a client of a relay gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The name; for a login from a secret it begins with the time it ends, in Unix seconds.
    pub user: String,
    /// The password.
    pub password: String,
}

impl RelayConfig {
    /// The usual port of TURN.
    pub const UDP_PORT: u16 = 3478;
    /// The port that firewalls leave open.
    pub const TLS_PORT: u16 = 443;

    /// A relay for logins made from a secret.
    pub fn with_secret(secret: &str) -> Self {
        Self { credentials: Credentials::Secret(secret.to_owned()), ..Self::default() }
    }
}

impl Default for RelayConfig {
    fn default() -> Self {
        Self {
            credentials: Credentials::LongTerm {
                user: "user".to_owned(),
                password: "password".to_owned(),
            },
            udp_port: Self::UDP_PORT,
            tls_port: Self::TLS_PORT,
            user_quota: None,
            denied_peers: Vec::new(),
            arguments: Vec::new(),
        }
    }
}
