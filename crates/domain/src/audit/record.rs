//! An event in its place: the fields of a stored row, its hash, and taking personal data out of it.
//!
//! Version 2 of the encoding puts a personal value into the hash only as a commitment, the hash of a random salt and the
//! value. Without the salt a value cannot be guessed from its commitment, so removing both erases it, and the
//! commitment that stays keeps the chain whole. Version 1 had every value in the hash itself.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{AuditEvent, Chain, Details, Digest};
use crate::{
    hex::{hex, unhex},
    ids::{OrgId, UserId},
    rng::Rng,
};

/// Version of the encoding of new events.
const CURRENT: i32 = 2;
/// The name of the one personal field outside the details.
const CLIENT_IP: &str = "client_ip";
/// Random bytes before a personal value.
const SALT_BYTES: usize = 16;

/// Hex digits by the name of a personal field: `client_ip`, `before.<name>` or `after.<name>`.
pub type Fields = BTreeMap<String, String>;

/// Where an event stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its number in the chain, from 1, without gaps.
    pub seq: i64,
    /// The hash of the event before it, as 64 hex digits; `None` for the first.
    pub prev_hash: Option<String>,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
}

/// A stored event, whoever wrote it: nothing in it has been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// The organization it belongs to.
    pub org: Option<OrgId>,
    /// Where it stands.
    pub place: Place,
    /// Who did it.
    pub actor: Option<UserId>,
    /// What happened.
    pub action: String,
    /// The kind of row it is about.
    pub entity: Option<String>,
    /// The key of that row.
    pub entity_id: Option<i64>,
    /// The server's own id of the request.
    pub request_id: Option<Uuid>,
    /// The client's address.
    pub client_ip: Option<String>,
    /// The changed fields before.
    pub before: Option<Details>,
    /// The changed fields after.
    pub after: Option<Details>,
    /// Version of the encoding.
    pub encoding: i32,
    /// The salts of the personal fields that are there.
    pub salts: Fields,
    /// The commitments of the personal fields that were erased.
    pub erased: Fields,
    /// The hash it was stored with, as 64 hex digits.
    pub hash: String,
}

/// Why a record has no hash at all: nobody wrote it so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// This program does not know the encoding.
    #[error("its encoding is unknown")]
    UnknownEncoding,
    /// A salt or an erased value is there for a field that cannot have one, or is not hex.
    #[error("its personal data and their salts do not belong together")]
    Personal,
}

impl AuditEvent {
    /// Gives the event its place; every personal value gets a salt of its own.
    pub fn seal(self, place: Place, rng: &dyn Rng) -> AuditRecord {
        let mut record = AuditRecord {
            org: self.org,
            place,
            actor: self.actor,
            action: self.action.as_str().to_owned(),
            entity: self.entity.map(str::to_owned),
            entity_id: self.entity_id,
            request_id: self.origin.request_id,
            client_ip: self.origin.client_ip,
            before: self.before,
            after: self.after,
            encoding: CURRENT,
            salts: Fields::new(),
            erased: Fields::new(),
            hash: String::new(),
        };
        for path in record.personal(self.personal) {
            let mut salt = [0; SALT_BYTES];
            rng.fill(&mut salt);
            record.salts.insert(path, hex(&salt));
        }
        // What was just sealed is well formed.
        record.hash = record.computed_hash().unwrap_or_default();
        record
    }
}

impl AuditRecord {
    /// The chain it belongs to.
    pub fn chain(&self) -> Chain {
        self.org.map_or(Chain::Outside, Chain::Of)
    }

    /// The hash of what is there, as 64 hex digits; equal to `hash` as long as nobody changed anything.
    pub fn computed_hash(&self) -> Result<String, Malformed> {
        let version = match self.encoding {
            1 => 1,
            CURRENT => 2,
            _ => return Err(Malformed::UnknownEncoding),
        };
        self.check_personal()?;
        let mut digest = Digest::default();
        digest.add(&[version]);
        let number = |n: Option<i64>| n.map(|n| n.to_string());
        for field in [
            number(self.org.map(OrgId::get)).as_deref(),
            Some(self.place.seq.to_string().as_str()),
            self.place.prev_hash.as_deref(),
            Some(self.place.created_at.timestamp_micros().to_string().as_str()),
            number(self.actor.map(UserId::get)).as_deref(),
            Some(self.action.as_str()),
            self.entity.as_deref(),
            number(self.entity_id).as_deref(),
            self.request_id.map(|id| id.to_string()).as_deref(),
        ] {
            digest.text(field);
        }
        self.absorb(&mut digest, CLIENT_IP, self.client_ip.as_deref())?;
        self.absorb_details(&mut digest, "before", self.before.as_ref())?;
        self.absorb_details(&mut digest, "after", self.after.as_ref())?;
        Ok(digest.hex())
    }

