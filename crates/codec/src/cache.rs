//! Tiles that the sharer may ask for again: the helper's side of the cache.

use farpane_frame::{FrameRef, Rect, TILE_PX};

use crate::DecodeError;

/// Slots of the helper's tile cache. With [`SLOT_BYTES`] this makes 64 MiB: about eight screens
/// of 1920x1080.
pub const CACHE_SLOTS: u16 = 4096;

/// Memory of one slot: a whole tile of four-byte pixels.
pub const SLOT_BYTES: usize = (TILE_PX * TILE_PX * 4) as usize;

const ROW_BYTES: usize = (TILE_PX * 4) as usize;

#[derive(Debug)]
struct Slot {
    /// Rows of [`ROW_BYTES`], from the tile's top left corner.
    pixels: Box<[u8]>,
    width_px: u32,
    height_px: u32,
}

/// Stored tiles by slot. A slot takes its memory when it is first stored to.
#[derive(Debug)]
pub(crate) struct TileCache {
    slots: Vec<Option<Slot>>,
}

impl TileCache {
    pub(crate) fn new() -> Self {
        Self { slots: Vec::new() }
    }

    pub(crate) fn clear(&mut self) {
        self.slots.clear();
    }

    /// Keeps the pixels of the tile that covers `tile`.
    pub(crate) fn store(
        &mut self,
        slot: u32,
        canvas: &FrameRef<'_>,
        tile: Rect,
    ) -> Result<(), DecodeError> {
        if slot >= u32::from(CACHE_SLOTS) {
            return Err(DecodeError::Slot { slot });
        }
        let slot = slot as usize;
        if self.slots.len() <= slot {
            self.slots.resize_with(slot + 1, || None);
        }
        let entry = self.slots[slot].get_or_insert_with(|| Slot {
            pixels: vec![0; SLOT_BYTES].into_boxed_slice(),
            width_px: 0,
            height_px: 0,
        });
        (entry.width_px, entry.height_px) = (tile.width, tile.height);
        for (y, row) in (tile.y..tile.bottom()).zip(entry.pixels.chunks_exact_mut(ROW_BYTES)) {
            let from = canvas.span(tile.x, y, tile.width);
            row[..from.len()].copy_from_slice(from);
        }
        Ok(())
    }

    /// The rows of `area`, relative to the stored tile's corner.
    pub(crate) fn rows(
        &self,
        slot: u32,
        area: Rect,
    ) -> Result<impl Iterator<Item = &[u8]>, DecodeError> {
        let entry = self
            .slots
            .get(slot as usize)
            .and_then(Option::as_ref)
            .filter(|s| area.right() <= s.width_px && area.bottom() <= s.height_px)
            .ok_or(DecodeError::Slot { slot })?;
        let columns = area.x as usize * 4..area.right() as usize * 4;
        let rows = entry.pixels.chunks_exact(ROW_BYTES);
        Ok(rows
            .skip(area.y as usize)
            .take(area.height as usize)
            .map(move |row| &row[columns.clone()]))
    }
}
