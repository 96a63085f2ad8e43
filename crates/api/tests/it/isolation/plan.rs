//! What each mounted route takes, read from the description of the API: ids in the path, the query and the body, and
//! everything else that it needs before it looks at them.

use serde_json::{Map, Value, json};
use sme_pulse_api::routes::mount::{Access, RouteInfo};

use super::kinds::{self, Header, Kind, UNIQUE};

/// One mounted method of one path.
pub(super) struct Plan {
    pub(super) method: String,
    /// With `{name}` for its ids.
    pub(super) path: String,
    pub(super) access: Access,
    pub(super) path_ids: Vec<(String, &'static Kind)>,
    pub(super) query: Vec<Parameter>,
    pub(super) headers: Vec<Header>,
    pub(super) body: Option<Body>,
}

/// A parameter of the query.
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) kind: Option<&'static Kind>,
    pub(super) is_text: bool,
    /// What it may really be, unless it is an id.
    pub(super) words: Vec<String>,
    /// Set when the route does not work without it.
    pub(super) needed: Option<Value>,
}

/// A body that is valid but for its ids, which are to be put in.
#[derive(Clone)]
pub(super) struct Body {
    pub(super) value: Value,
    pub(super) ids: Vec<(String, &'static Kind)>,
    /// The names of its properties.
    pub(super) names: Vec<String>,
}

impl Plan {
    /// # Panics
    /// When something about the route is not known.
    pub(super) fn of(route: &RouteInfo, document: &Value) -> Self {
        let place = format!("{} {}", route.method, route.path);
        // Aliases are described once, under their canonical path.
        let described =
            route.path.strip_prefix("/auth/").map_or(route.path.clone(), |rest| format!("/api/v1/auth/{rest}"));
        let operation = &document["paths"][&described][route.method.as_str().to_lowercase()];
        assert!(operation.is_object(), "{place} is not described: add it to the `paths` of its `Docs`");
        let none = Vec::new();
        let parameters = operation["parameters"].as_array().unwrap_or(&none);
        let mut filler = Filler { document, place: &place, ids: Vec::new() };
        let query = parameters
            .iter()
            .filter(|parameter| parameter["in"] == "query")
            .map(|parameter| filler.parameter(parameter))
            .collect();
        for parameter in parameters {
            let is_known = ["query", "path", "header", "cookie"].iter().any(|place| parameter["in"] == *place);
            assert!(is_known, "{place}: plan.rs does not know where {parameter} goes");
        }
        let body = filler.body(&operation["requestBody"]);
        Self {
            method: route.method.to_string(),
            path: route.path.clone(),
            access: route.access,
            path_ids: path_ids(&route.path, parameters, &place),
            query,
            headers: headers(parameters, &place),
            body,
        }
    }

    pub(super) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// The ids of other rows that it takes, besides those of the path.
    pub(super) fn references(&self) -> usize {
        self.body.as_ref().map_or(0, |body| body.ids.len())
            + self.query.iter().filter(|parameter| parameter.kind.is_some()).count()
    }
}

fn headers(parameters: &[Value], place: &str) -> Vec<Header> {
    let names = parameters.iter().filter(|parameter| parameter["in"] == "header");
    names.filter_map(|parameter| kinds::of_header(parameter["name"].as_str().unwrap(), place)).collect()
}

fn path_ids(path: &str, parameters: &[Value], place: &str) -> Vec<(String, &'static Kind)> {
    let segments: Vec<_> = path.split('/').collect();
    let pairs = segments.windows(2).filter_map(|pair| Some((pair[0], pair[1].strip_prefix('{')?.strip_suffix('}')?)));
    let found = pairs.map(|(before, name)| {
        let parameter = parameters.iter().find(|parameter| parameter["in"] == "path" && parameter["name"] == name);
        let parameter = parameter.unwrap_or_else(|| panic!("{place}: `{name}` is not among the described parameters"));
        let marked = mark(parameter).map(|table| kinds::of_input(name, Some(table), place).unwrap());
        let kind = marked.or_else(|| kinds::of_segment(before, name));
        let kind = kind.unwrap_or_else(|| {
            panic!("{place}: of what is `{name}` the id? Add `{before}` to a kind in isolation/kinds.rs")
        });
        (name.to_owned(), kind)
    });
    found.collect()
}

fn mark(described: &Value) -> Option<&str> {
    described["x-id-of"].as_str().or_else(|| described["schema"]["x-id-of"].as_str())
}

/// Makes values that fit their descriptions.
struct Filler<'a> {
    document: &'a Value,
    place: &'a str,
    ids: Vec<(String, &'static Kind)>,
}

impl Filler<'_> {
    fn parameter(&mut self, parameter: &Value) -> Parameter {
        let name = parameter["name"].as_str().unwrap().to_owned();
        let kind = kinds::of_input(&name, mark(parameter), self.place);
        let value = self.value(&name, "", &parameter["schema"]);
        let is_text = value.is_string() && kind.is_none();
        let schema = self.resolved(&parameter["schema"]);
        let words = if kind.is_some() { Vec::new() } else { kinds::words(&name, schema, self.place) };
        Parameter { kind, is_text, words, needed: (parameter["required"] == true).then_some(value), name }
    }

