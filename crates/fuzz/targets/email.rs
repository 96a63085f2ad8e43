//! Addresses: any text is refused or has a normal form that reads back as itself and differs from the text only in
//! surrounding white space and ASCII case.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sme_pulse_domain::email::Email;

fuzz_target!(|text: &str| {
    if let Ok(email) = Email::parse(text) {
        assert_eq!(Email::parse(email.as_str()).as_ref(), Ok(&email));
        assert!(email.as_str().eq_ignore_ascii_case(text.trim()));
        assert!(email.as_str().chars().count() <= 254);
        assert!(!email.as_str().contains(['\0', '\r', '\n', ' ', '"', '<', '>']));
    }
});
