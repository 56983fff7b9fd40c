//! Input on real X servers, private ones without a screen.

mod allowed;
mod bounds;
mod desk;
mod ends;
mod keys;
mod latency;
mod permit;
mod proxy;
mod refused;
mod typing;
mod window;
