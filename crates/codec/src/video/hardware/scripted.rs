//! An encoder that follows a script, and a decoder that knows what it encoded. For tests.

use super::planes::OwnedPicture;
use crate::video::{
    Capabilities, Chroma, Planes, Unit, VideoCodec, VideoDecoder, VideoEncoder, VideoError,
    VideoRate,
};
use farpane_frame::Size;
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

/// Parameter sets and a slice of an IDR picture.
pub(super) const KEYFRAME: &[u8] =
    &[0, 0, 0, 1, 0x67, 0x42, 0, 10, 0, 0, 0, 1, 0x68, 0xce, 0x38, 0x80, 0, 0, 1, 0x65, 9, 9];
/// A plane of colour differences that shows none.
static GREY: [u8; 160 * 96] = [128; 160 * 96];
/// A slice of another picture.
pub(super) const PREDICTED: &[u8] = &[0, 0, 0, 1, 0x41, 0x9a];

/// What the encoder does with a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Work,
    Skip,
    /// Waits until the test's [`Script`] is gone, then works.
    Stall,
    Error,
    Panic,
    Empty,
    SkipWithBytes,
    /// As many bytes.
    Bytes(usize),
    Rubbish,
    /// No keyframe, whatever was asked for.
    NoKeyframe,
    /// A keyframe, though nobody asked for one.
    Keyframe,
}

/// What happened to an encoder.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Event {
    /// A picture with this first byte came; a keyframe was asked for since the last one.
    Picture(u8, bool),
    Rate(VideoRate),
    Dropped,
}

/// The test's end of an encoder. While it lives, what stalls or hangs goes on doing so.
pub(super) struct Script {
    pub(super) events: Receiver<Event>,
    pub(super) decoder: ScriptedDecoder,
    pub(super) alive: Sender<()>,
}

/// An encoder that follows a script; at its end it goes on working.
pub(super) struct Scripted {
    pub(super) steps: VecDeque<Step>,
    pub(super) hardware: bool,
    pub(super) codec: VideoCodec,
    pub(super) refuses_rates: bool,
    pub(super) hangs_when_dropped: bool,
    pub(super) panics_when_dropped: bool,
    size: Size,
    keyframe: bool,
    first: bool,
    events: Sender<Event>,
    encoded: Arc<Mutex<VecDeque<OwnedPicture>>>,
    until: Receiver<()>,
}

impl Scripted {
    pub(super) fn new(size: Size, steps: &[Step]) -> (Self, Script) {
        let (alive, until) = channel();
        let (events, happened) = channel();
        let encoded = Arc::new(Mutex::new(VecDeque::new()));
        let decoder = ScriptedDecoder { encoded: encoded.clone(), flaw: None, shown: None };
        let encoder = Self {
            steps: steps.iter().copied().collect(),
            hardware: true,
            codec: VideoCodec::H264,
            refuses_rates: false,
            hangs_when_dropped: false,
            panics_when_dropped: false,
            size,
            keyframe: false,
            first: true,
            events,
            encoded,
            until,
        };
        (encoder, Script { events: happened, decoder, alive })
    }

    fn stall(&self) {
        // Nothing is ever sent: this returns when the script is dropped.
        let _ = self.until.recv();
    }

    fn say(&self, event: Event) {
        let _ = self.events.send(event);
    }
}

impl VideoEncoder for Scripted {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            codec: self.codec,
            chroma: Chroma::Quarter,
            largest: self.size,
            hardware: self.hardware,
        }
    }

    fn encode(
        &mut self,
        picture: &Planes<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Option<Unit>, VideoError> {
        self.say(Event::Picture(picture.data[0][0], self.keyframe));
        let step = self.steps.pop_front().unwrap_or(Step::Work);
        let mut keyframe = self.first || self.keyframe || step == Step::Keyframe;
        match step {
            Step::Stall => self.stall(),
            Step::Skip => return Ok(None),
            Step::Empty => return Ok(Some(Unit { keyframe: true })),
            Step::Error => {
                return Err(VideoError::Failed { what: "the script", reason: "an error".into() });
            }
            Step::Panic => panic!("as the script says"),
            Step::SkipWithBytes => {
                out.push(1);
                return Ok(None);
            }
            Step::Rubbish => {
                out.extend_from_slice(b"rubbish");
                return Ok(Some(Unit { keyframe: true }));
            }
            Step::NoKeyframe => keyframe = false,
            Step::Bytes(_) | Step::Work | Step::Keyframe => {}
        }
        let mut copy = OwnedPicture::new(picture.size, picture.chroma);
        copy.load(picture);
        self.encoded.lock().unwrap().push_back(copy);
        (self.first, self.keyframe) = (false, false);
        out.extend_from_slice(if keyframe { KEYFRAME } else { PREDICTED });
        out.push(picture.data[0][0].max(4));
        if let Step::Bytes(bytes) = step {
            out.resize(bytes, 0xff);
        }
        Ok(Some(Unit { keyframe }))
    }

    fn request_keyframe(&mut self) {
        self.keyframe = true;
    }

    fn set_rate(&mut self, rate: VideoRate) -> Result<(), VideoError> {
        if self.refuses_rates {
            return Err(VideoError::Failed { what: "the script", reason: "no rate".into() });
        }
        self.say(Event::Rate(rate));
        Ok(())
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        if self.hangs_when_dropped {
            self.stall();
        }
        self.say(Event::Dropped);
        if self.panics_when_dropped {
            panic!("as the script says, when dropped");
        }
    }
}

/// What is wrong with a decoder's pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    Late,
    Error,
    OtherSize,
    Grey,
    ColoursSwapped,
    /// Each picture is shown again instead of the next one.
    Stuck,
}

/// Decodes whatever it is given as the next picture that the encoder took.
pub(super) struct ScriptedDecoder {
    pub(super) flaw: Option<Flaw>,
    encoded: Arc<Mutex<VecDeque<OwnedPicture>>>,
    shown: Option<OwnedPicture>,
}

impl VideoDecoder for ScriptedDecoder {
    fn decode(&mut self, _: &[u8]) -> Result<Option<Planes<'_>>, VideoError> {
        let next = self.encoded.lock().unwrap().pop_front();
        if self.flaw == Some(Flaw::Error) {
            return Err(VideoError::Failed { what: "the decoder", reason: "as scripted".into() });
        }
        if self.flaw != Some(Flaw::Stuck) || self.shown.is_none() {
            self.shown = next;
        }
        let Some(shown) = &self.shown else { return Ok(None) };
        let planes = shown.planes();
        let [y, u, v] = planes.data;
        let small = Size::new(planes.size.width_px - 2, planes.size.height_px);
        Ok(match self.flaw {
            Some(Flaw::Late) => None,
            Some(Flaw::OtherSize) => Some(Planes { size: small, ..planes }),
            Some(Flaw::ColoursSwapped) => Some(Planes { data: [y, v, u], ..planes }),
            Some(Flaw::Grey) => Some(Planes { data: [y, &GREY, &GREY], ..planes }),
            _ => Some(planes),
        })
    }
}
