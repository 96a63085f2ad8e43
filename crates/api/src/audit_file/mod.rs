//! Exported audit trails: lines of JSON that anybody can check without a database (`docs/audit.md`).

mod line;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use read::{FileError, Report, verify};
pub use write::FileWriter;

/// What the first line says of itself.
const FORMAT: &str = "sme-pulse-audit";
/// The version of the format.
const VERSION: u32 = 1;
