//! Where a reader of a file stands, as a checkpoint keeps it: the place in its text, which file that was, and how long it
//! was when nothing was left in it. It reads no file, it only looks at one.

use std::fs::Metadata;
use std::path::Path;

use super::lines::{Identity, identity};
use super::settings::{Compression, Holds, Settings};
use crate::connectors::contract::Position;
use crate::core::fault::{Blame, Fault};

/// Which file, and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    /// `None` where the system does not say.
    pub identity: Option<Identity>,
    /// Bytes.
    pub length: u64,
}

impl Stamp {
    pub fn of(metadata: &Metadata) -> Self {
        Self { identity: identity(metadata), length: metadata.len() }
    }
}

/// A place in a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// Bytes and lines, or row groups and rows, that were read.
    pub at: (u64, u64),
    /// The inode of the file that they were read from, where it is known.
    pub inode: Option<u64>,
    /// How long the file was when all of it was read. What was added to it since makes it another length.
    pub length: Option<u64>,
}

impl Place {
    /// The place that a position says. Positions of former versions say less.
    pub fn of(position: &Position, file: &str) -> Result<Self, Fault> {
        let mut parts = position.0.split(':').map(|part| match part {
            "" => Some(None),
            number => number.parse().ok().map(Some),
        });
        let mut next = || parts.next().unwrap_or(Some(None));
        let place = (next(), next(), next(), next());
        match place {
            (Some(Some(first)), Some(Some(second)), Some(inode), Some(length)) if parts.next().is_none() => {
                Ok(Self { at: (first, second), inode, length })
            }
            _ => Err(Fault::new(Blame::Program, format!("`{}` is no position in {file}", position.0))),
        }
    }

    pub fn position(&self) -> Position {
        let (first, second) = self.at;
        let inode = self.inode.map(|inode| inode.to_string()).unwrap_or_default();
        let text = match (self.inode, self.length) {
            (None, None) => format!("{first}:{second}"),
            (_, None) => format!("{first}:{second}:{inode}"),
            (_, Some(length)) => format!("{first}:{second}:{inode}:{length}"),
        };
        Position(text)
    }

    /// Whether the file of this name is the one that was read up to here, or what makes it another.
    pub fn in_file(&self, stamp: Stamp, settings: &Settings, path: &Path) -> Result<(), &'static str> {
        if let (Some(before), Some((_, now))) = (self.inode, stamp.identity)
            && before != now
        {
            return Err("another file has the name since it was read");
        }
        match (is_plain(settings, path), self.length) {
            (true, _) if stamp.length < self.at.0 => Err("the file is shorter than when it was read"),
            // What is written into Parquet once stays as it is.
            _ if settings.holds == Holds::Parquet && self.length.is_some_and(|length| length != stamp.length) => {
                Err("another file has the name since it was read")
            }
            _ => Ok(()),
        }
    }

    /// Whether a file may hold more than what was read of it.
    pub fn has_more(&self, settings: &Settings, path: &Path) -> bool {
        let stamp = match path.metadata() {
            Ok(metadata) => Stamp::of(&metadata),
            // It was taken away: what is left is what was read. Of anything else its reader speaks.
            Err(error) => return error.kind() != std::io::ErrorKind::NotFound,
        };
        self.in_file(stamp, settings, path).is_err()
            || match self.length {
                Some(length) => stamp.length != length,
                None => !is_plain(settings, path) || stamp.length != self.at.0,
            }
    }
}

/// Whether places in the text are places in the file.
pub(super) fn is_plain(settings: &Settings, path: &Path) -> bool {
    settings.holds != Holds::Parquet && settings.compression_of(path) == Compression::None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn positions_of_every_version_are_read_and_those_of_this_one_come_back() {
        let of = |text: &str| Place::of(&Position(text.into()), "a.csv").ok();
        let place = |inode, length| Some(Place { at: (10, 2), inode, length });
        assert_eq!(of("10:2"), place(None, None));
        assert_eq!(of("10:2:77"), place(Some(77), None));
        assert_eq!(of("10:2:77:10"), place(Some(77), Some(10)));
        assert_eq!(of("10:2::10"), place(None, Some(10)));
        for text in ["10:2", "10:2:77", "10:2:77:10", "10:2::10"] {
            assert_eq!(of(text).unwrap().position().0, text);
        }
        for text in ["", "10", "10:x", "10:2:3:4:5", "a:2"] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
