//! `--relay`, and what is told of paths.

use anyhow::{Context, Result, ensure};
use farpane::net::{MAX_RELAYS, PathKind, PathSwitch, RelayUrl};

/// The relays of the command line: addresses, or files with one a line. Lines that are empty or
/// begin with `#` are no relays.
///
/// # Errors
/// A file cannot be read, an address is none, or there are too many.
pub(crate) fn urls(given: &[String]) -> Result<Vec<RelayUrl>> {
    let mut urls = Vec::new();
    for text in given {
        let Some(file) = text.strip_prefix('@') else {
            urls.push(text.parse().context("--relay")?);
            continue;
        };
        let lines = std::fs::read_to_string(file).with_context(|| format!("--relay @{file}"))?;
        for (number, line) in (1..).zip(lines.lines().map(str::trim)) {
            if !line.is_empty() && !line.starts_with('#') {
                urls.push(line.parse().with_context(|| format!("--relay @{file}, line {number}"))?);
            }
        }
    }
    let count = urls.len();
    ensure!(count <= MAX_RELAYS, "--relay: {count} relays are more than {MAX_RELAYS}");
    Ok(urls)
}

/// How a session goes, and why it does so now.
pub(crate) fn told(switch: &PathSwitch) -> String {
    format!("{} from now on: {}", by(switch.to), switch.reason)
}

/// How a session goes.
pub(crate) fn by(kind: PathKind) -> &'static str {
    match kind {
        PathKind::Direct => "directly",
        PathKind::RelayUdp => "by a relay over UDP",
        _ => "by a relay over TLS",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relays_are_read_from_files_and_bad_ones_named_with_their_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("relays");
        std::fs::write(&file, "# ours\n\nturn:u:p@a.test\n").unwrap();
        let given = format!("@{}", file.display());
        let read = urls(&[given.clone(), "turn:b.test".to_owned()]).unwrap();
        let hosts: Vec<_> = read.iter().map(RelayUrl::host).collect();
        assert_eq!(hosts, ["a.test", "b.test"]);
        std::fs::write(&file, "turn:a.test\nhttp:b\n").unwrap();
        let error = format!("{:#}", urls(std::slice::from_ref(&given)).unwrap_err());
        assert!(error.contains("line 2"), "{error}");
        std::fs::write(&file, "turn:a.test\n".repeat(MAX_RELAYS + 1)).unwrap();
        assert!(urls(&[given]).is_err());
        assert!(urls(&["@/nowhere".to_owned()]).is_err());
    }
}
