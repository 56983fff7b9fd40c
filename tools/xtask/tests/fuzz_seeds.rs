//! The committed seeds of the fuzz targets, replayed without a fuzzer.

use farpane_fuzz::{TARGETS, Target};
use std::fs;
use std::path::{Path, PathBuf};

fn seeds_of(target: &Target) -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds"));
    let files = fs::read_dir(folder.join(target.name)).unwrap();
    let read = |path: &Path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        (name.to_owned(), fs::read(path).unwrap())
    };
    files.map(|file| read(&file.unwrap().path())).collect()
}

#[test]
fn each_target_accepts_its_seeds_and_refuses_the_bad_ones() {
    for target in TARGETS {
        let seeds = seeds_of(&target);
        let bad = seeds.iter().filter(|(name, _)| name.starts_with("bad-")).count();
        assert!(bad > 0 && bad < seeds.len(), "{} has seeds of one sort only", target.name);
        for (name, input) in seeds {
            let accepted = (target.accepts)(&input);
            if !name.starts_with("found-") {
                assert_eq!(accepted, !name.starts_with("bad-"), "{}/{name}", target.name);
            }
        }
    }
}

#[test]
fn every_generated_seed_is_committed() {
    for target in TARGETS {
        let committed: Vec<_> = seeds_of(&target).into_iter().map(|(name, _)| name).collect();
        for (name, _) in (target.seeds)() {
            assert!(committed.iter().any(|file| file == name), "{}/{name}", target.name);
        }
    }
}

#[test]
fn seeds_cut_short_or_with_a_bit_changed_do_no_harm() {
    for target in TARGETS {
        for (_, seed) in seeds_of(&target) {
            let step = seed.len().div_ceil(200).max(1);
            for at in (0..seed.len()).step_by(step) {
                (target.accepts)(&seed[..at]);
                let mut changed = seed.clone();
                changed[at] ^= 1 << (at % 8);
                (target.accepts)(&changed);
            }
        }
    }
}

#[test]
fn cargo_fuzz_runs_the_targets_that_are_tested_here() {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/Cargo.toml");
    let manifest = fs::read_to_string(manifest).unwrap();
    let mut programs: Vec<_> = manifest
        .split("[[bin]]\nname = \"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    programs.sort_unstable();
    assert_eq!(programs, TARGETS.map(|target| target.name));
}
