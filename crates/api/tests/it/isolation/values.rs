//! Values of the victim: its ids are answered as those of no row, what is unique within an organization is not taken by another
//! one's, and lists of ids may not mix own and foreign ones.

use serde_json::{Value, json};

use super::attack::{Attack, Call};
use super::caller::{Caller, value};
use super::canary::{NEEDLE, VICTIM};
use super::catalog::Kind;
use super::kinds::{OF_STRANGERS, UNIQUE_EVERYWHERE};
use super::plan::Plan;
use super::rows::{Rows, rows_of};

impl Attack<'_> {
    /// Nobody learns whether a foreign id exists.
    pub(super) async fn same_as_absent(
        &mut self,
        plan: &Plan,
        caller: &mut Caller<'_>,
        (foreign, absent): (&Call, &Call),
    ) {
        self.with_foreign_ids += 1;
        let (found, expected) = (self.send(plan, caller, foreign).await, self.send(plan, caller, absent).await);
        if found.comparable() != expected.comparable() {
            let why = format!("without a row of that id the answer is {}", expected.comparable());
            self.finding(foreign, caller, &found, &why);
        }
    }

    /// A body with the values of a row of the victim is answered as one with values that nobody has.
    pub(super) async fn values_of_the_victim(&mut self, plan: &Plan, caller: &mut Caller<'_>) {
        let of_strangers = OF_STRANGERS.iter().any(|path| plan.path.ends_with(path));
        let Some(body) = plan.body.as_ref().filter(|_| caller.may(plan.access) && !of_strangers) else { return };
        let everywhere: Vec<_> = UNIQUE_EVERYWHERE
            .iter()
            .filter(|(path, member, ..)| plan.path.ends_with(path) && body.value.get(*member).is_some())
            .collect();
        // Rows without marks, for what the answer repeats is the caller's own as well.
        self.look_at_the_victim(plan).await;
        let mut sent = Vec::new();
        for table in self.catalog.tables.iter().filter(|table| table.name != "organizations") {
            let shared = |name: &str| {
                let is_text = |kind| matches!(kind, Kind::Text { exactly: false, .. });
                let column = table.columns.iter().any(|column| column.name == name && is_text(column.kind));
                column && body.value[name].is_string() && !everywhere.iter().any(|(_, member, ..)| *member == name)
            };
            let names: Vec<_> = body.names.iter().filter(|name| shared(name)).cloned().collect();
            if names.is_empty() || table.rows_of(VICTIM).is_none() || !table.has("id") {
                continue;
            }
            let mut rows = Rows::of_the_victim_without_marks(&self.victim);
            let row = rows.another(self.app, self.catalog, &mut self.canaries, &table.name).await;
            // Words of a vocabulary are everybody's.
            let values = names.into_iter().filter_map(|name| Some((name.clone(), row.get(&name)?.clone())));
            let values = values.filter(|(_, literal)| literal.starts_with("'own"));
            sent.push(values.map(|(name, literal)| (name, value(&literal))).collect::<Vec<_>>());
        }
        self.before = rows_of(self.app, self.catalog, VICTIM, &self.without).await;
        for values in sent.into_iter().filter(|values| !values.is_empty()) {
            let control = self.own(plan, caller, "values of nobody").await;
            let expected = self.send(plan, caller, &control).await.status;
            let mut call = self.own(plan, caller, "values of the victim").await;
            for (name, value) in values {
                call.body.as_mut().unwrap()[&name] = value;
            }
            let answer = self.send(plan, caller, &call).await;
            if answer.status != expected {
                let why = format!(
                    "values that nobody has are answered {expected}; see UNIQUE_EVERYWHERE in isolation/kinds.rs"
                );
                self.finding(&call, caller, &answer, &why);
            }
        }
        for (_, member, table, _) in everywhere {
            let mut call = self.own(plan, caller, "a value that is unique everywhere").await;
            call.body.as_mut().unwrap()[*member] = value(self.victim.value(table, member));
            let answer = self.send(plan, caller, &call).await;
            if ![400, 409].contains(&answer.status) || answer.text.contains(NEEDLE) {
                self.finding(&call, caller, &answer, "it is taken, and nothing else may be said");
            }
        }
    }

    /// Lists with an own id and a foreign one, in both orders.
    pub(super) async fn mixed(&mut self, plan: &Plan, caller: &mut Caller<'_>) {
        let ids =
            plan.body.as_ref().filter(|_| caller.may(plan.access)).map(|body| body.ids.clone()).unwrap_or_default();
        for (pointer, kind) in ids {
            for foreign_first in [true, false] {
                let mut call = self.own(plan, caller, "own and foreign ids in one list").await;
                let foreign = self.foreign(kind);
                if !mix(call.body.as_mut().unwrap(), &pointer, &foreign, foreign_first) {
                    continue;
                }
                self.with_foreign_ids += 1;
                let answer = self.send(plan, caller, &call).await;
                if answer.status != 400 {
                    self.finding(&call, caller, &answer, "expected 400: the whole is refused");
                }
            }
        }
    }
}

/// Like that id, but of no row.
pub(super) fn absent_id(id: &Value) -> Value {
    if id.is_string() { json!("0aaaaaaa-0000-4000-8000-0000000000aa") } else { json!(817_000_000_000_001_i64) }
}

/// Doubles the item of the list that the pointer goes through, with the foreign id in one of the two; `false` when it goes
/// through none.
fn mix(body: &mut Value, pointer: &str, foreign: &Value, foreign_first: bool) -> bool {
    let Some((list, rest)) = pointer.rsplit_once("/0") else { return false };
    let Some(item) = body.pointer(&format!("{list}/0")).cloned() else { return false };
    let Some(Value::Array(items)) = body.pointer_mut(list) else { return false };
    let mut other = json!({"item": item});
    *other.pointer_mut(&format!("/item{rest}")).unwrap() = foreign.clone();
    items.insert(usize::from(!foreign_first), other["item"].take());
    true
}

#[test]
fn a_list_gets_an_own_and_a_foreign_id() {
    for (body, pointer, expected) in [
        (json!({"ids": [1]}), "/ids/0", json!({"ids": [9, 1]})),
        (json!({"a": [{"id": 1, "b": 2}]}), "/a/0/id", json!({"a": [{"id": 9, "b": 2}, {"id": 1, "b": 2}]})),
    ] {
        let mut mixed = body.clone();
        assert!(mix(&mut mixed, pointer, &json!(9), true));
        assert_eq!(mixed, expected);
    }
    assert!(!mix(&mut json!({"id": 1}), "/id", &json!(9), true));
    let mut last = json!({"ids": [1]});
    assert!(mix(&mut last, "/ids/0", &json!(9), false));
    assert_eq!(last, json!({"ids": [1, 9]}));
}
