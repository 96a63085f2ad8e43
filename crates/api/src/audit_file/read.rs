//! Checking an exported trail, whoever made the file: one line in memory at a time, and none that is too long.

use std::io::{self, BufRead, Read as _};

use chrono::{DateTime, Utc};
use sme_pulse_domain::audit::{Chain, ChainVerifier, Digest, Finding, PublicKey, Summary, Trust};

use super::{
    FORMAT, VERSION,
    line::{HeaderLine, Line},
};

/// The longest line; an event holds at most two bodies of a request.
const MAX_LINE: u64 = 16 * 1024 * 1024;

/// A trail that is whole.
#[derive(Debug)]
pub struct Report {
    /// Whose.
    pub chain: Chain,
    /// When it was exported.
    pub exported_at: DateTime<Utc>,
    /// The key it is signed with.
    pub key: PublicKey,
    /// What it holds.
    pub summary: Summary,
}

/// Why a trail is not whole. No text of the file is repeated.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("the file cannot be read")]
    Io(#[from] io::Error),
    /// It begins otherwise.
    #[error("line 1: {0}")]
    Header(&'static str),
    /// A line cannot be understood. With it goes the event that is awaited there.
    #[error("line {line}, where event {awaited} is awaited: {fault}")]
    Line {
        /// From 1.
        line: u64,
        /// The event that is awaited there.
        awaited: i64,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// It was signed by somebody else.
    #[error("wrong key: the file is signed with the key {0}, not with one that was given")]
    WrongKey(String),
    /// The end is missing.
    #[error("the file was truncated: it ends before event {0} or its end line")]
    Truncated(i64),
    /// An event or what is signed is not right.
    #[error(transparent)]
    Found(#[from] Finding),
}

/// Checks a whole file. Without `pins` the key in its header is believed, so that it only shows that the file is what
/// the owner of that key wrote; `pins` are the keys whose signatures count.
pub fn verify(input: impl BufRead, pins: Vec<PublicKey>) -> Result<Report, FileError> {
    let mut lines = Lines { input, number: 0, digest: Digest::default() };
    let first = lines.next()?.ok_or(FileError::Header("the file is empty"))?;
    let Ok(Line::Header(header)) = parsed(&first) else {
        return Err(FileError::Header("it is no header of an exported audit trail"));
    };
    let key = checked(&header)?;
    if !pins.is_empty() && !pins.contains(&key) {
        return Err(FileError::WrongKey(key.id()));
    }
    let trusted = if pins.is_empty() { vec![key.clone()] } else { pins };
    let chain = Chain::numbered(header.chain);
    let verifier = ChainVerifier::new(chain, Trust::new(trusted));
    let summary = rest(&mut lines, verifier)?;
    Ok(Report { chain, exported_at: header.exported_at.0, key, summary })
}

fn checked(header: &HeaderLine) -> Result<PublicKey, FileError> {
    if header.format != FORMAT || header.version != VERSION {
        return Err(FileError::Header("the format is unknown"));
    }
    let key = PublicKey::from_hex(&header.public_key).ok_or(FileError::Header("the public key is none"))?;
    if key.id() == header.key_id { Ok(key) } else { Err(FileError::Header("key and key id do not belong together")) }
}

fn rest(lines: &mut Lines<impl BufRead>, mut verifier: ChainVerifier) -> Result<Summary, FileError> {
    loop {
        // What is left out before a line that cannot be read comes first.
        let fault = |verifier: &ChainVerifier, error: FileError| verifier.whole().err().map_or(error, FileError::Found);
        let digest = lines.digest.clone();
        let awaited = verifier.awaited();
        let line = match lines.next() {
            Ok(Some(line)) => line,
            Ok(None) => return Err(fault(&verifier, FileError::Truncated(awaited))),
            Err(error) => return Err(fault(&verifier, error.awaiting(awaited))),
        };
        let number = lines.number;
        let unreadable = |fault| FileError::Line { line: number, awaited, fault };
        match parsed(&line) {
            Ok(Line::Event(event)) => verifier.event(&(*event).into())?,
            Ok(Line::Checkpoint(checkpoint)) => verifier.checkpoint(&checkpoint.into())?,
            Ok(Line::End(end)) => {
                let summary = verifier.end(&end.into(), &digest.hex())?;
                let more = lines.next()?.is_some();
                return if more { Err(unreadable("something follows the end line")) } else { Ok(summary) };
            }
            Ok(Line::Header(_)) => return Err(fault(&verifier, unreadable("a second header"))),
            Err(text) => return Err(fault(&verifier, unreadable(text))),
        }
    }
}

/// The line's values. It has to be byte for byte what the exporter writes: every other spelling is somebody else's.
fn parsed(line: &[u8]) -> Result<Line, &'static str> {
    let text = std::str::from_utf8(line).map_err(|_| "it is not UTF-8")?;
    let parsed: Line = serde_json::from_str(text).map_err(|_| "it was edited: it is no JSON of a known form")?;
    match serde_json::to_vec(&parsed) {
        Ok(bytes) if bytes == line => Ok(parsed),
        _ => Err("it was edited: it is not written as the exporter writes it"),
    }
}

struct Lines<R> {
    input: R,
    number: u64,
    /// Of all lines so far, line feeds included.
    digest: Digest,
}

impl<R: BufRead> Lines<R> {
    /// The next line without its line feed; `None` at the end of the file.
    fn next(&mut self) -> Result<Option<Vec<u8>>, FileError> {
        self.number = self.number.saturating_add(1);
        let mut line = Vec::new();
        (&mut self.input).take(MAX_LINE).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(None);
        }
        self.digest.add(&line);
        let too_long = u64::try_from(line.len()).is_ok_and(|length| length >= MAX_LINE);
        match line.pop_if(|last| *last == b'\n') {
            Some(_) => Ok(Some(line)),
            None if too_long => Err(self.fault("the line is too long")),
            None => Err(self.fault("the file was truncated: the line is cut off")),
        }
    }

    const fn fault(&self, fault: &'static str) -> FileError {
        FileError::Line { line: self.number, awaited: 1, fault }
    }
}

impl FileError {
    fn awaiting(self, awaited: i64) -> Self {
        match self {
            Self::Line { line, fault, .. } => Self::Line { line, awaited, fault },
            other => other,
        }
    }
}
