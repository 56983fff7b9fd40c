//! Plays recorded desktops.

use crate::outlet::Outlet;
use crate::pause::Pause;
use crate::trace::{TraceReader, TraceRecord};
use crate::{CaptureCounters, CaptureError, CaptureEvent, CaptureSource, TraceError, Waker};
use farpane_frame::Size;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How fast a source that makes its own changes makes them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// As the changes were made; those that are overdue are merged into one frame.
    #[default]
    RealTime,
    /// One change for every call of `next`, at once.
    AsFastAsPossible,
}

/// How to play a recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReplayOptions {
    /// How fast.
    pub pace: Pace,
    /// Whether to begin again, as a new generation, instead of ending. Only for files.
    pub repeat: bool,
}

/// A recorded desktop as a source. Damage is what was recorded, as [`crate::Damage::Exact`].
pub struct ReplaySource {
    reader: TraceReader<Box<dyn Read + Send>>,
    path: Option<PathBuf>,
    options: ReplayOptions,
    outlet: Outlet,
    pause: Pause,
    /// When time 0 of the recording is.
    start: Option<Instant>,
    /// A record that was read but is not due yet.
    upcoming: Option<(u64, TraceRecord)>,
    ended: bool,
}

impl ReplaySource {
    /// Plays the trace at `path`.
    ///
    /// # Errors
    /// When the file cannot be opened or is no trace.
    pub fn open(path: impl AsRef<Path>, options: ReplayOptions) -> Result<Self, CaptureError> {
        let path = path.as_ref();
        let mut source = Self::from_reader(open_file(path)?, options)?;
        source.path = Some(path.to_owned());
        Ok(source)
    }

    /// Plays a trace from anything that can be read, once.
    ///
    /// # Errors
    /// When it cannot be read or is no trace.
    pub fn from_reader(
        input: impl Read + Send + 'static,
        options: ReplayOptions,
    ) -> Result<Self, CaptureError> {
        let input: Box<dyn Read + Send> = Box::new(input);
        Ok(Self {
            reader: TraceReader::new(input)?,
            path: None,
            options,
            // Every trace begins with the size of its picture.
            outlet: Outlet::new(Size::new(1, 1)).map_err(|e| io::Error::other(e.to_string()))?,
            pause: Pause::default(),
            start: None,
            upcoming: None,
            ended: false,
        })
    }

    /// Makes the next record the upcoming one. Its pixels are then on the canvas.
    fn read_ahead(&mut self) -> Result<(), CaptureError> {
        if self.upcoming.is_some() || self.ended {
            return Ok(());
        }
        self.upcoming = self.reader.read(self.outlet.canvas.picture_mut())?;
        if self.upcoming.is_none() {
            self.ended = true;
            if let (true, Some(path)) = (self.options.repeat, &self.path) {
                let input: Box<dyn Read + Send> = Box::new(open_file(path)?);
                self.reader = TraceReader::new(input)?;
                self.start = None;
                self.upcoming = self.reader.read(self.outlet.canvas.picture_mut())?;
                // An empty recording ends even if it is to be repeated.
                self.ended = self.upcoming.is_none();
            }
        }
        Ok(())
    }

    /// Takes in the upcoming record.
    fn apply(&mut self, record: TraceRecord) -> Result<(), CaptureError> {
        match record {
            TraceRecord::Size(size) => {
                self.outlet.begin_generation(size).map_err(|_| TraceError::Size(size))?;
            }
            TraceRecord::Frame(region) => self.outlet.changed(region.rects(), &[]),
            TraceRecord::Cursor(update) => self.outlet.cursor(update),
        }
        Ok(())
    }

    /// Takes in all that is due. Returns when the next record is.
    fn catch_up(&mut self) -> Result<Option<Instant>, CaptureError> {
        loop {
            self.read_ahead()?;
            let Some((time_us, record)) = self.upcoming.take() else { return Ok(None) };
            let is_change = !matches!(record, TraceRecord::Size(_));
            let now = Instant::now();
            let due = *self.start.get_or_insert(now) + Duration::from_micros(time_us);
            if self.options.pace == Pace::RealTime && due > now {
                self.upcoming = Some((time_us, record));
                return Ok(Some(due));
            }
            self.apply(record)?;
            if self.options.pace == Pace::AsFastAsPossible && is_change {
                return Ok(None);
            }
        }
    }
}

