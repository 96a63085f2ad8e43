//! The calls: everything a route takes, once with what is the caller's own and then with what is the victim's.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sme_pulse_api::routes::mount::Access;

use super::super::support::{Answer, TestApp};
use super::caller::{Caller, value};
use super::canary::{Canaries, NEEDLE, VICTIM};
use super::catalog::Catalog;
use super::kinds::{Kind, NEED_SECRETS, OF_MEMBERS, REFERENCES, UNIQUE};
use super::plan::{Body, Plan};
use super::rows::{Rows, Without, rows_of};
use super::values::absent_id;

/// The victim, and what was found out about it.
pub(super) struct Attack<'a> {
    pub(super) app: &'a TestApp,
    pub(super) catalog: &'a Catalog,
    pub(super) canaries: Canaries,
    pub(super) victim: Rows,
    /// What does not count as a change of the victim.
    pub(super) without: Without,
    pub(super) before: BTreeSet<String>,
    /// All so far; numbers in inputs follow it.
    pub(super) calls: usize,
    /// Those before the callers of now.
    pub(super) calls_before: usize,
    pub(super) with_foreign_ids: usize,
    pub(super) findings: Vec<String>,
}

/// A request about to be sent.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) what: &'static str,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Option<Value>,
    pub(super) token: Option<String>,
}

const SMUGGLED: [&str; 4] = ["org_id", "organization_id", "tenant_id", "x-org-id"];
const SMUGGLING_HEADERS: [&str; 4] = ["x-org-id", "x-organization-id", "x-tenant-id", "organization"];

