//! Bodies: any bytes are read or refused with issues, never a panic, never a fault of our own; what passes is JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sme_pulse_api::{
    error::ApiError,
    input::{AMOUNT, BOOLEAN, DATE, EMAIL, ID, Object, SECRET, integer, new_password, text, word},
};
use sme_pulse_domain::role::Role;

fuzz_target!(|bytes: &[u8]| {
    let mut fields = Object::from_bytes(bytes, true);
    let well_formed = std::str::from_utf8(bytes).is_ok_and(|text| text.trim_start().starts_with('{'));
    fields.required("email", EMAIL);
    fields.required("password", SECRET);
    fields.optional("new_password", new_password(8, 72));
    fields.nullable("full_name", text(1, 255));
    fields.changed("role", word(&Role::ALL, Role::code));
    fields.or("is_active", BOOLEAN, true);
    fields.or("term", integer(0, 365), 30);
    fields.optional("due_date", DATE);
    fields.list("ids", 0, 10, ID);
    fields.object("in", |inner| inner.required("amount", AMOUNT));
    fields.objects("allocations", 0, 100, |line| Some((line.required("amount", AMOUNT)?, line.optional("id", ID)?)));
    match fields.finish(|| Some(())) {
        Ok(()) => assert!(well_formed),
        Err(ApiError::Invalid(issues)) => {
            assert!(!issues.is_empty() && issues.iter().all(|issue| !issue.loc.is_empty()));
        }
        Err(other) => panic!("{other:?}"),
    }
});
