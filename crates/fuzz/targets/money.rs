//! Amounts: any text is read or refused, and what is written reads back as the same amount.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sme_pulse_domain::money::Money;

fuzz_target!(|text: &str| {
    if let Ok(money) = text.parse::<Money>() {
        assert!(money.minor().unsigned_abs() <= Money::MAX_MINOR.unsigned_abs());
        assert_eq!(money.to_string().parse::<Money>(), Ok(money));
    }
});
