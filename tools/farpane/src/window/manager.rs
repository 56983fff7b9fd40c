//! What the window tells the window manager, and the keys it understands.

use anyhow::{Context, Result};
use farpane_frame::Size;
use x11rb::connection::Connection;
use x11rb::properties::WmSizeHints;
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ClientMessageEvent, ConfigureWindowAux, ConnectionExt as _, EventMask,
    InputFocus, PropMode, StackMode,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

x11rb::atom_manager! {
    /// The names that window managers know.
    pub(super) Atoms: AtomsCookie {
        WM_PROTOCOLS,
        WM_DELETE_WINDOW,
        UTF8_STRING,
        _NET_WM_NAME,
        _NET_WM_PID,
        _NET_WM_STATE,
        _NET_WM_STATE_FULLSCREEN,
        _NET_WM_BYPASS_COMPOSITOR,
        _NET_SUPPORTED,
        _NET_ACTIVE_WINDOW,
    }
}

/// The most atoms a window manager is asked for; today's list has about 90.
const MAX_SUPPORTED: u32 = 1024;

/// How a window comes to fill the display.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FullscreenWay {
    /// The window manager does it.
    Asked,
    /// There is none: the window places itself.
    Placed,
    /// There is one that cannot: the window goes around it.
    Around,
}

impl FullscreenWay {
    /// Finds out by what the root window says.
    pub(super) fn of(conn: &RustConnection, root: u32, atoms: &Atoms) -> Result<Self> {
        if !has_manager(conn, root)? {
            // A manager of before that convention still holds the right to redirect.
            let managed = conn.get_window_attributes(root)?.reply()?.all_event_masks
                & EventMask::SUBSTRUCTURE_REDIRECT;
            let none = managed == EventMask::NO_EVENT;
            return Ok(if none { Self::Placed } else { Self::Around });
        }
        let (name, kind) = (atoms._NET_SUPPORTED, AtomEnum::ATOM);
        let supported = values(conn, root, name, kind)?;
        let able = supported.contains(&atoms._NET_WM_STATE_FULLSCREEN);
        Ok(if able { Self::Asked } else { Self::Around })
    }
}

/// Whether a window manager of today's conventions is at work.
///
/// # Errors
/// When the display went away.
pub(crate) fn has_manager(conn: &RustConnection, root: u32) -> Result<bool> {
    let name = conn.intern_atom(false, b"_NET_SUPPORTING_WM_CHECK")?.reply()?.atom;
    // The manager's own window names itself; the root's property alone may outlive a manager.
    let check = values(conn, root, name, AtomEnum::WINDOW)?;
    let Some(window) = check.first() else {
        return Ok(false);
    };
    Ok(values(conn, *window, name, AtomEnum::WINDOW)? == check)
}

/// A property's numbers; none when the property or the window is missing.
fn values(conn: &RustConnection, window: u32, name: Atom, kind: AtomEnum) -> Result<Vec<u32>> {
    let reply = conn.get_property(false, window, name, kind, 0, MAX_SUPPORTED)?.reply();
    Ok(reply.ok().and_then(|r| Some(r.value32()?.collect())).unwrap_or_default())
}

/// Sets all properties of a window that is not shown yet.
pub(super) fn describe(
    conn: &RustConnection,
    window: u32,
    atoms: &Atoms,
    title: &str,
    fullscreen: bool,
) -> Result<()> {
    let (replace, utf8) = (PropMode::REPLACE, atoms.UTF8_STRING);
    conn.change_property8(replace, window, AtomEnum::WM_NAME, AtomEnum::STRING, title.as_bytes())?;
    conn.change_property8(replace, window, atoms._NET_WM_NAME, utf8, title.as_bytes())?;
    let class = b"farpane\0Farpane\0";
    conn.change_property8(replace, window, AtomEnum::WM_CLASS, AtomEnum::STRING, class)?;
    let close = [atoms.WM_DELETE_WINDOW];
    conn.change_property32(replace, window, atoms.WM_PROTOCOLS, AtomEnum::ATOM, &close)?;
    let pid = [std::process::id()];
    conn.change_property32(replace, window, atoms._NET_WM_PID, AtomEnum::CARDINAL, &pid)?;
    if fullscreen {
        let state = [atoms._NET_WM_STATE_FULLSCREEN];
        conn.change_property32(replace, window, atoms._NET_WM_STATE, AtomEnum::ATOM, &state)?;
        let mut hints = WmSizeHints::new();
        hints.position = Some((x11rb::properties::WmSizeHintsSpecification::UserSpecified, 0, 0));
        hints.set_normal_hints(conn, window)?;
    }
    set_bypass(conn, window, atoms, fullscreen)
}

