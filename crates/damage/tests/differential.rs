//! Every kernel, and a GPU if there is one, finds the same changes, bit for bit.
//!
//! `FARPANE_TEST_PAIRS` says how many pairs of frames are compared by each; 4,000 by default.

mod scene;

use farpane_damage::{Changes, Differ, Kernel, SHARED_FROM_PX};
use farpane_frame::{FrameBuf, FrameRef, PixelFormat, Rect, Size};
use scene::{Random, blank, photo, text};

const SIZES: [(u32, u32); 10] = [
    (1, 1),
    (7, 130),
    (31, 33),
    (63, 64),
    (64, 65),
    (65, 63),
    (129, 127),
    (200, 90),
    (257, 40),
    (320, 200),
];
/// Where a single pixel is changed, in both directions: around the edges of blocks and tiles.
const EDGES: [u32; 14] = [0, 1, 30, 31, 32, 33, 62, 63, 64, 65, 66, 95, 96, 127];

fn pairs() -> u32 {
    let asked = std::env::var("FARPANE_TEST_PAIRS").ok();
    asked.map_or(4_000, |pairs| pairs.parse().expect("a number of pairs"))
}

/// A kernel with its copy of the canonical frame.
struct Subject {
    kernel: Kernel,
    differ: Differ,
    canon: FrameBuf,
    compared: Changes,
    updated: Changes,
}

/// What is compared in turn, and by whom.
struct World {
    size: Size,
    subjects: Vec<Subject>,
    next: FrameBuf,
    random: Random,
    number: u32,
}

impl World {
    fn new(size: Size, seed: u64) -> Self {
        let subjects = Kernel::available().map(|kernel| Subject {
            kernel,
            differ: Differ::new(kernel),
            canon: blank(size),
            compared: Changes::new(),
            updated: Changes::new(),
        });
        let subjects = subjects.collect();
        Self { size, subjects, next: blank(size), random: Random::new(seed), number: 0 }
    }

    /// Changes the next frame; returns where it is to be looked for changes.
    fn edit(&mut self) -> Vec<Rect> {
        self.number += 1;
        let (size, random) = (self.size, &mut self.random);
        match self.number % 4 {
            0 => {
                let edge = |turn: u32| EDGES[turn as usize % EDGES.len()];
                let turn = self.number / 4;
                let (x, y) = (edge(turn), edge(turn / EDGES.len() as u32));
                let (x, y) = (x % size.width_px, y % size.height_px);
                self.next.span_mut(x, y, 1)[random.below(4) as usize] ^= 1 << random.below(8);
            }
            1 => (0..random.below(9)).for_each(|_| {
                let (x, y) = (random.below(size.width_px), random.below(size.height_px));
                self.next.span_mut(x, y, 1)[random.below(4) as usize] = random.next() as u8;
            }),
            2 => {
                let pixel = random.next().to_le_bytes();
                let area = random.rect(size, 150);
                self.next.fill(area, [pixel[0], pixel[1], pixel[2], pixel[3]]);
            }
            _ if random.below(40) == 0 => self.next = photo(size, random.next()),
            _ if random.below(40) == 0 => self.next = text(size, random.next() % 99),
            _ => {}
        }
        match random.below(3) {
            0 => vec![size.rect()],
            _ => (0..random.below(7)).map(|_| random.rect(size, 200)).collect(),
        }
    }

    /// The next frame with an odd stride at an odd address.
    fn shifted<'a>(&self, memory: &'a mut Vec<u8>) -> FrameRef<'a> {
        let (stride, offset) = (self.size.width_px as usize * 4 + 13, 3);
        memory.clear();
        memory.resize(offset + stride * self.size.height_px as usize, 0xa5);
        for y in 0..self.size.height_px {
            let row = self.next.view();
            let at = offset + stride * y as usize;
            memory[at..at + row.row(y).len()].copy_from_slice(row.row(y));
        }
        FrameRef::new(&memory[offset..], self.size, stride, PixelFormat::Bgrx).unwrap()
    }

    /// Lets every kernel compare and update, and checks all against the first, the scalar one.
    fn step(&mut self, hints: &[Rect]) {
        let mut memory = Vec::new();
        let next = self.shifted(&mut memory);
        for subject in &mut self.subjects {
            let Subject { differ, canon, compared, updated, .. } = subject;
            differ.compare(&canon.view(), &next, hints, compared).unwrap();
            differ.update(canon, &next, hints, updated).unwrap();
        }
        let (scalar, others) = self.subjects.split_first().unwrap();
        assert_eq!(scalar.kernel, Kernel::Scalar);
        assert_eq!(found(&scalar.compared), found(&scalar.updated), "{}", self.number);
        for other in others {
            let what = format!("{}, {:?}, pair {}", other.kernel.name(), self.size, self.number);
            assert_eq!(found(&other.compared), found(&scalar.compared), "{what}");
            assert_eq!(found(&other.updated), found(&scalar.compared), "{what}, fused");
            assert!(other.canon.view().same_rgb(&scalar.canon.view()), "{what}, copied");
        }
    }
}

