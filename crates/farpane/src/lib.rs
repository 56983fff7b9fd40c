//! Sharer and Helper: the pipelines that put a screen in front of a helper.
#![forbid(unsafe_code)]

pub mod audit;
mod channel;
mod error;
#[doc(hidden)]
pub mod fault;
mod hardware;
mod helper;
#[cfg(any(test, feature = "lab"))]
#[doc(hidden)]
pub mod lab;
mod membership;
mod records;
mod sharer;
#[cfg(feature = "gpu")]
mod texture;
mod video_choice;

pub use channel::{
    ArrivingFile, FileEvent, FileId, FileProblem, MAX_FILES, MAX_SECRET_BYTES, Secret, SecretError,
    open_file,
};
pub use error::Error;
pub use hardware::{HardwareOptions, probe_encoder};
pub use helper::{Helper, HelperEvent, HelperOptions, HelperStats, Picture, RemoteCursor, Unsent};
pub use membership::{Documents, Membership, NotAdmitted, NotMember, software_version};
pub use records::{ShareRecord, ViewRecord};
pub use sharer::{InputTarget, NotReady, Sharer, SharerEvent, SharerOptions, SharerStats};
#[cfg(feature = "gpu")]
pub use texture::TextureScreen;
pub use video_choice::{CodecChoice, UnknownCodec};

pub use farpane_codec::video::hardware::{Backend as HardwareBackend, UnknownBackend};
pub use farpane_proto::control::{CursorShape, MAX_CHAT_BYTES, MAX_CLIPBOARD_BYTES, is_file_name};
pub use {
    farpane_capture as capture, farpane_damage as damage, farpane_frame as frame,
    farpane_input as input, farpane_net as net, farpane_policy as policy,
};

#[cfg(test)]
mod convergence;
