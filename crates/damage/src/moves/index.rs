//! The new frame's anchors, by signature.

/// Anchors kept at most. A screen full of text has a few thousand in the sampled rows.
pub(super) const MAX_ANCHORS: usize = 4096;
const SLOTS: usize = 4 * MAX_ANCHORS;
const EMPTY: u32 = u32::MAX;
/// Places of the old frame that may look like one anchor; with more it tells nothing.
pub(super) const MAX_LOOKALIKES: u8 = 4;

/// One place of the new frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Anchor {
    sign: u64,
    pub(super) x: u16,
    pub(super) y: u16,
    /// Places of the old frame that look like it; above [`MAX_LOOKALIKES`] it is out.
    pub(super) lookalikes: u8,
}

impl Anchor {
    pub(super) fn is_out(&self) -> bool {
        self.lookalikes > MAX_LOOKALIKES
    }

    pub(super) fn put_out(&mut self) {
        self.lookalikes = MAX_LOOKALIKES + 1;
    }
}

/// Up to [`MAX_ANCHORS`] anchors. When there are more, only signatures that end in zeros are
/// kept: the thinning depends on content alone, so what is kept is found again.
#[derive(Debug)]
pub(super) struct Index {
    slots: Vec<u32>,
    anchors: Vec<Anchor>,
    thinning: u64,
}

impl Index {
    pub(super) fn new() -> Self {
        let anchors = Vec::with_capacity(MAX_ANCHORS);
        Self { slots: vec![EMPTY; SLOTS], anchors, thinning: 0 }
    }

    pub(super) fn clear(&mut self) {
        self.slots.fill(EMPTY);
        self.anchors.clear();
        self.thinning = 0;
    }

    pub(super) fn len(&self) -> usize {
        self.anchors.len()
    }

    pub(super) fn anchor(&self, number: u32) -> &Anchor {
        &self.anchors[number as usize]
    }

    pub(super) fn anchor_mut(&mut self, number: u32) -> &mut Anchor {
        &mut self.anchors[number as usize]
    }

    /// Adds a place. Two places with one signature put each other out.
    pub(super) fn insert(&mut self, x: u32, y: u32, sign: u64) {
        if sign & self.thinning != 0 {
            return;
        }
        let (x, y) = (x as u16, y as u16);
        let slot = self.slot(sign);
        if self.slots[slot] != EMPTY {
            let known = &mut self.anchors[self.slots[slot] as usize];
            if (known.x, known.y) != (x, y) {
                known.put_out();
            }
            return;
        }
        self.slots[slot] = self.anchors.len() as u32;
        self.anchors.push(Anchor { sign, x, y, lookalikes: 0 });
        while self.anchors.len() >= MAX_ANCHORS {
            self.thin();
        }
    }

    /// The anchor that has this signature.
    pub(super) fn find(&self, sign: u64) -> Option<u32> {
        if sign & self.thinning != 0 {
            return None;
        }
        let number = self.slots[self.slot(sign)];
        (number != EMPTY).then_some(number)
    }

    fn thin(&mut self) {
        self.thinning = self.thinning << 1 | 1;
        let thinning = self.thinning;
        self.anchors.retain(|a| a.sign & thinning == 0);
        self.slots.fill(EMPTY);
        for number in 0..self.anchors.len() {
            let slot = self.slot(self.anchors[number].sign);
            self.slots[slot] = number as u32;
        }
    }

    /// Where the signature is, or the empty slot where it belongs. Three quarters of the slots
    /// are empty, so there is one.
    fn slot(&self, sign: u64) -> usize {
        let mut slot = (sign >> 40) as usize % SLOTS;
        loop {
            match self.slots[slot] {
                EMPTY => return slot,
                number if self.anchors[number as usize].sign == sign => return slot,
                _ => slot = (slot + 1) % SLOTS,
            }
        }
    }
}
