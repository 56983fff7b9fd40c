//! Memory shared with the display.

use super::backlog::Backlog;
use anyhow::{Context, Result};
use farpane_capture::SharedMemory;
use rustix::fd::AsFd;
use rustix::net::{AddressFamily, getsockname};
use x11rb::connection::{Connection, RequestConnection};
use x11rb::errors::ReplyError;
use x11rb::protocol::shm::{self, ConnectionExt as _};
use x11rb::rust_connection::RustConnection;

/// A picture that the display draws from.
pub(super) struct DisplayMemory {
    /// The picture, in the display's layout.
    pub(super) memory: SharedMemory,
    /// The display's name of it.
    pub(super) id: shm::Seg,
    /// What the display has yet to draw.
    pub(super) backlog: Backlog,
}

impl DisplayMemory {
    /// `bytes` of memory, or `None` where it cannot be shared: a display elsewhere, an old one,
    /// one in another container, an old kernel.
    pub(super) fn share(conn: &RustConnection, bytes: usize) -> Result<Option<Self>> {
        let local = getsockname(conn.stream().as_fd())
            .is_ok_and(|address| address.address_family() == AddressFamily::UNIX);
        let extension = conn.extension_information(shm::X11_EXTENSION_NAME)?;
        if !local || extension.is_none() {
            return Ok(None);
        }
        let version = conn.shm_query_version()?.reply()?;
        if (version.major_version, version.minor_version) < (1, 2) {
            return Ok(None);
        }
        let Ok((memory, fd)) = SharedMemory::new(c"farpane-window", bytes) else {
            return Ok(None);
        };
        let id = conn.generate_id()?;
        match conn.shm_attach_fd(id, fd, true)?.check() {
            Ok(()) => Ok(Some(Self { memory, id, backlog: Backlog::new(bytes) })),
            Err(ReplyError::X11Error(_)) => Ok(None),
            Err(error) => Err(error).context("the display went away"),
        }
    }
}
