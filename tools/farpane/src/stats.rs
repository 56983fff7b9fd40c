//! `--stats FILE.jsonl`: one JSON object a line for every update.

use farpane::net::{PathSwitch, SwitchReason};
use farpane::{ShareRecord, ViewRecord};
use serde_json::json;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Writes records to a file. When the file cannot take any more (a full disk), it says so once
/// and the session goes on without.
pub(crate) struct StatsFile {
    path: PathBuf,
    out: Option<BufWriter<File>>,
}

impl StatsFile {
    /// Creates or empties the file.
    ///
    /// # Errors
    /// It cannot be created.
    pub(crate) fn create(path: &Path) -> anyhow::Result<Self> {
        let file = File::create(path)
            .map_err(|e| anyhow::anyhow!("cannot write statistics to {}: {e}", path.display()))?;
        Ok(Self { path: path.to_owned(), out: Some(BufWriter::new(file)) })
    }

    /// Writes an update as the sharer sent it.
    pub(crate) fn share(&mut self, r: &ShareRecord) {
        self.write(&json!({
            "side": "share", "helper": r.helper, "update": r.update, "notice_us": r.notice_us,
            "capture_us": r.capture_us, "compared_us": r.compared_us, "encoded_us": r.encoded_us,
            "sent_us": r.sent_us, "bytes": r.bytes, "tiles": r.tiles, "copies": r.copies,
            "cached": r.cached, "units": r.units, "partial": r.partial,
            "window_bytes": r.window_bytes, "queue_delay_us": r.queue_delay_us, "rtt_us": r.rtt_us,
            "watchdog_misses": r.watchdog_misses,
        }));
    }

    /// Writes an update as the helper composed it and, when it has, showed it.
    pub(crate) fn view(&mut self, r: &ViewRecord, presented_us: Option<u64>) {
        self.write(&json!({
            "side": "view", "update": r.update, "received_us": r.received_us,
            "composed_us": r.composed_us, "presented_us": presented_us, "damage_px": r.damage_px,
        }));
    }

    /// Writes that a session goes by another path; `helper` is whose, on the sharer's side.
    pub(crate) fn switch(&mut self, side: &str, helper: Option<u64>, s: &PathSwitch) {
        let reason = match s.reason {
            SwitchReason::Silence => "silence",
            SwitchReason::RelayLost => "relay lost",
            SwitchReason::Better => "better",
            _ => "peer",
        };
        self.write(&json!({
            "side": side, "helper": helper, "switch_us": s.at_us, "from": s.from.to_string(),
            "to": s.to.to_string(), "epoch": s.epoch, "reason": reason,
        }));
    }

    /// Puts what was written so far into the file.
    pub(crate) fn flush(&mut self) {
        let result = self.out.as_mut().map_or(Ok(()), Write::flush);
        self.check(result);
    }

    fn write(&mut self, line: &serde_json::Value) {
        let result = self.out.as_mut().map_or(Ok(()), |out| writeln!(out, "{line}"));
        self.check(result);
    }

    fn check(&mut self, result: std::io::Result<()>) {
        if let Err(error) = result {
            // Its buffer would only fail again when dropped.
            if let Some(out) = self.out.take() {
                let _ = out.into_parts();
            }
            let path = self.path.display();
            eprintln!("farpane: statistics stop here, {path}: {error}; the session goes on");
        }
    }
}

impl Drop for StatsFile {
    fn drop(&mut self) {
        self.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_record_is_one_json_object_a_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.jsonl");
        let mut stats = StatsFile::create(&path).unwrap();
        stats.share(&ShareRecord { update: 7, bytes: 99, ..ShareRecord::default() });
        stats.view(&ViewRecord { update: 7, ..ViewRecord::default() }, Some(5));
        drop(stats);
        let text = std::fs::read_to_string(path).unwrap();
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((&lines[0]["update"], &lines[0]["bytes"]), (&json!(7), &json!(99)));
        assert_eq!((&lines[1]["side"], &lines[1]["presented_us"]), (&json!("view"), &json!(5)));
    }

    #[test]
    fn a_full_disk_ends_the_statistics_and_nothing_else() {
        let mut stats = StatsFile::create(Path::new("/dev/full")).unwrap();
        for _ in 0..10_000 {
            stats.share(&ShareRecord::default());
        }
        assert!(stats.out.is_none());
    }
}
