//! `traceparent` (W3C Trace Context, level 1), read strictly: what is not exactly as the recommendation has it is as if it were
//! not there.

use actix_web::http::header::{HeaderMap, HeaderName};
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// `00-` and 32, 16 and 2 digits with `-` between them.
const LENGTH: usize = 55;

/// The span that a request names as its parent. `tracestate` is not looked at: nothing here would read it, and no call is made
/// that would hand it on.
pub(crate) fn parent(headers: &HeaderMap) -> Option<SpanContext> {
    let mut given = headers.get_all(TRACEPARENT);
    let only = given.next()?;
    if given.next().is_some() {
        return None;
    }
    read(only.to_str().ok()?)
}

/// Later versions may add to the end.
fn read(text: &str) -> Option<SpanContext> {
    let (known, more) = text.split_at_checked(LENGTH)?;
    let mut parts = known.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let complete = match version {
        "00" => more.is_empty(),
        _ => more.is_empty() || more.starts_with('-'),
    };
    let version: u8 = digits(version, 2)?.try_into().ok()?;
    if parts.next().is_some() || version == u8::MAX || !complete {
        return None;
    }
    let trace = TraceId::from(digits(trace, 32)?);
    let span = SpanId::from(u64::try_from(digits(span, 16)?).ok()?);
    let flags: u8 = digits(flags, 2)?.try_into().ok()?;
    let sampled = TraceFlags::default().with_sampled(flags & 1 == 1);
    let context = SpanContext::new(trace, span, sampled, true, TraceState::NONE);
    context.is_valid().then_some(context)
}

/// So many hexadecimal digits, in lower case.
fn digits(text: &str, length: usize) -> Option<u128> {
    let plain = text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    plain.then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_parent_is_read_with_its_flag() {
        let context = read(GOOD).unwrap();
        assert_eq!(context.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(context.span_id().to_string(), "00f067aa0ba902b7");
        assert!(context.is_sampled() && context.is_remote());
        for (flags, sampled) in [("00", false), ("02", false), ("03", true), ("ff", true)] {
            let text = format!("{}{flags}", &GOOD[..LENGTH - 2]);
            assert_eq!(read(&text).unwrap().is_sampled(), sampled, "{text}");
        }
    }

    #[test]
    fn a_later_version_may_be_longer_and_this_one_not() {
        let later = GOOD.replacen("00", "cc", 1);
        for more in ["", "-", "-what-the-future-brings"] {
            assert!(read(&format!("{later}{more}")).is_some(), "{more:?}");
        }
        assert!(read(&format!("{later}.what")).is_none());
        assert!(read(&format!("{GOOD}-what")).is_none());
    }

    #[test]
    fn what_is_not_exactly_right_is_not_there() {
        for bad in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-001",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00F067AA0BA902B7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
            "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01 ",
            "00-4bf92f3577b34da6a3ce929d0e0e47é-00f067aa0ba902b7-01",
        ] {
            assert!(read(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn two_parents_are_none() {
        let mut headers = HeaderMap::new();
        assert!(parent(&headers).is_none());
        headers.append(TRACEPARENT, HeaderValue::from_static(GOOD));
        assert!(parent(&headers).is_some());
        headers.append(TRACEPARENT, HeaderValue::from_static(GOOD));
        assert!(parent(&headers).is_none());
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in "\\PC*") {
            let _ = read(&text);
        }
    }
}
