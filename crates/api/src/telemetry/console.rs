//! Which standard stream carries the log.

use std::io::{self, Write};

/// The stream besides the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Console {
    /// Standard output; for the server.
    Stdout,
    /// Standard error; for commands whose standard output is their result.
    Stderr,
}

impl Console {
    /// Nobody may be listening any more; that is no reason to stop.
    pub(super) fn write(self, bytes: &[u8]) {
        let _ = match self {
            Self::Stdout => {
                let mut stream = io::stdout().lock();
                stream.write_all(bytes).and_then(|()| stream.flush())
            }
            Self::Stderr => io::stderr().lock().write_all(bytes),
        };
    }
}
