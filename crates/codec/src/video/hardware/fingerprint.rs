//! Which driver there is, found without calling it.

use super::Backend;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// More files in a folder, and bytes of a file, than these do not count.
const FILES: usize = 64;
const FILE_BYTES: u64 = 64 << 10;

/// Folders with shared libraries.
const LIBRARIES: [&str; 8] = [
    "usr/lib/x86_64-linux-gnu",
    "usr/lib/aarch64-linux-gnu",
    "usr/lib64",
    "usr/lib",
    "usr/local/lib",
    "run/opengl-driver/lib",
    "usr/lib/wsl/lib",
    "usr/lib/x86_64-linux-gnu/nvidia/current",
];

/// Folders in which Vulkan drivers are listed.
const VULKAN: [&str; 4] = [
    "etc/vulkan/icd.d",
    "usr/share/vulkan/icd.d",
    "usr/local/share/vulkan/icd.d",
    "run/opengl-driver/share/vulkan/icd.d",
];

/// What chooses another Vulkan driver, or another library.
const VARIABLES: [&str; 4] =
    ["VK_DRIVER_FILES", "VK_ICD_FILENAMES", "VK_ADD_DRIVER_FILES", "LD_LIBRARY_PATH"];

/// The backends that this program has and this machine has a driver for, the one to prefer first,
/// with their [`driver_fingerprint`].
pub fn installed() -> impl Iterator<Item = (Backend, String)> {
    Backend::compiled().filter_map(|backend| Some((backend, driver_fingerprint(backend)?)))
}

/// A text of one line that another driver, another version of it, another kernel or another
/// graphics card changes. `None`: no driver is installed here. Takes some ms and calls no driver:
/// it reads what the kernel, the drivers' lists and the libraries' files say of themselves (paths,
/// sizes, times).
///
/// Known only for Linux; elsewhere there is none.
pub fn driver_fingerprint(backend: Backend) -> Option<String> {
    fingerprint(backend, Path::new("/"), |name| std::env::var_os(name))
}

fn fingerprint(
    backend: Backend,
    root: &Path,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Option<String> {
    let mut print = Print { root, hash: FNV_OFFSET };
    let nvidia = print.text("sys/module/nvidia/version");
    let nvidia = nvidia.or_else(|| print.text("proc/driver/nvidia/version"));
    let (found, version) = match backend {
        Backend::Nvenc => {
            let libraries = ["libcuda.so.1", "libnvidia-encode.so.1"].map(|l| print.library(l));
            (nvidia.is_some() || libraries.contains(&true), nvidia)
        }
        Backend::VulkanVideo => {
            let lists = VULKAN.map(|folder| print.vulkan_drivers(folder));
            (lists.contains(&true), print.text("proc/sys/kernel/osrelease"))
        }
    };
    for name in VARIABLES {
        print.add(name.as_bytes());
        print.add(variable(name).unwrap_or_default().as_encoded_bytes());
    }
    for device in print.files("sys/class/drm") {
        for id in ["device/vendor", "device/device"] {
            print.text_at(&device.join(id));
        }
    }
    let version = version.unwrap_or_else(|| "unknown".into());
    let word = version.split_whitespace().next().unwrap_or("unknown");
    let word: String = word.chars().filter(char::is_ascii_graphic).take(32).collect();
    found.then(|| format!("{word}-{:016x}", print.hash))
}

/// 64-bit FNV-1a: small, and the same in every version of the program.
const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x100_0000_01b3;

struct Print<'a> {
    root: &'a Path,
    hash: u64,
}

impl Print<'_> {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes.iter().copied().chain([0]) {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME);
        }
    }

    /// Takes in the text of a file.
    fn text(&mut self, path: &str) -> Option<String> {
        self.text_at(&self.root.join(path))
    }

    fn text_at(&mut self, path: &Path) -> Option<String> {
        let mut text = Vec::new();
        File::open(path).ok()?.take(FILE_BYTES).read_to_end(&mut text).ok()?;
        self.add(&text);
        Some(String::from_utf8_lossy(&text).into_owned())
    }

    /// The files in a folder, sorted.
    fn files(&self, folder: &str) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.root.join(folder)) else { return Vec::new() };
        let mut files: Vec<_> = entries.flatten().take(FILES).map(|entry| entry.path()).collect();
        files.sort();
        files
    }

    /// Takes in where a library lies, its size and its time. The name behind a link has the
    /// version in it.
    fn library(&mut self, name: &str) -> bool {
        let mut found = false;
        for folder in LIBRARIES {
            let Ok(path) = fs::canonicalize(self.root.join(folder).join(name)) else { continue };
            let Ok(data) = path.metadata() else { continue };
            let time = data.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            self.add(path.as_os_str().as_encoded_bytes());
            self.add(&data.len().to_le_bytes());
            self.add(&time.unwrap_or_default().as_nanos().to_le_bytes());
            found = true;
        }
        found
    }

    /// Takes in a folder's list of Vulkan drivers, and their libraries.
    fn vulkan_drivers(&mut self, folder: &str) -> bool {
        let lists = self.files(folder);
        for list in &lists {
            self.add(list.as_os_str().as_encoded_bytes());
            let text = self.text_at(list).unwrap_or_default();
            if let Some(library) = library_path(&text) {
                self.library(library.trim_start_matches('/'));
                self.library(library.rsplit('/').next().unwrap_or_default());
            }
        }
        !lists.is_empty()
    }
}

