//! Farpane as it is, over a link without limit: compared, what moved found, what the helper's
//! cache holds taken from there, the rest encoded. Without video, so that all is exact at once.

use crate::subjects::{Subject, Work};
use farpane::CodecChoice;
use farpane::lab::{Lab, LabOptions, LabStats};
use farpane_benches::recordings::Shot;
use farpane_frame::FrameBuf;

/// From one side to the other.
const ONE_WAY_US: u64 = 1_000;
/// Until what was shown has arrived, and the helper has said so.
const SETTLED_US: u64 = 10_000;
/// Before a recording is played again.
const PAUSE_US: u64 = 1_000_000;
/// What a screen takes at most.
const PATIENCE_US: u64 = 10_000_000;

/// A sharer and a helper.
#[derive(Default)]
pub(crate) struct Farpane {
    lab: Option<Lab>,
    /// When the recording began, in the time of the lab.
    start_us: u64,
    /// When it showed the last state.
    last_us: u64,
    work: Work,
}

impl Farpane {
    fn stats(&self) -> LabStats {
        self.lab.as_ref().map_or_else(LabStats::default, Lab::stats)
    }

    /// Shows the next state, a while after the last one when the recording begins anew. Gives
    /// what had been done until then.
    fn take(&mut self, shot: &Shot) -> Result<LabStats, farpane::Error> {
        let Some(lab) = &mut self.lab else {
            let options = LabOptions {
                codec: CodecChoice::Tiles,
                one_way_us: ONE_WAY_US,
                ..LabOptions::default()
            };
            let lab = self.lab.insert(Lab::new(&shot.view(), options)?);
            self.start_us = lab.now_us() - shot.time_us;
            return Ok(LabStats::default());
        };
        if self.start_us + shot.time_us < self.last_us {
            self.start_us = self.last_us + PAUSE_US - shot.time_us;
        }
        self.last_us = self.start_us + shot.time_us;
        lab.run_until(self.last_us)?;
        let until_then = lab.stats();
        lab.show_damaged(&shot.view(), shot.rects())?;
        Ok(until_then)
    }
}

impl Subject for Farpane {
    fn name(&self) -> String {
        "farpane".into()
    }

    fn frame(&mut self, shot: &Shot) -> usize {
        let start = self.stats();
        let shown = self.take(shot).expect("a valid screen");
        let lab = self.lab.as_mut().expect("it was made");
        let exact = lab.run_until_exact(lab.now_us() + PATIENCE_US).expect("a valid stream");
        assert!(exact, "the helper does not have the screen");
        let after = lab.stats();
        self.work = Work {
            before: shown.sharer - start.sharer,
            change: after.sharer - shown.sharer,
            encoding: after.encoding - shown.encoding,
        };
        (after.payload_bytes - start.payload_bytes) as usize
    }

    fn work(&self) -> Option<Work> {
        Some(self.work)
    }

    fn show(&mut self, helper: &mut FrameBuf) {
        let Some(lab) = &mut self.lab else { return };
        lab.run_until(lab.now_us() + SETTLED_US).expect("a valid stream");
        if let Some(seen) = lab.picture() {
            helper.copy_from(&seen, seen.size().rect());
        }
    }
}
