//! Synthetic desktops: the same every time, any size, no display needed.

mod scene;
mod text;

use crate::outlet::Outlet;
use crate::pause::Pause;
use crate::{CaptureCounters, CaptureError, CaptureEvent, CaptureSource, Waker};
use farpane_frame::Size;
use scene::Scene;
use std::io;
use std::time::{Duration, Instant};

/// What a synthetic desktop shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PatternKind {
    /// A blinking caret.
    Caret,
    /// Characters that appear one by one, line by line.
    Typing,
    /// A pane of text that scrolls beside one that stays.
    Scroll,
    /// A window that moves over text.
    Drag,
    /// A region of noise, as a video would be but harder.
    Noise,
    /// Another whole screen every time.
    Flip,
    /// Text that never changes.
    Still,
}

impl PatternKind {
    /// Each with its name and its usual updates per second.
    const ALL: [(&'static str, Self, u32); 7] = [
        ("caret", Self::Caret, 2),
        ("typing", Self::Typing, 15),
        ("scroll", Self::Scroll, 60),
        ("drag", Self::Drag, 60),
        ("noise", Self::Noise, 30),
        ("flip", Self::Flip, 1),
        ("still", Self::Still, 0),
    ];
}

/// A synthetic desktop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// What it shows.
    pub kind: PatternKind,
    /// Its size; 1920x1080 by default.
    pub size: Size,
    /// Updates per second, at most [`Pattern::MAX_UPDATES_PER_S`]; 0 for one at every call of
    /// `next`. The default depends on the kind.
    pub updates_per_s: u32,
    /// Different seeds show different texts and noise; 1 by default.
    pub seed: u64,
}

impl Pattern {
    /// More than any display shows.
    pub const MAX_UPDATES_PER_S: u32 = 1_000;

    /// A pattern with its usual settings.
    pub fn new(kind: PatternKind) -> Self {
        let usual = PatternKind::ALL.iter().find(|(_, k, _)| *k == kind);
        let updates_per_s = usual.map_or(0, |(_, _, rate)| *rate);
        Self { kind, size: Size::new(1920, 1080), updates_per_s, seed: 1 }
    }

    /// Reads `NAME[,WIDTHxHEIGHT][,RATE/s][,#SEED]`, as `scroll,1280x720,30/s`.
    ///
    /// # Errors
    /// [`CaptureError::Spec`] with what is wrong.
    pub fn parse(text: &str) -> Result<Self, CaptureError> {
        let wrong =
            |reason: String| Err(CaptureError::Spec { spec: format!("pattern:{text}"), reason });
        let mut parts = text.split(',');
        let name = parts.next().unwrap_or_default();
        let Some((_, kind, _)) = PatternKind::ALL.iter().find(|(known, ..)| *known == name) else {
            let known = PatternKind::ALL.map(|(name, ..)| name).join(", ");
            return wrong(format!("there is no pattern {name:?}; there are {known}"));
        };
        let mut pattern = Self::new(*kind);
        for part in parts {
            let understood = if let Some(seed) = part.strip_prefix('#') {
                seed.parse().map(|seed| pattern.seed = seed).is_ok()
            } else if let Some(rate) = part.strip_suffix("/s") {
                rate.parse().map(|rate| pattern.updates_per_s = rate).is_ok()
                    && pattern.updates_per_s <= Self::MAX_UPDATES_PER_S
            } else if let Some((width, height)) = part.split_once('x') {
                let sides = (width.parse(), height.parse());
                let (Ok(width), Ok(height)) = sides else {
                    return wrong(format!("{part:?} is no size"));
                };
                pattern.size = Size::new(width, height);
                pattern.size.is_valid()
            } else {
                false
            };
            if !understood {
                return wrong(format!("{part:?} is no WIDTHxHEIGHT, RATE/s or #SEED"));
            }
        }
        Ok(pattern)
    }
}

/// After a longer pause the missed updates are skipped rather than painted.
const MAX_CATCH_UP: u64 = 32;

/// A [`Pattern`] as a source. Damage is exact; a scroll or a moved window comes with its move.
pub struct PatternSource {
    pattern: Pattern,
    scene: Scene,
    outlet: Outlet,
    pause: Pause,
    start: Option<Instant>,
    /// Updates painted since the start.
    painted: u64,
}

impl PatternSource {
    /// Paints the first screen.
    ///
    /// # Errors
    /// A size or a rate out of range.
    pub fn new(pattern: Pattern) -> Result<Self, CaptureError> {
        let wrong = |e: String| io::Error::new(io::ErrorKind::InvalidInput, e);
        if pattern.updates_per_s > Pattern::MAX_UPDATES_PER_S {
            let most = Pattern::MAX_UPDATES_PER_S;
            return Err(wrong(format!("more than {most} updates per second")).into());
        }
        let mut outlet = Outlet::new(pattern.size).map_err(|e| wrong(e.to_string()))?;
        outlet.begin_generation(pattern.size).map_err(|e| wrong(e.to_string()))?;
        let scene = Scene::new(pattern, outlet.canvas.picture_mut());
        let pause = Pause::default();
        Ok(Self { pattern, scene, outlet, pause, start: None, painted: 0 })
    }

    fn paint(&mut self) {
        let change = self.scene.step(self.outlet.canvas.picture_mut());
        self.outlet.changed(&change.rects, &change.moves);
    }

    /// Paints what is due. Returns when the next update is, if ever.
    fn catch_up(&mut self, now: Instant) -> Option<Instant> {
        if self.pattern.kind == PatternKind::Still {
            return None;
        }
        let rate = u64::from(self.pattern.updates_per_s);
        if rate == 0 {
            self.paint();
            return None;
        }
        let start = *self.start.get_or_insert(now);
        let due = (now - start).as_micros() as u64 * rate / 1_000_000;
        for _ in 0..due.saturating_sub(self.painted).min(MAX_CATCH_UP) {
            self.paint();
        }
        self.painted = due;
        Some(start + Duration::from_micros(((due + 1) * 1_000_000).div_ceil(rate)))
    }
}

impl CaptureSource for PatternSource {
    fn next(&mut self, wait: Duration) -> Result<CaptureEvent, CaptureError> {
        let deadline = Instant::now() + wait.min(crate::LONGEST_WAIT);
        loop {
            // The first screen is handed out before anything changes.
            let now = Instant::now();
            let due = if self.outlet.counters.frames > 0 { self.catch_up(now) } else { None };
            if let Some(event) = self.outlet.take() {
                return Ok(event);
            }
            let until = due.map_or(deadline, |due| due.min(deadline));
            if self.pause.wait(until) || Instant::now() >= deadline {
                return Ok(CaptureEvent::Idle);
            }
        }
    }

    fn refresh(&mut self) {
        self.outlet.refresh();
    }

    fn waker(&self) -> Waker {
        self.pause.waker()
    }

    fn counters(&self) -> CaptureCounters {
        self.outlet.counters
    }
}

#[cfg(test)]
mod tests;