    fn body(&mut self, described: &Value) -> Option<Body> {
        self.ids.clear();
        let content = described.get("content")?;
        let schema = content
            .get("application/json")
            .unwrap_or_else(|| panic!("{}: plan.rs makes JSON bodies only: {content}", self.place));
        let schema = self.resolved(&schema["schema"]).clone();
        let value = self.value("", "", &schema);
        let names = value.as_object().map(|members| members.keys().cloned().collect()).unwrap_or_default();
        Some(Body { value, ids: std::mem::take(&mut self.ids), names })
    }

    /// Follows references and takes the alternative that is not null.
    fn resolved<'s>(&'s self, schema: &'s Value) -> &'s Value {
        if let Some(reference) = schema["$ref"].as_str() {
            let found = self.document.pointer(reference.trim_start_matches('#'));
            return self.resolved(found.unwrap_or_else(|| panic!("{}: {reference} is missing", self.place)));
        }
        let choices = ["oneOf", "anyOf", "allOf"].iter().find_map(|word| schema[*word].as_array());
        choices
            .and_then(|choices| choices.iter().find(|choice| choice["type"] != "null"))
            .map_or(schema, |choice| self.resolved(choice))
    }

    fn value(&mut self, name: &str, pointer: &str, described: &Value) -> Value {
        let marked = described["x-id-of"].as_str().map(str::to_owned);
        let schema = self.resolved(described).clone();
        let types = schema["type"].as_array().cloned().unwrap_or_else(|| vec![schema["type"].clone()]);
        let kind = types.iter().filter_map(Value::as_str).find(|kind| *kind != "null");
        if kind != Some("array")
            && let Some(id) =
                kinds::of_input(name, marked.as_deref().or_else(|| schema["x-id-of"].as_str()), self.place)
        {
            self.ids.push((pointer.to_owned(), id));
            return Value::Null;
        }
        if let Some(known) = kinds::known_text(name).filter(|known| known.is_array() == (kind == Some("array"))) {
            return known;
        }
        if let Some(word) = schema["enum"].as_array().and_then(|words| words.first()) {
            return word.clone();
        }
        match kind {
            Some("object") => self.object(pointer, &schema),
            Some("array") => {
                let item = json!({"x-id-of": marked.or_else(|| schema["x-id-of"].as_str().map(str::to_owned)), "allOf": [schema["items"]]});
                Value::Array(vec![self.value(name, &format!("{pointer}/0"), &item)])
            }
            Some("string") => self.text(&schema),
            Some("integer" | "number") => json!(schema["minimum"].as_i64().unwrap_or(1).max(1)),
            Some("boolean") => json!(true),
            _ => panic!("{}: plan.rs does not know how to fill `{name}` with {schema}", self.place),
        }
    }

    fn object(&mut self, pointer: &str, schema: &Value) -> Value {
        let mut members = Map::new();
        for (name, described) in schema["properties"].as_object().into_iter().flatten() {
            members.insert(name.clone(), self.value(name, &format!("{pointer}/{name}"), described));
        }
        Value::Object(members)
    }

    fn text(&self, schema: &Value) -> Value {
        match schema["format"].as_str() {
            Some("uuid") => json!("0e0e0e0e-0000-4000-8000-000000000000"),
            Some("date") => json!("2025-11-20"),
            Some("date-time") => json!("2025-11-20T08:15:30.123456Z"),
            Some("email") => json!(format!("fresh{UNIQUE}@example.com")),
            None | Some("password") => {
                let most = schema["maxLength"].as_u64().unwrap_or(u64::MAX);
                // Room for the number.
                json!(if most < 20 { "x".to_owned() } else { format!("Plain text {UNIQUE}") })
            }
            Some(other) => panic!("{}: plan.rs does not know the format {other}", self.place),
        }
    }
}
