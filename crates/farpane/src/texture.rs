//! Textures that the app captured itself.

use crate::Error;
use farpane_capture::PushScreen;
use farpane_damage::gpu::{Gpu, GpuDiffer, GpuFrame, wgpu};
use farpane_damage::{Changes, MergeParams, merge};
use farpane_frame::{Rect, Size};

/// Where an app whose capture ends in textures of a GPU (a shared texture, an imported dma-buf)
/// puts them, as [`PushScreen`] is for pictures in memory.
///
/// They are compared where they are. Only the tiles that changed come back, to be encoded.
#[derive(Debug)]
pub struct TextureScreen {
    gpu: Gpu,
    screen: PushScreen,
    differ: Option<(Size, GpuDiffer)>,
    changes: Changes,
    rects: Vec<Rect>,
}

impl TextureScreen {
    /// A screen without a picture yet, for textures of `gpu`.
    ///
    /// # Errors
    /// None in practice: the size it begins with is valid.
    pub fn new(gpu: &Gpu) -> Result<Self, Error> {
        Ok(Self {
            gpu: gpu.clone(),
            screen: PushScreen::new()?,
            differ: None,
            changes: Changes::new(),
            rects: Vec::new(),
        })
    }

    /// Compares `texture`, a `Bgra8Unorm` one with the usage `TEXTURE_BINDING`, inside `damage`
    /// with the one before, and takes over what changed. The first, and one of another size, is
    /// compared whole. Waits for the GPU.
    ///
    /// # Errors
    /// Another kind of texture, a size out of range, more than 256 rectangles, or a GPU that was
    /// lost: then go on with another, see [`TextureScreen::set_gpu`].
    pub fn push(&mut self, texture: &wgpu::Texture, damage: &[Rect]) -> Result<(), Error> {
        let pushed = self.try_push(texture, damage);
        if pushed.is_err() {
            // Where the picture and the frame on the GPU differ is not known.
            self.differ = None;
        }
        pushed
    }

    /// Takes textures of `gpu` from now on. Who watches sees the picture of before until the
    /// first one is pushed.
    pub fn set_gpu(&mut self, gpu: &Gpu) {
        (self.gpu, self.differ) = (gpu.clone(), None);
    }

    /// Where the picture goes: it makes sources, and takes the pointer. Push no picture there.
    pub fn screen(&self) -> &PushScreen {
        &self.screen
    }

    fn try_push(&mut self, texture: &wgpu::Texture, damage: &[Rect]) -> Result<(), Error> {
        let size = Size::new(texture.width(), texture.height());
        let whole = [size.rect()];
        let known = self.differ.take().filter(|(known, _)| *known == size);
        let is_new = known.is_none();
        let differ = match known {
            Some((_, differ)) => differ,
            None => GpuDiffer::new(&self.gpu, size, false)?,
        };
        let (_, differ) = self.differ.insert((size, differ));
        differ.begin(GpuFrame::Texture(texture), if is_new { &whole } else { damage })?;
        differ.finish(&mut self.changes)?;
        merge(&self.changes, &MergeParams::default(), &mut self.rects);
        if self.rects.is_empty() && !is_new {
            return Ok(());
        }
        let damage = if is_new { &whole } else { &self.rects[..] };
        let changes = &self.changes;
        self.screen.paint(size, damage, |canvas, _| {
            if is_new {
                // As the frame on the GPU was before it was compared.
                canvas.clear();
            }
            Ok(differ.read(changes, canvas)?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use farpane_capture::{CaptureEvent, CaptureSource};
    use farpane_damage::gpu::GpuOptions;
    use farpane_frame::{FrameBuf, PixelFormat};
    use std::time::Duration;

    const SIZE: Size = Size::new(300, 200);

    fn gpu() -> Gpu {
        let gpu = Gpu::open(GpuOptions { software: true });
        gpu.expect("a GPU or a software renderer: tools/setup test installs one")
    }

    fn texture(gpu: &Gpu, picture: &FrameBuf) -> wgpu::Texture {
        gpu.texture(&picture.view()).unwrap()
    }

    fn picture(size: Size) -> FrameBuf {
        let mut picture = FrameBuf::new(size, PixelFormat::Bgrx).unwrap();
        picture.fill(Rect::new(70, 20, 150, 100), [10, 20, 30, 0]);
        picture
    }

    /// The next frame shows `picture`.
    fn check(source: &mut impl CaptureSource, picture: &FrameBuf) {
        let Ok(CaptureEvent::Frame(frame)) = source.next(Duration::ZERO) else {
            panic!("no frame")
        };
        assert!(frame.pixels.view().same_rgb(&picture.view()));
    }

    #[test]
    fn textures_come_out_exactly_and_only_what_changed() {
        let gpu = gpu();
        let mut screen = TextureScreen::new(&gpu).unwrap();
        let mut source = screen.screen().source();
        let mut picture = picture(SIZE);
        screen.push(&texture(&gpu, &picture), &[]).unwrap();
        check(&mut source, &picture);
        let area = Rect::new(100, 100, 9, 13);
        picture.fill(area, [255, 0, 0, 0]);
        screen.push(&texture(&gpu, &picture), &[SIZE.rect()]).unwrap();
        assert_eq!(screen.rects, [area]);
        check(&mut source, &picture);
        screen.push(&texture(&gpu, &picture), &[SIZE.rect()]).unwrap();
        assert!(matches!(source.next(Duration::ZERO), Ok(CaptureEvent::Idle)), "nothing changed");
        let mut hidden = picture.clone();
        hidden.fill(SIZE.rect(), [9, 9, 9, 0]);
        screen.push(&texture(&gpu, &hidden), &[Rect::new(0, 0, 5, 5)]).unwrap();
        picture.fill(Rect::new(0, 0, 5, 5), [9, 9, 9, 0]);
        check(&mut source, &picture);
    }

    #[test]
    fn another_size_and_another_gpu_begin_anew() {
        let first = gpu();
        let mut screen = TextureScreen::new(&first).unwrap();
        let mut source = screen.screen().source();
        for size in [SIZE, Size::new(400, 100)] {
            screen.push(&texture(&first, &picture(size)), &[]).unwrap();
            check(&mut source, &picture(size));
        }
        let small = texture(&first, &picture(SIZE));
        first.device().destroy();
        assert!(matches!(screen.push(&small, &[]), Err(Error::Gpu(_))));
        let second = gpu();
        screen.set_gpu(&second);
        let mut black = picture(SIZE);
        black.clear();
        screen.push(&texture(&second, &black), &[]).unwrap();
        check(&mut source, &black);
    }
}
