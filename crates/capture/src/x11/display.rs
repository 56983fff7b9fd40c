//! The connection to the display: what it can do, what it reports, what it is asked.

use super::fault::Fault;
use super::layout::PixelLayout;
use crate::CaptureError;
use rustix::fd::{AsFd, BorrowedFd};
use x11rb::connection::{Connection, RequestConnection};
use x11rb::protocol::damage::{self, ConnectionExt as _, ReportLevel};
use x11rb::protocol::randr::{self, ConnectionExt as _};
use x11rb::protocol::xfixes::{self, ConnectionExt as _, CursorNotifyMask};
use x11rb::protocol::xinput::{self, ConnectionExt as _, XIEventMask};
use x11rb::protocol::xproto::{
    ChangeWindowAttributesAux, ConnectionExt as _, EventMask, QueryPointerReply, Rectangle, Window,
};
use x11rb::protocol::{Event, shm};
use x11rb::reexports::x11rb_protocol::parse_display::parse_display;
use x11rb::rust_connection::RustConnection;

/// A connection with everything selected that a source needs to hear of.
#[derive(Debug)]
pub(super) struct Display {
    pub(super) conn: RustConnection,
    pub(super) name: String,
    pub(super) root: Window,
    pub(super) layout: PixelLayout,
    pub(super) shm: ShmVersion,
    damage: damage::Damage,
    changed: xfixes::Region,
}

/// What the display's MIT-SHM can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ShmVersion {
    /// There is none.
    None,
    /// System V segments.
    SysV,
    /// Descriptors of shared memory too (1.2).
    Descriptors,
}

/// What the display reported since it was last asked.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Notices {
    /// Something was drawn.
    pub(super) damage: bool,
    /// The screen or a monitor changed.
    pub(super) geometry: bool,
    /// The pointer moved.
    pub(super) pointer: bool,
    /// The pointer has this shape now.
    pub(super) cursor_serial: Option<u32>,
}

/// What [`Display::ask`] is to find out.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Question {
    /// Where something was drawn since this was last asked.
    pub(super) damage: bool,
    /// The picture of the pointer.
    pub(super) cursor_image: bool,
}

/// The display's answer. Where the pointer is comes with every one, at no further round trip.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) damage: Vec<Rectangle>,
    pub(super) pointer: QueryPointerReply,
    /// `None` when it was not asked for or the display shows none.
    pub(super) cursor_image: Option<xfixes::GetCursorImageReply>,
}

impl Display {
    /// Connects to `name`, or to the one that `DISPLAY` names.
    pub(super) fn open(name: Option<&str>) -> Result<Self, CaptureError> {
        let shown = match name {
            Some(name) => name.to_owned(),
            None => std::env::var("DISPLAY").unwrap_or_else(|_| "(DISPLAY is not set)".into()),
        };
        let refused = |reason: String| CaptureError::Open { display: shown.clone(), reason };
        check_name(name).map_err(refused)?;
        let (conn, screen) = RustConnection::connect(name).map_err(|e| refused(e.to_string()))?;
        let lacks = |what: String| CaptureError::Unsupported { display: shown.clone(), what };
        for extension in [damage::X11_EXTENSION_NAME, xfixes::X11_EXTENSION_NAME] {
            let found = conn.extension_information(extension);
            if found.map_err(|e| refused(e.to_string()))?.is_none() {
                return Err(lacks(format!("{extension} extension")));
            }
        }
        let screen = &conn.setup().roots[screen];
        let (root, layout) = (screen.root, PixelLayout::of(conn.setup(), screen).map_err(lacks)?);
        let select = || -> Result<_, Fault> {
            let shm = versions(&conn)?;
            let (damage, changed) = (conn.generate_id()?, conn.generate_id()?);
            select_events(&conn, root)?;
            conn.xfixes_create_region(changed, &[])?;
            conn.damage_create(damage, root, ReportLevel::NON_EMPTY)?.check()?;
            Ok((shm, damage, changed))
        };
        let (shm, damage, changed) = select().map_err(|fault| refused(fault.reason()))?;
        Ok(Self { conn, name: shown, root, layout, shm, damage, changed })
    }

