//! Where C finds the fields of each structure. `layout.c` asserts the same numbers in C.
#![cfg(target_pointer_width = "64")]

use farpane_capi::abi::*;
use std::fmt::Write;
use std::mem::offset_of;

macro_rules! layout {
    ($($name:ident { $($field:ident),* })*) => {{
        let mut out = String::new();
        $(
            let size = size_of::<$name>();
            writeln!(out, "SIZE({}, {size});", stringify!($name)).unwrap();
            $(
                let offset = offset_of!($name, $field);
                writeln!(out, "OFFSET({}, {}, {offset});", stringify!($name), stringify!($field))
                    .unwrap();
            )*
        )*
        out
    }};
}

#[test]
fn fields_are_where_c_finds_them() {
    let rust = layout! {
        farpane_session_config {
            struct_size, role, name, name_len, invitation, invitation_len, source, source_len,
            monitor, monitor_len, listen, listen_len, probe, probe_len, remembered, remembered_len,
            code, code_len, relays, relays_len, scopes, flags, input, input_len, membership, audit
        }
        farpane_membership_config {
            struct_size, role, tenant, tenant_len, revocations, revocations_len, credential,
            credential_len, key, key_len, person, person_len, person_key, person_key_len, settings,
            device_scopes, minimum_major, minimum_minor, minimum_patch, reserved
        }
        farpane_event {
            struct_size, kind, id, scopes, reason, lost, missed, name, key, text, path, text_len,
            verified, posture, x, y, open, file, outgoing, reserved, bytes, renewal
        }
        farpane_rect { x, y, width, height }
        farpane_picture {
            struct_size, format, width, height, pixels, pixels_len, stride, damage, damage_count
        }
        farpane_frame_info {
            struct_size, format, width, height, generation, damage_count, update, received_us,
            composed_us
        }
        farpane_plane { struct_size, reserved, pixels, pixels_len, stride }
        farpane_cursor { struct_size, visible, x, y, shape, width, height, hot_x, hot_y }
        farpane_input { struct_size, kind, x, y, code, pressed, scroll_x, scroll_y }
        farpane_stats {
            struct_size, reserved, valid, helpers, updates, update_bytes, frames, watchdog_misses,
            rtt_us, queue_delay_us, udp_sent_bytes, udp_received_bytes, watchdog_checks,
            frames_by_gpu
        }
    };
    let c = include_str!("layout.c");
    let asserted =
        c.lines().filter(|line| line.starts_with("SIZE(") || line.starts_with("OFFSET("));
    let asserted: String = asserted.map(|line| format!("{line}\n")).collect();
    assert_eq!(rust, asserted, "after a change that keeps old programs running, copy the first");
}
