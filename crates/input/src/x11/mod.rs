//! X11: input is applied by XTest, and taken from a window.

mod display;
mod injector;
mod keymap;
mod window;

pub use injector::{Applied, Injector, PointerShown};
pub use keymap::Keymap;
pub use window::WindowInput;
