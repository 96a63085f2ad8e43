//! Members of objects and items of lists as slices of the text. Nothing is stored but what is asked for, so that a
//! hundred thousand unknown keys cost one pass and no memory.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The value of a key in the text of a valid object; the last one when it is repeated.
pub(super) fn find<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    let mut parser = serde_json::Deserializer::from_str(object);
    (&mut parser).deserialize_map(Member(name)).ok().flatten()
}

/// The first `keep` items of the text of a valid list, and how many there are; `None` when it is no list.
pub(super) fn items(list: &str, keep: usize) -> Option<(Vec<&str>, usize)> {
    let mut parser = serde_json::Deserializer::from_str(list);
    (&mut parser).deserialize_seq(Items(keep)).ok()
}

struct Member<'n>(&'n str);

impl<'de> Visitor<'de> for Member<'_> {
    type Value = Option<&'de str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(hit) = map.next_key_seed(KeyIs(self.0))? {
            if hit {
                found = Some(map.next_value::<&RawValue>()?.get());
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Compares a key, escapes resolved, without keeping it.
struct KeyIs<'n>(&'n str);

impl<'de> DeserializeSeed<'de> for KeyIs<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<bool, D::Error> {
        parser.deserialize_str(self)
    }
}

impl Visitor<'_> for KeyIs<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<bool, E> {
        Ok(key == self.0)
    }
}

struct Items(usize);

impl<'de> Visitor<'de> for Items {
    type Value = (Vec<&'de str>, usize);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let (mut kept, mut count) = (Vec::new(), 0_usize);
        while kept.len() < self.0 {
            let Some(item) = list.next_element::<&RawValue>()? else { return Ok((kept, count)) };
            kept.push(item.get());
            count = count.saturating_add(1);
        }
        while list.next_element::<IgnoredAny>()?.is_some() {
            count = count.saturating_add(1);
        }
        Ok((kept, count))
    }
}
