//! What the routes of the second factor answer.

use serde::Serialize;
use sme_pulse_auth::service::{Enrolment, FactorStatus, RecoveryCodes};
use utoipa::ToSchema;

use crate::routes::timestamp;

/// The caller's second factor.
#[derive(Serialize, ToSchema)]
pub(in crate::routes::auth) struct FactorView {
    /// Whether log-ins ask for a code.
    enabled: bool,
    /// Since when they do.
    #[schema(format = DateTime, example = "2025-11-20T08:15:30.123456Z")]
    confirmed_at: Option<String>,
    /// Recovery codes that were not used yet.
    #[schema(example = 10)]
    recovery_codes_left: u64,
}

/// What an authenticator app needs. It is shown once.
#[derive(Serialize, ToSchema)]
pub(in crate::routes::auth) struct EnrolmentView {
    /// The secret in base32, to be typed.
    #[schema(example = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")]
    secret: String,
    /// The same as a URI, for apps on this device.
    #[schema(example = "otpauth://totp/SME%20Pulse:admin%40sme.com?secret=…&issuer=SME%20Pulse")]
    otpauth_uri: String,
    /// The URI as a QR code: an SVG element.
    #[schema(example = "<svg …></svg>")]
    qr_svg: String,
}

/// New recovery codes. They are shown once; each counts once.
#[derive(Serialize, ToSchema)]
pub(in crate::routes::auth) struct RecoveryCodesView {
    /// Ten codes.
    #[schema(example = json!(["7D4K-Q0TZ-9XRA-2MPE"]))]
    recovery_codes: Vec<String>,
}

impl From<FactorStatus> for FactorView {
    fn from(status: FactorStatus) -> Self {
        Self {
            enabled: status.confirmed_at.is_some(),
            confirmed_at: status.confirmed_at.map(timestamp),
            recovery_codes_left: status.recovery_codes_left,
        }
    }
}

impl From<Enrolment> for EnrolmentView {
    fn from(made: Enrolment) -> Self {
        let text = |secret: &str| secret.to_owned();
        Self { secret: text(&made.secret), otpauth_uri: text(&made.uri), qr_svg: text(&made.picture) }
    }
}

impl From<RecoveryCodes> for RecoveryCodesView {
    fn from(codes: RecoveryCodes) -> Self {
        Self { recovery_codes: codes.iter().map(|code| code.as_str().to_owned()).collect() }
    }
}
