//! The contract of a place where checkpoints are kept: names and bytes, each written whole or not at all. It knows no
//! manifest.

use crate::core::fault::Fault;

/// A place where a job's checkpoints are kept: a folder, later an object store. Calls block.
pub trait Store: Send + Sync {
    /// What it is, for messages: the folder's path.
    fn place(&self) -> String;

    /// Holds the place for this process until the answer is dropped.
    ///
    /// # Errors
    /// Another process holds it.
    fn hold(&self) -> Result<Box<dyn Send + Sync>, Fault>;

    /// Writes a file, whole or not at all; it is durable when this returns. Names have parts with `/` between them.
    ///
    /// # Errors
    /// The system's: a full disk, a missing right.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Fault>;

    /// Reads a file.
    ///
    /// # Errors
    /// The system's: the file is not there.
    fn read(&self, name: &str) -> Result<Vec<u8>, Fault>;

    /// The names directly under a name, in order; none where it does not exist.
    ///
    /// # Errors
    /// The system's.
    fn list(&self, under: &str) -> Result<Vec<String>, Fault>;

    /// Removes a name and everything under it. Nothing happens where it does not exist.
    ///
    /// # Errors
    /// The system's.
    fn remove(&self, under: &str) -> Result<(), Fault>;
}
