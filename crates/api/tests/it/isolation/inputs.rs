//! That each route reads exactly the members and parameters that it describes: what is not described would never be attacked.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Value, json};
use sme_pulse_api::routes::mount::Access;

use super::attack::{Attack, Call};
use super::caller::Caller;
use super::filters::json_of;
use super::kinds;
use super::plan::Plan;

/// Fits no kind of member: none is an object with this in it.
fn of_no_kind(described: &Value) -> Value {
    if described.is_object() || described.is_array() { json!("text") } else { json!({"of no kind": []}) }
}

/// In no vocabulary, and no number, date or truth.
const NO_WORD: &str = "no such word ☃";
/// Parameters in one address.
const AT_ONCE: usize = 40;

/// Every word that could be the name of an input: all that stand in the sources of the routes, all that anything describes,
/// and every column.
pub(super) fn names(plans: &[Plan], columns: impl Iterator<Item = String>) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = columns.collect();
    texts(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/routes"), &mut names);
    for plan in plans {
        names.extend(plan.query.iter().map(|parameter| parameter.name.clone()));
        names.extend(plan.body.iter().flat_map(|body| body.names.iter().cloned()));
    }
    for of_ids in names.clone() {
        names.insert(format!("{of_ids}_id"));
    }
    assert!(names.contains("org_id") && names.contains("new_password") && names.contains("actor_user_id"));
    names
}

fn texts(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts(&path, names);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let source = fs::read_to_string(&path).unwrap();
            let is_name = |text: &&str| {
                !text.is_empty()
                    && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit())
            };
            names.extend(source.split('"').filter(is_name).map(str::to_owned));
        }
    }
}

impl Attack<'_> {
    /// Reads what is described, and nothing else.
    pub(super) async fn reads_what_it_describes(
        &mut self,
        plan: &Plan,
        caller: &mut Caller<'_>,
        names: &BTreeSet<String>,
    ) {
        for member in plan.body.as_ref().map(|body| body.names.clone()).unwrap_or_default() {
            let mut call = self.own(plan, caller, "a member of no kind").await;
            let body = call.body.as_mut().unwrap();
            body[&member] = of_no_kind(&body[&member]);
            // Alone for those that count only where another one is missing.
            let alone = Call { body: Some(json!({&member: body[&member]})), ..call.clone() };
            let mut answer = self.send(plan, caller, &call).await;
            if answer.status != 422 {
                answer = self.send(plan, caller, &alone).await;
            }
            if answer.status != 422 || !is_named(&json_of(&answer), &["body", &member]) {
                self.finding(&call, caller, &answer, &format!("expected 422 that names `{member}`: is it read?"));
            }
        }
        self.ignores_undescribed_members(plan, caller, names).await;
        if plan.method == "GET" && plan.access != Access::Public {
            self.reads_its_parameters(plan, caller).await;
        }
        self.ignores_undescribed_parameters(plan, caller, names).await;
    }

    async fn ignores_undescribed_members(&mut self, plan: &Plan, caller: &mut Caller<'_>, names: &BTreeSet<String>) {
        let control = self.own(plan, caller, "described members").await;
        let expected = self.send(plan, caller, &control).await;
        let mut call = self.own(plan, caller, "members that are not described").await;
        let body = call.body.get_or_insert_with(|| json!({}));
        let described = plan.body.as_ref().map(|body| body.names.clone()).unwrap_or_default();
        for name in names.iter().filter(|name| !described.contains(name)) {
            body[name] = of_no_kind(&Value::Null);
        }
        let answer = self.send(plan, caller, &call).await;
        if answer.status != expected.status {
            self.finding(
                &Call { body: None, ..call },
                caller,
                &answer,
                &format!("without them it is {}", expected.status),
            );
        }
    }

    /// A word that nothing has is refused or finds nothing.
    async fn reads_its_parameters(&mut self, plan: &Plan, caller: &mut Caller<'_>) {
        // Or there would be nothing to leave out.
        let last = plan.path.rsplit('/').next().unwrap();
        if let Some(kind) = kinds::of_segment(last, "") {
            caller.own(kind, self.catalog, &mut self.canaries).await;
        }
        let control = self.own(plan, caller, "no parameters").await;
        let expected = self.send(plan, caller, &control).await;
        for parameter in &plan.query {
            let mut call = self.own(plan, caller, "a parameter of no kind").await;
            call.query.push((parameter.name.clone(), NO_WORD.to_owned()));
            let answer = self.send(plan, caller, &call).await;
            let is_refused = answer.status == 422 && is_named(&json_of(&answer), &["query", &parameter.name]);
            if !is_refused && answer.text == expected.text {
                self.finding(&call, caller, &answer, "it makes no difference: is it read?");
            }
        }
    }

    async fn ignores_undescribed_parameters(&mut self, plan: &Plan, caller: &mut Caller<'_>, names: &BTreeSet<String>) {
        let described = |name: &String| plan.query.iter().any(|parameter| parameter.name == *name);
        let others: Vec<_> = names.iter().filter(|name| !described(name)).collect();
        for some in others.chunks(AT_ONCE) {
            let control = self.own(plan, caller, "described parameters").await;
            let expected = self.send(plan, caller, &control).await;
            let mut call = self.own(plan, caller, "parameters that are not described").await;
            call.query.extend(some.iter().map(|name| ((*name).clone(), NO_WORD.to_owned())));
            let answer = self.send(plan, caller, &call).await;
            let is_same = plan.method != "GET" || !plan.path_ids.is_empty() || answer.text == expected.text;
            if answer.status != expected.status || (answer.status < 300 && !is_same) {
                self.finding(
                    &call,
                    caller,
                    &answer,
                    &format!("without them it is {}: {}", expected.status, expected.text),
                );
            }
        }
    }
}

/// Whether an item of a refusal is about that place or one inside it.
fn is_named(refusal: &Value, place: &[&str]) -> bool {
    let items = refusal["detail"].as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().any(|item| {
        let loc = item["loc"].as_array().map(Vec::as_slice).unwrap_or_default();
        loc.len() >= place.len() && loc.iter().zip(place).all(|(found, expected)| found == expected)
    })
}
