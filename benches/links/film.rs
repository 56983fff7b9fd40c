//! A film in a window, beside text, while a square elsewhere changes its colour now and then.

use crate::{PLAYS, link, quickest, rate, rival};
use farpane::lab::Lab;
use farpane_benches::quality::{part, psnr_rgb, ssimulacra2};
use farpane_benches::scene::{Film, SCREEN, desktop};
use farpane_benches::{Claim, percentile};
use farpane_frame::{FrameBuf, FrameRef, Rect, Size};
use std::time::Duration;

pub(crate) const FILM: Rect = Rect::new(200, 120, 1280, 720);
const SQUARE: Rect = Rect::new(1840, 1000, 64, 64);
pub(crate) const PICTURES: u32 = 240;
pub(crate) const PICTURE_US: u64 = 33_333;
/// The square changes with every so many pictures.
const SQUARE_EVERY: u32 = 7;
/// From this picture on the film has become video, and counts; every so many are compared.
const SETTLED: u32 = 90;
const COMPARED_EVERY: u32 = 20;
/// How finely the helper's side is watched.
const WATCH_US: u64 = 1_000;
/// Pictures back that the helper may see.
const BEHIND: usize = 6;

/// What a link made of it.
struct Outcome {
    mbit_per_s: u64,
    square: Vec<Duration>,
    missed: usize,
    quality: Vec<f64>,
    exact_around: bool,
    exact_after: Option<Duration>,
    bits_per_s: f64,
    units: u64,
    sharer_ms: f64,
    helper_ms: f64,
}

pub(crate) fn tables() -> Vec<Claim> {
    println!(
        "\n720p30 film in a window, the quickest of {PLAYS} plays\n\
         {:<11} {:>7} {:>7} {:>7} {:>9} {:>9} {:>9} {:>8} {:>8}",
        "link", "p50 ms", "p95 ms", "missed", "SSIM2", "Mbit/s", "exact ms", "sharer", "helper"
    );
    let outcomes =
        [0, 50, 10, 3, 1].map(|rate| quickest(|| play(rate), |o| percentile(&o.square, 50)));
    let mut claims: Vec<_> = outcomes.iter().flat_map(claims).collect();
    claims.push(rival::claim(Duration::from_secs_f64(outcomes[0].sharer_ms / 1e3)));
    claims
}

/// The screen with each picture of the film, and the square in its colours.
pub(crate) fn screens() -> impl Iterator<Item = FrameBuf> {
    let (mut screen, mut film) = (desktop(), Film::new(Size::new(FILM.width, FILM.height)));
    (0..PICTURES).map(move |step| {
        film.draw(step, &mut screen, (FILM.x, FILM.y));
        if has_new_square(step) {
            let colour = step as u8 | 1;
            screen.fill(SQUARE, [colour, 255 - colour, 90, 0]);
        }
        screen.clone()
    })
}

fn has_new_square(step: u32) -> bool {
    step % SQUARE_EVERY == 3
}

fn claims(o: &Outcome) -> Vec<Claim> {
    let [p50, p95] = [50, 95].map(|p| percentile(&o.square, p).as_secs_f64() * 1e3);
    let mut sorted = o.quality.clone();
    sorted.sort_by(f64::total_cmp);
    let quality = sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NEG_INFINITY);
    let exact_ms = o.exact_after.map(|after| after.as_secs_f64() * 1e3);
    println!(
        "{:<11} {p50:>7.1} {p95:>7.1} {:>7} {quality:>9.1} {:>9.2} {:>9.0} {:>8.2} {:>8.2}",
        rate(o.mbit_per_s),
        o.missed,
        o.bits_per_s / 1e6,
        exact_ms.unwrap_or(f64::INFINITY),
        o.sharer_ms,
        o.helper_ms
    );
    let claim = |what: &str| format!("film, {}: {what}", rate(o.mbit_per_s));
    let mut claims = vec![
        Claim::new(claim("square seen, median"), "<= 20 ms", format!("{p50:.1} ms"), p50 <= 20.0),
        Claim::new(claim("square's colours missed"), "0", o.missed.to_string(), o.missed == 0),
        Claim::new(
            claim("all around it exact while it plays"),
            "yes",
            if o.exact_around { "yes" } else { "no" },
            o.exact_around,
        ),
        Claim::new(claim("goes as video"), "> 100 units", o.units.to_string(), o.units > 100),
    ];
    if o.mbit_per_s == 0 || o.mbit_per_s >= 10 {
        let measured = format!("{quality:.1}, median of {}", sorted.len());
        claims.push(Claim::new(claim("SSIMULACRA2"), ">= 60", measured, quality >= 60.0));
        let measured = exact_ms.map_or("never".to_owned(), |ms| format!("{ms:.0} ms"));
        let in_time = exact_ms.is_some_and(|ms| ms <= 1_000.0);
        claims.push(Claim::new(claim("exact after its end"), "<= 1000 ms", measured, in_time));
    }
    claims
}

