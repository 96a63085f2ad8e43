//! Reading a form (`application/x-www-form-urlencoded`) field by field, with the same issues as a JSON body, as the protocols
//! of OAuth send it: a field without a value counts as absent, and none may come twice (RFC 6749 section 3.1).

use super::{
    Read,
    body::Body,
    kinds::{Fault, Kind, too_long},
    query::decoded,
    report::Report,
};
use crate::error::{ApiError, Loc};

/// Fields of one form. Those that nobody asks for are ignored, up to here.
const MAX_FIELDS: usize = 64;

/// A form being read.
#[derive(Debug)]
pub struct Form {
    /// `None` after an issue about the whole form, which then is the only one.
    pairs: Option<Vec<(String, String)>>,
    report: Report,
}

impl Form {
    /// The form in a request's body.
    pub fn of(body: &Body) -> Self {
        Self::from_bytes(body.bytes())
    }

    /// The form in these bytes.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut report = Report::new(vec![Loc::Name("body")]);
        let pairs = pairs(bytes).map_err(|fault| report.refuse(&[], fault)).ok();
        Self { pairs, report }
    }

    /// A field that must be there.
    pub fn required<K: Kind>(&mut self, name: &'static str, kind: K) -> Read<K::Value> {
        let found = find(self.pairs.as_ref()?, name).and_then(|text| text.ok_or_else(Fault::missing));
        let result = found.and_then(|text| kind.form(text));
        self.report.keep(name, result)
    }

    /// A field that may be absent.
    pub fn optional<K: Kind>(&mut self, name: &'static str, kind: K) -> Read<Option<K::Value>> {
        let found = find(self.pairs.as_ref()?, name);
        let result = found.and_then(|text| text.map(|text| kind.form(text)).transpose());
        self.report.keep(name, result)
    }

    /// All issues as one error, or what `whole` makes of the fields.
    pub fn finish<T>(self, whole: impl FnOnce() -> Option<T>) -> Result<T, ApiError> {
        self.report.finish(whole)
    }
}

fn pairs(bytes: &[u8]) -> Result<Vec<(String, String)>, Fault> {
    let malformed = || Fault::new("Form decode error", "form_invalid");
    let text = std::str::from_utf8(bytes).map_err(|_| malformed())?;
    let fields = text.split('&').filter(|field| !field.is_empty());
    if fields.clone().nth(MAX_FIELDS).is_some() {
        return Err(too_long(MAX_FIELDS));
    }
    let pair = |field: &str| {
        let (name, value) = field.split_once('=').unwrap_or((field, ""));
        Some((decoded(name)?, decoded(value)?))
    };
    fields.map(pair).collect::<Option<_>>().ok_or_else(malformed)
}

fn find<'a>(pairs: &'a [(String, String)], name: &str) -> Result<Option<&'a str>, Fault> {
    let mut values = pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let value = values.next();
    if values.next().is_some() {
        return Err(Fault::value("Field must not be repeated"));
    }
    Ok(value.filter(|text| !text.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::{
        super::kinds::{SECRET, integer, untrimmed},
        *,
    };
    use crate::error::Issue;

    fn token(body: &[u8]) -> Result<(String, Option<String>), Vec<Issue>> {
        let mut form = Form::from_bytes(body);
        let (token, hint) = (form.required("token", SECRET), form.optional("hint", untrimmed(0, 9)));
        let read = form.finish(|| Some((token?.expose().to_owned(), hint?)));
        read.map_err(|error| match error {
            ApiError::Invalid(issues) => issues,
            other => panic!("{other}"),
        })
    }

    #[test]
    fn fields_are_decoded_and_unknown_ones_and_empty_ones_ignored() {
        let secret = |text: &str, hint: Option<&str>| Ok((text.to_owned(), hint.map(str::to_owned)));
        assert_eq!(token(b"token=a.b-c_d"), secret("a.b-c_d", None));
        assert_eq!(token(b"x=1&x=2&token=a%2Bb+c%c3%a9&hint=%41&&"), secret("a+b cé", Some("A")));
        assert_eq!(token(b"hint=&token=%00="), secret("\0=", None));
    }

    #[test]
    fn what_is_missing_repeated_or_malformed_is_named_without_its_value() {
        let body = || vec![Loc::Name("body")];
        let at = |name| vec![Loc::Name("body"), Loc::Name(name)];
        let malformed = || Issue::new(body(), "Form decode error", "form_invalid");
        let cases: [(&[u8], Issue); 9] = [
            (b"", Issue::new(at("token"), "Field required", "missing")),
            (b"token=", Issue::new(at("token"), "Field required", "missing")),
            (b"token", Issue::new(at("token"), "Field required", "missing")),
            (b"token=a&token=a", Issue::new(at("token"), "Field must not be repeated", "value_error")),
            (b"token=a&hint=&hint=b", Issue::new(at("hint"), "Field must not be repeated", "value_error")),
            (b"token=%4", malformed()),
            (b"token=%zz", malformed()),
            (b"token=%ff", malformed()),
            (b"token=\xff", malformed()),
        ];
        for (bytes, issue) in cases {
            assert_eq!(token(bytes), Err(vec![issue]), "{bytes:?}");
        }
        assert_eq!(token(&b"a=1&".repeat(MAX_FIELDS + 1)).unwrap_err()[0].kind, "too_long");
        assert_eq!(token(&[b"a=1&".repeat(MAX_FIELDS - 1).as_slice(), b"token=a"].concat()).unwrap().0, "a");
    }

    #[test]
    fn other_kinds_are_read_as_from_a_query() {
        let mut form = Form::from_bytes(b"n=7");
        let number = form.required("n", integer(0, 9));
        assert_eq!(form.finish(|| number).unwrap(), 7);
    }
}
