//! Fetching pixels from a private X server.

use crate::{HD, UHD};
use criterion::BenchmarkGroup;
use criterion::measurement::WallTime;
use farpane_benches::{fastest, row, sides};
use farpane_capture::{CaptureEvent, CaptureSource, X11Options, X11Source, Xvfb, XvfbError};
use farpane_frame::Size;
use std::hint::black_box;
use std::time::Duration;

/// A whole screen, and one of a tile's size: what every fetch costs beside its pixels.
const SIZES: [(Size, &str); 3] =
    [(HD, "(<= 600 us)"), (UHD, "(<= 2500 us)"), (Size::new(64, 64), "(round trips only)")];

/// A display, and a source that captures all of it.
struct Screen {
    source: X11Source,
    _xvfb: Xvfb,
}

impl Screen {
    /// `None` without Xvfb.
    fn start(size: Size) -> Option<Self> {
        let xvfb = match Xvfb::start(size, 24) {
            Err(XvfbError::Missing) => return None,
            started => started.expect("Xvfb starts"),
        };
        let display = Some(xvfb.display().to_owned());
        // The watchdog's looks are no part of a grab.
        let options = X11Options { display, watchdog: None, ..X11Options::default() };
        let source = X11Source::open(options).expect("Xvfb can be captured");
        let mut screen = Self { source, _xvfb: xvfb };
        screen.grab();
        Some(screen)
    }

    fn grab(&mut self) {
        self.source.refresh();
        loop {
            match self.source.next(Duration::from_secs(20)).expect("the display is there") {
                CaptureEvent::Frame(frame) => {
                    black_box(frame);
                    return;
                }
                CaptureEvent::Cursor(_) => {}
                other => panic!("no frame: {other:?}"),
            }
        }
    }
}

pub(crate) fn table() {
    for (size, target) in SIZES {
        let name = sides(size);
        match Screen::start(size) {
            Some(mut screen) => {
                let how = screen.source.transport().map_or("?".to_owned(), |t| format!("{t:?}"));
                let note = format!("{target} {how}");
                row(&format!("{name} grab of the whole display"), fastest(|| screen.grab()), &note);
            }
            None => println!("{name} grab: not measured, Xvfb is not installed"),
        }
    }
}

pub(crate) fn bench(group: &mut BenchmarkGroup<'_, WallTime>) {
    for (size, _) in SIZES {
        if let Some(mut screen) = Screen::start(size) {
            group.bench_function(format!("grab/{}", sides(size)), |b| b.iter(|| screen.grab()));
        }
    }
}
