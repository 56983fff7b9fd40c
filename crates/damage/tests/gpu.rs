//! The GPU finds what the processor finds, bit for bit. Runs on a software renderer where there
//! is no GPU.

mod scene;

use farpane_damage::gpu::{Gpu, GpuDiffer, GpuError, GpuFrame, GpuOptions, wgpu};
use farpane_damage::{Changes, Differ, Kernel};
use farpane_frame::{FrameBuf, Nv12, PixelFormat, Rect, Size};
use scene::{Random, blank, photo, text};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Software renderers use every core: one test at a time.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn gpu() -> Gpu {
    let gpu = Gpu::open(GpuOptions { software: true });
    let gpu = gpu.expect("a GPU or a software renderer: tools/setup test installs one");
    eprintln!("{}", gpu.name());
    gpu
}

/// Everything that both found.
fn found(changes: &Changes) -> (Vec<(u32, Rect)>, Vec<bool>) {
    let (columns, rows) = (changes.grid().columns() * 2, changes.grid().rows() * 2);
    let blocks = (0..rows).flat_map(|y| (0..columns).map(move |x| (x, y)));
    (changes.iter().collect(), blocks.map(|(x, y)| changes.block(x, y)).collect())
}

/// Edits some pixels, rectangles or everything.
fn edit(frame: &mut FrameBuf, random: &mut Random) {
    let size = frame.size();
    for _ in 0..random.below(7) {
        let (x, y) = (random.below(size.width_px), random.below(size.height_px));
        frame.span_mut(x, y, 1)[random.below(4) as usize] ^= 1 + random.below(255) as u8;
    }
    match random.below(12) {
        0 => *frame = photo(size, random.next()),
        1 => frame.data_mut().fill(random.below(256) as u8),
        2..5 => frame.fill(random.rect(size, 200), [7, 8, 9, 0]),
        _ => {}
    }
}

#[test]
fn a_gpu_finds_what_the_processor_finds() {
    let (_turn, gpu, mut random) = (turn(), gpu(), Random::new(11));
    let (mut by_gpu, mut by_cpu) = (Changes::new(), Changes::new());
    let mut cpu = Differ::new(Kernel::detect());
    let mut pairs = 0;
    for size in [(1, 1), (63, 65), (64, 64), (65, 129), (131, 200), (513, 70), (640, 480)] {
        let size = Size::new(size.0, size.1);
        let mut differ = GpuDiffer::new(&gpu, size, false).unwrap();
        let (mut canon, mut next) = (blank(size), blank(size));
        for round in 0..60 {
            edit(&mut next, &mut random);
            let hints: Vec<_> = match random.below(3) {
                0 => vec![size.rect()],
                _ => (0..random.below(6)).map(|_| random.rect(size, 300)).collect(),
            };
            let kept = gpu.texture(&next.view()).unwrap();
            let frame = match round % 2 {
                0 => GpuFrame::Pixels(next.view()),
                _ => GpuFrame::Texture(&kept),
            };
            differ.begin(frame, &hints).unwrap();
            assert_eq!(differ.begin(frame, &hints), Err(GpuError::Busy));
            if round % 3 == 0 {
                while !differ.poll(&mut by_gpu).unwrap() {
                    std::thread::yield_now();
                }
            } else {
                differ.finish(&mut by_gpu).unwrap();
            }
            cpu.update(&mut canon, &next.view(), &hints, &mut by_cpu).unwrap();
            assert_eq!(found(&by_gpu), found(&by_cpu), "{size:?}, round {round}, {hints:?}");
            pairs += 1;
        }
    }
    println!("gpu equal to the processor: {pairs} pairs");
}

#[test]
fn the_changed_tiles_come_back_and_nothing_else() {
    let (_turn, gpu) = (turn(), gpu());
    let size = Size::new(700, 500);
    let mut differ = GpuDiffer::new(&gpu, size, false).unwrap();
    let (mut changes, mut copy) = (Changes::new(), blank(size));
    let mut frame = text(size, 3);
    for round in 0..4 {
        let kept = gpu.texture(&frame.view()).unwrap();
        let before = differ.read_bytes();
        differ.begin(GpuFrame::Texture(&kept), &[size.rect()]).unwrap();
        differ.finish(&mut changes).unwrap();
        differ.read(&changes, &mut copy).unwrap();
        assert!(copy.view().same_rgb(&frame.view()), "round {round}");
        let tiles = u64::from(changes.tiles().len());
        let results = u64::from(changes.grid().tiles()) * 24;
        assert_eq!(differ.read_bytes() - before, results + tiles * 64 * 64 * 4);
        assert_eq!(tiles, [u64::from(changes.grid().tiles()), 2, 2, 2][round]);
        frame.fill(Rect::new(100 + round as u32, 50, 40, 9), [9, 9, round as u8, 0]);
    }
}

