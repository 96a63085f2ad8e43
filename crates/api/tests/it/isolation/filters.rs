//! Filters: every parameter of a query with each word that it really knows, alone and beside every other.

use serde_json::Value;
use sme_pulse_api::routes::mount::Access;

use super::super::support::Answer;
use super::attack::{Attack, text};
use super::caller::Caller;
use super::plan::Plan;

/// The most that a list gives.
const MOST: usize = 500;

/// Every parameter of a route alone, and every two of them together, with each of their words; `ids` gives those of ids.
pub(super) fn combinations(plan: &Plan, ids: &[(String, Vec<String>)]) -> Vec<Vec<(String, String)>> {
    let mut of_each: Vec<(String, Vec<String>)> = Vec::new();
    for parameter in &plan.query {
        let of_ids = ids.iter().find(|(name, _)| *name == parameter.name).map(|(_, ids)| ids.clone());
        of_each.push((parameter.name.clone(), of_ids.unwrap_or_else(|| parameter.words.clone())));
    }
    let pairs = |(name, words): &(String, Vec<String>)| {
        words.iter().map(|word| (name.clone(), word.clone())).collect::<Vec<_>>()
    };
    let mut all = Vec::new();
    for (index, one) in of_each.iter().enumerate() {
        for first in pairs(one) {
            all.push(vec![first.clone()]);
            for second in of_each[index + 1..].iter().flat_map(pairs) {
                all.push(vec![first.clone(), second]);
            }
        }
    }
    all
}

impl Attack<'_> {
    /// No filter shows anything of the victim, or counts it.
    pub(super) async fn filtered(&mut self, plan: &Plan, caller: &mut Caller<'_>) {
        if plan.method != "GET" || plan.access == Access::Public {
            return;
        }
        let mut ids = Vec::new();
        for parameter in &plan.query {
            let Some(kind) = parameter.kind else { continue };
            let own = caller.own(kind, self.catalog, &mut self.canaries).await;
            ids.push((parameter.name.clone(), vec![text(&own), text(&self.foreign(kind))]));
        }
        for query in combinations(plan, &ids) {
            let mut call = self.own(plan, caller, "filter").await;
            call.query.extend(query);
            if !call.query.iter().any(|(name, _)| name == "limit") {
                call.query.push(("limit".to_owned(), MOST.to_string()));
            }
            let answer = self.send(plan, caller, &call).await;
            if answer.status == 200 {
                if let Some(why) = wrong_count(&call.query, &answer) {
                    self.finding(&call, caller, &answer, &why);
                }
            } else {
                self.finding(&call, caller, &answer, "real words should be accepted; see WORDS in isolation/kinds.rs");
            }
        }
    }
}

/// The total of a list is that of its items, which are the organization's own.
fn wrong_count(query: &[(String, String)], answer: &Answer) -> Option<String> {
    let page = json_of(answer);
    let (total, items) = (page["total"].as_u64()?, page["items"].as_array().map(Vec::len)?);
    let number = |name: &str, otherwise: usize| {
        let value = query.iter().find(|(of, _)| of == name).map(|(_, value)| value.parse().unwrap());
        value.unwrap_or(otherwise)
    };
    let rest = usize::try_from(total).unwrap().saturating_sub(number("skip", 0));
    let expected = rest.min(number("limit", MOST));
    (items != expected).then(|| format!("{expected} items should follow from the total"))
}

/// What a JSON answer says when it is one.
pub(super) fn json_of(answer: &Answer) -> Value {
    serde_json::from_str(&answer.text).unwrap_or(Value::Null)
}