/// The library that a Vulkan driver's manifest names. It is JSON, but what is read wrongly only
/// makes the fingerprint coarser.
fn library_path(manifest: &str) -> Option<&str> {
    let (_, rest) = manifest.split_once("\"library_path\"")?;
    rest.split('"').nth(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// A machine's files.
    struct Machine(tempfile::TempDir);

    impl Machine {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.0.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        fn of(&self, backend: Backend) -> Option<String> {
            fingerprint(backend, self.0.path(), |_| None)
        }
    }

    #[test]
    fn where_no_driver_is_there_is_no_fingerprint() {
        let machine = Machine::new();
        machine.write("proc/sys/kernel/osrelease", "6.8.0-45-generic\n");
        for backend in Backend::ALL {
            assert_eq!(machine.of(backend), None);
        }
    }

    #[test]
    fn whatever_changes_the_driver_changes_nvencs_fingerprint() {
        let machine = Machine::new();
        let library = "usr/lib64/libnvidia-encode.so.1";
        let changes = [
            ("sys/module/nvidia/version", "535.54\n"),
            ("sys/module/nvidia/version", "550.54.14\n"),
            (library, "a"),
            (library, "ab"),
            ("usr/lib64/libcuda.so.1", "a"),
            ("sys/class/drm/card0/device/vendor", "0x10de\n"),
            ("sys/class/drm/card0/device/device", "0x2684\n"),
        ];
        let mut seen = HashSet::new();
        for (path, text) in changes {
            machine.write(path, text);
            let now = machine.of(Backend::Nvenc).unwrap();
            assert_eq!(machine.of(Backend::Nvenc), Some(now.clone()), "it stays the same");
            assert!(seen.insert(now), "{path}");
        }
        assert!(machine.of(Backend::Nvenc).unwrap().starts_with("550.54.14-"));
        let time = std::time::SystemTime::UNIX_EPOCH;
        File::open(machine.0.path().join(library)).unwrap().set_modified(time).unwrap();
        assert!(seen.insert(machine.of(Backend::Nvenc).unwrap()), "another file of the same size");
        assert_eq!(machine.of(Backend::VulkanVideo), None);
    }

    #[test]
    fn whatever_changes_the_driver_changes_vulkans_fingerprint() {
        let machine = Machine::new();
        let list = "usr/share/vulkan/icd.d/radeon_icd.json";
        let manifest = "{\"ICD\": {\"library_path\": \"/usr/lib/libvulkan_radeon.so\"}}";
        let changes = [
            (list, "{}"),
            (list, manifest),
            ("usr/lib/libvulkan_radeon.so", "a"),
            ("usr/lib/libvulkan_radeon.so", "ab"),
            ("etc/vulkan/icd.d/other.json", "{\"library_path\": \"libother.so\"}"),
            ("usr/lib64/libother.so", "a"),
            ("proc/sys/kernel/osrelease", "6.8.0-45-generic\n"),
        ];
        let mut seen = HashSet::new();
        for (path, text) in changes {
            machine.write(path, text);
            assert!(seen.insert(machine.of(Backend::VulkanVideo).unwrap()), "{path}");
        }
        assert!(machine.of(Backend::VulkanVideo).unwrap().starts_with("6.8.0-45-generic-"));
        for name in VARIABLES {
            let chosen = |asked: &str| (asked == name).then(|| "x".into());
            let now = fingerprint(Backend::VulkanVideo, machine.0.path(), chosen);
            assert!(seen.insert(now.unwrap()), "{name}");
        }
    }

    #[test]
    fn strange_files_make_no_strange_fingerprint() {
        let machine = Machine::new();
        machine.write("sys/module/nvidia/version", "\u{1}\t\u{e4}x\u{7f}y\n");
        let strange = machine.of(Backend::Nvenc).unwrap();
        assert!(strange.chars().all(|c| c.is_ascii_graphic()), "{strange:?}");
        machine.write("sys/module/nvidia/version", &"9".repeat(1 << 20));
        assert!(machine.of(Backend::Nvenc).unwrap().len() <= 49);
        machine.write("proc/driver/nvidia/version", "NVRM version");
        assert!(machine.of(Backend::Nvenc).is_some());
    }

    #[test]
    fn only_compiled_backends_with_a_driver_are_installed() {
        let expected = Backend::compiled().filter(|b| driver_fingerprint(*b).is_some());
        assert!(installed().map(|(backend, _)| backend).eq(expected));
    }

    #[test]
    fn this_machines_drivers_are_found_in_no_time_to_speak_of() {
        let began = std::time::Instant::now();
        let all = || Backend::ALL.map(driver_fingerprint);
        assert_eq!(all(), all());
        assert!(began.elapsed().as_millis() < 1000);
    }
}
