use farpane::CodecChoice;
use farpane::lab::*;
use farpane_frame::*;
const W: u32 = 1280;
const H: u32 = 720;
fn main() {
    let clip = std::fs::read("/tmp/vid/clip.raw").unwrap();
    let frames: Vec<&[u8]> = clip.chunks_exact((W * H * 4) as usize).collect();
    let desk = std::fs::read("/tmp/vid/desk.raw").unwrap();
    let size = Size::new(1920, 1080);
    for rate in std::env::args().skip(1) {
        let rate: u64 = rate.parse().unwrap();
        let mut buf = FrameBuf::new(size, PixelFormat::Bgrx).unwrap();
        buf.data_mut()[..desk.len()].copy_from_slice(&desk);
        let at = Rect::new(200, 120, W, H);
        let mut lab = Lab::new(
            &buf.view(),
            LabOptions {
                codec: CodecChoice::Auto,
                bits_per_s: rate * 1_000_000,
                one_way_us: 1_000,
                clocked: std::env::var("CLOCK").is_ok(),
            },
        )
        .unwrap();
        lab.run_until_exact(20_000_000).unwrap();
        let t0 = lab.now_us();
        println!(
            "rate {rate}: first exact {} ms {} bytes",
            (t0 - 1_000_000) / 1000,
            lab.stats().bytes
        );
        let s0 = lab.stats();
        for (i, f) in frames.iter().enumerate() {
            let due = t0 + i as u64 * 33_333;
            lab.run_until(due).unwrap();
            for y in 0..H {
                buf.span_mut(at.x, at.y + y, W)
                    .copy_from_slice(&f[(y * W * 4) as usize..((y + 1) * W * 4) as usize]);
            }
            lab.show(&buf.view()).unwrap();
            if i % 10 == 9 {
                lab.run_until(due + 32_000).unwrap();
                let p = lab.picture().unwrap();
                if i % 40 == 39 {
                    for (name, v) in [("seen", &p), ("captured", &lab.captured())] {
                        let o: Vec<u8> =
                            (0..H).flat_map(|y| v.span(at.x, at.y + y, W).to_vec()).collect();
                        std::fs::write(format!("/tmp/vid/{name}{i}.raw"), o).unwrap();
                    }
                }
                let mut best = (0.0f64, 0usize);
                for back in 0..5 {
                    let c = frames[i - back];
                    let mut e = 0u64;
                    for y in 0..H {
                        for (a, b) in p
                            .span(at.x, at.y + y, W)
                            .chunks_exact(4)
                            .zip(c[(y * W * 4) as usize..].chunks_exact(4))
                        {
                            for k in 0..3 {
                                e += (a[k].abs_diff(b[k]) as u64).pow(2);
                            }
                        }
                    }
                    let mse = e as f64 / (W * H * 3) as f64;
                    let psnr = 10.0 * (255f64 * 255. / mse.max(1e-9)).log10();
                    if psnr > best.0 {
                        best = (psnr, back);
                    }
                }
                let px = |it: &mut dyn Iterator<Item = [u8; 4]>| -> Vec<[f32; 3]> {
                    it.map(|p| [p[2] as f32 / 255., p[1] as f32 / 255., p[0] as f32 / 255.])
                        .collect()
                };
                let ours: Vec<[f32; 3]> = (0..H)
                    .flat_map(|y| {
                        px(&mut p
                            .span(at.x, at.y + y, W)
                            .chunks_exact(4)
                            .map(|c| [c[0], c[1], c[2], 0]))
                    })
                    .collect();
                let theirs =
                    px(&mut frames[i - best.1].chunks_exact(4).map(|c| [c[0], c[1], c[2], 0]));
                let rgb = |v| {
                    ssimulacra2::Rgb::new(
                        v,
                        W as usize,
                        H as usize,
                        ssimulacra2::TransferCharacteristic::SRGB,
                        ssimulacra2::ColorPrimaries::BT709,
                    )
                    .unwrap()
                };
                let ssim = ssimulacra2::compute_frame_ssimulacra2(rgb(theirs), rgb(ours)).unwrap();
                let s = lab.stats();
                println!(
                    "  {i}: psnr {:.1} ssim2 {ssim:.0} of {} back, bytes {} units {} updates {} sharer {:.1} ms/frame helper {:.1}",
                    best.0,
                    best.1,
                    s.bytes - s0.bytes,
                    s.units,
                    s.updates,
                    (s.sharer - s0.sharer).as_secs_f64() * 1e3 / (i + 1) as f64,
                    (s.helper - s0.helper).as_secs_f64() * 1e3 / (i + 1) as f64
                );
            }
        }
        let t = lab.now_us();
        let ok = lab.run_until_exact(t + 30_000_000).unwrap();
        println!(
            "  end exact {ok} after {} ms, bytes {}",
            (lab.now_us() - t) / 1000,
            lab.stats().bytes - s0.bytes
        );
    }
}
