//! Pictures that the app captured itself.

use crate::outlet::Outlet;
use crate::pause::Pause;
use crate::{
    CaptureCounters, CaptureError, CaptureEvent, CaptureSource, CursorShape, CursorUpdate, Waker,
};
use farpane_frame::{FrameBuf, FrameError, FrameRef, Rect, Size};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Where an app that captures its screen itself puts the pictures: the way in. The way out is a
/// [`PushSource`].
///
/// It holds one picture, the newest. What is pushed while nobody takes it is merged, so the app
/// may push as often as it likes and never waits for the network.
#[derive(Clone, Debug)]
pub struct PushScreen(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    pause: Pause,
}

#[derive(Debug)]
struct State {
    outlet: Outlet,
    /// The pointer with its shape, for sources that are opened later.
    cursor: Option<CursorUpdate>,
}

impl PushScreen {
    /// A screen without a picture yet.
    ///
    /// # Errors
    /// None in practice: the size it begins with is valid.
    pub fn new() -> Result<Self, FrameError> {
        let state = State { outlet: Outlet::new(Size::new(1, 1))?, cursor: None };
        Ok(Self(Arc::new(Shared { state: Mutex::new(state), pause: Pause::default() })))
    }

    /// Takes the pixels inside `damage` from `picture`, reading each of them once. The first
    /// picture, and one of another size, is taken whole.
    ///
    /// # Errors
    /// A size out of range.
    pub fn push(&self, picture: &FrameRef<'_>, damage: &[Rect]) -> Result<(), FrameError> {
        self.paint(picture.size(), damage, |canvas, damage| {
            damage.iter().for_each(|rect| canvas.copy_from(picture, *rect));
            Ok(())
        })
    }

