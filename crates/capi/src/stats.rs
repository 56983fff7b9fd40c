//! Statistics.

use crate::abi::*;
use crate::boundary::{Outcome, on_session};
use crate::memory::{self, Sized32};
use crate::session::Role;
use farpane::{Helper, Sharer};

// SAFETY: `repr(C)`, begins with its size, only integers.
unsafe impl Sized32 for farpane_stats {
    const FIRST_BYTES: usize = size_of::<farpane_stats>();
}

/// Stores what the session has counted.
///
/// Any thread, does not block. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_STATE before the session is
/// connected, FARPANE_ERR_ARGUMENT.
///
/// # Safety
/// `stats` is NULL or writable for its struct_size.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn farpane_stats_get(
    session: *mut farpane_session,
    stats: *mut farpane_stats,
) -> farpane_result {
    on_session(session, |session| {
        // SAFETY: the caller's promise.
        unsafe { memory::check_out(stats)? };
        let value = match &session.role {
            Role::Sharer(role) => role.with(of_sharer)?,
            Role::Helper(role) => role.with(of_helper)?,
        };
        // SAFETY: as above.
        unsafe { memory::write(stats, &value)? };
        Ok(FARPANE_OK)
    })
}

/// The bits of the figures with these numbers.
fn valid(figures: &[u32]) -> u64 {
    figures.iter().fold(0, |bits, figure| bits | 1 << figure)
}

fn of_sharer(sharer: &Sharer) -> Outcome<farpane_stats> {
    let counted = sharer.stats();
    Ok(farpane_stats {
        valid: valid(&[0, 1, 2, 3, 4, 5, 6, 9, 10]),
        helpers: counted.helpers,
        updates: counted.updates,
        update_bytes: counted.bytes,
        frames: counted.frames,
        watchdog_misses: counted.watchdog_misses,
        rtt_us: counted.rtt_us,
        queue_delay_us: counted.queue_delay_us,
        watchdog_checks: counted.watchdog_checks,
        frames_by_gpu: counted.frames_by_gpu,
        ..farpane_stats::default()
    })
}

fn of_helper(helper: &Helper) -> Outcome<farpane_stats> {
    let counted = helper.stats();
    Ok(farpane_stats {
        valid: valid(&[1, 3, 5, 7, 8]),
        updates: counted.update,
        frames: counted.pictures,
        rtt_us: counted.link.connection.rtt_us,
        udp_sent_bytes: counted.link.connection.udp_sent_bytes,
        udp_received_bytes: counted.link.connection.udp_received_bytes,
        ..farpane_stats::default()
    })
}