#[test]
fn changed_tiles_are_converted_as_the_processor_would() {
    let (_turn, gpu, mut random) = (turn(), gpu(), Random::new(5));
    for size in [Size::new(64, 64), Size::new(333, 131), Size::new(1, 3)] {
        let mut differ = GpuDiffer::new(&gpu, size, true).unwrap();
        let (mut changes, mut next) = (Changes::new(), photo(size, 4));
        let mut expected = Nv12::new(size).unwrap();
        for round in 0..6 {
            differ.begin(GpuFrame::Pixels(next.view()), &[size.rect()]).unwrap();
            differ.finish(&mut changes).unwrap();
            for tile in changes.tiles().iter() {
                expected.convert(&next.view(), changes.grid().rect(tile));
            }
            let (luma, chroma) = expected.planes();
            assert!(read_video(&differ) == [luma, chroma].concat(), "{size:?}, round {round}");
            edit(&mut next, &mut random);
        }
    }
}

/// The video planes, read back.
fn read_video(differ: &GpuDiffer) -> Vec<u8> {
    let (device, queue) = (differ.gpu().device(), differ.gpu().queue());
    let video = differ.video().unwrap();
    let out = device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: video.buffer.size(),
        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    let mut commands = device.create_command_encoder(&Default::default());
    commands.copy_buffer_to_buffer(video.buffer, 0, &out, 0, video.buffer.size());
    queue.submit([commands.finish()]);
    out.slice(..).map_async(wgpu::MapMode::Read, |result| result.unwrap());
    device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
    out.slice(..).get_mapped_range().unwrap().to_vec()
}

#[test]
fn a_lost_gpu_is_told_and_never_waited_for() {
    let (_turn, gpu) = (turn(), gpu());
    let size = Size::new(200, 100);
    let mut differ = GpuDiffer::new(&gpu, size, false).unwrap();
    let (mut changes, mut frame) = (Changes::new(), photo(size, 1));
    let all = [size.rect()];
    differ.begin(GpuFrame::Pixels(frame.view()), &all).unwrap();
    differ.finish(&mut changes).unwrap();
    gpu.device().destroy();
    frame.fill(size.rect(), [1, 2, 3, 0]);
    let began = differ.begin(GpuFrame::Pixels(frame.view()), &all);
    let lost = began.and_then(|()| differ.finish(&mut changes));
    assert!(matches!(lost, Err(GpuError::Lost(_))), "{lost:?}");
    assert!(matches!(gpu.check(), Err(GpuError::Lost(_))));
    assert!(matches!(GpuDiffer::new(&gpu, size, false), Err(GpuError::Lost(_))));
}

#[test]
fn frames_of_another_kind_are_refused() {
    let (_turn, gpu) = (turn(), gpu());
    let (size, other) = (Size::new(100, 100), Size::new(101, 100));
    let mut differ = GpuDiffer::new(&gpu, size, false).unwrap();
    let mut changes = Changes::new();
    let all = [size.rect()];
    let refused = |differ: &mut GpuDiffer, frame| differ.begin(frame, &all).unwrap_err();
    let (larger, rgba) = (blank(other), FrameBuf::new(size, PixelFormat::Rgba).unwrap());
    let error = refused(&mut differ, GpuFrame::Pixels(larger.view()));
    assert_eq!(error, GpuError::Size { expected: size, given: other });
    let error = refused(&mut differ, GpuFrame::Pixels(rgba.view()));
    assert_eq!(error, GpuError::Format);
    assert!(matches!(gpu.texture(&rgba.view()), Err(GpuError::Format)));
    let large = gpu.texture(&larger.view()).unwrap();
    let error = refused(&mut differ, GpuFrame::Texture(&large));
    assert_eq!(error, GpuError::Size { expected: size, given: other });
    assert_eq!(differ.finish(&mut changes), Err(GpuError::Idle));
    assert_eq!(differ.poll(&mut changes), Err(GpuError::Idle));
    let hints = vec![size.rect(); 257];
    let frame = blank(size);
    let many = differ.begin(GpuFrame::Pixels(frame.view()), &hints);
    assert!(matches!(many, Err(GpuError::Hint(_))));
    let wide = Size::new(40_000, 1);
    assert!(matches!(GpuDiffer::new(&gpu, wide, false), Err(GpuError::Unsupported(_))));
    gpu.check().unwrap();
}