    /// Lets `paint` change the picture inside the rectangles that it is given: those of `damage`.
    /// The first picture, and one of another size than before, begins black and is given whole.
    ///
    /// # Errors
    /// A size out of range, before anything is painted, or what `paint` returns; what it painted
    /// until then stays.
    pub fn paint<E: From<FrameError>>(
        &self,
        size: Size,
        damage: &[Rect],
        paint: impl FnOnce(&mut FrameBuf, &[Rect]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut state = self.lock();
        let outlet = &mut state.outlet;
        let whole = [size.rect()];
        let is_new = !outlet.has_begun() || outlet.canvas.picture().size() != size;
        let damage = if is_new {
            outlet.begin_generation(size)?;
            &whole
        } else {
            damage
        };
        let painted = paint(outlet.canvas.picture_mut(), damage);
        outlet.changed(damage, &[]);
        drop(state);
        self.0.pause.waker().ring();
        painted
    }

    /// The pointer is here now, and has this shape unless it is the one of before.
    pub fn push_cursor(&self, x: i32, y: i32, visible: bool, shape: Option<CursorShape>) {
        let mut state = self.lock();
        let known = state.cursor.take().and_then(|before| before.shape);
        let shape = shape.map(Arc::new);
        let update = CursorUpdate { x, y, visible, shape: shape.clone() };
        state.cursor = Some(CursorUpdate { shape: shape.or(known), ..update.clone() });
        state.outlet.cursor(update);
        drop(state);
        self.0.pause.waker().ring();
    }

    /// A source that hands out what is pushed, the whole picture first. One at a time: two would
    /// take each other's frames.
    pub fn source(&self) -> PushSource {
        let mut state = self.lock();
        state.outlet.refresh();
        if let Some(cursor) = state.cursor.clone() {
            state.outlet.cursor(cursor);
        }
        PushSource(self.clone())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hands out what is put on a [`PushScreen`].
#[derive(Debug)]
pub struct PushSource(PushScreen);

impl CaptureSource for PushSource {
    fn next(&mut self, wait: Duration) -> Result<CaptureEvent, CaptureError> {
        let deadline = Instant::now() + wait.min(crate::LONGEST_WAIT);
        let mut is_over = wait.is_zero();
        loop {
            if let Some(event) = self.0.lock().outlet.take() {
                return Ok(event);
            }
            if is_over {
                return Ok(CaptureEvent::Idle);
            }
            // A push rings as well as whoever wants the wait to end.
            is_over = self.0.0.pause.wait(deadline) || Instant::now() >= deadline;
        }
    }

    fn refresh(&mut self) {
        self.0.lock().outlet.refresh();
    }

    fn waker(&self) -> Waker {
        self.0.0.pause.waker()
    }

    fn counters(&self) -> CaptureCounters {
        self.0.lock().outlet.counters
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Damage, Frame};
    use farpane_frame::PixelFormat;

    const SIZE: Size = Size::new(50, 40);

    fn picture(colour: u8) -> FrameBuf {
        let mut picture = FrameBuf::new(SIZE, PixelFormat::Rgba).unwrap();
        picture.fill(SIZE.rect(), [colour, 2, 3, 255]);
        picture
    }

    fn frame(source: &mut PushSource) -> Frame {
        match source.next(Duration::from_secs(10)).unwrap() {
            CaptureEvent::Frame(frame) => frame,
            other => panic!("no frame but {other:?}"),
        }
    }

    #[test]
    fn what_is_pushed_comes_out_merged_and_only_the_damage_is_read() {
        let screen = PushScreen::new().unwrap();
        let mut source = screen.source();
        assert!(matches!(source.next(Duration::ZERO), Ok(CaptureEvent::Idle)));
        screen.push(&picture(1).view(), &[]).unwrap();
        let first = frame(&mut source);
        assert_eq!(first.damage, Damage::Unknown);
        assert_eq!(first.pixels.view().span(7, 7, 1)[..3], [3, 2, 1]);
        let (left, right) = (Rect::new(0, 0, 5, 5), Rect::new(20, 9, 4, 4));
        screen.push(&picture(8).view(), &[left]).unwrap();
        screen.push(&picture(9).view(), &[right]).unwrap();
        let second = frame(&mut source);
        let Damage::Exact(region) = &second.damage else { panic!("{:?}", second.damage) };
        assert_eq!(region.rects(), [left, right]);
        let red = |frame: &Frame, x, y| frame.pixels.view().span(x, y, 1)[2];
        assert_eq!([red(&second, 4, 4), red(&second, 23, 12), red(&second, 9, 9)], [8, 9, 1]);
        assert_eq!(red(&first, 4, 4), 1, "a frame that is held stays as it was");
        assert!(matches!(source.next(Duration::ZERO), Ok(CaptureEvent::Idle)));
    }

    #[test]
    fn while_no_frame_is_held_pictures_are_copied_into_the_same_memory() {
        let screen = PushScreen::new().unwrap();
        let mut source = screen.source();
        let mut places = Vec::new();
        for colour in 0..20 {
            screen.push(&picture(colour).view(), &[SIZE.rect()]).unwrap();
            places.push(frame(&mut source).pixels.view().data().as_ptr());
        }
        assert!(places.iter().all(|place| *place == places[0]), "{places:?}");
    }

    #[test]
    fn a_later_source_begins_with_the_whole_picture_and_the_pointer() {
        let screen = PushScreen::new().unwrap();
        screen.push(&picture(1).view(), &[]).unwrap();
        let shape =
            CursorShape { serial: 3, width: 1, height: 1, hot_x: 0, hot_y: 0, bgra: vec![0; 4] };
        screen.push_cursor(5, 6, true, Some(shape));
        for _ in 0..2 {
            let mut source = screen.source();
            assert_eq!(frame(&mut source).damage, Damage::Unknown);
            let Ok(CaptureEvent::Cursor(cursor)) = source.next(Duration::ZERO) else { panic!() };
            assert_eq!((cursor.x, cursor.shape.map(|shape| shape.serial)), (5, Some(3)));
        }
        screen.push_cursor(7, 6, true, None);
        let mut source = screen.source();
        frame(&mut source);
        let Ok(CaptureEvent::Cursor(cursor)) = source.next(Duration::ZERO) else { panic!() };
        assert_eq!((cursor.x, cursor.shape.map(|shape| shape.serial)), (7, Some(3)));
    }

    #[test]
    fn a_push_ends_a_wait_and_another_size_is_another_generation() {
        let screen = PushScreen::new().unwrap();
        let mut source = screen.source();
        let pusher = screen.clone();
        let thread = std::thread::spawn(move || pusher.push(&picture(1).view(), &[]).unwrap());
        let first = loop {
            if let CaptureEvent::Frame(frame) = source.next(Duration::from_secs(10)).unwrap() {
                break frame;
            }
        };
        thread.join().unwrap();
        let large = FrameBuf::new(Size::new(60, 50), PixelFormat::Bgrx).unwrap();
        screen.push(&large.view(), &[Rect::new(1, 1, 1, 1)]).unwrap();
        let second = loop {
            if let CaptureEvent::Frame(frame) = source.next(Duration::ZERO).unwrap() {
                break frame;
            }
        };
        assert_eq!(second.generation, first.generation + 1);
        assert_eq!(second.pixels.view().size(), Size::new(60, 50));
    }
}
