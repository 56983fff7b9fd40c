//! Several packets in one input: each is a length (two bytes, most significant first) and bytes.

/// The packets of `input`. The last may be cut off.
pub(crate) fn split(mut input: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = input.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (packet, rest) = rest.split_at(length);
        input = rest;
        Some(packet)
    })
}

/// Appends `packet` to `input`.
///
/// # Panics
/// When it has more than 65,535 bytes.
pub(crate) fn push(input: &mut Vec<u8>, packet: &[u8]) {
    let length = u16::try_from(packet.len()).expect("a packet's length takes two bytes");
    input.extend(length.to_be_bytes());
    input.extend(packet);
}
