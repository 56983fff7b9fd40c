//! Once frames stop growing, comparing on a GPU allocates nothing of its own. What wgpu and the
//! driver allocate for each submission is theirs; it is counted and printed.

mod scene;

use farpane_damage::Changes;
use farpane_damage::gpu::{Gpu, GpuDiffer, GpuFrame, GpuOptions};
use farpane_frame::{Rect, Size};
use scene::photo;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};
use std::ffi::c_void;

/// Callers that are remembered of an allocation.
const DEPTH: usize = 40;

thread_local! {
    static ARMED: Cell<bool> = const { Cell::new(false) };
    static CALLERS: RefCell<Vec<[*mut c_void; DEPTH]>> = const { RefCell::new(Vec::new()) };
}

/// Remembers who allocates in this thread while it is armed.
struct Witness;

impl Witness {
    fn note() {
        if !ARMED.replace(false) {
            return;
        }
        let (mut callers, mut depth) = ([std::ptr::null_mut(); DEPTH], 0);
        // SAFETY: it shares nothing with other threads: only this test resolves, and later.
        unsafe {
            backtrace::trace_unsynchronized(|frame| {
                callers[depth] = frame.ip();
                depth += 1;
                depth < DEPTH
            });
        }
        CALLERS.with_borrow_mut(|all| all.push(callers));
        ARMED.set(true);
    }
}

// SAFETY: every call is passed on to the system allocator unchanged.
unsafe impl GlobalAlloc for Witness {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::note();
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Witness = Witness;

/// The names of the functions that were running, innermost first.
fn names(callers: &[*mut c_void]) -> Vec<String> {
    let mut names = Vec::new();
    for caller in callers.iter().filter(|caller| !caller.is_null()) {
        backtrace::resolve(*caller, |symbol| names.extend(symbol.name().map(|n| n.to_string())));
    }
    names
}

/// Whether the innermost function that is of wgpu or of ours is ours.
fn is_ours(names: &[String]) -> bool {
    let known = names.iter().find_map(|name| {
        let name = name.trim_start_matches(['<', '&']);
        let theirs = ["wgpu", "naga", "ash::", "gpu_", "parking_lot"];
        if theirs.iter().any(|krate| name.starts_with(krate)) {
            return Some(false);
        }
        name.starts_with("farpane_damage::").then_some(true)
    });
    known.unwrap_or(true)
}

#[test]
fn the_gpu_path_allocates_nothing_of_its_own() {
    let gpu = Gpu::open(GpuOptions { software: true });
    let gpu = gpu.expect("a GPU or a software renderer: tools/setup test installs one");
    let size = Size::new(640, 400);
    let mut differ = GpuDiffer::new(&gpu, size, true).unwrap();
    let (frames, mut changes) = ([photo(size, 1), photo(size, 2)], Changes::new());
    let hints = [Rect::new(3, 5, 500, 300), size.rect()];
    let mut copy = frames[0].clone();
    let mut round = |number: usize| {
        differ.begin(GpuFrame::Pixels(frames[number % 2].view()), &hints).unwrap();
        differ.finish(&mut changes).unwrap();
        differ.read(&changes, &mut copy).unwrap();
    };
    (0..4).for_each(&mut round);
    ARMED.set(true);
    (4..8).for_each(&mut round);
    ARMED.set(false);
    let all: Vec<_> = CALLERS.take().iter().map(|callers| names(callers)).collect();
    assert!(!all.is_empty(), "the witness sees allocations: wgpu makes some");
    let ours: Vec<_> = all.iter().filter(|names| is_ours(names)).collect();
    println!(
        "allocations a frame: {} ours, {} of wgpu",
        ours.len() / 4,
        (all.len() - ours.len()) / 4
    );
    assert!(ours.is_empty(), "{} of {}, as by {:#?}", ours.len(), all.len(), ours[0]);
}
