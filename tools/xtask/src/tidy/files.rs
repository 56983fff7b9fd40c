//! Rules about files as text: their size, their lines, their mode.

use super::{File, Finding};

const MAX_LINES: usize = 800;
const MAX_COLUMNS: usize = 100;
/// Larger files are recordings or builds; they make every clone slow for ever.
const MAX_BYTES: usize = 1 << 20;
/// Folders in the root of somebody's machine that nobody else has.
const PRIVATE_FOLDERS: [&str; 4] = ["home", "root", "work", "Users"];

pub(super) fn check(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    if file.bytes.len() > MAX_BYTES {
        let message = format!("{} bytes, at most {MAX_BYTES} are allowed", file.bytes.len());
        findings.push(file.finding(0, message));
        return findings;
    }
    if file.bytes.starts_with(b"#!/") && !file.executable {
        findings.push(file.finding(1, "a script that is not executable: chmod +x"));
    }
    if let Some(text) = file.text() {
        findings.extend(private_paths(file, text));
    }
    if let Some(text) = file.rust() {
        findings.extend(lines(file, text));
    }
    findings
}

fn lines(file: &File, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let count = text.lines().count();
    if count > MAX_LINES {
        findings.push(file.finding(0, format!("{count} lines, at most {MAX_LINES}: split it")));
    }
    for (line, text) in (1..).zip(text.lines()) {
        let columns = text.chars().count();
        if columns > MAX_COLUMNS {
            let message = format!("{columns} columns, at most {MAX_COLUMNS} are allowed");
            findings.push(file.finding(line, message));
        }
        if text.trim_start().starts_with("//") && text.contains("```ignore") {
            findings.push(file.finding(line, "an example that nobody compiles"));
        }
    }
    findings
}

/// Paths such as a home folder mean something on one machine only.
fn private_paths(file: &File, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for folder in PRIVATE_FOLDERS.map(|name| format!("/{name}/")) {
        for (line, text) in (1..).zip(text.lines()) {
            let whole = text.match_indices(&folder).any(|(at, _)| starts_a_path(&text[..at]));
            if whole {
                findings.push(file.finding(line, format!("`{folder}` is there on few machines")));
            }
        }
    }
    findings
}

/// Whether a slash after `before` begins an absolute path.
fn starts_a_path(before: &str) -> bool {
    !before.ends_with(|c: char| c.is_alphanumeric() || "_-./*}".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(file: &File) -> Vec<String> {
        check(file).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn long_files_and_lines_are_found() {
        let at_the_limits = format!("{}\n", "x".repeat(100)).repeat(800);
        assert!(messages(&File::new("a.rs", at_the_limits.clone())).is_empty());
        let beyond = File::new("a.rs", at_the_limits + &"é".repeat(101));
        let found = messages(&beyond);
        assert_eq!(found.len(), 2);
        assert!(found[0].starts_with("a.rs:0: 801 lines"));
        assert!(found[1].starts_with("a.rs:801: 101 columns"));
    }

    #[test]
    fn text_that_is_not_rust_may_be_wide() {
        assert!(messages(&File::new("a.md", "x".repeat(300))).is_empty());
    }

    #[test]
    fn large_files_are_found() {
        assert!(messages(&File::new("a.png", vec![0; MAX_BYTES])).is_empty());
        assert_eq!(messages(&File::new("a.png", vec![0; MAX_BYTES + 1])).len(), 1);
    }

    #[test]
    fn scripts_must_be_executable() {
        let mut script = File::new("tools/go", "#!/bin/sh\n");
        assert_eq!(messages(&script).len(), 1);
        script.executable = true;
        assert!(messages(&script).is_empty());
    }

    #[test]
    fn paths_of_one_machine_are_found() {
        for folder in PRIVATE_FOLDERS {
            let own = File::new("a.md", format!("one\nsee /{folder}/me/notes\n"));
            assert_eq!(messages(&own).len(), 1);
            assert!(messages(&own)[0].starts_with("a.md:2: "));
            let part = File::new("a.md", format!("https://example.com/{folder}/me"));
            assert!(messages(&part).is_empty());
        }
    }

    #[test]
    fn examples_that_are_not_compiled_are_found() {
        assert_eq!(messages(&File::new("a.rs", "/// ```ignore\n/// x\n/// ```\n")).len(), 1);
    }
}
