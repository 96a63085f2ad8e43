//! What the generator cannot fill fails, and says where to add it.

use actix_web::http::Method;
use serde_json::{Value, json};
use sme_pulse_api::routes::mount::{Access, RouteInfo};
use sme_pulse_domain::permission::Permission;

use super::plan::Plan;

/// The plan of a route that is described so.
fn plan(path: &str, operation: &Value) -> Plan {
    let route = RouteInfo {
        method: Method::PUT,
        path: path.to_owned(),
        access: Access::Needs(Permission::UseOwnAccount),
        max_age: None,
    };
    let document = json!({"paths": {path: {"put": operation}}, "components": {"schemas": {
        "Line": {"type": "object", "properties": {"invoice_id": {"type": "integer"}, "notes": {"type": ["string", "null"]}}},
    }}});
    Plan::of(&route, &document)
}

fn body(properties: &Value) -> Value {
    json!({"requestBody": {"content": {"application/json": {"schema": {"type": "object", "properties": properties}}}}})
}

#[test]
fn ids_are_found_in_paths_queries_bodies_lists_and_below() {
    let mut operation = body(&json!({
        "customer_id": {"type": "integer"},
        "account_ids": {"type": "array", "items": {"type": "integer"}},
        "lines": {"type": "array", "items": {"$ref": "#/components/schemas/Line"}},
        "first": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Line"}]},
        "boss": {"type": "integer", "x-id-of": "users"},
        "name": {"type": "string", "maxLength": 5},
    }));
    operation["parameters"] = json!([
        {"in": "path", "name": "id", "schema": {"type": "integer"}},
        {"in": "path", "name": "line", "schema": {"type": "integer"}, "x-id-of": "payments"},
        {"in": "query", "name": "supplier_id", "schema": {"type": "integer"}},
    ]);
    let plan = plan("/invoices/{id}/lines/{line}", &operation);
    let tables = |ids: &[(String, &super::kinds::Kind)]| {
        ids.iter().map(|(at, kind)| format!("{at} {}", kind.table)).collect::<Vec<_>>()
    };
    assert_eq!(tables(&plan.path_ids), ["id ar_invoices", "line payments"]);
    assert_eq!(plan.query[0].kind.unwrap().table, "suppliers");
    let body = plan.body.as_ref().unwrap();
    let mut found = tables(&body.ids);
    found.sort();
    let expected = [
        "/account_ids/0 accounts",
        "/boss users",
        "/customer_id customers",
        "/first/invoice_id ar_invoices",
        "/lines/0/invoice_id ar_invoices",
    ];
    assert_eq!(found, expected);
    assert!(body.value["name"].as_str().unwrap().len() <= 5);
    assert_eq!(plan.references(), 6);
}

#[test]
#[should_panic(expected = "of what is `warehouse_id` the id? Add the name to KINDS")]
fn an_id_of_an_unknown_kind_fails() {
    plan("/x", &body(&json!({"warehouse_id": {"type": "integer"}})));
}

#[test]
#[should_panic(expected = "what may `colour` be? Describe it with an enum")]
fn a_parameter_without_words_fails() {
    plan("/x", &json!({"parameters": [{"in": "query", "name": "colour", "schema": {"type": "string"}}]}));
}

#[test]
fn the_words_of_a_parameter_come_from_its_description() {
    let parameters = json!([
        {"in": "query", "name": "colour", "schema": {"type": "string", "enum": ["red", "blue"]}},
        {"in": "query", "name": "is_red", "schema": {"type": ["boolean", "null"]}},
        {"in": "query", "name": "status", "schema": {"type": "string"}},
    ]);
    let plan = plan("/x", &json!({"parameters": parameters}));
    let words: Vec<_> = plan.query.iter().map(|parameter| parameter.words.join(" ")).collect();
    assert_eq!(words[..2], ["red blue", "true false"]);
    assert!(words[2].starts_with("active inactive"));
}

#[test]
#[should_panic(expected = "of what is `id` the id? Add `warehouses` to a kind")]
fn a_path_to_an_unknown_kind_fails() {
    plan("/warehouses/{id}", &json!({"parameters": [{"in": "path", "name": "id"}]}));
}

#[test]
#[should_panic(expected = "`id` is not among the described parameters")]
fn a_path_id_that_is_not_described_fails() {
    plan("/users/{id}", &json!({}));
}

#[test]
#[should_panic(expected = "PUT /x is not described")]
fn a_route_that_is_not_described_fails() {
    plan("/x", &Value::Null);
}

#[test]
#[should_panic(expected = "does not know how to fill `shape`")]
fn a_property_of_no_known_type_fails() {
    plan("/x", &body(&json!({"shape": {}})));
}

#[test]
#[should_panic(expected = "`x-id-of` names warehouses")]
fn a_mark_with_an_unknown_table_fails() {
    plan("/x", &body(&json!({"place": {"type": "integer", "x-id-of": "warehouses"}})));
}
