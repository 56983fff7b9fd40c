//! Whether a display has a window manager.

use crate::window::has_manager;
use anyhow::{Context, Result, bail, ensure};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::time::{Duration, Instant};
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    ChangeWindowAttributesAux, ConnectionExt as _, CreateWindowAux, EventMask, WindowClass,
};
use x11rb::rust_connection::RustConnection;

/// How long a window manager may take to start.
const START_WAIT: Duration = Duration::from_secs(20);

/// After so long a window manager that shows nothing is asked again.
const ASK_AGAIN: Duration = Duration::from_millis(50);

/// Opens `display`; gives the connection and its root window.
pub(super) fn connect(display: &str) -> Result<(RustConnection, u32)> {
    let (conn, screen) = RustConnection::connect(Some(display))
        .with_context(|| format!("cannot open the display {display}"))?;
    let root = conn.setup().roots[screen].root;
    Ok((conn, root))
}

/// Whether a window manager is at work on `display`.
pub(super) fn is_managed(display: &str) -> Result<bool> {
    let (conn, root) = connect(display)?;
    has_manager(&conn, root)
}

/// Waits until a window manager is at work on `display`.
pub(super) fn wait_until_managed(display: &str) -> Result<()> {
    let (conn, root) = connect(display)?;
    let watch = ChangeWindowAttributesAux::new()
        .event_mask(EventMask::PROPERTY_CHANGE | EventMask::SUBSTRUCTURE_NOTIFY);
    conn.change_window_attributes(root, &watch)?.check()?;
    let deadline = Instant::now() + START_WAIT;
    while !has_manager(&conn, root)? {
        await_event(&conn, deadline)?;
        ensure!(Instant::now() < deadline, "no window manager came within {START_WAIT:?}");
    }
    // It says so before it has read its theme, and openbox forgets what it is asked until then.
    // Once it shows a window it is ready.
    let probe = conn.generate_id()?;
    let mut frame = probe;
    let aux = CreateWindowAux::new().event_mask(EventMask::STRUCTURE_NOTIFY);
    let class = WindowClass::INPUT_OUTPUT;
    conn.create_window(0, probe, root, 0, 0, 1, 1, 0, class, x11rb::COPY_FROM_PARENT, &aux)?;
    while Instant::now() < deadline {
        // Once it is destroyed this is refused, which is an event like others.
        conn.map_window(probe)?;
        conn.flush()?;
        let again = Instant::now() + ASK_AGAIN;
        while let Some(event) = await_event(&conn, again)? {
            match event {
                Event::ReparentNotify(e) if e.window == probe => frame = e.parent,
                Event::MapNotify(e) if e.window == probe => {
                    conn.destroy_window(probe)?;
                    conn.flush()?;
                }
                // With its frame the last trace of it is gone.
                Event::DestroyNotify(e) if e.window == frame => return Ok(()),
                _ => {}
            }
        }
    }
    bail!("the window manager was not ready within {START_WAIT:?}")
}

/// The next event, or `None` when there is none until the deadline.
fn await_event(conn: &RustConnection, deadline: Instant) -> Result<Option<Event>> {
    loop {
        let event = conn.poll_for_event()?;
        let left = deadline.saturating_duration_since(Instant::now());
        if event.is_some() || left.is_zero() {
            return Ok(event);
        }
        let left = Timespec::try_from(left).context("too long a wait")?;
        match poll(&mut [PollFd::new(conn.stream(), PollFlags::IN)], Some(&left)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error).context("cannot wait for the window manager"),
        }
    }
}
