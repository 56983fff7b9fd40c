//! Sources by name, as the command line gives them.

use crate::{
    CaptureError, CaptureSource, Pattern, PatternSource, ReplayOptions, ReplaySource, X11Options,
    X11Source,
};

/// Opens the source that `spec` describes:
///
/// | spec | source |
/// |---|---|
/// | `x11` | the X display that the environment variable `DISPLAY` names |
/// | `x11:DISPLAY` | that X display, as `x11::81` or, for short, `x11:81` |
/// | `xcap` | the portable source (with the feature `xcap`) |
/// | `replay:FILE` | a recorded desktop, once, in real time |
/// | `pattern:NAME` | a synthetic desktop, see [`Pattern::parse`] |
///
/// `monitor` chooses one monitor of an X display or of the portable source by its name.
///
/// # Errors
/// [`CaptureError::Spec`] when `spec` describes none, else why the source cannot be opened.
pub fn open(spec: &str, monitor: Option<&str>) -> Result<Box<dyn CaptureSource>, CaptureError> {
    let (kind, rest) = match spec.split_once(':') {
        Some((kind, rest)) => (kind, Some(rest)),
        None => (spec, None),
    };
    let wrong = |reason: &str| CaptureError::Spec { spec: spec.into(), reason: reason.into() };
    let screenless = || match monitor {
        Some(_) => Err(wrong("it has no monitors to choose from")),
        None => Ok(()),
    };
    match (kind, rest) {
        ("x11", display) => {
            let display = match display {
                Some("") => return Err(wrong("the display's name is missing")),
                other => other.map(display_name),
            };
            let monitor = monitor.map(str::to_owned);
            let options = X11Options { display, monitor, ..X11Options::default() };
            Ok(Box::new(X11Source::open(options)?))
        }
        ("xcap", None) => open_portable(monitor),
        ("replay", None | Some("")) => Err(wrong("the file's name is missing")),
        ("replay", Some(file)) => {
            screenless()?;
            Ok(Box::new(ReplaySource::open(file, ReplayOptions::default())?))
        }
        ("pattern", Some(name)) => {
            screenless()?;
            Ok(Box::new(PatternSource::new(Pattern::parse(name)?)?))
        }
        ("pattern", None) => Err(wrong("the pattern's name is missing")),
        _ => Err(wrong("its kind is unknown")),
    }
}

/// `81` and `81.0` are short for `:81` and `:81.0`.
fn display_name(text: &str) -> String {
    let short = text.starts_with(|c: char| c.is_ascii_digit()) && !text.contains(':');
    if short { format!(":{text}") } else { text.into() }
}

#[cfg(feature = "xcap")]
fn open_portable(monitor: Option<&str>) -> Result<Box<dyn CaptureSource>, CaptureError> {
    let monitor = monitor.map(str::to_owned);
    let options = crate::XcapOptions { monitor, ..crate::XcapOptions::default() };
    Ok(Box::new(crate::XcapSource::open(options)?))
}

#[cfg(not(feature = "xcap"))]
fn open_portable(_monitor: Option<&str>) -> Result<Box<dyn CaptureSource>, CaptureError> {
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
            let mut source = open(&spec, None).unwrap();
            let CaptureEvent::Frame(frame) = source.next(Duration::from_secs(20)).unwrap() else {
                panic!("no frame from {spec}");
            };
            assert_eq!(frame.pixels.view().size(), size);
        }
        assert!(matches!(
            open(&format!("x11::{number}"), Some("LEFT")).err(),
            Some(CaptureError::Monitor { .. })
        ));
    }

    #[test]
    fn what_describes_no_source_is_explained() {
        for spec in ["", "x12", "x11:", "replay", "replay:", "pattern", "pattern:", "xcap:1"] {
            let error = open(spec, None).err().unwrap();
            assert!(matches!(error, CaptureError::Spec { .. }), "{spec}: {error}");
        }
        assert!(open("pattern:still,64x64", Some("LEFT")).is_err());
        assert!(open("pattern:still,64x64", None).is_ok());
        assert!(open("replay:/no/such/file", None).err().unwrap().to_string().contains("/no/such"));
    }
}