fn play(mbit_per_s: u64) -> Outcome {
    let mut lab = Lab::new(&desktop().view(), link(mbit_per_s)).expect("a laboratory");
    let settled = lab.now_us() + 60_000_000;
    assert!(lab.run_until_exact(settled).expect("it runs"), "the first picture comes");
    let (start_us, before) = (lab.now_us(), lab.stats());
    let mut watch = Watch::default();
    let mut outcome = Outcome {
        mbit_per_s,
        square: Vec::new(),
        missed: 0,
        quality: Vec::new(),
        exact_around: true,
        exact_after: None,
        bits_per_s: 0.0,
        units: 0,
        sharer_ms: 0.0,
        helper_ms: 0.0,
    };
    let mut newest: Vec<FrameBuf> = Vec::new();
    for (step, screen) in (0..).zip(screens()) {
        if has_new_square(step) {
            watch.begin(lab.now_us(), &mut outcome);
        }
        lab.show(&screen.view()).expect("it runs");
        newest.insert(0, screen.clone());
        newest.truncate(BEHIND);
        let until = start_us + u64::from(step + 1) * PICTURE_US;
        while lab.now_us() < until {
            lab.run_until((lab.now_us() + WATCH_US).min(until)).expect("it runs");
            watch.look(&lab, &screen, &mut outcome);
        }
        if step >= SETTLED && step % COMPARED_EVERY == 0 {
            let seen = lab.picture().expect("a picture");
            outcome.quality.push(nearest(&seen, &newest));
            outcome.exact_around &= around_is_exact(&seen, &screen.view());
        }
    }
    let after = lab.stats();
    let ended_us = lab.now_us();
    let exact = lab.run_until_exact(ended_us + 60_000_000).expect("it runs");
    outcome.exact_after = exact.then(|| Duration::from_micros(lab.now_us() - ended_us));
    outcome.bits_per_s = (after.bytes - before.bytes) as f64 * 8e6 / (ended_us - start_us) as f64;
    outcome.units = after.units;
    let per_picture = |took: Duration| took.as_secs_f64() * 1e3 / f64::from(PICTURES);
    outcome.sharer_ms = per_picture(after.sharer - before.sharer);
    outcome.helper_ms = per_picture(after.helper - before.helper);
    outcome
}

/// When the square's newest colour was drawn, until the helper sees it.
#[derive(Default)]
struct Watch {
    since_us: Option<u64>,
}

impl Watch {
    fn begin(&mut self, now_us: u64, outcome: &mut Outcome) {
        outcome.missed += usize::from(self.since_us.replace(now_us).is_some());
    }

    fn look(&mut self, lab: &Lab, screen: &FrameBuf, outcome: &mut Outcome) {
        let (Some(since_us), Some(seen)) = (self.since_us, lab.picture()) else { return };
        if part(&seen, SQUARE).same_rgb(&part(&screen.view(), SQUARE)) {
            outcome.square.push(Duration::from_micros(lab.now_us() - since_us));
            self.since_us = None;
        }
    }
}

/// SSIMULACRA2 of the film as it is seen, against the picture of it that is nearest.
fn nearest(seen: &FrameRef<'_>, pictures: &[FrameBuf]) -> f64 {
    let seen = part(seen, FILM);
    let near = |picture: &&FrameBuf| psnr_rgb(&part(&picture.view(), FILM), &seen);
    let best = pictures.iter().max_by(|a, b| near(a).total_cmp(&near(b))).expect("some");
    ssimulacra2(&part(&best.view(), FILM), &seen)
}

/// Whether all but the film and the square, which has its own figures, is as it should be.
fn around_is_exact(seen: &FrameRef<'_>, screen: &FrameRef<'_>) -> bool {
    let outside = SCREEN.rect().subtract(FILM).into_iter().flat_map(|r| r.subtract(SQUARE));
    let parts = outside.filter(|rect| !rect.is_empty());
    parts.into_iter().all(|rect| part(seen, rect).same_rgb(&part(screen, rect)))
}