/// Makes a window that is shown fill the display, or stop doing so.
pub(super) fn switch_fullscreen(
    conn: &RustConnection,
    (root, window): (u32, u32),
    atoms: &Atoms,
    way: FullscreenWay,
    (on, size): (bool, Size),
) -> Result<()> {
    set_bypass(conn, window, atoms, on)?;
    if way == FullscreenWay::Asked {
        let data = [u32::from(on), atoms._NET_WM_STATE_FULLSCREEN, 0, 1, 0];
        tell_manager(conn, root, window, atoms._NET_WM_STATE, data)?;
        if !on {
            // A window that began in full screen has no other size to go back to.
            let aux = ConfigureWindowAux::new().width(size.width_px).height(size.height_px);
            conn.configure_window(window, &aux)?;
        }
        return Ok(());
    }
    let place = ConfigureWindowAux::new()
        .x(0)
        .y(0)
        .width(size.width_px)
        .height(size.height_px)
        .stack_mode(StackMode::ABOVE);
    conn.configure_window(window, &place)?;
    Ok(())
}

/// Brings a window that is shown to the front and gives it the keyboard.
pub(super) fn focus(
    conn: &RustConnection,
    (root, window): (u32, u32),
    atoms: &Atoms,
    way: FullscreenWay,
) -> Result<()> {
    if way == FullscreenWay::Asked {
        return tell_manager(conn, root, window, atoms._NET_ACTIVE_WINDOW, [1, 0, 0, 0, 0]);
    }
    // Refused while the window is covered or hidden: then it has no keyboard, and no harm done.
    let _ = conn.set_input_focus(InputFocus::POINTER_ROOT, window, x11rb::CURRENT_TIME)?.check();
    Ok(())
}

/// A compositor adds a frame of delay to a window that it draws by itself.
fn set_bypass(conn: &RustConnection, window: u32, atoms: &Atoms, on: bool) -> Result<()> {
    conn.change_property32(
        PropMode::REPLACE,
        window,
        atoms._NET_WM_BYPASS_COMPOSITOR,
        AtomEnum::CARDINAL,
        &[u32::from(on)],
    )?;
    Ok(())
}

fn tell_manager(
    conn: &RustConnection,
    root: u32,
    window: u32,
    what: Atom,
    data: [u32; 5],
) -> Result<()> {
    let mask = EventMask::SUBSTRUCTURE_REDIRECT | EventMask::SUBSTRUCTURE_NOTIFY;
    conn.send_event(false, root, mask, ClientMessageEvent::new(32, window, what, data))?;
    Ok(())
}

/// What a key does in the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyAction {
    /// `q`.
    Close,
    /// Escape: out of full screen, or close.
    Leave,
    /// F11.
    ToggleFullscreen,
}

/// Which keys of the keyboard do what.
#[derive(Debug, Default)]
pub(super) struct Keys(Vec<(u8, KeyAction)>);

impl Keys {
    /// Reads the keyboard's map.
    pub(super) fn read(conn: &RustConnection) -> Result<Self> {
        const KEYSYMS: [(u32, KeyAction); 3] = [
            (0x71, KeyAction::Close),
            (0xff1b, KeyAction::Leave),
            (0xffc8, KeyAction::ToggleFullscreen),
        ];
        let setup = conn.setup();
        let (first, count) = (setup.min_keycode, setup.max_keycode - setup.min_keycode + 1);
        let map = conn
            .get_keyboard_mapping(first, count)?
            .reply()
            .context("cannot read the display's keyboard map")?;
        let columns = usize::from(map.keysyms_per_keycode).max(1);
        let codes = (first..=setup.max_keycode).zip(map.keysyms.chunks(columns));
        let keys = codes.filter_map(|(code, keysyms)| {
            let action = KEYSYMS.iter().find(|(keysym, _)| keysyms.first() == Some(keysym))?.1;
            Some((code, action))
        });
        Ok(Self(keys.collect()))
    }

    /// What the key `code` does, if anything.
    pub(super) fn action(&self, code: u8) -> Option<KeyAction> {
        self.0.iter().find(|(known, _)| *known == code).map(|(_, action)| *action)
    }
}
