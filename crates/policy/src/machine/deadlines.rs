//! What falls due, and what it brings.

use super::{Machine, Output};
use crate::state::EndReason;

/// Times at which something ends, each absent when nothing does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Deadlines {
    pub(super) setup_us: Option<u64>,
    pub(super) indicator_us: Option<u64>,
    pub(super) lease_us: Option<u64>,
    pub(super) renew_us: Option<u64>,
    pub(super) suspended_us: Option<u64>,
    pub(super) session_us: Option<u64>,
    pub(super) ending_us: Option<u64>,
}

/// What falls due. Of two at the same time the earlier in this list counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    End(EndOf),
    Question,
    Fallback,
    Renewal,
    Ending,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum EndOf {
    Lease,
    Indicator,
    Setup,
    Session,
    Suspension,
}

impl Machine {
    /// When [`step`](crate::step) must be called next at the latest; `None` when nothing is due.
    pub fn next_deadline_us(&self) -> Option<u64> {
        self.dues().map(|(at_us, _)| at_us).min()
    }

    fn dues(&self) -> impl Iterator<Item = (u64, Due)> {
        let deadlines = &self.deadlines;
        [
            (deadlines.lease_us, Due::End(EndOf::Lease)),
            (deadlines.indicator_us, Due::End(EndOf::Indicator)),
            (deadlines.setup_us, Due::End(EndOf::Setup)),
            (deadlines.session_us, Due::End(EndOf::Session)),
            (deadlines.suspended_us, Due::End(EndOf::Suspension)),
            (self.question.map(|question| question.until_us), Due::Question),
            (self.fallback.map(|fallback| fallback.at_us), Due::Fallback),
            (deadlines.renew_us, Due::Renewal),
            (deadlines.ending_us, Due::Ending),
        ]
        .into_iter()
        .filter_map(|(at_us, due)| Some((at_us?, due)))
    }

    /// Lets happen what is due, the earliest first.
    pub(super) fn pass_deadlines(&mut self, out: &mut Output) -> bool {
        let mut passed = false;
        while let Some((_, due)) = self.dues().filter(|(at_us, _)| *at_us <= self.now_us).min() {
            passed = true;
            match due {
                Due::End(EndOf::Lease) => self.end(EndReason::LeaseLost, out),
                Due::End(EndOf::Indicator) => self.end(EndReason::IndicatorLost, out),
                Due::End(EndOf::Setup) => self.end(EndReason::SetupTimeout, out),
                Due::End(EndOf::Session | EndOf::Suspension) => self.end(EndReason::Expired, out),
                Due::Question => self.question_unanswered(out),
                Due::Fallback => self.fall_back(out),
                Due::Renewal => self.ask_renewal(out),
                Due::Ending => self.close(out),
            }
        }
        passed
    }
}
