//! The claims of an access token, in types of our own: a claim of the wrong type is a refusal, never an absence.

use sme_pulse_domain::{
    ids::{OrgId, SessionId, UserId},
    role::RoleSet,
};
use uuid::Uuid;

use super::{
    KeyId, TokenError,
    json::{Json, Object},
    position::position_of,
};

/// What a verified token says. Times are seconds since 1970 (RFC 7519 section 2, `NumericDate`).
#[derive(Debug, Clone, PartialEq)]
pub struct AccessClaims {
    /// `sub`: the user.
    pub user: UserId,
    /// `org_id`: the organization.
    pub org: OrgId,
    /// `sid`: the session, for tokens made by a log-in.
    pub session: Option<SessionId>,
    /// `jti`: the token's own name.
    pub token_id: Option<String>,
    /// `amr`: how the holder of the session had last proved who they are when the token was made (RFC 8176): `pwd`, `otp`,
    /// `mfa`. Empty when the token does not say.
    pub methods: Vec<String>,
    /// `auth_time`: when that was, in whole seconds since 1970 (`OpenID` Connect Core section 2).
    pub auth_time: Option<i64>,
    /// `roles`: the codes held when the token was made. The issuer itself does not believe them; a service without its
    /// database has nothing newer, and learns of a role taken away by a revocation.
    pub roles: RoleSet,
    /// `iat`: when it was made, in whole seconds since 1970.
    pub issued_at: Option<i64>,
    /// How many revocations had been made by then (`crates/auth/src/token/position.rs`).
    pub position: u64,
    /// The name of the key that signed it; `None` for the shared secret.
    pub key: Option<KeyId>,
    expires_at: NumericDate,
    not_before: Option<NumericDate>,
}

/// What the verifier expects.
pub(super) struct Expected<'a> {
    pub(super) issuer: Option<&'a str>,
    pub(super) audience: Option<&'a str>,
}

impl AccessClaims {
    pub(super) fn read(claims: &Object<'_>, key: Option<KeyId>, expected: &Expected<'_>) -> Result<Self, TokenError> {
        let user = subject(claims)?;
        let org = match claims.get("org_id") {
            Some(Json::Integer(id)) if *id > 0 => OrgId::new(*id),
            _ => return Err(TokenError::BadClaim("org_id")),
        };
        let expires_at = time(claims, "exp")?.ok_or(TokenError::BadClaim("exp"))?;
        let not_before = time(claims, "nbf")?;
        let issued_at = time(claims, "iat")?.map(NumericDate::whole);
        let roles = optional_texts(claims, "roles", |code| code.parse().ok())?.into_iter().collect();
        let methods = optional_texts(claims, "amr", |word| Some(word.to_owned()))?;
        let auth_time = time(claims, "auth_time")?.map(NumericDate::whole);
        if let Some(issuer) = optional_text(claims, "iss")?
            && expected.issuer.is_some_and(|ours| ours != issuer)
        {
            return Err(TokenError::WrongIssuer);
        }
        if let Some(audience) = optional_text(claims, "aud")?
            && expected.audience.is_some_and(|ours| ours != audience)
        {
            return Err(TokenError::WrongAudience);
        }
        let token_id = optional_text(claims, "jti")?.map(str::to_owned);
        let session = optional_text(claims, "sid")?.map(session_id).transpose()?;
        let position = position_of(token_id.as_deref());
        Ok(Self {
            user,
            org,
            session,
            token_id,
            methods,
            auth_time,
            roles,
            issued_at,
            position,
            key,
            expires_at,
            not_before,
        })
    }

    /// `exp`: the second since 1970 from which on the token is refused, give or take the leeway.
    pub fn expires_at(&self) -> i64 {
        self.expires_at.whole()
    }

    /// Whether the token is valid at `now` (seconds since 1970), give or take the leeway in seconds.
    pub fn check_times(&self, now: i64, leeway: u32) -> Result<(), TokenError> {
        let leeway = i64::from(leeway);
        if !self.expires_at.is_after(now.saturating_sub(leeway)) {
            return Err(TokenError::Expired);
        }
        if self.not_before.is_some_and(|start| start.is_after(now.saturating_add(leeway))) {
            return Err(TokenError::NotYetValid);
        }
        Ok(())
    }
}

/// The decimal digits of a positive id, in their one spelling.
fn subject(claims: &Object<'_>) -> Result<UserId, TokenError> {
    let Some(Json::Text(text)) = claims.get("sub") else { return Err(TokenError::BadClaim("sub")) };
    match text.parse::<i64>() {
        // Digits alone, the first not 0: the one spelling that `to_string` would give.
        Ok(id) if id > 0 && !text.starts_with(['+', '0']) => Ok(UserId::new(id)),
        _ => Err(TokenError::BadClaim("sub")),
    }
}

fn session_id(text: &str) -> Result<SessionId, TokenError> {
    let id = Uuid::try_parse(text).map_err(|_| TokenError::BadClaim("sid"))?;
    // The hyphenated form only: no second spelling of a session.
    if id.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text {
        Ok(SessionId::new(id))
    } else {
        Err(TokenError::BadClaim("sid"))
    }
}

/// Informational, but of the right type when there.
fn optional_texts<T>(
    claims: &Object<'_>,
    name: &'static str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, TokenError> {
    let mut texts = Vec::new();
    match claims.get(name) {
        None => {}
        Some(Json::List(items)) => {
            for item in items {
                let Json::Text(text) = item else { return Err(TokenError::BadClaim(name)) };
                texts.extend(read(text));
            }
        }
        Some(_) => return Err(TokenError::BadClaim(name)),
    }
    Ok(texts)
}

fn optional_text<'a>(claims: &'a Object<'_>, name: &'static str) -> Result<Option<&'a str>, TokenError> {
    match claims.get(name) {
        None => Ok(None),
        Some(Json::Text(text)) => Ok(Some(text)),
        Some(_) => Err(TokenError::BadClaim(name)),
    }
}

/// A `NumericDate`, which may have a fraction.
#[derive(Debug, Clone, Copy, PartialEq)]
enum NumericDate {
    Whole(i64),
    Fractional(f64),
}

impl NumericDate {
    /// The second it lies in. What no clock can show becomes the beginning of time: too old for every purpose.
    fn whole(self) -> i64 {
        match self {
            Self::Whole(at) => at,
            Self::Fractional(at) => format!("{:.0}", at.floor()).parse().unwrap_or(i64::MIN),
        }
    }

    fn is_after(self, second: i64) -> bool {
        match self {
            Self::Whole(at) => at > second,
            // Exact for every second until 2106; a clock beyond that refuses fractional dates as long past.
            Self::Fractional(at) => u32::try_from(second).is_ok_and(|second| at > f64::from(second)),
        }
    }
}

fn time(claims: &Object<'_>, name: &'static str) -> Result<Option<NumericDate>, TokenError> {
    match claims.get(name) {
        None => Ok(None),
        Some(Json::Integer(second)) => Ok(Some(NumericDate::Whole(*second))),
        Some(Json::Number(second)) if second.is_finite() => Ok(Some(NumericDate::Fractional(*second))),
        Some(_) => Err(TokenError::BadClaim(name)),
    }
}
