//! What the end-to-end tests share: private displays, the program, and independent looks at both.
#![forbid(unsafe_code)]

mod app;
mod desk;
mod disk;
mod hands;
mod memory;
mod modified;
mod picture;
mod process;
mod program;
mod relay;
mod session;
mod tenant;
mod tshark;
mod turn;
mod wait;

pub use app::{HelperApp, SharerApp, load_invitation};
pub use desk::{Desk, high_display, socket_path};
pub use disk::SmallDisk;
pub use memory::count_in_memory;
pub use modified::ModifiedHelper;
pub use picture::{difference, read_png};
pub use process::{Life, Resources, cpu_time, descendants, is_running, segments_of};
pub use program::{Exit, Program};
pub use relay::Relay;
pub use session::{Share, Updates, View};
pub use tenant::{Credential, Tenant};
pub use tshark::packet_fields;
pub use turn::{alone, beside_others};
pub use wait::{holds_for, wait_for, wait_until_none};
