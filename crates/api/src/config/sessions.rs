//! How long a session lives: without being refreshed, and at the most.

use super::{
    keys::{REFRESH_IDLE_DAYS, REFRESH_MAX_DAYS},
    reader::Reader,
};

/// The life of a session.
#[derive(Debug, Clone, Copy)]
pub struct Sessions {
    /// Days without a refresh after which it ends, at least 1.
    pub idle_days: u32,
    /// Days after which it ends anyhow, at least as many.
    pub max_days: u32,
}

pub(super) fn read(reader: &mut Reader<'_>) -> Option<Sessions> {
    let idle_days = reader.number(REFRESH_IDLE_DAYS, 1..=3_650);
    let max_days = reader.number(REFRESH_MAX_DAYS, 1..=3_650);
    let (idle_days, max_days) = (idle_days?, max_days?);
    if idle_days > max_days {
        reader.refuse(REFRESH_IDLE_DAYS, format!("must not be more than {}", REFRESH_MAX_DAYS.name));
        return None;
    }
    Some(Sessions { idle_days, max_days })
}
