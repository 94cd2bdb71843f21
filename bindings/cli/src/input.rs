//! Bodies from files, folders and standard input, one after the other.

use std::fs;
use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

/// Files that hold one body.
const BODY_EXTENSIONS: [&str; 5] = ["json", "txt", "xml", "html", "form"];

/// Files that hold one body a line.
const LINES_EXTENSIONS: [&str; 2] = ["jsonl", "ndjson"];

/// One body and where it came from.
pub(crate) struct Body {
    /// The argument or file, with the line where there are several.
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// Where bodies are.
pub(crate) enum Place {
    File(PathBuf),
    StandardInput,
    /// A folder that cannot be searched: an error when its turn comes, as with a file that cannot be read.
    Closed(io::Error),
}

impl Place {
    /// How many bytes there are to read, as far as that can be known.
    pub(crate) fn length(&self) -> Option<u64> {
        match self {
            Self::File(path) => fs::metadata(path).ok().map(|file| file.len()),
            Self::StandardInput | Self::Closed(_) => None,
        }
    }
}

/// The files behind the arguments; folders are searched, in the order of names.
pub(crate) fn places(paths: &[PathBuf]) -> Vec<Place> {
    let mut places = vec![];
    for path in paths {
        match path {
            path if path.as_os_str() == "-" => places.push(Place::StandardInput),
            path if path.is_dir() => search(path, &mut places),
            path => places.push(Place::File(path.clone())),
        }
    }
    places
}

/// Folders that are still to be searched are kept in a list, so that no depth of them is too deep.
fn search(folder: &Path, places: &mut Vec<Place>) {
    let (mut folders, mut found) = (vec![folder.to_path_buf()], vec![]);
    while let Some(folder) = folders.pop() {
        if let Err(error) = search_one(&folder, &mut folders, &mut found) {
            places.push(Place::Closed(named(&folder, &error)));
        }
    }
    found.sort();
    places.extend(found.into_iter().map(Place::File));
}

fn search_one(folder: &Path, folders: &mut Vec<PathBuf>, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        // A link to a folder could lead round in a circle, so that only a link to a file is followed.
        if entry.file_type()?.is_dir() {
            folders.push(path);
        } else if path.is_file() && (is_one_of(&path, &BODY_EXTENSIONS) || is_lines(&path)) {
            found.push(path);
        }
    }
    Ok(())
}

/// Calls `each` with every body of a place.
pub(crate) fn for_each_body(place: &Place, mut each: impl FnMut(Body) -> io::Result<()>) -> io::Result<()> {
    match place {
        Place::Closed(error) => Err(io::Error::new(error.kind(), error.to_string())),
        Place::StandardInput => for_each_line(io::stdin().lock(), "-", each),
        Place::File(path) if is_lines(path) => {
            let file = fs::File::open(path).map_err(|error| named(path, &error))?;
            for_each_line(io::BufReader::new(file), &path.display().to_string(), each)
        }
        Place::File(path) => {
            let bytes = fs::read(path).map_err(|error| named(path, &error))?;
            each(Body { name: path.display().to_string(), bytes })
        }
    }
}

/// One body a line; lines without anything are passed.
pub(crate) fn for_each_line(
    mut lines: impl BufRead,
    name: &str,
    mut each: impl FnMut(Body) -> io::Result<()>,
) -> io::Result<()> {
    let (mut line, mut number) = (vec![], 0_u64);
    while lines.read_until(b'\n', &mut line)? > 0 {
        number += 1;
        let end = line.strip_suffix(b"\n").unwrap_or(&line);
        let bytes = end.strip_suffix(b"\r").unwrap_or(end).to_vec();
        if !bytes.is_empty() {
            each(Body { name: format!("{name}:{number}"), bytes })?;
        }
        line.clear();
    }
    Ok(())
}

fn is_lines(path: &Path) -> bool {
    is_one_of(path, &LINES_EXTENSIONS)
}

fn is_one_of(path: &Path, extensions: &[&str]) -> bool {
    path.extension().and_then(|extension| extension.to_str()).is_some_and(|extension| extensions.contains(&extension))
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
