//! Encoding on as many cores as pay.

use farpane_codec::{BatchEncoder, Effort, Reduction};
use farpane_damage::SHARED_FROM_PX;
use farpane_frame::{FrameRef, Rect, TileGrid};
use rayon::prelude::*;
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

/// Fewer groups than this are encoded by the caller: waking a core costs more than it saves.
const PARALLEL_GROUPS: usize = 3;
/// So many pixels are looked at on several cores, at least these parts of tiles on each.
const PARALLEL_PX: u64 = 1 << 18;
const PARALLEL_PARTS: usize = 16;
/// More threads do not help what remains sequential.
const MAX_THREADS: usize = 4;

/// How groups are encoded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner<'a> {
    /// A batch is closed before the end of its group when its differences reach so many bytes.
    pub(crate) closed_at: usize,
    /// What bytes are worth, where colours stay.
    pub(crate) effort: Effort,
    /// Which colours become which, where all would be too many.
    pub(crate) reduction: Option<&'a Reduction>,
}

/// A batch as it came from the encoder: of the first parts of a group, or of all.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) data: Vec<u8>,
    pub(crate) writes: Vec<(u32, Rect)>,
}

/// A pool of threads, and an encoder for each and one for the caller. The threads have ended when
/// it is dropped.
pub(crate) struct Encoders {
    /// Before the threads, which end when it is dropped.
    pool: rayon::ThreadPool,
    _threads: Joined,
    encoders: Vec<Mutex<BatchEncoder>>,
}

/// Threads that are waited for; rayon itself lets them go.
struct Joined(Vec<JoinHandle<()>>);

impl Drop for Joined {
    fn drop(&mut self) {
        // A panic in a thread was passed on to whoever asked for the work.
        self.0.drain(..).for_each(|thread| {
            let _ = thread.join();
        });
    }
}

impl Encoders {
    /// One thread a core, at most four.
    pub(crate) fn new() -> Result<Self, rayon::ThreadPoolBuildError> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = cores.min(MAX_THREADS);
        let mut joined = Joined(Vec::with_capacity(threads));
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .spawn_handler(|worker| {
                let name = format!("farpane-enc-{}", worker.index());
                let thread = std::thread::Builder::new().name(name).spawn(|| worker.run())?;
                joined.0.push(thread);
                Ok(())
            })
            .build()?;
        let encoders = (0..=threads).map(|_| Mutex::new(BatchEncoder::new())).collect();
        Ok(Self { pool, _threads: joined, encoders })
    }

    /// Does `work` about so many pixels: here, or, when they are many, on a thread of the pool,
    /// where it can share with the others.
    pub(crate) fn share<R: Send>(&self, pixels: u64, work: impl FnOnce() -> R + Send) -> R {
        if pixels < SHARED_FROM_PX { work() } else { self.pool.install(work) }
    }

    /// What `work` gives for each part of a tile, found on all cores when the parts are large.
    pub(crate) fn each<R: Send>(
        &self,
        parts: &[(u32, Rect)],
        work: impl Fn(&(u32, Rect)) -> R + Sync,
    ) -> Vec<R> {
        let pixels: u64 = parts.iter().map(|(_, area)| area.area_px()).sum();
        if pixels < PARALLEL_PX {
            return parts.iter().map(work).collect();
        }
        self.pool.install(|| parts.par_iter().with_min_len(PARALLEL_PARTS).map(&work).collect())
    }

    /// Encodes one batch here: whatever `fill` puts into it.
    pub(crate) fn one(&self, grid: TileGrid, fill: impl FnOnce(&mut BatchEncoder)) -> Vec<u8> {
        crate::fault::point("farpane-enc");
        let last = self.encoders.len() - 1;
        let mut encoder = self.encoders[last].lock().unwrap_or_else(PoisonError::into_inner);
        let mut data = Vec::new();
        encoder.begin(grid);
        fill(&mut encoder);
        encoder.finish(&mut data);
        data
    }

    /// Encodes the pixels of each group of tile parts as a batch, in order.
    pub(crate) fn groups(
        &self,
        grid: TileGrid,
        frame: &FrameRef<'_>,
        groups: &[&[(u32, Rect)]],
        manner: Manner<'_>,
    ) -> Vec<Encoded> {
        let encode = |group: &&[(u32, Rect)]| self.group(grid, frame, group, manner);
        if groups.len() < PARALLEL_GROUPS {
            return groups.iter().map(encode).collect();
        }
        self.pool.install(|| groups.par_iter().map(encode).collect())
    }

    fn group(
        &self,
        grid: TileGrid,
        frame: &FrameRef<'_>,
        group: &[(u32, Rect)],
        manner: Manner<'_>,
    ) -> Encoded {
        crate::fault::point("farpane-enc");
        let thread = rayon::current_thread_index().unwrap_or(self.encoders.len() - 1);
        let mut encoder = self.encoders[thread].lock().unwrap_or_else(PoisonError::into_inner);
        let mut data = Vec::new();
        encoder.begin(grid);
        encoder.set_effort(manner.effort);
        let mut writes = Vec::with_capacity(group.len());
        for part in group {
            if encoder.differences_bytes() >= manner.closed_at {
                break;
            }
            match manner.reduction {
                Some(reduction) => encoder.reduced_pixels(frame, part.1, reduction),
                None => encoder.pixels(frame, part.1),
            }
            writes.push(*part);
        }
        encoder.finish(&mut data);
        Encoded { data, writes }
    }
}
