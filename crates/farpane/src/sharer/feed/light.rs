//! What costs next to nothing: stores, copies, one colour, and what the helper's cache holds.

use super::{Feed, UpdateStats};
use crate::sharer::encoders::Encoders;
use crate::sharer::screen::Screen;
use farpane_codec::BatchEncoder;
use farpane_frame::Rect;
use farpane_proto::screen::{BatchInfo, MAX_BATCH_BYTES, Repeat};

/// Parts of tiles that go like this in one update at most, so that they fit one batch.
const MAX_LIGHT: usize = 4_096;

/// What a part of a tile is for the helper.
#[derive(Clone, Copy, Debug)]
enum Light {
    /// Of one colour: red, green and blue.
    Plain([u8; 3]),
    /// In this slot of its cache.
    Cached(u16),
}

/// Parts of tiles that go without their pixels.
pub(super) struct LightParts(Vec<(Light, u32, Rect)>);

impl LightParts {
    fn cached(&self) -> impl Iterator<Item = (u16, u32, Rect)> + '_ {
        self.0.iter().filter_map(|(light, tile, area)| match light {
            Light::Cached(slot) => Some((*slot, *tile, *area)),
            Light::Plain(_) => None,
        })
    }

    fn encode(&self, encoder: &mut BatchEncoder) {
        for (light, tile, area) in &self.0 {
            match light {
                Light::Plain(colour) => encoder.solid(*area, *colour),
                Light::Cached(slot) => encoder.cached(*slot, *tile, *area),
            }
        }
    }
}

impl Feed {
    /// Takes out of the plan what the helper can have without pixels.
    pub(super) fn take_light(&mut self, screen: &Screen, encoders: &Encoders) -> LightParts {
        let (view, slots) = (screen.view(), &self.slots);
        let look = |(tile, area): &(u32, Rect)| match view.uniform(*area) {
            Some(colour) => Some(Light::Plain(colour)),
            None => slots.find(&view, *tile, *area).map(Light::Cached),
        };
        let mut looks = encoders.each(&self.plan, look).into_iter();
        let mut parts = Vec::new();
        self.plan.retain(|(tile, area)| {
            let light = looks.next().flatten().filter(|_| parts.len() < MAX_LIGHT);
            parts.extend(light.map(|light| (light, *tile, *area)));
            light.is_none()
        });
        let parts = LightParts(parts);
        for (light, tile, area) in &parts.0 {
            if matches!(light, Light::Plain(_)) && *area == screen.grid().rect(*tile) {
                // Nothing is cheaper, so it need not be looked at again to be kept.
                self.unkept.remove(*tile);
            }
        }
        parts.cached().for_each(|(slot, tile, area)| self.slots.handle_found(tile, area, slot));
        parts
    }

    /// Queues the light parts with all stores and copies and, when little else is stale, the
    /// pixels as well. Gives its bytes.
    pub(super) fn push_light(
        &mut self,
        parts: LightParts,
        screen: &Screen,
        encoders: &Encoders,
        stats: &mut UpdateStats,
    ) -> u64 {
        let cached = parts.cached().count();
        let repeatable = self.stores.is_empty() && self.copies.is_empty() && cached == 0;
        let needed = !repeatable || !parts.0.is_empty();
        let aim = self.aim();
        let whole = self.plan.len() <= aim.tiles && self.costs.of(&self.plan) <= aim.bytes;
        if !needed && !whole {
            return 0;
        }
        let mut pixels = if whole { std::mem::take(&mut self.plan) } else { Vec::new() };
        let mut data = self.light_batch(&parts, &pixels, screen, encoders);
        if data.len() > MAX_BATCH_BYTES {
            // The pixels cost more than they did last: they go in groups after all.
            self.plan = std::mem::take(&mut pixels);
            self.costs.expect_most(&self.plan);
            if !needed {
                return 0;
            }
            data = self.light_batch(&parts, &[], screen, encoders);
        }
        stats.copies = self.copies.len() as u32;
        stats.cached = cached as u32;
        self.costs.learn(&pixels, data.len());
        self.note_dear(&pixels, data.len());
        let mut writes: Vec<_> = parts.0.iter().map(|(_, tile, area)| (*tile, *area)).collect();
        writes.extend(&pixels);
        let copies = std::mem::take(&mut self.copies);
        let (stores, slots) = self.stores.drain(..).unzip();
        let repeat = if repeatable { Repeat::WhileUnchanged } else { Repeat::InOrder };
        let data = data.into();
        let info = BatchInfo { data, writes, copies, stores, repeat, ..BatchInfo::default() };
        let (id, bytes) = self.push(info, stats);
        self.slots.handle_sent(id, slots);
        bytes
    }

    fn light_batch(
        &self,
        parts: &LightParts,
        pixels: &[(u32, Rect)],
        screen: &Screen,
        encoders: &Encoders,
    ) -> Vec<u8> {
        encoders.one(screen.grid(), |encoder| {
            encoder.set_effort(self.effort());
            self.stores.iter().for_each(|(tile, slot)| encoder.store(*tile, *slot));
            self.copies.iter().for_each(|m| encoder.copy(*m));
            parts.encode(encoder);
            pixels.iter().for_each(|(_, area)| encoder.pixels(&screen.view(), *area));
        })
    }
}
