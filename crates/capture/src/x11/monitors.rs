//! Monitors by name, as RandR 1.5 tells of them.

use super::display::Display;
use super::fault::Fault;
use crate::{CaptureError, Monitor};
use farpane_frame::{Rect, Size};
use x11rb::connection::RequestConnection;
use x11rb::protocol::randr::{self, ConnectionExt as _, Output};
use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _};
use xxhash_rust::xxh3::xxh3_64;

/// The largest EDID read, in units of four bytes: 256 blocks of 128 bytes, all there can be.
const MAX_EDID_WORDS: u32 = 256 * 128 / 4;

/// The name of the only monitor of a display that knows none.
const WHOLE_SCREEN: &str = "screen";

/// The monitors of `display` (or of the one that `DISPLAY` names), the primary one marked.
///
/// # Errors
/// When the display cannot be opened or does not answer.
pub fn list_monitors(display: Option<&str>) -> Result<Vec<Monitor>, CaptureError> {
    let display = Display::open(display)?;
    monitors(&display)
        .map_err(|f| CaptureError::Open { display: display.name.clone(), reason: f.reason() })
}

/// What is to be captured: the monitor called `name`, or the whole screen. `Err` inside names
/// the monitors there are when there is no such one.
pub(super) fn find_area(
    display: &Display,
    name: Option<&str>,
) -> Result<Result<Rect, Vec<String>>, Fault> {
    let screen = screen_size(display)?;
    let Some(name) = name else {
        return if screen.is_valid() {
            Ok(Ok(screen.rect()))
        } else {
            Err(Fault::Refused(format!("a screen of {screen:?} is too large; name a monitor")))
        };
    };
    let monitors = monitors(display)?;
    let found = monitors.iter().find(|m| m.name == name).map(|m| m.area.clip(screen));
    Ok(match found {
        Some(area) if !area.is_empty() => Ok(area),
        _ => Err(monitors.into_iter().map(|m| m.name).collect()),
    })
}

fn screen_size(display: &Display) -> Result<Size, Fault> {
    let geometry = display.conn.get_geometry(display.root)?.reply()?;
    Ok(Size::new(geometry.width.into(), geometry.height.into()))
}

fn monitors(display: &Display) -> Result<Vec<Monitor>, Fault> {
    let conn = &display.conn;
    let known = if conn.extension_information(randr::X11_EXTENSION_NAME)?.is_some() {
        match conn.randr_get_monitors(display.root, true)?.reply().map_err(Fault::from) {
            Ok(reply) => reply.monitors,
            // RandR before 1.5 does not know the request.
            Err(Fault::Refused(_)) => Vec::new(),
            Err(gone) => return Err(gone),
        }
    } else {
        Vec::new()
    };
    if known.is_empty() {
        let area = screen_size(display)?.rect();
        let name = WHOLE_SCREEN.into();
        return Ok(vec![Monitor { name, edid_hash: None, area, primary: true }]);
    }
    let edid = conn.intern_atom(false, b"EDID")?.reply()?.atom;
    let mut monitors = Vec::with_capacity(known.len());
    for monitor in known {
        let name = conn.get_atom_name(monitor.name)?.reply()?.name;
        let edid_hash = match monitor.outputs.first() {
            Some(output) => edid_hash(display, *output, edid)?,
            None => None,
        };
        // A part left of or above the screen's origin shows nothing.
        let edge = |at: i16, length: u16| (i32::from(at) + i32::from(length)).max(0) as u32;
        let (left, top) = (monitor.x.max(0) as u32, monitor.y.max(0) as u32);
        let (right, bottom) = (edge(monitor.x, monitor.width), edge(monitor.y, monitor.height));
        monitors.push(Monitor {
            name: String::from_utf8_lossy(&name).into_owned(),
            edid_hash,
            area: Rect::from_edges(left, top, right, bottom),
            primary: monitor.primary,
        });
    }
    Ok(monitors)
}

fn edid_hash(display: &Display, output: Output, edid: u32) -> Result<Option<u64>, Fault> {
    let property = display
        .conn
        .randr_get_output_property(output, edid, AtomEnum::ANY, 0, MAX_EDID_WORDS, false, false)?
        .reply();
    match property.map_err(Fault::from) {
        Ok(property) => Ok((!property.data.is_empty()).then(|| xxh3_64(&property.data))),
        Err(Fault::Refused(_)) => Ok(None),
        Err(gone) => Err(gone),
    }
}
