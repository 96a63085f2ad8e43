//! Fetching the published keys: one bounded, timed request, and a document that is read strictly.

use std::time::Duration;

use hyper::header::{ACCEPT, CACHE_CONTROL, HeaderMap, HeaderValue};
use tokio::time::timeout;

use super::http::{Client, HttpError};
use crate::token::{KeyError, KeyRing, MAX_KEY_SET_BYTES};

const KEYS: &str = "/.well-known/jwks.json";
const TYPES: [&str; 2] = ["application/json", "application/jwk-set+json"];

/// For how long keys are fresh whose answer does not say, and between which bounds it may say.
const FRESH: Duration = Duration::from_mins(1);
const LEAST_FRESH: Duration = Duration::from_secs(10);
const MOST_FRESH: Duration = Duration::from_hours(1);

/// Why the keys before stay.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("the key set was refused: {0}")]
    Keys(#[from] KeyError),
}

/// The keys, and for how long they need not be fetched again.
pub(super) async fn fetch(client: &Client) -> Result<(KeyRing, Duration), FetchError> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/jwk-set+json, application/json"));
    // A cache on the way would add its age to ours: a key is published for as long as one of us keeps the set before it signs.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // Around the whole: a body that comes a byte at a time is late as well.
    let whole = timeout(client.timeout, async {
        let answer = client.get(KEYS, headers, &TYPES).await?;
        let fresh = freshness(&answer.headers);
        Ok::<_, HttpError>((answer.whole(MAX_KEY_SET_BYTES).await?, fresh))
    });
    let (document, fresh) = whole.await.map_err(|_| HttpError::Late)??;
    Ok((KeyRing::from_jwks(&document)?, fresh))
}

/// `max-age` (RFC 9111 section 5.2.2.1) within bounds.
fn freshness(headers: &HeaderMap) -> Duration {
    let mut said = None;
    for value in headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok()) {
        for directive in value.split(',').map(str::trim) {
            let (name, argument) = directive.split_once('=').unwrap_or((directive, ""));
            if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") {
                return LEAST_FRESH;
            }
            if name.eq_ignore_ascii_case("max-age") {
                // One that stands twice counts with its smaller value.
                let seconds = argument.trim_matches('"').parse::<u64>().map_or(LEAST_FRESH, Duration::from_secs);
                said = Some(said.map_or(seconds, |before: Duration| before.min(seconds)));
            }
        }
    }
    said.map_or(FRESH, |said| said.clamp(LEAST_FRESH, MOST_FRESH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_keys_are_fresh_is_the_answers_to_say_within_bounds() {
        for (said, seconds) in [
            ("public, max-age=120", 120),
            ("MAX-AGE=\"30\"", 30),
            ("max-age=0", 10),
            ("max-age=99999999999", 3_600),
            ("max-age=99999999999999999999999", 10),
            ("max-age=-1", 10),
            ("max-age=600, max-age=20", 20),
            ("max-age=600, no-cache", 10),
            ("private", 60),
            ("", 60),
        ] {
            let headers = HeaderMap::from_iter([(CACHE_CONTROL, HeaderValue::try_from(said).unwrap())]);
            assert_eq!(freshness(&headers), Duration::from_secs(seconds), "{said}");
        }
        assert_eq!(freshness(&HeaderMap::new()), FRESH);
    }
}
