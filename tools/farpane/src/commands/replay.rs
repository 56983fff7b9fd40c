//! `farpane replay`.

use crate::snapshot;
use crate::table::Table;
use anyhow::{Context, Result};
use farpane::capture::{TraceReader, TraceRecord};
use farpane::frame::{FrameBuf, PixelFormat, Size};
use serde_json::json;
use std::fs::File;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  farpane replay desk.trace                              what is in it
  farpane replay desk.trace --snapshot last.png --json
  farpane share --invite a.invite --source replay:desk.trace   play it to a helper")]
pub(crate) struct Args {
    /// A file that record-trace wrote.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Write the last picture.
    #[arg(long, value_name = "FILE.png")]
    snapshot: Option<PathBuf>,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

#[derive(Default)]
struct Contents {
    frames: u64,
    cursors: u64,
    sizes: u64,
    changed_px: u64,
    span_us: u64,
    size: Size,
}

/// Reads a whole trace.
///
/// # Errors
/// The file is missing, damaged or no trace; the snapshot cannot be written.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let path = args.file.display();
    let file = File::open(&args.file).with_context(|| format!("cannot read {path}"))?;
    let mut reader = TraceReader::new(file).with_context(|| format!("{path}"))?;
    let mut picture = FrameBuf::new(Size::new(1, 1), PixelFormat::Bgrx)?;
    let mut contents = Contents::default();
    while let Some((time_us, record)) =
        reader.read(&mut picture).with_context(|| format!("{path}"))?
    {
        contents.span_us = time_us;
        match record {
            TraceRecord::Size(size) => {
                contents.sizes += 1;
                contents.size = size;
                picture.reshape(size, PixelFormat::Bgrx)?;
                picture.clear();
            }
            TraceRecord::Frame(region) => {
                contents.frames += 1;
                contents.changed_px += region.area_px();
            }
            TraceRecord::Cursor(_) => contents.cursors += 1,
            _ => {}
        }
    }
    if let Some(path) = &args.snapshot {
        snapshot::write_png(path, &picture.view())?;
    }
    print(args, &contents);
    Ok(ExitCode::SUCCESS)
}

fn print(args: &Args, c: &Contents) {
    if args.json {
        let object = json!({
            "frames": c.frames, "cursor_updates": c.cursors, "generations": c.sizes,
            "changed_px": c.changed_px, "span_us": c.span_us,
            "width_px": c.size.width_px, "height_px": c.size.height_px,
        });
        println!("{object}");
        return;
    }
    let mut table = Table::new([args.file.display().to_string(), String::new()]);
    table
        .row(["size".to_owned(), format!("{}x{}", c.size.width_px, c.size.height_px)])
        .row(["time".to_owned(), format!("{:.2} s", c.span_us as f64 / 1e6)])
        .row(["frames".to_owned(), c.frames.to_string()])
        .row(["changed pixels".to_owned(), c.changed_px.to_string()])
        .row(["cursor updates".to_owned(), c.cursors.to_string()])
        .row(["generations".to_owned(), c.sizes.to_string()]);
    print!("{table}");
}
