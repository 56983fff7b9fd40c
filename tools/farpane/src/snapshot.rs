//! Pictures as PNG files.

use anyhow::{Context, Error, Result};
use farpane_frame::FrameRef;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Columns of grey between two pictures side by side.
const GAP_PX: u32 = 8;

/// The grey between them, and below the shorter one.
const GAP_GREY: u8 = 128;

/// Writes a picture as an RGB PNG. The file appears whole or not at all; one of that name is
/// replaced.
///
/// # Errors
/// A folder that is missing or closed to writing, a full disk.
pub(crate) fn write_png(path: &Path, frame: &FrameRef<'_>) -> Result<()> {
    write_rows(path, &[frame])
}

/// Writes two pictures beside each other, a grey bar between them, as one RGB PNG.
///
/// # Errors
/// As [`write_png`].
pub(crate) fn write_side_by_side(
    path: &Path,
    left: &FrameRef<'_>,
    right: &FrameRef<'_>,
) -> Result<()> {
    write_rows(path, &[left, right])
}

fn write_rows(path: &Path, frames: &[&FrameRef<'_>]) -> Result<()> {
    // In memory first: the encoder reports a failed write as text, without its cause.
    let png = encode(frames).with_context(|| format!("cannot encode {}", path.display()))?;
    let temporary = temporary_beside(path)?;
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&temporary)
        .and_then(|mut file| file.write_all(&png))
        .and_then(|()| fs::rename(&temporary, path));
    written.map_err(|error| {
        // Best effort: the first error is the one to tell.
        let _ = fs::remove_file(&temporary);
        explain(error, path)
    })
}

/// Where the file is written until it is whole: in the same folder, so that the rename is atomic.
fn temporary_beside(path: &Path) -> Result<PathBuf> {
    let name = path
        .file_name()
        .with_context(|| format!("{} names no file to write a picture to", path.display()))?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}.part", std::process::id()));
    Ok(path.with_file_name(hidden))
}

fn encode(frames: &[&FrameRef<'_>]) -> Result<Vec<u8>> {
    let bars = GAP_PX * (frames.len() as u32).saturating_sub(1);
    let width = frames.iter().map(|f| f.size().width_px).sum::<u32>() + bars;
    let height = frames.iter().map(|f| f.size().height_px).max().unwrap_or(0);
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header()?;
    let mut stream = writer.stream_writer()?;
    let mut row = Vec::with_capacity(width as usize * 3);
    for y in 0..height {
        row.clear();
        for (i, frame) in frames.iter().enumerate() {
            if i > 0 {
                row.resize(row.len() + GAP_PX as usize * 3, GAP_GREY);
            }
            push_rgb(frame, y, &mut row);
        }
        stream.write_all(&row)?;
    }
    stream.finish()?;
    writer.finish()?;
    Ok(png)
}

fn push_rgb(frame: &FrameRef<'_>, y: u32, row: &mut Vec<u8>) {
    let width = frame.size().width_px;
    if y < frame.size().height_px {
        row.extend((0..width).flat_map(|x| frame.rgb(x, y)));
    } else {
        row.resize(row.len() + width as usize * 3, GAP_GREY);
    }
}

fn explain(error: io::Error, path: &Path) -> Error {
    let what = format!("cannot write the picture {}", path.display());
    let text = match error.kind() {
        io::ErrorKind::StorageFull => format!("{what}: the disk is full; free some space"),
        io::ErrorKind::NotFound => format!("{what}: its folder does not exist; create it"),
        _ => what,
    };
    Error::from(error).context(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use farpane_frame::{FrameBuf, PixelFormat, Rect, Size};
    use std::fs::File;

    fn picture(width: u32, height: u32) -> FrameBuf {
        let mut frame = FrameBuf::new(Size::new(width, height), PixelFormat::Bgrx).unwrap();
        for y in 0..height {
            for x in 0..width {
                frame.fill(Rect::new(x, y, 1, 1), [x as u8, y as u8, (x * y) as u8, 77]);
            }
        }
        frame
    }

    fn read(path: &Path) -> (u32, u32, Vec<u8>) {
        let decoder = png::Decoder::new(io::BufReader::new(File::open(path).unwrap()));
        let mut reader = decoder.read_info().unwrap();
        let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut rgb).unwrap();
        assert_eq!(info.color_type, png::ColorType::Rgb);
        (info.width, info.height, rgb)
    }

    #[test]
    fn a_file_holds_exactly_the_picture() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        let frame = picture(67, 41);
        fs::write(&path, "what was there before").unwrap();
        write_png(&path, &frame.view()).unwrap();
        let (width, height, rgb) = read(&path);
        assert_eq!((width, height), (67, 41));
        for (i, p) in rgb.chunks_exact(3).enumerate() {
            assert_eq!(p, frame.view().rgb(i as u32 % 67, i as u32 / 67));
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn two_pictures_stand_beside_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("both.png");
        let (left, right) = (picture(10, 20), picture(30, 5));
        write_side_by_side(&path, &left.view(), &right.view()).unwrap();
        let (width, height, rgb) = read(&path);
        assert_eq!((width, height), (10 + GAP_PX + 30, 20));
        let at = |x: u32, y: u32| &rgb[((y * width + x) * 3) as usize..][..3];
        assert_eq!(at(9, 19), left.view().rgb(9, 19));
        assert_eq!(at(10 + GAP_PX + 29, 4), right.view().rgb(29, 4));
        assert_eq!(at(12, 3), [GAP_GREY; 3]);
        assert_eq!(at(10 + GAP_PX, 5), [GAP_GREY; 3]);
    }

    #[test]
    fn a_full_disk_is_called_that() {
        let mut full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let png = encode(&[&picture(300, 300).view()]).unwrap();
        let error = full.write_all(&png).unwrap_err();
        let text = explain(error, Path::new("x.png")).to_string();
        assert_eq!(text, "cannot write the picture x.png: the disk is full; free some space");
    }

    #[test]
    fn a_missing_folder_is_named_and_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none/a.png");
        let error = write_png(&path, &picture(4, 4).view()).unwrap_err().to_string();
        assert!(error.contains("none/a.png") && error.contains("does not exist"), "{error}");
        fs::create_dir(folder.path().join("b.png")).unwrap();
        write_png(&folder.path().join("b.png"), &picture(4, 4).view()).unwrap_err();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
    }
}
