//! What went into a batch.

/// Counts of one batch by operation, and its size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchStats {
    /// Moves inside the canvas.
    pub copies: u32,
    /// Tiles put into the helper's cache.
    pub stores: u32,
    /// Areas taken from the helper's cache.
    pub cached: u32,
    /// Areas of one colour.
    pub solid: u32,
    /// Areas coded by palette.
    pub palette: u32,
    /// Areas coded by prediction.
    pub predicted: u32,
    /// Access units of video.
    pub units: u32,
    /// Areas taken from the picture of an access unit.
    pub video: u32,
    /// Pixels in solid, palette and predicted areas, as bytes of four-byte pixels.
    pub raw_bytes: u64,
    /// Length of the batch.
    pub coded_bytes: u64,
}

impl BatchStats {
    /// Adds the counts of another batch.
    pub fn add(&mut self, other: &Self) {
        self.copies += other.copies;
        self.stores += other.stores;
        self.cached += other.cached;
        self.solid += other.solid;
        self.palette += other.palette;
        self.predicted += other.predicted;
        self.units += other.units;
        self.video += other.video;
        self.raw_bytes += other.raw_bytes;
        self.coded_bytes += other.coded_bytes;
    }
}
