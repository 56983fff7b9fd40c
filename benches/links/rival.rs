//! What ffmpeg's x264 takes of the processor for the same pictures of a screen, where it is
//! installed. It is a program beside this one, nothing is linked.

use crate::film::{PICTURES, screens};
use anyhow::{Context, ensure};
use farpane_benches::Claim;
use farpane_benches::scene::SCREEN;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

/// As a thrifty screen sharer would have it.
const X264: [&str; 8] =
    ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p"];
/// Only reads the pictures: what that takes is not x264's.
const READ: [&str; 2] = ["-c:v", "copy"];

/// Whether a sharer that took `ours` for a picture needs less.
pub(crate) fn claim(ours: Duration) -> Claim {
    let claim = "film, no limit: less CPU a picture than ffmpeg x264 ultrafast zerolatency";
    match x264() {
        Ok(theirs) => {
            let ms = |took: Duration| took.as_secs_f64() * 1e3;
            let measured = format!("{:.2} ms, x264 {:.2} ms", ms(ours), ms(theirs));
            println!("\nfilm, a picture: {measured} (ffmpeg, what reading takes subtracted)");
            Claim::new(claim, "less", measured, ours < theirs)
        }
        Err(error) => Claim::not_measured(claim, "less", format!("{error:#}")),
    }
}

/// The processor's time for one picture.
fn x264() -> anyhow::Result<Duration> {
    let both = run(&X264)?.saturating_sub(run(&READ)?);
    Ok(both / PICTURES)
}

/// The processor's time of ffmpeg with all pictures of the film.
fn run(arguments: &[&str]) -> anyhow::Result<Duration> {
    let size = format!("{}x{}", SCREEN.width_px, SCREEN.height_px);
    let input = ["-f", "rawvideo", "-pix_fmt", "bgr0", "-r", "30", "-s", &size, "-i", "-"];
    let mut ffmpeg = Command::new("ffmpeg")
        .args(["-hide_banner", "-benchmark"])
        .args(input)
        .args(arguments)
        .args(["-f", "null", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("ffmpeg cannot be run")?;
    let mut pictures = ffmpeg.stdin.take().context("it has no input")?;
    for screen in screens() {
        let view = screen.view();
        (0..SCREEN.height_px).try_for_each(|y| pictures.write_all(view.row(y)))?;
    }
    drop(pictures);
    let done = ffmpeg.wait_with_output()?;
    let said = String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success(), "ffmpeg failed: {}", said.lines().last().unwrap_or_default());
    let seconds =
        |key: &str| -> Option<f64> { said.split_once(key)?.1.split_once('s')?.0.parse().ok() };
    let total = seconds("utime=").zip(seconds("stime=")).map(|(user, system)| user + system);
    Ok(Duration::from_secs_f64(total.context("ffmpeg does not say what it took")?))
}
