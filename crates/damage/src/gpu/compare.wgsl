// Compares a frame with the previous one, tile by tile, and makes the previous one equal.
//
// One workgroup looks at one tile of 64x64 pixels: nobody else reads or writes it. An invocation
// walks every fourth row of a column. Nothing depends on the size of a subgroup.

const TILE = 64u;
const HALF = 32u;
const ROWS_AT_ONCE = 4u;
// Blue, green and red of a pixel; the fourth byte is undefined.
const COLOURS = 0x00ffffffu;
// Words that a tile's result has.
const FOUND_WORDS = 6u;

struct Input {
    // Of the picture, in pixels.
    size: vec2<u32>,
    // Pixels of a row of `previous`.
    pitch: u32,
    // Pieces of work, and how many of them a row of the dispatch has.
    count: u32,
    groups: u32,
    // Words of a row of `video`, 0 to convert nothing, and where its chroma begins.
    video_pitch: u32,
    chroma: u32,
    reserved: u32,
    // To compare: for each piece of work the tile's column and row and the range of its
    // rectangles; then the rectangles: left, top, right and bottom inside the tile, a byte each.
    // To gather: the column and row of each tile.
    words: array<u32>,
}

@group(0) @binding(0) var<storage, read> input: Input;
@group(0) @binding(1) var next: texture_2d<f32>;
@group(0) @binding(2) var<storage, read_write> previous: array<u32>;
// For each piece of work: columns with a change in the upper and in the lower half, rows with one.
@group(0) @binding(3) var<storage, read_write> found: array<u32>;
@group(0) @binding(4) var<storage, read_write> video: array<u32>;
// For each gathered tile its pixels.
@group(0) @binding(5) var<storage, read_write> pixels: array<u32>;

var<workgroup> marks: array<atomic<u32>, FOUND_WORDS>;

@compute @workgroup_size(TILE, ROWS_AT_ONCE)
fn compare(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_id) lane: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let number = group.y * input.groups + group.x;
    if number >= input.count {
        return;
    }
    if index < FOUND_WORDS {
        atomicStore(&marks[index], 0u);
    }
    workgroupBarrier();
    let work = number * 4u;
    let origin = vec2(input.words[work], input.words[work + 1u]) * TILE;
    let end = input.words[work + 3u];
    // Whether this column changed in either half, and the changed rows of either half.
    var halves = vec2(false, false);
    var rows = vec2(0u, 0u);
    for (var i = input.words[work + 2u]; i < end; i++) {
        let rect = unpack4xU8(input.words[i]);
        if lane.x < rect.x || lane.x >= rect.z {
            continue;
        }
        for (var y = rect.y + lane.y; y < rect.w; y += ROWS_AT_ONCE) {
            let here = origin + vec2(lane.x, y);
            let pixel = pack4x8unorm(textureLoad(next, here, 0).bgra);
            let at = here.y * input.pitch + here.x;
            if ((pixel ^ previous[at]) & COLOURS) != 0u {
                previous[at] = pixel;
                halves[y / HALF] = true;
                rows[y / HALF] |= 1u << (y % HALF);
            }
        }
    }
    let column = 1u << (lane.x % HALF);
    if halves.x {
        atomicOr(&marks[lane.x / HALF], column);
    }
    if halves.y {
        atomicOr(&marks[2u + lane.x / HALF], column);
    }
    if rows.x != 0u {
        atomicOr(&marks[4], rows.x);
    }
    if rows.y != 0u {
        atomicOr(&marks[5], rows.y);
    }
    storageBarrier();
    workgroupBarrier();
    if index < FOUND_WORDS {
        found[number * FOUND_WORDS + index] = atomicLoad(&marks[index]);
    }
    let changed = (atomicLoad(&marks[4]) | atomicLoad(&marks[5])) != 0u;
    if input.video_pitch != 0u && changed {
        convert(origin, index);
    }
}

// Copies tiles of the previous frame, one to each workgroup.
@compute @workgroup_size(TILE, ROWS_AT_ONCE)
fn gather(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_id) lane: vec3<u32>,
) {
    let number = group.x;
    let origin = vec2(input.words[number * 2u], input.words[number * 2u + 1u]) * TILE;
    for (var y = lane.y; y < TILE; y += ROWS_AT_ONCE) {
        let here = origin + vec2(lane.x, y);
        if here.x < input.size.x && here.y < input.size.y {
            let to = (number * TILE + y) * TILE + lane.x;
            pixels[to] = previous[here.y * input.pitch + here.x];
        }
    }
}

// Converts a tile to NV12: every invocation two areas of 4x2 pixels.
fn convert(origin: vec2<u32>, index: u32) {
    for (var area = index; area < TILE * TILE / 8u; area += TILE * ROWS_AT_ONCE) {
        let at = origin + vec2(area % 16u * 4u, area / 16u * 2u);
        var luma = vec2(0u, 0u);
        var chroma = 0u;
        for (var pair = 0u; pair < 2u; pair++) {
            var sum = vec3(0);
            for (var i = 0u; i < 4u; i++) {
                let x = pair * 2u + i % 2u;
                let colour = colour_at(at + vec2(x, i / 2u));
                sum += colour;
                luma[i / 2u] |= luma_of(colour) << (x * 8u);
            }
            chroma |= chroma_of(sum) << (pair * 16u);
        }
        let word = at.y * input.video_pitch + at.x / 4u;
        video[word] = luma.x;
        video[word + input.video_pitch] = luma.y;
        video[input.chroma + at.y / 2u * input.video_pitch + at.x / 4u] = chroma;
    }
}

// Red, green and blue; beyond the picture those of its edge.
fn colour_at(at: vec2<u32>) -> vec3<i32> {
    let here = min(at, input.size - 1u);
    let pixel = unpack4xU8(previous[here.y * input.pitch + here.x]);
    return vec3<i32>(pixel.zyx);
}

// BT.709, limited range, in 16 fractional bits.
fn luma_of(colour: vec3<i32>) -> u32 {
    return u32((dot(colour, vec3(11966, 40254, 4064)) + 32768) >> 16u) + 16u;
}

// Blue and red difference of four pixels' sum.
fn chroma_of(sum: vec3<i32>) -> u32 {
    let blue = ((dot(sum, vec3(-6596, -22188, 28784)) + 131072) >> 18u) + 128;
    let red = ((dot(sum, vec3(28784, -26145, -2639)) + 131072) >> 18u) + 128;
    return u32(blue) | u32(red) << 8u;
}
