//! Installs the provider and runs it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The provider's process; ends when dropped.
pub(crate) struct Provider {
    process: Child,
    port: u16,
}

impl Provider {
    /// Starts it with these arguments.
    ///
    /// # Panics
    /// Node.js is not there, or the provider's packages cannot be had.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let folder = installed();
        let mut node = Command::new("node");
        node.arg("provider.mjs").args(arguments).current_dir(&folder);
        node.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = node.spawn().unwrap_or_else(|error| {
            panic!("cannot run node: {error}. `tools/setup test` installs Node.js")
        });
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines.find_map(|line| line.ok()?.strip_prefix("port ")?.parse().ok());
        let port = port.expect("the provider has not started; its reason is above");
        Self { process, port }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A folder with the program and its packages, exactly those of the lock file. Later runs find
/// what an earlier one installed.
fn installed() -> PathBuf {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oidc");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("oidc");
    fs::create_dir_all(&folder).unwrap();
    let lock = fs::read(sources.join("package-lock.json")).unwrap();
    let done = folder.join("installed-lock.json");
    if fs::read(&done).is_ok_and(|installed| installed == lock) {
        fs::copy(sources.join("provider.mjs"), folder.join("provider.mjs")).unwrap();
        return folder;
    }
    for file in ["package.json", "package-lock.json", "provider.mjs"] {
        fs::copy(sources.join(file), folder.join(file)).unwrap();
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&folder);
    let output = npm.output().unwrap_or_else(|error| {
        panic!("cannot run npm: {error}. `tools/setup test` installs Node.js and npm")
    });
    assert!(
        output.status.success(),
        "npm cannot install the OpenID provider that this test signs in at; it needs the npm \
         registry once. npm said:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    fs::write(&done, lock).unwrap();
    folder
}
