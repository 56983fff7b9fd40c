//! Sources by name, as the command line gives them.

use crate::{
    CaptureError, CaptureSource, Pattern, PatternSource, ReplayOptions, ReplaySource, X11Options,
    X11Source,
};
use std::path::PathBuf;

/// What to capture, read from a text:
///
/// | text | source |
/// |---|---|
/// | `x11` | the X display that the environment variable `DISPLAY` names |
/// | `x11:DISPLAY` | that X display, as `x11::81` or, for short, `x11:81` |
/// | `xcap` | the portable source (with the feature `xcap`) |
/// | `replay:FILE` | a recorded desktop, once, in real time |
/// | `pattern:NAME` | a synthetic desktop, see [`Pattern::parse`] |
#[derive(Clone, Debug)]
pub struct SourceSpec(Kind);

#[derive(Clone, Debug)]
enum Kind {
    X11(X11Options),
    #[cfg(feature = "xcap")]
    Portable(crate::XcapOptions),
    Replay(PathBuf),
    Pattern(Pattern),
}

impl SourceSpec {
    /// Reads `spec`; `monitor` chooses one monitor of an X display or of the portable source by
    /// its name. Nothing is opened yet.
    ///
    /// # Errors
    /// [`CaptureError::Spec`] when this describes no source.
    pub fn parse(spec: &str, monitor: Option<&str>) -> Result<Self, CaptureError> {
        let (kind, rest) = match spec.split_once(':') {
            Some((kind, rest)) => (kind, Some(rest)),
            None => (spec, None),
        };
        let wrong = |reason: &str| CaptureError::Spec { spec: spec.into(), reason: reason.into() };
        let kind = match (kind, rest) {
            ("x11", Some("")) => return Err(wrong("the display's name is missing")),
            ("x11", display) => Kind::X11(X11Options {
                display: display.map(display_name),
                monitor: monitor.map(str::to_owned),
                ..X11Options::default()
            }),
            ("xcap", None) => portable(monitor)?,
            ("replay", None | Some("")) => return Err(wrong("the file's name is missing")),
            ("replay" | "pattern", _) if monitor.is_some() => {
                return Err(wrong("it has no monitors to choose from"));
            }
            ("replay", Some(file)) => Kind::Replay(file.into()),
            ("pattern", Some(name)) => Kind::Pattern(Pattern::parse(name)?),
            ("pattern", None) => return Err(wrong("the pattern's name is missing")),
            _ => return Err(wrong("its kind is unknown")),
        };
        Ok(Self(kind))
    }

    /// The X display that `spec` names, `Some(None)` for the one of `DISPLAY`; `None` when it names
    /// something else.
    pub fn display(spec: &str) -> Option<Option<String>> {
        match Self::parse(spec, None) {
            Ok(Self(Kind::X11(options))) => Some(options.display),
            _ => None,
        }
    }

    /// Opens the source.
    ///
    /// # Errors
    /// Why it cannot be opened.
    pub fn open(&self) -> Result<Box<dyn CaptureSource>, CaptureError> {
        Ok(match &self.0 {
            Kind::X11(options) => Box::new(X11Source::open(options.clone())?),
            #[cfg(feature = "xcap")]
            Kind::Portable(options) => Box::new(crate::XcapSource::open(options.clone())?),
            Kind::Replay(file) => Box::new(ReplaySource::open(file, ReplayOptions::default())?),
            Kind::Pattern(pattern) => Box::new(PatternSource::new(*pattern)?),
        })
    }
}

/// `81` and `81.0` are short for `:81` and `:81.0`.
fn display_name(text: &str) -> String {
    let short = text.starts_with(|c: char| c.is_ascii_digit()) && !text.contains(':');
    if short { format!(":{text}") } else { text.into() }
}

#[cfg(feature = "xcap")]
fn portable(monitor: Option<&str>) -> Result<Kind, CaptureError> {
    let monitor = monitor.map(str::to_owned);
    Ok(Kind::Portable(crate::XcapOptions { monitor, ..crate::XcapOptions::default() }))
}

#[cfg(not(feature = "xcap"))]
fn portable(_monitor: Option<&str>) -> Result<Kind, CaptureError> {
    let reason = "this program was built without the feature `xcap`".into();
    Err(CaptureError::Spec { spec: "xcap".into(), reason })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CaptureEvent, Xvfb};
    use farpane_frame::Size;
    use std::time::Duration;

    #[test]
    fn every_way_to_name_a_display_opens_it() {
        let size = Size::new(320, 200);
        let server = Xvfb::start(size, 24).unwrap();
        let number = server.display().trim_start_matches(':');
        for spec in [format!("x11::{number}"), format!("x11:{number}"), format!("x11:{number}.0")] {
            let mut source = SourceSpec::parse(&spec, None).unwrap().open().unwrap();
            let CaptureEvent::Frame(frame) = source.next(Duration::from_secs(20)).unwrap() else {
                panic!("no frame from {spec}");
            };
            assert_eq!(frame.pixels.view().size(), size);
        }
        let left = SourceSpec::parse(&format!("x11::{number}"), Some("LEFT")).unwrap();
        assert!(matches!(left.open().err(), Some(CaptureError::Monitor { .. })));
    }

    #[test]
    fn what_describes_no_source_is_explained() {
        for spec in ["", "x12", "x11:", "replay", "replay:", "pattern", "pattern:", "xcap:1"] {
            let error = SourceSpec::parse(spec, None).unwrap_err();
            assert!(matches!(error, CaptureError::Spec { .. }), "{spec}: {error}");
        }
        for spec in ["pattern:still,64x64", "replay:/no/such/file"] {
            let error = SourceSpec::parse(spec, Some("LEFT")).unwrap_err();
            assert!(matches!(error, CaptureError::Spec { .. }), "{spec}: {error}");
        }
    }

    #[test]
    fn what_is_described_opens_or_says_why_not() {
        assert!(SourceSpec::parse("pattern:still,64x64", None).unwrap().open().is_ok());
        let missing = SourceSpec::parse("replay:/no/such/file", None).unwrap();
        assert!(missing.open().err().unwrap().to_string().contains("/no/such"));
    }
}
