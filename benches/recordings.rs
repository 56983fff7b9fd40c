//! The recordings, frame by frame with their times.

use farpane_capture::{TraceReader, TraceRecord};
use farpane_frame::{FrameBuf, FrameRef, PixelFormat, Rect, Region, Size};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// A recording of `benches/data`; its README says what happens in it.
#[derive(Clone, Copy, Debug)]
pub struct Recording {
    /// What people call it.
    pub name: &'static str,
    file: &'static str,
    /// Seconds that passed for each second of the recording.
    pace: f64,
}

impl Recording {
    const fn new(name: &'static str, file: &'static str) -> Self {
        Self { name, file, pace: 1.0 }
    }

    /// Why there is nothing to measure when [`Shots::open`] gives none.
    pub fn advice(self) -> String {
        let name = self.file.trim_start_matches(GENERATED).trim_end_matches(".trace");
        format!("not measured: run tools/record-traces benches/data/generated {name}")
    }
}

/// Where those are that are too large to be committed.
const GENERATED: &str = "generated/";

/// Those that the design has figures of.
pub const TYPING: Recording = Recording::new("typing", "typing.trace");
/// See [`TYPING`].
pub const SCROLL: Recording = Recording::new("scroll", "page.trace");
/// See [`TYPING`].
pub const ALT_TAB: Recording = Recording::new("alt-tab", "alt_tab.trace");
/// See [`TYPING`].
pub const SLIDES: Recording = Recording::new("slides", "slides.trace");
/// A sheet that is filled in, and pages that are turned.
pub const SHEET: Recording = Recording::new("spreadsheet", "sheet.trace");
/// See [`SHEET`].
pub const PDF: Recording = Recording::new("pdf", "document.trace");
/// The others.
pub const OTHERS: [Recording; 5] = [
    Recording::new("terminal", "terminal.trace"),
    SHEET,
    PDF,
    Recording::new("photo", "generated/photo.trace"),
    Recording { name: "film", file: "generated/film.trace", pace: 0.08 },
];

/// A state of the recorded screen.
pub struct Shot {
    picture: FrameBuf,
    region: Region,
    /// Microseconds since the first one.
    pub time_us: u64,
}

impl Shot {
    /// What the screen shows.
    pub fn view(&self) -> FrameRef<'_> {
        self.picture.view()
    }

    /// What the screen shows, to keep.
    pub fn into_screen(self) -> FrameBuf {
        self.picture
    }

    /// The smallest rectangle outside of which nothing changed.
    pub fn bounds(&self) -> Rect {
        self.region.rects().iter().copied().fold(Rect::default(), Rect::union)
    }

    /// What changed, as a source knows it.
    pub fn rects(&self) -> &[Rect] {
        self.region.rects()
    }
}

/// The states of a recording that differ from the one before.
pub struct Shots {
    reader: TraceReader<BufReader<File>>,
    picture: FrameBuf,
    pace: f64,
}

impl Shots {
    /// `None` when the recording is one of those that are not committed, and is not there.
    pub fn open(recording: Recording) -> Option<Self> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(recording.file);
        if !path.exists() && recording.file.starts_with(GENERATED) {
            return None;
        }
        let file = File::open(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let reader = TraceReader::new(BufReader::new(file)).expect("a trace");
        let picture = FrameBuf::new(Size::new(1, 1), PixelFormat::Bgrx).expect("a valid size");
        Some(Self { reader, picture, pace: recording.pace })
    }
}

impl Iterator for Shots {
    type Item = Shot;

    fn next(&mut self) -> Option<Shot> {
        loop {
            match self.reader.read(&mut self.picture).expect("a whole trace")? {
                (_, TraceRecord::Size(size)) => {
                    self.picture = FrameBuf::new(size, PixelFormat::Bgrx).expect("a valid size");
                }
                (time_us, TraceRecord::Frame(region)) => {
                    let time_us = (time_us as f64 * self.pace) as u64;
                    let picture = self.picture.clone();
                    return Some(Shot { picture, region, time_us });
                }
                _ => {}
            }
        }
    }
}
