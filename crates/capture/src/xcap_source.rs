//! The portable source: screenshots, one after the other.

use crate::outlet::Outlet;
use crate::pause::Pause;
use crate::{CaptureCounters, CaptureError, CaptureEvent, CaptureSource, Monitor, Waker};
use farpane_frame::{Rect, Size};
use std::time::{Duration, Instant};
use xcap::image::RgbaImage;

/// What the portable source captures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XcapOptions {
    /// The monitor's name; `None` (the default) for the primary one.
    pub monitor: Option<String>,
    /// Screenshots per second, at least 1 and at most [`XcapOptions::MAX_RATE_PER_S`]; 5 by
    /// default. A change is seen this late: 200 ms at 5.
    pub rate_per_s: u32,
}

impl XcapOptions {
    /// More than any system answers.
    pub const MAX_RATE_PER_S: u32 = 60;
}

impl Default for XcapOptions {
    fn default() -> Self {
        Self { monitor: None, rate_per_s: 5 }
    }
}

/// Screenshots of a monitor at a fixed rate, for systems that have no source of their own.
///
/// It is told of no changes, so it wakes up, takes and compares a whole screenshot every time,
/// whether anything changed or not; damage is always [`crate::Damage::Unknown`], and there is no
/// pointer. On X11 one screenshot of 1920x1080 costs some 77 ms (a new connection, all pixels
/// through its socket, conversion to RGBA): 40 % of a core at 5 per second. Where
/// [`crate::X11Source`] works, use that. A screenshot cannot be interrupted by the waker.
pub struct XcapSource {
    monitor: xcap::Monitor,
    period: Duration,
    next_at: Instant,
    outlet: Outlet,
    pause: Pause,
    /// Whether the last screenshot failed, which was then reported.
    lost: bool,
}

/// The monitors that the portable source can capture.
///
/// # Errors
/// When the system does not tell.
pub fn list_monitors() -> Result<Vec<Monitor>, CaptureError> {
    let monitors = xcap::Monitor::all().map_err(portable)?;
    monitors.iter().map(describe).collect::<Result<_, _>>().map_err(portable)
}

impl XcapSource {
    /// Finds the monitor.
    ///
    /// # Errors
    /// When there is none, or none of that name.
    pub fn open(options: XcapOptions) -> Result<Self, CaptureError> {
        let mut monitors = xcap::Monitor::all().map_err(portable)?;
        let known = monitors.iter().map(describe).collect::<Result<Vec<_>, _>>();
        let known = known.map_err(portable)?;
        let found = match &options.monitor {
            Some(name) => known.iter().position(|m| m.name == *name),
            None => known.iter().position(|m| m.primary).or(if known.is_empty() {
                None
            } else {
                Some(0)
            }),
        };
        let Some(index) = found else {
            let name = options.monitor.unwrap_or_else(|| "(the primary one)".into());
            let known = known.into_iter().map(|m| m.name).collect();
            return Err(CaptureError::Monitor { name, known });
        };
        let rate = options.rate_per_s.clamp(1, XcapOptions::MAX_RATE_PER_S);
        Ok(Self {
            monitor: monitors.swap_remove(index),
            period: Duration::from_secs(1) / rate,
            next_at: Instant::now(),
            outlet: Outlet::new(Size::new(1, 1)).map_err(|e| portable(e.to_string()))?,
            pause: Pause::default(),
            lost: false,
        })
    }

    /// Takes one screenshot. Returns what to report, if anything.
    fn shoot(&mut self) -> Result<Option<CaptureEvent>, CaptureError> {
        match self.monitor.capture_image() {
            Ok(image) => {
                self.outlet.counters.reconnects += u64::from(std::mem::take(&mut self.lost));
                self.take_in(&image)?;
                Ok(self.outlet.take())
            }
            Err(error) => {
                let first = !std::mem::replace(&mut self.lost, true);
                Ok(first.then(|| CaptureEvent::Lost(error.to_string())))
            }
        }
    }

    /// Puts a screenshot on the canvas, and declares it changed when it is not the same.
    fn take_in(&mut self, image: &RgbaImage) -> Result<(), CaptureError> {
        let size = Size::new(image.width(), image.height());
        if self.outlet.counters.frames == 0 || size != self.outlet.canvas.picture().size() {
            self.outlet.begin_generation(size).map_err(|e| portable(e.to_string()))?;
        }
        let picture = self.outlet.canvas.picture_mut();
        let mut changed = false;
        for (y, row) in (0..size.height_px).zip(image.chunks_exact(size.width_px as usize * 4)) {
            changed |= copy_row(row, picture.span_mut(0, y, size.width_px));
        }
        if changed {
            self.outlet.refresh();
        }
        Ok(())
    }
}

impl CaptureSource for XcapSource {
    fn next(&mut self, wait: Duration) -> Result<CaptureEvent, CaptureError> {
        let deadline = Instant::now() + wait.min(crate::LONGEST_WAIT);
        loop {
            if Instant::now() >= self.next_at {
                let shot = self.shoot()?;
                // A screenshot that took longer than the period delays the next, so that the
                // rest of the program gets its share.
                self.next_at = Instant::now() + self.period;
                if let Some(event) = shot {
                    return Ok(event);
                }
            }
            if self.pause.wait(self.next_at.min(deadline)) || Instant::now() >= deadline {
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

/// Converts a row of RGBA to BGRX. Returns whether that changed it.
fn copy_row(rgba: &[u8], bgrx: &mut [u8]) -> bool {
    let mut difference = 0;
    for (from, to) in rgba.chunks_exact(4).zip(bgrx.chunks_exact_mut(4)) {
        let new = [from[2], from[1], from[0], 0];
        difference |= u32::from_le_bytes(new) ^ u32::from_le_bytes([to[0], to[1], to[2], 0]);
        to.copy_from_slice(&new);
    }
    difference != 0
}

fn describe(monitor: &xcap::Monitor) -> Result<Monitor, xcap::XCapError> {
    let edge = |at: i32, length: u32| (i64::from(at) + i64::from(length)).max(0) as u32;
    let (x, y) = (monitor.x()?, monitor.y()?);
    let (right, bottom) = (edge(x, monitor.width()?), edge(y, monitor.height()?));
    Ok(Monitor {
        name: monitor.name()?,
        edid_hash: None,
        area: Rect::from_edges(x.max(0) as u32, y.max(0) as u32, right, bottom),
        primary: monitor.is_primary()?,
    })
}

fn portable(error: impl ToString) -> CaptureError {
    CaptureError::Portable(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_converted_and_compared_without_alpha() {
        let mut row = [0; 8];
        assert!(copy_row(&[1, 2, 3, 255, 4, 5, 6, 255], &mut row));
        assert_eq!(row, [3, 2, 1, 0, 6, 5, 4, 0]);
        assert!(!copy_row(&[1, 2, 3, 0, 4, 5, 6, 9], &mut row));
    }
}
