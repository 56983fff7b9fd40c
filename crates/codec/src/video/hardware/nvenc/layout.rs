//! The structures of NVENC, version 12.1, as far as they are used: sizes, and the offsets of
//! fields in bytes.
//!
//! From `nvEncodeAPI.h` of NVIDIA's Video Codec SDK 12.1 (MIT), with a C compiler's `sizeof` and
//! `offsetof` for 64-bit Linux. Drivers from 530 on have this version; newer ones keep it.

use std::ffi::c_void;
use std::ops::{Deref, DerefMut};
use std::ptr;

/// `NVENCAPI_VERSION`: the major version, and the minor one above it.
pub(super) const API_VERSION: u32 = 12 | 1 << 24;
/// The version as `NvEncodeAPIGetMaxSupportedVersion` writes it.
pub(super) const API_VERSION_SHORT: u32 = 12 << 4 | 1;

/// `NVENCAPI_STRUCT_VERSION`
const fn version(number: u32) -> u32 {
    API_VERSION | number << 16 | 7 << 28
}

/// A version with the bit that the larger structures have.
const fn large(number: u32) -> u32 {
    version(number) | 1 << 31
}

/// The bytes of a structure. 64-bit aligned, as all of them are.
#[repr(C, align(8))]
#[derive(Clone)]
pub(super) struct Record<const BYTES: usize>([u8; BYTES]);

impl<const BYTES: usize> Record<BYTES> {
    pub(super) fn put(&mut self, at: usize, value: u32) {
        self.0[at..at + 4].copy_from_slice(&value.to_ne_bytes());
    }

    pub(super) fn get(&self, at: usize) -> u32 {
        u32::from_ne_bytes([self.0[at], self.0[at + 1], self.0[at + 2], self.0[at + 3]])
    }

    pub(super) fn put_long(&mut self, at: usize, value: u64) {
        self.0[at..at + 8].copy_from_slice(&value.to_ne_bytes());
    }

    pub(super) fn put_pointer(&mut self, at: usize, value: *mut c_void) {
        self.put_long(at, value.expose_provenance() as u64);
    }

    pub(super) fn pointer(&self, at: usize) -> *mut c_void {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.0[at..at + 8]);
        ptr::with_exposed_provenance_mut(usize::from_ne_bytes(bytes))
    }

    pub(super) fn put_guid(&mut self, at: usize, guid: Guid) {
        self.put(at, guid.0);
        self.0[at + 4..at + 6].copy_from_slice(&guid.1.to_ne_bytes());
        self.0[at + 6..at + 8].copy_from_slice(&guid.2.to_ne_bytes());
        self.0[at + 8..at + 16].copy_from_slice(&guid.3);
    }

    /// Puts another structure into this one.
    pub(super) fn put_record<const INNER: usize>(&mut self, at: usize, inner: &Record<INNER>) {
        self.0[at..at + INNER].copy_from_slice(&inner.0);
    }

    /// Takes another structure out of this one.
    pub(super) fn record<const INNER: usize>(&self, at: usize) -> Record<INNER> {
        let mut inner = Record([0; INNER]);
        inner.0.copy_from_slice(&self.0[at..at + INNER]);
        inner
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut c_void {
        self.0.as_mut_ptr().cast()
    }
}

/// `GUID`
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Guid(pub(super) u32, pub(super) u16, pub(super) u16, pub(super) [u8; 8]);

/// `NV_ENC_CODEC_H264_GUID`
pub(super) const H264: Guid =
    Guid(0x6bc8_2762, 0x4e63, 0x4ca4, [0xaa, 0x85, 0x1e, 0x50, 0xf3, 0x21, 0xf6, 0xbf]);
/// `NV_ENC_H264_PROFILE_HIGH_GUID`
pub(super) const HIGH_PROFILE: Guid =
    Guid(0xe7cb_c309, 0x4f7a, 0x4b89, [0xaf, 0x2a, 0xd5, 0x37, 0xc9, 0x2b, 0xe3, 0x10]);
/// `NV_ENC_PRESET_P4_GUID`: the middle of seven between speed and quality.
pub(super) const PRESET: Guid =
    Guid(0x90a7_b826, 0xdf06, 0x4862, [0xb9, 0xd2, 0xcd, 0x6d, 0x73, 0xa0, 0x86, 0x81]);

/// `NV_ENC_TUNING_INFO_ULTRA_LOW_LATENCY`
pub(super) const LOW_LATENCY: u32 = 3;
/// `NV_ENC_PARAMS_RC_CBR`
pub(super) const CONSTANT_RATE: u32 = 2;
/// `NV_ENC_BUFFER_FORMAT_NV12`
pub(super) const NV12: u32 = 1;
/// `NV_ENC_PIC_STRUCT_FRAME`
pub(super) const WHOLE_FRAME: u32 = 1;
/// `NV_ENC_PIC_TYPE_IDR`
pub(super) const IDR: u32 = 3;
/// `NV_ENC_PIC_FLAG_FORCEIDR | NV_ENC_PIC_FLAG_OUTPUT_SPSPPS`
pub(super) const KEYFRAME: u32 = 2 | 4;
/// `NV_ENC_DEVICE_TYPE_CUDA`
pub(super) const CUDA: u32 = 1;
/// `NVENC_INFINITE_GOPLENGTH`
pub(super) const INFINITE: u32 = u32::MAX;

