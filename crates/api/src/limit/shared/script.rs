//! The scripts: each checks and changes one list in one step, by the clock of Redis.

use std::{sync::LazyLock, time::Duration};

use redis::{RedisError, Script, aio::MultiplexedConnection};

use crate::limit::Decision;

static ADMIT: LazyLock<Script> =
    LazyLock::new(|| Script::new(concat!(include_str!("window.lua"), include_str!("admit.lua"))));
static REFUND: LazyLock<Script> =
    LazyLock::new(|| Script::new(concat!(include_str!("window.lua"), include_str!("refund.lua"))));
const MICROS_PER_SECOND: u64 = 1_000_000;

/// One list and its bounds.
#[derive(Debug, Clone, Copy)]
pub(super) struct List<'a> {
    pub(super) key: &'a str,
    pub(super) requests: usize,
    pub(super) window: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Admit,
    Refund(SharedStamp),
}

/// When a request was counted, in microseconds of Redis' clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::limit) struct SharedStamp(u64);

impl Step {
    /// Runs on the server, which is given the text of the script when it does not know it.
    pub(super) async fn run(
        self,
        list: List<'_>,
        connection: &mut MultiplexedConnection,
    ) -> Result<(Decision, SharedStamp), RedisError> {
        let (script, stamp) = match self {
            Self::Admit => (&*ADMIT, 0),
            Self::Refund(SharedStamp(stamp)) => (&*REFUND, stamp),
        };
        let window = u64::try_from(list.window.as_micros()).unwrap_or(u64::MAX);
        let (admitted, left, reset, now): (bool, u32, u64, u64) =
            script.key(list.key).arg(list.requests).arg(window).arg(stamp).invoke_async(connection).await?;
        let reset_secs = reset.div_ceil(MICROS_PER_SECOND);
        let decision =
            if admitted { Decision::Admitted { left, reset_secs } } else { Decision::Refused { reset_secs } };
        Ok((decision, SharedStamp(now)))
    }
}
