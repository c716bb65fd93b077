//! Files and folders that only their owner may read: jobs, their checkpoints, texts and logs hold what a person wrote and what
//! a company's topics hold. On a system without such rights they are plain. Calls block.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// A new file, or an old one that is emptied.
///
/// # Errors
/// It cannot be made or written.
pub fn create(path: &Path) -> io::Result<File> {
    let file = options().create(true).truncate(true).open(path)?;
    close(&file)?;
    Ok(file)
}

/// Writes a file.
///
/// # Errors
/// As [`create`].
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    create(path)?.write_all(bytes)
}

/// Makes a folder, and those above it that are missing; one that is there stays as it is.
///
/// # Errors
/// It cannot be made.
pub fn folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)
}

/// What to tell whoever keeps state in a folder that others may enter or read, as one made by hand or by an earlier release
/// may be. It is told and not changed: somebody may have meant it so.
pub fn warning(folder: &Path) -> Option<String> {
    let mode = mode(folder).filter(|mode| mode & 0o077 != 0)?;
    let path = folder.display();
    Some(format!("others may read {path} ({mode:04o}), which holds state and logs: chmod 700 {path} closes it"))
}

#[cfg(unix)]
fn mode(path: &Path) -> Option<u32> {
    let data = std::fs::metadata(path).ok()?;
    Some(std::os::unix::fs::PermissionsExt::mode(&data.permissions()) & 0o777)
}

#[cfg(not(unix))]
fn mode(_path: &Path) -> Option<u32> {
    None
}

/// Options with which a file is made for its owner alone; they write.
pub fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// One that an earlier release left open is closed too.
#[cfg(unix)]
fn close(file: &File) -> io::Result<()> {
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))
}

#[cfg(not(unix))]
fn close(_file: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_is_made_is_its_owners_alone_and_so_is_what_was_open() {
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let place = tempfile::tempdir().unwrap();
        let inner = place.path().join("a/b");
        folder(&inner).unwrap();
        assert_eq!((mode(&inner), mode(&place.path().join("a"))), (0o700, 0o700));
        let path = inner.join("text");
        fs::write(&path, "open").unwrap();
        write(&path, b"closed").unwrap();
        assert_eq!((mode(&path), fs::read(&path).unwrap().as_slice()), (0o600, b"closed".as_slice()));
    }

    #[test]
    fn a_folder_that_others_may_read_is_told_with_its_rights_and_stays_as_it_is() {
        let place = tempfile::tempdir().unwrap();
        let set = |mode| fs::set_permissions(place.path(), fs::Permissions::from_mode(mode)).unwrap();
        for (mode, told) in [(0o700, None), (0o755, Some("(0755)")), (0o710, Some("(0710)"))] {
            set(mode);
            let warned = warning(place.path());
            assert_eq!(warned.is_some(), told.is_some(), "{mode:o}");
            assert!(warned.unwrap_or_default().contains(told.unwrap_or_default()));
            assert_eq!(super::mode(place.path()), Some(mode));
        }
        assert_eq!(warning(&place.path().join("absent")), None);
    }
}
