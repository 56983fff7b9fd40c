//! Rules about Rust's tokens. They see into macros, where linters do not look.

use super::{File, Finding};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use std::path::Path;

const MAX_FUNCTION_LINES: usize = 70;
/// Longer tests live in `tests.rs` beside the file they test.
const MAX_INNER_TEST_LINES: usize = 400;
/// Where `unsafe` may be: the X server's shared memory, kernels, sockets, the C interface.
const UNSAFE_PLACES: [&str; 5] =
    ["crates/capture/", "crates/damage/", "crates/codec/", "crates/net/src/socket", "crates/capi/"];
const UNFINISHED: [&str; 3] = ["todo", "unimplemented", "dbg"];

pub(super) fn check(file: &File) -> Vec<Finding> {
    let Some(text) = file.rust() else { return Vec::new() };
    let tokens = match text.parse::<TokenStream>() {
        Ok(tokens) => tokens,
        Err(error) => {
            let line = error.span().start().line;
            return vec![file.finding(line, format!("not Rust: {error}"))];
        }
    };
    let mut rules = Rules { file, lines: text.lines().collect(), findings: Vec::new() };
    rules.visit(tokens);
    rules.findings
}

/// Whether a function in `text` does anything.
pub(super) fn has_code(text: &str) -> bool {
    text.parse().is_ok_and(|tokens| any_body(tokens, |body| !body.stream().is_empty()))
}

fn any_body(tokens: TokenStream, wanted: fn(&Group) -> bool) -> bool {
    let tokens: Vec<_> = tokens.into_iter().collect();
    (0..tokens.len()).any(|at| match &tokens[at] {
        TokenTree::Ident(word) if word == "fn" => body_of(&tokens[at + 1..]).is_some_and(wanted),
        TokenTree::Group(group) => any_body(group.stream(), wanted),
        _ => false,
    })
}

/// The braces of the function whose name `rest` begins with; none for a declaration or a type.
fn body_of(rest: &[TokenTree]) -> Option<&Group> {
    if !matches!(rest.first(), Some(TokenTree::Ident(_))) {
        return None;
    }
    rest.iter()
        .take_while(|token| !matches!(token, TokenTree::Punct(mark) if mark.as_char() == ';'))
        .find_map(|token| match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group),
            _ => None,
        })
}

struct Rules<'a> {
    file: &'a File,
    lines: Vec<&'a str>,
    findings: Vec<Finding>,
}