impl Attack<'_> {
    /// Everything about one route as one caller.
    pub(super) async fn route(&mut self, plan: &Plan, caller: &mut Caller<'_>) {
        if caller.belongs && plan.path.ends_with("/switch-organization") {
            return;
        }
        caller.renew(self.catalog, &mut self.canaries).await;
        let control = self.own(plan, caller, "own ids").await;
        let answer = self.send(plan, caller, &control).await;
        self.judge_control(plan, caller, &control, &answer);
        self.foreign_path(plan, caller).await;
        if caller.may(plan.access) {
            self.foreign_references(plan, caller).await;
        }
        if caller.thorough {
            self.smuggled(plan, caller).await;
            self.named_in_headers(plan, caller).await;
            self.spelled(plan, caller).await;
            self.searched(plan, caller).await;
            self.filtered(plan, caller).await;
            self.values_of_the_victim(plan, caller).await;
            self.mixed(plan, caller).await;
            self.forged(plan, caller).await;
        }
    }

    pub(super) fn assert_nothing_found(&self) {
        let first: Vec<_> = self.findings.iter().take(20).map(String::as_str).collect();
        assert!(first.is_empty(), "{} findings, the first of which are:\n{}", self.findings.len(), first.join("\n"));
    }

    /// What changed at the victim since the last look.
    pub(super) async fn look_at_the_victim(&mut self, plan: &Plan) {
        let now = rows_of(self.app, self.catalog, VICTIM, &self.without).await;
        for row in now.symmetric_difference(&self.before) {
            let how = if now.contains(row) { "wrote" } else { "took away" };
            self.findings.push(format!("{} {how} a row of the victim: {}", plan.name(), row.get(..150).unwrap_or(row)));
        }
        self.before = now;
    }

    /// A call with nothing but ids of the caller's own.
    pub(super) async fn own(&mut self, plan: &Plan, caller: &mut Caller<'_>, what: &'static str) -> Call {
        let mut path = plan.path.clone();
        for (name, kind) in &plan.path_ids {
            let id = caller.own(kind, self.catalog, &mut self.canaries).await;
            path = path.replace(&format!("{{{name}}}"), &text(&id));
        }
        let mut body = plan.body.clone();
        if let Some(Body { value, ids, .. }) = &mut body {
            make_unique(value, self.calls);
            for (pointer, kind) in ids.iter() {
                *value.pointer_mut(pointer).unwrap() = caller.own(kind, self.catalog, &mut self.canaries).await;
            }
        }
        let needed =
            plan.query.iter().filter_map(|parameter| Some((parameter.name.clone(), text(parameter.needed.as_ref()?))));
        let token = matches!(plan.access, Access::Needs(_)).then(|| caller.token.clone());
        Call {
            what,
            method: plan.method.clone(),
            path,
            query: needed.collect(),
            headers: Vec::new(),
            body: body.map(|body| body.value),
            token,
        }
    }

    /// With own ids the input must be accepted, or nothing that follows proves anything.
    fn judge_control(&mut self, plan: &Plan, caller: &Caller<'_>, call: &Call, answer: &Answer) {
        let fits = match answer.status {
            200..=299 => true,
            403 => !caller.thorough || !caller.may(plan.access),
            401 => plan.access == Access::Public,
            400 | 409 | 429 => {
                let needs_secret = NEED_SECRETS.iter().any(|path| plan.path.ends_with(path));
                plan.access == Access::Public || needs_secret || !caller.thorough
            }
            _ => false,
        };
        let refused = matches!(plan.access, Access::Needs(_)) && !caller.may(plan.access);
        if !fits || (refused && answer.status != 403) {
            let hint = "own ids and plain values should be accepted; see known_text, KINDS and NEED_SECRETS in isolation/kinds.rs";
            self.finding(call, caller, answer, hint);
        }
    }

    /// Ids of the victim in the path: each alone, and all.
    async fn foreign_path(&mut self, plan: &Plan, caller: &mut Caller<'_>) {
        let count = plan.path_ids.len();
        let mut choices: Vec<Vec<usize>> = (0..count).map(|one| vec![one]).collect();
        if count > 1 {
            choices.push((0..count).collect());
        }
        for foreign in choices {
            let mut call = self.own(plan, caller, "foreign id in the path").await;
            let mut absent = Call { what: "an id without a row", path: plan.path.clone(), ..call.clone() };
            call.path.clone_from(&plan.path);
            for (index, (name, kind)) in plan.path_ids.iter().enumerate() {
                let (id, no_row) = if foreign.contains(&index) {
                    let id = self.foreign(kind);
                    let no_row = absent_id(&id);
                    (id, no_row)
                } else {
                    let own = caller.own(kind, self.catalog, &mut self.canaries).await;
                    (own.clone(), own)
                };
                call.path = call.path.replace(&format!("{{{name}}}"), &text(&id));
                absent.path = absent.path.replace(&format!("{{{name}}}"), &text(&no_row));
            }
            let mut calls = vec![call.clone()];
            if caller.thorough {
                self.same_as_absent(plan, caller, (&call, &absent)).await;
                calls.push(Call { path: format!("{}/", call.path), ..call.clone() });
                calls.push(Call { path: call.path.clone(), body: None, ..call.clone() });
                if plan.method == "GET" {
                    calls.push(Call { method: "HEAD".to_owned(), ..call.clone() });
                }
            }
            for spelled in calls {
                self.with_foreign_ids += 1;
                let answer = self.send(plan, caller, &spelled).await;
                let expected: &[u16] = match (caller.may(plan.access), caller.thorough) {
                    (false, _) => &[403],
                    (true, false) => &[403, 404],
                    // Without its body a call may be refused before it looks for the row.
                    (true, true) if spelled.body.is_none() && plan.body.is_some() => &[404, 422],
                    (true, true) => &[404],
                };
                if !expected.contains(&answer.status) {
                    self.finding(&spelled, caller, &answer, &format!("expected {expected:?}"));
                }
            }
        }
    }

    /// Ids of the victim where a body or a query refers to another row: each alone, the rest own.
    async fn foreign_references(&mut self, plan: &Plan, caller: &mut Caller<'_>) {
        let in_body = plan.body.as_ref().map(|body| body.ids.clone()).unwrap_or_default();
        for (pointer, kind) in in_body {
            let mut call = self.own(plan, caller, "foreign id in the body").await;
            let foreign = self.foreign(kind);
            let mut absent = Call { what: "an id without a row", ..call.clone() };
            *absent.body.as_mut().and_then(|body| body.pointer_mut(&pointer)).unwrap() = absent_id(&foreign);
            *call.body.as_mut().and_then(|body| body.pointer_mut(&pointer)).unwrap() = foreign;
            if caller.thorough {
                self.same_as_absent(plan, caller, (&call, &absent)).await;
            }
            self.with_foreign_ids += 1;
            let answer = self.send(plan, caller, &call).await;
            let expected =
                REFERENCES.iter().find(|(path, _)| plan.path.ends_with(path)).map_or(400, |(_, status)| *status);
            if answer.status != expected && (caller.thorough || answer.status != 403) {
                self.finding(&call, caller, &answer, &format!("expected {expected} for {pointer}"));
            }
        }
        for parameter in &plan.query {
            let Some(kind) = parameter.kind else { continue };
            let (own, foreign) = (caller.own(kind, self.catalog, &mut self.canaries).await, self.foreign(kind));
            let of = |id: &Value, call: Call| Call { query: vec![(parameter.name.clone(), text(id))], ..call };
            let control = self.own(plan, caller, "foreign id in the query").await;
            self.same_as_absent(plan, caller, (&of(&foreign, control.clone()), &of(&absent_id(&foreign), control)))
                .await;
            for ids in [vec![&foreign], vec![&own, &foreign], vec![&foreign, &own]] {
                let mut call = self.own(plan, caller, "foreign id in the query").await;
                call.query.extend(ids.iter().map(|id| (parameter.name.clone(), text(id))));
                self.with_foreign_ids += 1;
                let answer = self.send(plan, caller, &call).await;
                if ![200, 400, 404].contains(&answer.status) {
                    self.finding(&call, caller, &answer, "expected 200 with nothing in it, 400 or 404");
                }
            }
        }
    }

    /// The organization of a call comes from its token alone.
    async fn smuggled(&mut self, plan: &Plan, caller: &mut Caller<'_>) {
        let control = self.own(plan, caller, "own ids again").await;
        let expected = self.send(plan, caller, &control).await;
        let mut call = self.own(plan, caller, "organization smuggled in").await;
        call.query.extend(SMUGGLED.map(|name| (name.to_owned(), VICTIM.to_string())));
        call.headers.extend(SMUGGLING_HEADERS.map(|name| (name, VICTIM.to_string())));
        if let (Some(Value::Object(members)), Some(body)) = (&mut call.body, &plan.body) {
            let extra = SMUGGLED.iter().filter(|name| !body.names.iter().any(|own| own == *name));
            members.extend(extra.map(|name| ((*name).to_owned(), json!(VICTIM))));
        }
        let answer = self.send(plan, caller, &call).await;
        let same = plan.method != "GET" || !plan.path_ids.is_empty() || answer.text == expected.text;
        if (answer.status != expected.status && answer.status != 409 && answer.status != 400)
            || (answer.status < 300 && !same)
        {
            self.finding(&call, caller, &answer, &format!("without it the answer is {}", expected.status));
        }
    }

    /// What a header names is looked for among the caller's own: in this organization, even if they belong to the victim too.
    async fn named_in_headers(&mut self, plan: &Plan, caller: &mut Caller<'_>) {
        for (header, table, column) in &plan.headers {
            let control = self.own(plan, caller, "own ids once more").await;
            let expected = self.send(plan, caller, &control).await.status;
            // What the victim is given now is no change of it by a call.
            self.look_at_the_victim(plan).await;
            let mut used =
                vec![self.victim.another(self.app, self.catalog, &mut self.canaries, table).await[*column].clone()];
            if caller.belongs {
                let mut rows = Rows::of_the_victim_and(caller.user);
                used.push(rows.another(self.app, self.catalog, &mut self.canaries, table).await[*column].clone());
            }
            self.before = rows_of(self.app, self.catalog, VICTIM, &self.without).await;
            for literal in used {
                let mut call = self.own(plan, caller, "header of the victim").await;
                call.headers.push((header, text(&value(&literal))));
                let answer = self.send(plan, caller, &call).await;
                if answer.status != expected {
                    self.finding(&call, caller, &answer, &format!("without it the answer is {expected}"));
                }
            }
        }
    }

    /// The other spellings of the same call.
    async fn spelled(&mut self, plan: &Plan, caller: &mut Caller<'_>) {
        if plan.path != "/" {
            let mut call = self.own(plan, caller, "trailing slash").await;
            call.path.push('/');
            self.send(plan, caller, &call).await;
        }
        if plan.method == "GET" {
            let mut call = self.own(plan, caller, "HEAD").await;
            "HEAD".clone_into(&mut call.method);
            let answer = self.send(plan, caller, &call).await;
            if !answer.text.is_empty() {
                self.finding(&call, caller, &answer, "a body");
            }
        }
    }

    /// Everything that a list gives, and what it finds of the victim's texts.
    async fn searched(&mut self, plan: &Plan, caller: &mut Caller<'_>) {
        if plan.query.is_empty() {
            return;
        }
        let mut call = self.own(plan, caller, "the whole list").await;
        call.query.push(("limit".to_owned(), "500".to_owned()));
        self.send(plan, caller, &call).await;
        for parameter in plan.query.iter().filter(|parameter| parameter.is_text && parameter.needed.is_none()) {
            for words in [vec![NEEDLE], vec!["own", NEEDLE], vec![NEEDLE, ""]] {
                let mut call = self.own(plan, caller, "search for the victim").await;
                call.query.extend(words.iter().map(|word| (parameter.name.clone(), (*word).to_owned())));
                self.send(plan, caller, &call).await;
            }
        }
    }

    /// Tokens with the right signature and the wrong organization or session.
    async fn forged(&mut self, plan: &Plan, caller: &mut Caller<'_>) {
        if plan.access == Access::Public {
            return;
        }
        let session = Caller::own_claims(&caller.token)["sid"].clone();
        let theirs = value(self.victim.value("sessions", "id"));
        let mut claims = vec![
            json!({"org_id": VICTIM, "sid": session}),
            json!({"org_id": VICTIM, "sid": theirs}),
            json!({"org_id": caller.org, "sid": theirs}),
        ];
        claims.extend(caller.stray_session.as_ref().map(|stray| json!({"org_id": VICTIM, "sid": stray})));
        // At home a token needs no session.
        if !caller.at_home {
            claims.push(json!({"org_id": VICTIM, "sid": null}));
        }
        for changed in claims {
            let mut call = self.own(plan, caller, "forged token").await;
            call.token = Some(caller.token_with(&changed));
            let answer = self.once(caller, &call).await;
            if answer.status != 401 {
                self.finding(&call, caller, &answer, &format!("expected 401 with {changed}"));
            }
        }
    }

    pub(super) fn foreign(&self, kind: &Kind) -> Value {
        value(self.victim.value(kind.table, kind.column))
    }

    /// Sends it; once more when an earlier call has ended the caller's session.
    pub(super) async fn send(&mut self, plan: &Plan, caller: &mut Caller<'_>, call: &Call) -> Answer {
        let token = call.token.as_ref().map(|_| caller.token.clone());
        let answer = self.once(caller, &Call { token, ..call.clone() }).await;
        if answer.status != 401 || plan.access == Access::Public {
            return answer;
        }
        caller.renew(self.catalog, &mut self.canaries).await;
        let again = Call { token: Some(caller.token.clone()), ..call.clone() };
        self.once(caller, &again).await
    }

    pub(super) async fn once(&mut self, caller: &Caller<'_>, call: &Call) -> Answer {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&call.query).finish();
        let mut request = self.app.request(&call.method, &format!("{}?{query}", call.path));
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        if let Some(token) = &call.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        let mut answer = TestApp::send(request).await;
        self.calls += 1;
        if answer.status >= 500 {
            self.finding(call, caller, &answer, "a failure");
        }
        if caller.belongs && OF_MEMBERS.iter().any(|path| call.path.trim_end_matches('/').ends_with(path)) {
            let name = self.victim.value("organizations", "name").trim_matches('\'').to_owned();
            answer.text = answer.text.replace(&VICTIM.to_string(), "").replace(&name, "");
        }
        if let Some(found) = self.canaries.found_in(&answer) {
            self.finding(call, caller, &answer, &format!("the answer holds what is the victim's: {found}"));
        }
        answer
    }

    pub(super) fn finding(&mut self, call: &Call, caller: &Caller<'_>, answer: &Answer, why: &str) {
        let text = answer.text.chars().take(300).collect::<String>();
        let Call { what, method, path, query, body, .. } = call;
        let body = body.as_ref().map(Value::to_string).unwrap_or_default();
        let who = &caller.name;
        self.findings
            .push(format!("{method} {path} {query:?} {body} as {who} ({what}): {} {text}\n    {why}", answer.status));
    }
}

pub(super) fn text(id: &Value) -> String {
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}

fn make_unique(value: &mut Value, nth: usize) {
    match value {
        Value::String(text) => *text = text.replace(UNIQUE, &nth.to_string()),
        Value::Array(items) => items.iter_mut().for_each(|item| make_unique(item, nth)),
        Value::Object(members) => members.values_mut().for_each(|member| make_unique(member, nth)),
        _ => (),
    }
}