    /// The descriptor that becomes readable when the display has something to say.
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.conn.stream().as_fd()
    }

    /// Takes in all that the display has sent so far; does not wait. Once this returned, only
    /// new bytes make [`Display::fd`] readable.
    pub(super) fn drain(&self) -> Result<Notices, Fault> {
        let mut notices = Notices::default();
        while let Some(event) = self.conn.poll_for_event()? {
            match event {
                Event::DamageNotify(_) => notices.damage = true,
                Event::XfixesCursorNotify(e) => notices.cursor_serial = Some(e.cursor_serial),
                Event::XinputRawMotion(_) => notices.pointer = true,
                Event::RandrNotify(_) | Event::RandrScreenChangeNotify(_) => {
                    notices.geometry = true;
                }
                Event::ConfigureNotify(e) if e.window == self.root => notices.geometry = true,
                _ => {}
            }
        }
        Ok(notices)
    }

    /// Asks for the given things in one round trip.
    pub(super) fn ask(&self, question: Question) -> Result<Answer, Fault> {
        let conn = &self.conn;
        let changed = if question.damage {
            conn.damage_subtract(self.damage, x11rb::NONE, self.changed)?;
            Some(conn.xfixes_fetch_region(self.changed)?)
        } else {
            None
        };
        let image =
            if question.cursor_image { Some(conn.xfixes_get_cursor_image()?) } else { None };
        let pointer = conn.query_pointer(self.root)?;
        let damage = match changed {
            Some(cookie) => cookie.reply()?.rectangles,
            None => Vec::new(),
        };
        let cursor_image = match image.map(|cookie| cookie.reply().map_err(Fault::from)) {
            Some(Ok(image)) => Some(image),
            // A display that shows no pointer yet refuses to give its picture.
            Some(Err(Fault::Refused(_))) | None => None,
            Some(Err(gone)) => return Err(gone),
        };
        Ok(Answer { damage, pointer: pointer.reply()?, cursor_image })
    }
}

/// Displays above this number would need a TCP port that does not exist.
const MAX_DISPLAY: u16 = u16::MAX - 6000;

fn check_name(name: Option<&str>) -> Result<(), String> {
    let parsed = parse_display(name).map_err(|e| e.to_string())?;
    if parsed.display > MAX_DISPLAY {
        return Err(format!("display numbers end at {MAX_DISPLAY}"));
    }
    Ok(())
}

/// Says which versions this side speaks, which each extension demands first.
fn versions(conn: &RustConnection) -> Result<ShmVersion, Fault> {
    let has = |name| Ok::<_, Fault>(conn.extension_information(name)?.is_some());
    let damage = conn.damage_query_version(1, 1)?;
    let xfixes = conn.xfixes_query_version(5, 0)?;
    damage.reply()?;
    xfixes.reply()?;
    if has(randr::X11_EXTENSION_NAME)? {
        conn.randr_query_version(1, 5)?.reply()?;
    }
    if has(xinput::X11_EXTENSION_NAME)? {
        conn.xinput_xi_query_version(2, 2)?.reply()?;
    }
    if !has(shm::X11_EXTENSION_NAME)? {
        return Ok(ShmVersion::None);
    }
    let version = shm::ConnectionExt::shm_query_version(conn)?.reply()?;
    Ok(if (version.major_version, version.minor_version) >= (1, 2) {
        ShmVersion::Descriptors
    } else {
        ShmVersion::SysV
    })
}

fn select_events(conn: &RustConnection, root: Window) -> Result<(), Fault> {
    let structure = ChangeWindowAttributesAux::new().event_mask(EventMask::STRUCTURE_NOTIFY);
    conn.change_window_attributes(root, &structure)?;
    conn.xfixes_select_cursor_input(root, CursorNotifyMask::DISPLAY_CURSOR)?;
    if conn.extension_information(randr::X11_EXTENSION_NAME)?.is_some() {
        let what = randr::NotifyMask::SCREEN_CHANGE
            | randr::NotifyMask::CRTC_CHANGE
            | randr::NotifyMask::OUTPUT_CHANGE;
        conn.randr_select_input(root, what)?;
    }
    if conn.extension_information(xinput::X11_EXTENSION_NAME)?.is_some() {
        // Raw motion is reported whichever window holds the pointer, and only while it moves.
        let raw = xinput::EventMask {
            deviceid: xinput::Device::ALL_MASTER.into(),
            mask: vec![XIEventMask::RAW_MOTION],
        };
        conn.xinput_xi_select_events(root, &[raw])?;
    }
    Ok(())
}
