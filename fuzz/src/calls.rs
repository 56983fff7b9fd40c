//! Sequences of calls of the C ABI, as `farpane_capi::sequence` reads them.

use crate::Seed;

/// Whether any of the calls did what it says.
pub fn accepts(input: &[u8]) -> bool {
    farpane_capi::sequence::run(input)
}

/// A sharer that goes through its states, one that pushes, and calls on nothing.
pub fn seeds() -> Vec<Seed> {
    // Create a sharer on loopback; the size is right, no texts are given.
    let create = [0, 8, 1, 0];
    // Its number, in the calls below.
    let first = 0;
    let connect = [1, first];
    let events = [7, 8, first, 1, 7, 8, first, 0];
    let mut push = vec![16, first, 64];
    push.extend([0x55; 64]);
    // No damage; 4x4 pixels of BGRX, 16 bytes a row.
    push.extend([0, 8, 1, 4, 4, 1, 16]);
    let invitation = [&[9, first, 11][..], b"127.0.0.1:9", &[2, 0, 8, 255]].concat();
    let end = [2, first, 7, 8, first, 2, 3, first, 3, first];
    vec![
        (
            "states",
            [&create[..], &connect, &events, &invitation, &[14, first, 15, first], &end].concat(),
        ),
        ("push", [&create[..], &push, &push, &connect, &push, &end].concat()),
        ("bad-nothing", (1..26).flat_map(|call| [call, 0]).collect()),
    ]
}
