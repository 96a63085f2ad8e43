//! Reading a JSON object field by field. Every reader returns `None` for a refused field and notes the issue;
//! [`Object::finish`] reports all of them.

use actix_web::HttpRequest;

use super::{
    Read,
    body::Body,
    json,
    kinds::{Fault, Kind, too_long, too_short},
    members,
    report::Report,
};
use crate::error::{ApiError, Loc};

/// A JSON object being read. Unknown fields are never looked at; of a repeated one the last counts.
#[derive(Debug)]
pub struct Object<'a> {
    /// `None` after an issue about the whole value, which then is the only one.
    text: Option<&'a str>,
    report: Report,
}

impl<'a> Object<'a> {
    /// The object in a request's body.
    pub fn of(body: &'a Body) -> Self {
        Self::from_bytes(body.bytes(), body.promises_json())
    }

    /// The object in body bytes whose content type promises JSON or does not.
    pub fn from_bytes(bytes: &'a [u8], promises_json: bool) -> Self {
        let mut report = Report::new(vec![Loc::Name("body")]);
        let text = json::object(bytes, promises_json).map_err(|issue| report.push(issue)).ok();
        Self { text, report }
    }

    /// A field that must be there.
    pub fn required<K: Kind>(&mut self, name: &'static str, kind: K) -> Read<K::Value> {
        let text = self.text?;
        let result = members::find(text, name).ok_or_else(Fault::missing).and_then(|raw| kind.json(raw));
        self.report.keep(name, result)
    }

    /// A field that may be absent, null or an empty text; all three are `None`.
    pub fn optional<K: Kind>(&mut self, name: &'static str, kind: K) -> Read<Option<K::Value>> {
        self.nullable(name, kind).map(Option::flatten)
    }

    /// A field with a default. Null is not absent: it is refused.
    pub fn or<K: Kind>(&mut self, name: &'static str, kind: K, default: K::Value) -> Read<K::Value> {
        self.changed(name, kind).map(|value| value.unwrap_or(default))
    }

    /// A field of a partial update that may not be cleared: `None` when absent, null is refused.
    pub fn changed<K: Kind>(&mut self, name: &'static str, kind: K) -> Read<Option<K::Value>> {
        let Some(raw) = members::find(self.text?, name) else { return Some(None) };
        self.report.keep(name, kind.json(raw).map(Some))
    }

    /// A field of a partial update that may be cleared: `None` when absent, `Some(None)` for null or an empty text.
    pub fn nullable<K: Kind>(&mut self, name: &'static str, kind: K) -> Read<Option<Option<K::Value>>> {
        let Some(raw) = members::find(self.text?, name) else { return Some(None) };
        if raw == "null" || kind.is_blank(raw) {
            return Some(Some(None));
        }
        self.report.keep(name, kind.json(raw).map(|value| Some(Some(value))))
    }

    /// A list of values of one kind, from `min` to `max` of them.
    pub fn list<K: Kind>(&mut self, name: &'static str, min: usize, max: usize, kind: K) -> Read<Vec<K::Value>> {
        self.items(name, min, max, |raw, report| kind.json(raw).map_err(|fault| report.refuse(&[], fault)).ok())
    }

    /// A list of objects, each read by `item`; its issues stand under the item's index.
    pub fn objects<T>(
        &mut self,
        name: &'static str,
        min: usize,
        max: usize,
        mut item: impl FnMut(&mut Object<'a>) -> Read<T>,
    ) -> Read<Vec<T>> {
        self.items(name, min, max, |raw, report| Self::nested(raw, report, &mut item))
    }

    /// An object inside this one.
    pub fn object<T>(&mut self, name: &'static str, read: impl FnOnce(&mut Object<'a>) -> Read<T>) -> Read<T> {
        let Some(raw) = members::find(self.text?, name) else {
            return self.report.keep(name, Err(Fault::missing()));
        };
        let mut inner = self.report.inside(Loc::Name(name));
        let value = Self::nested(raw, &mut inner, read);
        self.report.absorb(inner);
        value
    }

    /// Whether the field is there at all, null included.
    pub fn has(&self, name: &str) -> bool {
        self.text.is_some_and(|text| members::find(text, name).is_some())
    }

    /// The integer in the request's path; it is reported before the fields, whenever it is read.
    pub fn path_id(&mut self, request: &HttpRequest, name: &'static str) -> Read<i64> {
        super::path::read(request, name).map_err(|issue| self.report.push(issue)).ok()
    }

    /// Notes a rule that spans fields; `below` is empty for the object itself.
    pub fn refuse(&mut self, below: &[Loc], msg: &'static str) {
        self.report.refuse(below, Fault::value(msg));
    }

    /// All issues as one error, or what `whole` makes of the fields: `finish(|| Some(LogIn { email: email?, … }))`.
    pub fn finish<T>(self, whole: impl FnOnce() -> Option<T>) -> Result<T, ApiError> {
        self.report.finish(whole)
    }

    fn items<T>(
        &mut self,
        name: &'static str,
        min: usize,
        max: usize,
        mut read: impl FnMut(&'a str, &mut Report) -> Read<T>,
    ) -> Read<Vec<T>> {
        let Some(raw) = members::find(self.text?, name) else {
            return self.report.keep(name, Err(Fault::missing()));
        };
        let listed = members::items(raw, max).ok_or_else(|| Fault::new("Input should be a valid list", "list_type"));
        let (items, count) = self.report.keep(name, listed)?;
        if count < min || count > max {
            let fault = if count < min { too_short(min) } else { too_long(max) };
            return self.report.keep(name, Err(fault));
        }
        let list = self.report.inside(Loc::Name(name));
        let mut values = Vec::with_capacity(items.len());
        let mut complete = true;
        for (index, raw) in items.into_iter().enumerate() {
            let mut inner = list.inside(Loc::Index(index));
            match read(raw, &mut inner) {
                Some(value) => values.push(value),
                None => complete = false,
            }
            self.report.absorb(inner);
        }
        complete.then_some(values)
    }

    /// Reads an inner object into the report made for its place.
    fn nested<T>(raw: &'a str, report: &mut Report, read: impl FnOnce(&mut Object<'a>) -> Read<T>) -> Read<T> {
        if !raw.starts_with('{') {
            report.push(json::not_an_object(report.place(&[])));
            return None;
        }
        let place = Report::new(report.place(&[]));
        let mut inner = Object { text: Some(raw), report: place };
        let value = read(&mut inner);
        let clean = inner.report.is_empty();
        report.absorb(inner.report);
        value.filter(|_| clean)
    }
}

#[cfg(test)]
#[path = "object_tests.rs"]
mod tests;