impl Rules<'_> {
    fn visit(&mut self, tokens: TokenStream) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        for (at, token) in tokens.iter().enumerate() {
            let rest = &tokens[at + 1..];
            match token {
                TokenTree::Ident(word) => {
                    let line = word.span().start().line;
                    self.word(&word.to_string(), line, rest);
                }
                TokenTree::Punct(mark) if mark.as_char() == '#' => self.attribute(rest),
                TokenTree::Group(group) => self.visit(group.stream()),
                _ => {}
            }
        }
    }

    fn word(&mut self, word: &str, line: usize, rest: &[TokenTree]) {
        match word {
            "fn" => self.function(line, rest),
            "unsafe" => self.unsafety(line, rest),
            _ if UNFINISHED.contains(&word) => {
                if matches!(rest.first(), Some(TokenTree::Punct(mark)) if mark.as_char() == '!') {
                    self.find(line, format!("`{word}!` is for unfinished code"));
                }
            }
            _ => {}
        }
    }

    fn function(&mut self, line: usize, rest: &[TokenTree]) {
        let Some(body) = body_of(rest) else { return };
        let lines = body.span_close().end().line + 1 - line;
        if lines > MAX_FUNCTION_LINES {
            let name = &rest[0];
            let limit = MAX_FUNCTION_LINES;
            self.find(line, format!("`{name}` has {lines} lines, at most {limit}: split it"));
        }
    }

    fn unsafety(&mut self, line: usize, rest: &[TokenTree]) {
        let path = Path::new(&self.file.path).to_string_lossy();
        if !UNSAFE_PLACES.iter().any(|place| path.starts_with(place)) {
            self.find(
                line,
                "`unsafe` is allowed only in capture, damage, codec, net's socket \
                             module and capi",
            );
        }
        let needs_reason = match rest.first() {
            Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Brace,
            Some(TokenTree::Ident(word)) => word == "impl",
            _ => false,
        };
        if needs_reason && !self.says_why_safe(line) {
            self.find(line, "no `// SAFETY:` comment above says why this is sound");
        }
    }

    /// Looks for the reason on the line and above it, to the start of its statement.
    fn says_why_safe(&self, line: usize) -> bool {
        let above = self.lines[..line - 1].iter().rev().take_while(|line| {
            let line = line.trim();
            let comment = line.starts_with("//");
            comment || !(line.is_empty() || line.ends_with([';', '{', '}']))
        });
        [&self.lines[line - 1]].into_iter().chain(above).any(|line| line.contains("// SAFETY:"))
    }

    /// `rest` is what follows a `#`.
    fn attribute(&mut self, rest: &[TokenTree]) {
        let Some(TokenTree::Group(group)) = rest.first() else { return };
        let line = group.span_open().start().line;
        let text = group.to_string();
        let words: Vec<_> = text.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        let words: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
        match words[..] {
            ["ignore", ..] => self.find(line, "a test that nobody runs"),
            ["cfg_attr", ref rest @ ..] if rest.contains(&"ignore") => {
                self.find(line, "a test that nobody runs");
            }
            ["cfg", "test"] => self.inner_tests(line, &rest[1..]),
            _ => {}
        }
    }

    fn inner_tests(&mut self, line: usize, rest: &[TokenTree]) {
        let [TokenTree::Ident(word), TokenTree::Ident(_), TokenTree::Group(group), ..] = rest
        else {
            return;
        };
        let lines = group.span_close().end().line + 1 - line;
        if word == "mod" && lines > MAX_INNER_TEST_LINES {
            let limit = MAX_INNER_TEST_LINES;
            self.find(line, format!("{lines} lines of tests, above {limit}: move to tests.rs"));
        }
    }

    fn find(&mut self, line: usize, message: impl Into<String>) {
        self.findings.push(self.file.finding(line, message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_found(path: &str, text: &str) -> Vec<usize> {
        check(&File::new(path, text)).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn long_functions_are_found_in_macros_too() {
        let body =
            |lines: usize| format!("\nfn f() -> u8 {{\n{}}}\n", "    g(\"}\");\n".repeat(lines));
        assert!(lines_found("a.rs", &body(68)).is_empty());
        assert_eq!(lines_found("a.rs", &body(69)), [2]);
        assert_eq!(lines_found("a.rs", &format!("proptest! {{{}}}", body(69))), [2]);
    }

    #[test]
    fn braces_in_literals_and_comments_are_no_braces() {
        let odd = "fn f() { let a = r##\"}\"##; let b = '}'; /* } */ let c = b'{'; // {\n}\n";
        assert!(lines_found("a.rs", odd).is_empty());
    }

    #[test]
    fn function_types_and_declarations_are_no_functions() {
        let text = "trait T { fn f(&self); }\ntype F = fn(u8) -> u8;\nstruct S {\n";
        assert!(lines_found("a.rs", &format!("{text}{}}}", "a: u8,\n".repeat(90))).is_empty());
    }

    #[test]
    fn unsafe_without_a_reason_is_found() {
        let path = "crates/damage/src/a.rs";
        let bare = "fn f() {\n    unsafe { g() }\n}\nunsafe impl Send for A {}\n";
        assert_eq!(lines_found(path, bare), [2, 4]);
        let reasoned = "fn f() {\n    // SAFETY: g is.\n    let x =\n        unsafe { g() };\n}\n";
        assert!(lines_found(path, reasoned).is_empty());
        let of_another = "fn f() {\n    // SAFETY: g is.\n    h();\n    unsafe { g() }\n}\n";
        assert_eq!(lines_found(path, of_another), [4]);
    }

    #[test]
    fn unsafe_outside_its_places_is_found() {
        let text = "unsafe fn f() {}\n";
        assert_eq!(lines_found("crates/proto/src/lib.rs", text), [1]);
        assert_eq!(lines_found("crates/net/src/tls.rs", text), [1]);
        assert!(lines_found("crates/net/src/socket.rs", text).is_empty());
        assert!(lines_found("crates/codec/src/lib.rs", text).is_empty());
    }

    #[test]
    fn unfinished_code_is_found() {
        assert_eq!(lines_found("a.rs", "fn f() {\n    todo!()\n}\n"), [2]);
        assert_eq!(lines_found("a.rs", "fn f() {\n    unimplemented!(\"x\")\n}\n"), [2]);
        assert_eq!(lines_found("a.rs", "fn f() {\n    dbg!(1);\n}\n"), [2]);
        assert!(lines_found("a.rs", "// todo!()\nconst A: &str = \"dbg!(1)\";\n").is_empty());
    }

    #[test]
    fn ignored_tests_are_found() {
        assert_eq!(lines_found("a.rs", "#[test]\n#[ignore]\nfn f() {}\n"), [2]);
        assert_eq!(lines_found("a.rs", "#[test]\n#[ignore = \"slow\"]\nfn f() {}\n"), [2]);
        assert_eq!(lines_found("a.rs", "#[cfg_attr(miri, ignore)]\nfn f() {}\n"), [1]);
        assert!(lines_found("a.rs", "#[test]\nfn ignore() {}\n").is_empty());
    }

    #[test]
    fn long_inner_tests_are_found() {
        let tests = |lines| format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "use a;\n".repeat(lines));
        assert!(lines_found("a.rs", &tests(397)).is_empty());
        assert_eq!(lines_found("a.rs", &tests(398)), [1]);
    }

    #[test]
    fn text_that_is_not_rust_is_found() {
        assert_eq!(lines_found("a.rs", "fn f() {\n").len(), 1);
    }

    #[test]
    fn code_is_a_function_that_does_something() {
        assert!(has_code("mod a { fn f() { g() } }"));
        assert!(!has_code("//! Docs.\nfn main() {}\nstruct A;"));
    }
}
