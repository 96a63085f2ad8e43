//! Writing an exported trail, line by line.

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use sme_pulse_auth::service::AuditSigner;
use sme_pulse_domain::audit::{AuditRecord, Chain, Checkpoint, Digest, Ending};

use super::{
    FORMAT, VERSION,
    line::{HeaderLine, Instant, Line},
};

/// Writes one chain: the header when it is made, then events and checkpoints, and at last the end.
pub struct FileWriter<W> {
    out: W,
    chain: Chain,
    digest: Digest,
    count: i64,
}

impl<W: Write> FileWriter<W> {
    /// Begins the file of a chain.
    pub fn new(
        out: W,
        (chain, organization): (Chain, Option<String>),
        signer: &AuditSigner,
        now: DateTime<Utc>,
    ) -> io::Result<Self> {
        let key = signer.public_key();
        let header = HeaderLine {
            format: FORMAT.to_owned(),
            version: VERSION,
            chain: chain.number(),
            organization,
            exported_at: Instant(now),
            key_id: key.id(),
            public_key: key.hex(),
        };
        let mut writer = Self { out, chain, digest: Digest::default(), count: 0 };
        writer.line(&Line::Header(header))?;
        Ok(writer)
    }

    /// The next event.
    pub fn event(&mut self, record: AuditRecord) -> io::Result<()> {
        self.count = self.count.saturating_add(1);
        self.line(&Line::Event(Box::new(record.into())))
    }

    /// A checkpoint, right after its event.
    pub fn checkpoint(&mut self, checkpoint: Checkpoint) -> io::Result<()> {
        self.line(&Line::Checkpoint(checkpoint.into()))
    }

    /// Ends the file with the chain's head, signed; says how many events it holds.
    pub fn end(mut self, head: Option<(i64, String)>, signer: &AuditSigner) -> io::Result<(W, i64)> {
        let (last_seq, last_hash) = head.map_or((0, None), |(seq, hash)| (seq, Some(hash)));
        let (digest, signature) = (self.digest.clone().hex(), String::new());
        let ending = Ending { chain: self.chain, count: self.count, last_seq, last_hash, digest, signature };
        self.line(&Line::End(signer.ending(ending).into()))?;
        self.out.flush()?;
        Ok((self.out, self.count))
    }

    /// Leaves the file without an end, which would vouch for a chain that is broken; says how many events it holds.
    pub fn break_off(mut self) -> io::Result<(W, i64)> {
        self.out.flush()?;
        Ok((self.out, self.count))
    }

    fn line(&mut self, line: &Line) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        self.digest.add(&bytes);
        self.out.write_all(&bytes)
    }
}