    /// Takes every personal value out, and leaves its commitment; `false` when there was none. The hash stays.
    pub fn erase(&mut self) -> Result<bool, Malformed> {
        let salts = std::mem::take(&mut self.salts);
        let found = !salts.is_empty();
        for (path, salt) in salts {
            let salt = unhex(&salt).ok_or(Malformed::Personal)?;
            let commitment = commitment(&salt, &path, self.take(&path).as_deref());
            self.erased.insert(path, hex(&commitment));
        }
        Ok(found)
    }

    /// The paths of the personal fields that are there.
    fn personal(&self, names: &[&str]) -> Vec<String> {
        let ip = self.client_ip.is_some().then(|| CLIENT_IP.to_owned());
        let both = [("before", &self.before), ("after", &self.after)];
        let details = both.into_iter().flat_map(|(side, details)| {
            let names = names.iter().filter(|name| details.as_ref().is_some_and(|found| found.contains_key(**name)));
            names.map(move |name| format!("{side}.{name}"))
        });
        ip.into_iter().chain(details).collect()
    }

    fn take(&mut self, path: &str) -> Option<String> {
        match path.split_once('.') {
            Some(("before", name)) => self.before.as_mut()?.remove(name)?,
            Some(("after", name)) => self.after.as_mut()?.remove(name)?,
            _ => self.client_ip.take(),
        }
    }

    /// Every salt has its value, no erased field has one, and version 1 knows neither.
    fn check_personal(&self) -> Result<(), Malformed> {
        let salted = self.salts.keys().all(|path| self.presence(path) == Some(true));
        let erased = self.erased.keys().all(|path| self.presence(path) == Some(false));
        let none = self.salts.is_empty() && self.erased.is_empty();
        if salted && erased && (self.encoding == CURRENT || none) { Ok(()) } else { Err(Malformed::Personal) }
    }

    /// Whether a field that may be personal has a value; `None` when there is no place for such a field.
    fn presence(&self, path: &str) -> Option<bool> {
        match path.split_once('.') {
            Some(("before", name)) => Some(self.before.as_ref()?.contains_key(name)),
            Some(("after", name)) => Some(self.after.as_ref()?.contains_key(name)),
            _ => (path == CLIENT_IP).then_some(self.client_ip.is_some()),
        }
    }

    /// A plain value as text; a personal one as the byte 2 and its commitment.
    fn absorb(&self, digest: &mut Digest, path: &str, value: Option<&str>) -> Result<(), Malformed> {
        let commitment = match (self.salts.get(path), self.erased.get(path)) {
            (None, None) => {
                digest.text(value);
                return Ok(());
            }
            (Some(salt), _) => unhex(salt).map(|salt| commitment(&salt, path, value)),
            (None, Some(stated)) => unhex(stated),
        };
        digest.add(&[2]);
        digest.add(&commitment.ok_or(Malformed::Personal)?);
        Ok(())
    }

    /// A presence byte, the number of fields as a big-endian u64, and each field's name and value in order of names;
    /// erased fields are counted and stand in their place.
    fn absorb_details(&self, digest: &mut Digest, side: &str, details: Option<&Details>) -> Result<(), Malformed> {
        let Some(details) = details else {
            digest.add(&[0]);
            return Ok(());
        };
        let prefix = format!("{side}.");
        let erased = self.erased.keys().filter_map(|path| path.strip_prefix(&prefix));
        let names: BTreeSet<&str> = details.keys().map(String::as_str).chain(erased).collect();
        digest.add(&[1]);
        digest.count(names.len());
        for name in names {
            digest.text(Some(name));
            let value = details.get(name).and_then(Option::as_deref);
            self.absorb(digest, &format!("{prefix}{name}"), value)?;
        }
        Ok(())
    }
}

/// SHA-256 of the salt, the field's path and its value, the latter two as in the encoding.
fn commitment(salt: &[u8; SALT_BYTES], path: &str, value: Option<&str>) -> [u8; 32] {
    let mut digest = Digest::default();
    digest.add(salt);
    digest.text(Some(path));
    digest.text(value);
    digest.finish()
}
