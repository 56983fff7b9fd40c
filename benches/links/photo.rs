//! A photograph that appears and rests: how it looks until it is exact, with stills and without.

use crate::{link, rate};
use farpane::CodecChoice;
use farpane::lab::{Lab, LabOptions};
use farpane_benches::Claim;
use farpane_benches::quality::{part, ssimulacra2};
use farpane_benches::scene::{Random, SCREEN, photograph, text};
use farpane_frame::{FrameBuf, PixelFormat, Rect};

const LINKS: [u64; 2] = [3, 1];
const PHOTO: Rect = Rect::new(900, 300, 720, 480);
const LOOKS_MS: [u64; 8] = [250, 500, 750, 1_000, 1_500, 2_000, 3_000, 4_000];
/// Then it must look like this with stills, and so much better than without.
const JUDGED_MS: u64 = 1_000;
const GOOD: f64 = 70.0;
const BETTER: f64 = 20.0;
/// And may have delayed what is exact by this share.
const LATER: f64 = 1.15;

/// What was seen of it.
struct Outcome {
    judged: f64,
    exact_ms: u64,
}

pub(crate) fn tables() -> Vec<Claim> {
    println!("\na photograph at rest: SSIMULACRA2 of it after so many ms");
    print!("{:<24}", "");
    LOOKS_MS.iter().for_each(|ms| print!(" {ms:>6}"));
    println!("  exact after      bytes  stills");
    LINKS.iter().flat_map(|mbit_per_s| compare(*mbit_per_s)).collect()
}

fn compare(mbit_per_s: u64) -> Vec<Claim> {
    let [without, with] = [CodecChoice::H264, CodecChoice::Auto].map(|codec| {
        let stills = if codec == CodecChoice::Auto { "with stills" } else { "without" };
        print!("{:<24}", format!("{}, {stills}", rate(mbit_per_s)));
        show(LabOptions { codec, ..link(mbit_per_s) })
    });
    let claim = |what: &str| format!("photograph, {}: {what}", rate(mbit_per_s));
    let seen = format!("{:.1}, without stills {:.1}", with.judged, without.judged);
    let better = with.judged >= GOOD && with.judged - without.judged >= BETTER;
    let exact = format!("{} ms, without stills {} ms", with.exact_ms, without.exact_ms);
    let later = with.exact_ms as f64 / without.exact_ms as f64;
    vec![
        Claim::new(
            claim("SSIMULACRA2 after a second"),
            format!(">= {GOOD}, and {BETTER} more than without stills"),
            seen,
            better,
        ),
        Claim::new(
            claim("exact"),
            format!("<= {LATER} x as late as without stills"),
            exact,
            later <= LATER,
        ),
    ]
}

/// A page of text, and a photograph on it.
fn screens() -> (FrameBuf, FrameBuf) {
    let mut page = FrameBuf::new(SCREEN, PixelFormat::Bgrx).expect("a valid size");
    text(&mut page, SCREEN.rect(), [255, 255, 255], [30, 30, 30], &mut Random(3));
    let mut with = page.clone();
    photograph(&mut with, PHOTO, &mut Random(4));
    (page, with)
}

fn show(options: LabOptions) -> Outcome {
    let (page, screen) = screens();
    let mut lab = Lab::new(&page.view(), options).expect("a laboratory");
    let settled = lab.now_us() + 60_000_000;
    assert!(lab.run_until_exact(settled).expect("it runs"), "the first picture comes");
    lab.run_until(lab.now_us() + 1_000_000).expect("it runs");
    let (before, start_us) = (lab.stats(), lab.now_us());
    lab.show(&screen.view()).expect("it runs");
    let (mut judged, mut exact_us) = (f64::NEG_INFINITY, None);
    for ms in LOOKS_MS {
        let at_us = start_us + ms * 1_000;
        if exact_us.is_none() && lab.run_until_exact(at_us).expect("it runs") {
            exact_us = Some(lab.now_us());
        }
        lab.run_until(at_us).expect("it runs");
        let seen = lab.picture().expect("a picture");
        let quality = ssimulacra2(&part(&screen.view(), PHOTO), &part(&seen, PHOTO));
        print!(" {quality:>6.1}");
        if ms == JUDGED_MS {
            judged = quality;
        }
    }
    if exact_us.is_none() {
        assert!(lab.run_until_exact(start_us + 60_000_000).expect("it runs"), "it becomes exact");
    }
    let exact_ms = (exact_us.unwrap_or(lab.now_us()) - start_us) / 1_000;
    let stats = lab.stats();
    let (bytes, units) = (stats.bytes - before.bytes, stats.units - before.units);
    println!("  {exact_ms:>8} ms {bytes:>10} {units:>7}");
    Outcome { judged, exact_ms }
}
