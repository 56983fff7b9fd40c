//! What waits for all that is urgent: films, stills, and making exact what is lossy.

use super::{Feed, UpdateStats};
use crate::sharer::encoders::Encoders;
use crate::sharer::screen::Screen;
use farpane_codec::video::MAX_REGIONS;
use farpane_proto::datagram::Cursor;

impl Feed {
    /// When no more urgent thing waits: encodes the next pictures of films, sends a still that is
    /// made and, in what room is left, makes exact what is lossy and at rest; then has the helper
    /// keep what rests.
    pub(crate) fn flush_rest(
        &mut self,
        now_us: u64,
        screen: &Screen,
        encoders: &Encoders,
    ) -> Option<UpdateStats> {
        self.due_us = None;
        if let Some((_, area)) = self.films.iter().flatten().next() {
            // Should no more pictures come, what is left of the last one goes as tiles.
            self.wake_at(now_us + self.video.quiet_us(*area));
            self.stills.handle_film(now_us);
        }
        self.begin_still(now_us, screen, encoders);
        self.give_up_late_units(now_us);
        let films = self.flush_films(now_us, screen, encoders);
        if films.is_some() || self.waits || self.sender.queued_bytes() > 0 {
            return films;
        }
        if let Some(sent) = self.send_still(now_us, encoders) {
            return Some(sent);
        }
        let refined = self.refine(now_us, screen, encoders);
        if refined.is_none() {
            self.keep_what_rests(now_us, screen, encoders);
        }
        refined
    }

    fn flush_films(
        &mut self,
        now_us: u64,
        screen: &Screen,
        encoders: &Encoders,
    ) -> Option<UpdateStats> {
        let room = self.sender.in_flight_bytes() < self.controller.window_bytes();
        if self.films.iter().all(Vec::is_empty) || !room || self.sender.queued_video_bytes() > 0 {
            return None;
        }
        let mut stats = UpdateStats { update: self.sender.begin_update(), ..Default::default() };
        for stream in 0..MAX_REGIONS {
            if self.films[stream].is_empty() {
                continue;
            }
            let due_us = self.video.due_us(stream);
            if now_us < due_us {
                self.wake_at(due_us);
                continue;
            }
            let writes = std::mem::take(&mut self.films[stream]);
            let (video, controller) = (&mut self.video, &*self.controller);
            match video.encode(now_us, stream, writes, screen, encoders, controller) {
                Some(batch) => {
                    let (id, bytes) = self.push(batch, &mut stats);
                    stats.units += 1;
                    self.video.handle_queued(stream, id, bytes, now_us);
                }
                None => self.wake_at(self.video.due_us(stream).max(now_us + 1)),
            }
        }
        self.sender.end_update();
        (stats.bytes > 0).then_some(stats)
    }

    /// Makes exact what is lossy, first what lies near the pointer and is not to be shown by a
    /// still: what went with fewer colours as fast as the path allows, what a film showed once it
    /// has been at rest for a while, and no more of that than leaves room for what may change next.
    fn refine(&mut self, now_us: u64, screen: &Screen, encoders: &Encoders) -> Option<UpdateStats> {
        let (mut rough, mut rested) = (Vec::new(), Vec::new());
        let mut due_us = u64::MAX;
        for tile in self.sender.lossy_tiles() {
            let (area, changed_us, may_write) = self.sender.lossy_part(tile);
            let at_us = changed_us + self.video.quiet_us(area);
            if may_write && self.rough_tiles.contains(tile) {
                rough.push((tile, area));
            } else if now_us < at_us {
                due_us = due_us.min(at_us);
            } else if may_write {
                rested.push((tile, area));
            }
        }
        if due_us < u64::MAX {
            self.wake_at(due_us);
        }
        let outstanding = self.sender.in_flight_bytes() + self.sender.queued_video_bytes();
        let window = self.controller.window_bytes();
        let (mut lossy, room) =
            if rough.is_empty() { (rested, window / 2) } else { (rough, window) };
        let budget = room.saturating_sub(outstanding);
        if lossy.is_empty() || budget == 0 {
            return None;
        }
        let far = |from: u32, to: i32| (i64::from(from) - i64::from(to)).pow(2);
        let pointer = self.sender.cursor();
        lossy.sort_by_key(|(tile, area)| {
            let far = pointer.map(|Cursor { x, y, .. }| far(area.x, x) + far(area.y, y));
            (self.stills.is_making(*tile), far)
        });
        self.plan = lossy;
        let mut stats = UpdateStats { update: self.sender.begin_update(), ..Default::default() };
        self.push_pixels(screen, encoders, budget, None, &mut stats);
        self.sender.end_update();
        Some(stats)
    }

    pub(super) fn wake_at(&mut self, at_us: u64) {
        self.due_us = Some(self.due_us.map_or(at_us, |due| due.min(at_us)));
    }

    /// Gives up units whose loss was not repaired in time: the stream goes on with a keyframe.
    fn give_up_late_units(&mut self, now_us: u64) {
        while let Some(batch) = self.video.overdue(now_us, self.controller.rtt_us()) {
            self.sender.abandon(batch);
            if !self.take_fates() {
                return;
            }
        }
    }
}
