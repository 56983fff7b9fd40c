//! Pictures and pointers.

/// A rectangle in pixels from the top left corner.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct farpane_rect {
    /// Column of the left edge.
    pub x: u32,
    /// Row of the upper edge.
    pub y: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// A picture that the app captured. Begin with FARPANE_PICTURE_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct farpane_picture {
    /// sizeof(farpane_picture).
    pub struct_size: u32,
    /// FARPANE_FORMAT_*.
    pub format: u32,
    /// Columns, 1 to 16384.
    pub width: u32,
    /// Rows, 1 to 16384.
    pub height: u32,
    /// The first pixel. Read during the call only.
    pub pixels: *const u8,
    /// Bytes that may be read there: at least stride * (height - 1) + 4 * width.
    pub pixels_len: usize,
    /// Bytes from one row to the next, at least 4 * width.
    pub stride: usize,
    /// Where it differs from the picture pushed before; NULL for everywhere. Rectangles may
    /// overlap, and are cut at the edges.
    pub damage: *const farpane_rect,
    /// Rectangles there, at most 4096. With damage NULL it is 0.
    pub damage_count: usize,
}

/// What is known of a received frame. Begin with FARPANE_FRAME_INFO_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct farpane_frame_info {
    /// sizeof(farpane_frame_info).
    pub struct_size: u32,
    /// FARPANE_FORMAT_BGRX.
    pub format: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Counts up when the sharer's screen became another one, as when its size changed.
    pub generation: u32,
    /// Rectangles that farpane_frame_get_damage would store.
    pub damage_count: u32,
    /// The newest update in it.
    pub update: u64,
    /// When its newest datagram arrived, in microseconds of CLOCK_MONOTONIC.
    pub received_us: u64,
    /// When it was composed, same clock.
    pub composed_us: u64,
}

/// A frame's pixels. Begin with FARPANE_PLANE_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct farpane_plane {
    /// sizeof(farpane_plane).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// The first pixel. Never written again while the frame is alive.
    pub pixels: *const u8,
    /// Bytes from there on.
    pub pixels_len: usize,
    /// Bytes from one row to the next.
    pub stride: usize,
}

/// A pointer. Begin with FARPANE_CURSOR_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct farpane_cursor {
    /// sizeof(farpane_cursor).
    pub struct_size: u32,
    /// 1 when it is to be drawn.
    pub visible: u32,
    /// Column of its hot spot on the screen; may be outside.
    pub x: i32,
    /// Row of its hot spot on the screen; may be outside.
    pub y: i32,
    /// Names its shape: equal numbers are equal shapes. 0 for no shape.
    pub shape: u64,
    /// Columns of the shape, at most 256; 0 when there is none.
    pub width: u32,
    /// Rows of the shape, at most 256.
    pub height: u32,
    /// Column of the hot spot in the shape.
    pub hot_x: u32,
    /// Row of the hot spot in the shape.
    pub hot_y: u32,
}