/// Columns and rows of blocks.
type Blocks = Vec<(u32, u32)>;

/// Everything that was found: tiles with their exact extent, and blocks.
fn found(changes: &Changes) -> (Vec<(u32, Rect)>, Blocks) {
    let (columns, rows) = (changes.grid().columns() * 2, changes.grid().rows() * 2);
    let blocks = (0..rows).flat_map(|y| (0..columns).map(move |x| (x, y)));
    (changes.iter().collect(), blocks.filter(|(x, y)| changes.block(*x, *y)).collect())
}

#[test]
fn every_kernel_finds_what_the_scalar_one_finds() {
    let per_size = pairs().div_ceil(SIZES.len() as u32);
    for (seed, (width, height)) in (0..).zip(SIZES) {
        let mut world = World::new(Size::new(width, height), seed);
        for _ in 0..per_size {
            let hints = world.edit();
            world.step(&hints);
        }
    }
    let kernels: Vec<_> = Kernel::available().map(Kernel::name).collect();
    println!("{} pairs equal by {}", per_size * SIZES.len() as u32, kernels.join(", "));
}

#[cfg(feature = "gpu")]
#[test]
fn a_gpu_finds_what_the_scalar_kernel_finds() {
    use farpane_damage::gpu::{Gpu, GpuDiffer, GpuFrame, GpuOptions};
    let gpu = Gpu::open(GpuOptions { software: true });
    let gpu = gpu.expect("a GPU or a software renderer: tools/setup test installs one");
    let per_size = pairs().div_ceil(SIZES.len() as u32);
    let mut changes = Changes::new();
    for (seed, (width, height)) in (50..).zip(SIZES) {
        let mut world = World::new(Size::new(width, height), seed);
        let mut differ = GpuDiffer::new(&gpu, world.size, false).unwrap();
        for _ in 0..per_size {
            let (hints, mut memory) = (world.edit(), Vec::new());
            differ.begin(GpuFrame::Pixels(world.shifted(&mut memory)), &hints).unwrap();
            world.step(&hints);
            differ.finish(&mut changes).unwrap();
            let scalar = &world.subjects[0];
            assert_eq!(found(&changes), found(&scalar.compared), "{:?}", world.size);
        }
    }
    println!("{} pairs equal by {}", per_size * SIZES.len() as u32, gpu.name());
}

#[test]
fn a_comparison_that_threads_share_finds_the_same() {
    let size = Size::new(2_000, 2_200);
    assert!(size.area_px() >= SHARED_FROM_PX);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    let (mut random, mut differ) = (Random::new(11), Differ::new(Kernel::detect()));
    let (mut alone, mut shared) = (Changes::new(), Changes::new());
    let (canon, mut next) = (photo(size, 4), photo(size, 4));
    let mut updated = canon.clone();
    for _ in 0..20 {
        next.fill(random.rect(size, 700), [random.below(256) as u8, 7, 7, 0]);
        let all = [size.rect()];
        differ.compare(&canon.view(), &next.view(), &all, &mut alone).unwrap();
        pool.install(|| differ.compare(&canon.view(), &next.view(), &all, &mut shared)).unwrap();
        assert!(alone.iter().eq(shared.iter()));
        pool.install(|| differ.update(&mut updated, &next.view(), &all, &mut shared)).unwrap();
        assert!(updated.view().same_rgb(&next.view()));
    }
}
