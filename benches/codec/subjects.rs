//! Who brings a helper's picture up to date: Farpane, and what others do.

use crate::h264::{H264, Tuning};
use crate::images::{Clear, Images, Png, Qoi};
use crate::rows::Rows;
use crate::sharer::Farpane;
use farpane_benches::recordings::Shot;
use farpane_frame::{FrameBuf, Size};
use std::time::Duration;

/// Encodes the changes of a screen, and shows what a helper makes of them.
pub(crate) trait Subject {
    /// What it is called.
    fn name(&self) -> String;

    /// Encodes the next state of the screen; this is what is measured. Returns its bytes.
    fn frame(&mut self, shot: &Shot) -> usize;

    /// What the last [`Subject::frame`] took of the processor, of one that decodes in there too;
    /// the others are measured from outside.
    fn work(&self) -> Option<Work> {
        None
    }

    /// Decodes what the last [`Subject::frame`] gave, so that `helper` is as the helper has it.
    fn show(&mut self, helper: &mut FrameBuf);
}

/// How long the processor ran for the sharer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Work {
    /// While nothing changed, before a change.
    pub(crate) before: Duration,
    /// For the change.
    pub(crate) change: Duration,
    /// How long its encoding took by the clock, when that is known apart from the search for what
    /// changed.
    pub(crate) encoding: Duration,
}

/// All of them, for a screen of `size`: Farpane is the first.
pub(crate) fn all(size: Size) -> Vec<Box<dyn Subject>> {
    let boxed = |whole| -> Vec<Box<dyn Subject>> {
        vec![
            Box::new(Images::new(Rows::new(false), whole)),
            Box::new(Images::new(Rows::new(true), whole)),
            Box::new(Images::new(Qoi::new(), whole)),
            Box::new(Images::new(Png::new(), whole)),
            Box::new(Images::new(Clear::new(), whole)),
        ]
    };
    let mut subjects: Vec<Box<dyn Subject>> = vec![Box::new(Farpane::default())];
    subjects.extend(boxed(true));
    subjects.extend(boxed(false));
    subjects.push(Box::new(H264::new(size, Tuning::Default)));
    subjects.push(Box::new(H264::new(size, Tuning::Screen)));
    subjects
}