/// `NV_ENC_CAPS_WIDTH_MAX`, `_HEIGHT_MAX`, `_WIDTH_MIN`, `_HEIGHT_MIN`
pub(super) const LARGEST_AND_SMALLEST: [u32; 4] = [16, 17, 45, 46];
/// `NV_ENC_CAPS_SUPPORT_DYN_BITRATE_CHANGE`
pub(super) const CHANGES_RATE: u32 = 20;

/// A structure: its size, its version, and its fields.
macro_rules! record {
    (
        $(#[$doc:meta])*
        $name:ident, $bytes:expr, $version:expr, { $($field:ident = $at:expr),* }
    ) => {
        $(#[$doc])*
        #[repr(transparent)]
        #[derive(Clone)]
        pub(super) struct $name(pub(super) Record<$bytes>);

        impl $name {
            $(pub(super) const $field: usize = $at;)*

            /// Zero, but for its version.
            pub(super) fn new() -> Self {
                let mut record = Record([0; $bytes]);
                record.put(0, $version);
                Self(record)
            }
        }

        impl Deref for $name {
            type Target = Record<$bytes>;

            fn deref(&self) -> &Record<$bytes> {
                &self.0
            }
        }

        impl DerefMut for $name {
            fn deref_mut(&mut self) -> &mut Record<$bytes> {
                &mut self.0
            }
        }
    };
}

record! {
    /// `NV_ENC_OPEN_ENCODE_SESSION_EX_PARAMS`
    Open, 1552, version(1), { DEVICE_TYPE = 4, DEVICE = 8, API = 24 }
}
record! {
    /// `NV_ENC_CAPS_PARAM`
    Caps, 256, version(1), { QUERY = 4 }
}
record! {
    /// `NV_ENC_PRESET_CONFIG`
    Preset, 5128, large(4), { CONFIG = 8 }
}
record! {
    /// `NV_ENC_CONFIG` with its `rcParams`, `encodeCodecConfig.h264Config` and the VUI in it.
    Config, 3584, large(8), {
        PROFILE = 4, GOP = 20, INTERVAL_P = 24,
        RATE_CONTROL = 44, AVERAGE_RATE = 60, LARGEST_RATE = 64, BUFFER = 68, BUFFER_FILLED = 72,
        RATE_BITS = 76,
        H264_BITS = 168, IDR_PERIOD = 176, REFERENCES = 228,
        SIGNAL_TYPE = 248, VIDEO_FORMAT = 252, FULL_RANGE = 256, COLOUR_DESCRIPTION = 260,
        PRIMARIES = 264, TRANSFER = 268, MATRIX = 272, RESTRICTION = 288, CHROMA_FORMAT = 360
    }
}
record! {
    /// `NV_ENC_INITIALIZE_PARAMS`
    Initialize, 1808, large(6), {
        CODEC = 4, PRESET = 20, WIDTH = 36, HEIGHT = 40, ASPECT_WIDTH = 44, ASPECT_HEIGHT = 48,
        RATE_NUMERATOR = 52, RATE_DENOMINATOR = 56, DECIDES_TYPES = 64, CONFIG = 88,
        LARGEST_WIDTH = 96, LARGEST_HEIGHT = 100, TUNING = 136
    }
}
record! {
    /// `NV_ENC_RECONFIGURE_PARAMS`
    Reconfigure, 1824, large(1), { INITIALIZE = 8 }
}
record! {
    /// `NV_ENC_CREATE_INPUT_BUFFER`
    CreateInput, 776, version(1), { WIDTH = 4, HEIGHT = 8, FORMAT = 16, BUFFER = 24 }
}
record! {
    /// `NV_ENC_CREATE_BITSTREAM_BUFFER`
    CreateOutput, 776, version(1), { BUFFER = 16 }
}
record! {
    /// `NV_ENC_LOCK_INPUT_BUFFER`
    LockInput, 1544, version(1), { BUFFER = 8, DATA = 16, PITCH = 24 }
}
record! {
    /// `NV_ENC_PIC_PARAMS`
    Picture, 3360, large(6), {
        WIDTH = 4, HEIGHT = 8, PITCH = 12, FLAGS = 16, INDEX = 20, TIME = 24, INPUT = 40,
        OUTPUT = 48, FORMAT = 64, STRUCTURE = 68
    }
}
record! {
    /// `NV_ENC_LOCK_BITSTREAM`
    LockOutput, 1552, large(1), { OUTPUT = 8, BYTES = 36, DATA = 56, TYPE = 64 }
}
record! {
    /// `NV_ENCODE_API_FUNCTION_LIST`
    Functions, 2552, version(2), {
        CODEC_COUNT = 16, CODECS = 40, CAPS = 64, INITIALIZE = 96, CREATE_INPUT = 104,
        DESTROY_INPUT = 112, CREATE_OUTPUT = 120, DESTROY_OUTPUT = 128, ENCODE = 136,
        LOCK_OUTPUT = 144, UNLOCK_OUTPUT = 152, LOCK_INPUT = 160, UNLOCK_INPUT = 168,
        DESTROY = 224, OPEN = 240, RECONFIGURE = 264, PRESET = 320
    }
}