impl CaptureSource for ReplaySource {
    fn next(&mut self, wait: Duration) -> Result<CaptureEvent, CaptureError> {
        let deadline = Instant::now() + wait.min(crate::LONGEST_WAIT);
        loop {
            if self.options.pace == Pace::AsFastAsPossible
                && let Some(event) = self.outlet.take()
            {
                return Ok(event);
            }
            let due = self.catch_up()?;
            if let Some(event) = self.outlet.take() {
                return Ok(event);
            }
            let Some(due) = due else {
                if self.ended {
                    return Ok(CaptureEvent::Ended);
                }
                continue;
            };
            if self.pause.wait(due.min(deadline)) || Instant::now() >= deadline {
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

fn open_file(path: &Path) -> Result<BufReader<File>, CaptureError> {
    let file = File::open(path)
        .map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", path.display())))?;
    Ok(BufReader::new(file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CursorUpdate, Damage, TraceWriter};
    use farpane_frame::{FrameBuf, PixelFormat, Rect};
    use std::io::Write as _;

    /// Five states 10 ms apart, each with one more square, and a pointer at the end.
    fn trace() -> (Vec<u8>, FrameBuf) {
        let size = Size::new(80, 60);
        let mut picture = FrameBuf::new(size, PixelFormat::Bgrx).unwrap();
        let mut writer = TraceWriter::new(Vec::new()).unwrap();
        for i in 0..5u32 {
            let rect = Rect::new(i * 10, 0, 10, 10);
            picture.fill(rect, [i as u8 + 1, 2, 3, 0]);
            writer.write_frame(u64::from(i) * 10_000, 0, &picture.view(), &[rect]).unwrap();
        }
        let update = CursorUpdate { x: 1, y: 2, visible: true, shape: None };
        writer.write_cursor(41_000, &update).unwrap();
        (writer.finish().unwrap(), picture)
    }

    fn drain(source: &mut ReplaySource) -> (Vec<crate::Frame>, Vec<CursorUpdate>) {
        let (mut frames, mut pointers) = (Vec::new(), Vec::new());
        loop {
            match source.next(Duration::from_secs(20)).unwrap() {
                CaptureEvent::Frame(frame) => frames.push(frame),
                CaptureEvent::Cursor(update) => pointers.push(update),
                CaptureEvent::Ended => return (frames, pointers),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn every_recorded_state_is_played_as_fast_as_it_is_taken() {
        let (bytes, last) = trace();
        let options = ReplayOptions { pace: Pace::AsFastAsPossible, repeat: false };
        let mut source = ReplaySource::from_reader(io::Cursor::new(bytes), options).unwrap();
        let (frames, pointers) = drain(&mut source);
        let damage: Vec<_> = frames.iter().map(|f| f.damage.clone()).collect();
        let square =
            |i: u32| Damage::Exact(farpane_frame::Region::from_rect(Rect::new(i * 10, 0, 10, 10)));
        assert_eq!(damage, [Damage::Unknown, square(1), square(2), square(3), square(4)]);
        assert!(frames[4].pixels.view().same_rgb(&last.view()));
        assert_eq!((pointers.len(), source.counters().frames), (1, 5));
        assert!(matches!(source.next(Duration::ZERO), Ok(CaptureEvent::Ended)));
    }

    #[test]
    fn real_time_takes_as_long_as_the_recording_did() {
        let (bytes, last) = trace();
        let options = ReplayOptions::default();
        let mut source = ReplaySource::from_reader(io::Cursor::new(bytes), options).unwrap();
        let start = Instant::now();
        let (frames, pointers) = drain(&mut source);
        assert!(start.elapsed() >= Duration::from_millis(41));
        assert!(frames.last().unwrap().pixels.view().same_rgb(&last.view()));
        assert_eq!(pointers.len(), 1);
    }

    #[test]
    fn a_repeated_recording_begins_new_generations() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&trace().0).unwrap();
        let options = ReplayOptions { pace: Pace::AsFastAsPossible, repeat: true };
        let mut source = ReplaySource::open(file.path(), options).unwrap();
        let mut generations = Vec::new();
        while generations.len() < 20 {
            if let CaptureEvent::Frame(frame) = source.next(Duration::ZERO).unwrap() {
                generations.push(frame.generation);
            }
        }
        assert_eq!(generations, [0, 1, 2, 3].map(|g| [g; 5]).concat());
    }

    #[test]
    fn a_damaged_recording_is_an_error_and_no_panic() {
        let (mut bytes, _) = trace();
        bytes.truncate(bytes.len() - 10);
        let options = ReplayOptions { pace: Pace::AsFastAsPossible, repeat: false };
        let mut source = ReplaySource::from_reader(io::Cursor::new(bytes), options).unwrap();
        let error = (0..20).find_map(|_| source.next(Duration::ZERO).err());
        assert!(error.unwrap().to_string().contains("trace"));
        assert!(ReplaySource::open("/no/such/file", options).is_err());
    }
}
