//! A comparer gives what the CPU gives, whoever compares.

mod scene;

use farpane_damage::{Changes, Comparer, Differ, Kernel, Processor};
use farpane_frame::{Rect, Size};
use scene::{Random, blank, photo};

/// Compares a desktop that changes and is captured in parts, some of it never applied; returns
/// how many frames a GPU compared.
fn follow(processor: Processor, rounds: u64) -> u64 {
    let (mut random, size) = (Random::new(3), Size::new(700, 400));
    let kernel = Kernel::detect();
    let (mut comparer, mut reference) = (Comparer::new(kernel, processor), Differ::new(kernel));
    let (mut changes, mut expected) = (Changes::new(), Changes::new());
    let (mut canon, mut next) = (blank(size), photo(size, 8));
    for round in 0..rounds {
        let hints: Vec<Rect> = match random.below(4) {
            0 => vec![size.rect()],
            count => (0..count).map(|_| random.rect(size, 400)).collect(),
        };
        comparer.compare(&canon.view(), &next.view(), &hints, &mut changes).unwrap();
        reference.compare(&canon.view(), &next.view(), &hints, &mut expected).unwrap();
        let (found, right): (Vec<_>, Vec<_>) =
            (changes.iter().collect(), expected.iter().collect());
        assert_eq!(found, right, "round {round}");
        if random.below(4) > 0 {
            comparer.apply(&mut canon, &next.view(), &changes).unwrap();
        }
        next.fill(random.rect(size, 200), [random.below(256) as u8, 1, 2, 3]);
    }
    comparer.frames_by_gpu()
}

#[test]
fn the_cpu_compares_when_it_is_asked_to() {
    assert_eq!(follow(Processor::Cpu, 20), 0);
}

#[test]
fn small_frames_never_wait_for_a_gpu() {
    assert_eq!(follow(Processor::Auto, 20), 0);
}

#[cfg(feature = "gpu")]
#[test]
fn a_gpu_compares_when_it_is_asked_to() {
    assert_eq!(follow(Processor::Gpu, 200), 200);
}

#[cfg(feature = "gpu")]
#[test]
fn a_calibration_says_how_long_either_took() {
    use farpane_damage::gpu::{Calibration, Gpu, GpuOptions};
    let gpu = Gpu::open(GpuOptions { software: true }).expect("at least a software renderer");
    let size = Size::new(1280, 720);
    let measured = Calibration::measure(&gpu, Kernel::detect(), size).unwrap();
    assert!(!measured.cpu.is_zero() && measured.gpu >= measured.gpu_call / 2, "{measured}");
    println!("{measured}: {:?}", measured.gpu_from_px());
}
