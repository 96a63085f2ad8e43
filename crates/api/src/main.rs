//! The `sme-pulse` binary.
fn main() {}
