//! Exported audit trails: any bytes are refused, alone and behind a genuine header, because nobody can sign them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sme_pulse_api::audit_file::verify;

/// As an installation writes it; the key is real, so that everything behind the header is reached.
const HEADER: &[u8] = br#"{"type":"header","format":"sme-pulse-audit","version":1,"chain":1,"organization":null,"exported_at":"2026-11-22T15:23:59.635408Z","key_id":"fb5bb99ac2f30670","public_key":"d5e5404febfae70807dbc8e5eeed58bdbc9465327a6af1b47b736d7eb200e1ce"}
"#;

fuzz_target!(|data: &[u8]| {
    assert!(verify(data, Vec::new()).is_err());
    assert!(verify(&*[HEADER, data].concat(), Vec::new()).is_err());
});
