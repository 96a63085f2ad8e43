//! Query strings: any text is a bad request, or is read or refused with issues.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sme_pulse_api::{
    error::ApiError,
    input::{AMOUNT_OR_ZERO, BOOLEAN, DATE, ID, Query, untrimmed},
};

fuzz_target!(|text: &str| {
    let mut query = match Query::parse(text) {
        Ok(query) => query,
        Err(ApiError::BadRequest(_)) => return,
        Err(other) => panic!("{other:?}"),
    };
    let page = query.page(500);
    assert!(page.is_none_or(|page| page.skip >= 0 && (1..=500).contains(&page.limit)));
    query.optional("search", untrimmed(0, 50));
    query.optional("is_active", BOOLEAN);
    query.optional("date_from", DATE);
    query.optional("customer_id", ID);
    query.optional("tolerance", AMOUNT_OR_ZERO);
    let result = query.finish(|| Some(()));
    assert!(matches!(result, Ok(()) | Err(ApiError::Invalid(_))));
});
