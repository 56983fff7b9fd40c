//! What may happen now, and what a step opens and closes.

use super::{Machine, Output};
use crate::capability::{Capabilities, Capability};
use crate::effect::Effect;
use crate::state::State;
use crate::token::Reach;

/// What may happen now, each with the epoch since which it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Open {
    /// Capturing and sending the screen.
    pub capture: Option<u64>,
    /// Applying the helper's input, and how much of it.
    pub input: Option<(u64, Reach)>,
    /// The channels that are open besides. Their epoch is the capture's.
    pub channels: Capabilities,
}

impl Machine {
    /// What may happen now.
    pub fn open(&self) -> Open {
        let Some(rights) = self.rights.filter(|_| self.state.is_active()) else {
            return Open::default();
        };
        let capabilities = rights.capabilities();
        let kept = Capabilities::of(&[Capability::View, Capability::Point, Capability::Control]);
        let reach = match self.state {
            State::ActiveControl | State::ActiveElevated => Some(Reach::Full),
            _ => capabilities.contains(Capability::Point).then_some(Reach::Pointer),
        };
        // While somebody is asked, nobody else points or clicks.
        let asking = self.question.is_some() || self.prompts > 0;
        Open {
            capture: Some(self.capture_epoch),
            input: reach.filter(|_| !asking).map(|reach| (self.input_epoch, reach)),
            channels: capabilities.without(kept),
        }
    }

    /// Gives what opens an epoch, and stops what closes before anything else is done.
    pub(super) fn settle(&mut self, before: &Self, out: &mut Output) {
        let (was, is) = (before.open(), self.open());
        let opens = is.capture.is_some() && was.capture.is_none();
        let reach = |open: Open| open.input.map(|(_, reach)| reach);
        let redirects = reach(is).is_some() && (opens || reach(is) != reach(was));
        if opens || redirects {
            self.epoch += 1;
        }
        if opens {
            self.capture_epoch = self.epoch;
        }
        if redirects {
            self.input_epoch = self.epoch;
        }
        let mut stops = Vec::new();
        if was.input.is_some() && reach(is) != reach(was) {
            stops.push(Effect::StopInput);
        }
        if was.capture.is_some() && is.capture.is_none() {
            stops.push(Effect::StopCapture);
        }
        let closed = was.channels.without(is.channels);
        if !closed.is_empty() {
            stops.push(Effect::StopChannels(closed));
        }
        out.effects.splice(..0, stops);
    }
}
