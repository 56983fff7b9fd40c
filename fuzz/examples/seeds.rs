//! Writes the generated seeds of every target into `seeds/`.

use std::path::Path;
use std::{fs, io};

fn main() -> io::Result<()> {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    for target in farpane_fuzz::TARGETS {
        let folder = seeds.join(target.name);
        fs::create_dir_all(&folder)?;
        for (name, input) in (target.seeds)() {
            fs::write(folder.join(name), input)?;
        }
    }
    Ok(())
}
