//! Keys with certificates that sign themselves.

use crate::run::run;
use anyhow::{Context, anyhow};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Longer than any test.
const DAYS: &str = "30";

#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    /// PEM.
    pub(crate) path: PathBuf,
    /// PEM.
    pub(crate) key: PathBuf,
    pub(crate) spki_sha256: [u8; 32],
}

impl Certificate {
    /// Makes a new key and its certificate, for what `names` says in OpenSSL's manner.
    pub(crate) fn make(folder: &Path, common_name: &str, names: &str) -> anyhow::Result<Self> {
        let (path, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
        let mut request = openssl(&["req", "-x509", "-newkey", "ec", "-nodes", "-days", DAYS]);
        request.args(["-pkeyopt", "ec_paramgen_curve:prime256v1"]);
        request.args(["-subj", &format!("/CN={common_name}")]);
        request.args(["-addext", &format!("subjectAltName={names}")]);
        request.arg("-out").arg(&path).arg("-keyout").arg(&key);
        run(request)?;

        let public = folder.join("public.der");
        let mut extract = openssl(&["pkey", "-pubout", "-outform", "der"]);
        extract.arg("-in").arg(&key).arg("-out").arg(&public);
        run(extract)?;
        let mut digest = openssl(&["dgst", "-sha256", "-binary"]);
        digest.arg(&public);
        let digest = run(digest)?;
        let spki_sha256 = digest.try_into().map_err(|other: Vec<u8>| {
            anyhow!("openssl dgst -sha256 gave {} bytes instead of 32", other.len())
        })?;
        Ok(Self { path, key, spki_sha256 })
    }
}

/// HMAC-SHA1 in base64, as TURN servers with a shared secret want it for a password.
pub(crate) fn hmac_sha1_base64(folder: &Path, key: &str, text: &str) -> anyhow::Result<String> {
    let (input, output) = (folder.join("login"), folder.join("login.mac"));
    let write = std::fs::write(&input, text);
    write.with_context(|| format!("cannot write {}", input.display()))?;
    let mut digest = openssl(&["dgst", "-sha1", "-hmac", key, "-binary", "-out"]);
    digest.arg(&output).arg(&input);
    run(digest)?;
    let mut encode = openssl(&["base64", "-A", "-in"]);
    encode.arg(&output);
    Ok(String::from_utf8(run(encode)?)?)
}

fn openssl(arguments: &[&str]) -> Command {
    let mut command = Command::new("openssl");
    command.args(arguments);
    command
}
