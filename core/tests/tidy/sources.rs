//! The files of the repository, as the checks see them.

use std::fs;
use std::path::{Path, PathBuf};

/// One text file.
pub(crate) struct Source {
    /// From the root of the repository, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// The lines with their numbers, from 1.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines())
    }

    /// The lines in front of the file's tests, which come last in every file; none of a file that is all tests.
    pub(crate) fn product_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let is_test = self.is_test_file();
        self.lines().take_while(move |(_, line)| !is_test && *line != "mod tests {")
    }

    /// The lines that are tests.
    pub(crate) fn test_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines().skip(self.product_lines().count())
    }

    fn is_test_file(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }

    /// A complaint about a line of this file.
    pub(crate) fn complain(&self, line: usize, what: &str) -> String {
        format!("{}:{line}: {what}", self.path)
    }
}

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the workspace has a root")
}

/// Every text file but test messages, builds and what tools write.
pub(crate) fn texts() -> Vec<Source> {
    let mut sources = vec![];
    walk(&root(), &root(), &mut sources);
    sources.sort_by(|one, other| one.path.cmp(&other.path));
    sources
}

/// Every Rust file.
pub(crate) fn rust() -> Vec<Source> {
    texts().into_iter().filter(|source| source.path.ends_with(".rs")).collect()
}

fn walk(root: &Path, folder: &Path, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("a folder of the repository") {
        let path = entry.expect("an entry of a folder").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_symlink() || matches!(&*name, ".git" | "target" | "testdata" | "Cargo.lock") {
            continue;
        }
        // Cargo marks its folders, under whatever name somebody builds.
        if path.is_dir() && !path.join("CACHEDIR.TAG").exists() {
            walk(root, &path, sources);
        } else if let Some(text) = fs::read(&path).ok().and_then(|bytes| String::from_utf8(bytes).ok()) {
            let path = path.strip_prefix(root).expect("the walk stays under its root");
            let path = path.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/");
            sources.push(Source { path, text });
        }
    }
}

/// The line without its comment. Two slashes in a string end it too, which hides nothing that is looked for here.
pub(crate) fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

/// Whether `word` stands in `line` by itself and not as a part of a longer name.
pub(crate) fn has_word(line: &str, word: &str) -> bool {
    let joins = |found: Option<char>| found.is_some_and(|found| found.is_alphanumeric() || found == '_');
    line.match_indices(word)
        .any(|(at, _)| !joins(line[..at].chars().next_back()) && !joins(line[at + word.len()..].chars().next()))
}
