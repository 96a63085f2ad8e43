//! What a refresh token is worth when it comes back: the rules that keep honest clients signed in and catch a thief.
//!
//! A session numbers its refresh tokens and remembers the number of the newest. The one before it is still good for the
//! very same successor, because a client that lost an answer, or has two tabs, can only send that one. Once the newest
//! has been used, nobody honest can hold anything older any more.

/// What to do with a genuine refresh token of a live session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// The newest token: the next one takes its place.
    Rotate {
        /// The number of the next token.
        next: i64,
    },
    /// The one before the newest, which nobody has used yet: the newest is given out again, nothing is written.
    Repeat,
    /// Anything older: somebody holds a copy. The session must end now.
    Reused,
    /// A number that was never given out as far as the database knows, as after a restored backup. Nothing is known
    /// against its holder, and nothing for them.
    Unknown,
}

impl Turn {
    /// Judges the number of the presented token against the number of the session's newest.
    pub fn of(newest: i64, presented: i64) -> Self {
        match newest.checked_sub(presented) {
            Some(0) => newest.checked_add(1).map_or(Self::Unknown, |next| Self::Rotate { next }),
            Some(1) => Self::Repeat,
            Some(2..) => Self::Reused,
            Some(..0) | None => Self::Unknown,
        }
    }
}

#[cfg(test)]
#[path = "refresh_tests.rs"]
mod tests;
