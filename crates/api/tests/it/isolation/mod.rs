//! The wall around an organization, tried on every mounted route: as every role of one organization, with every kind of id
//! of another, of which every table holds a row of values that occur nowhere else. Nothing here names a route: what is
//! called follows from the route table, what it takes from the description of the API, and what exists from the catalog.

mod attack;
mod caller;
mod canary;
mod catalog;
mod filters;
mod inputs;
mod kinds;
mod plan;
mod plan_tests;
mod rows;
mod secrets;
mod values;

use std::collections::BTreeMap;

use sme_pulse_api::routes::{self, mount::Access};
use sme_pulse_domain::role::Role;
use sme_pulse_testing::on_both_databases;

use super::support::TestApp;
use attack::Attack;
use caller::{Caller, Person};
use canary::{Canaries, VICTIM};
use catalog::Catalog;
use filters::combinations;
use plan::Plan;
use rows::{Rows, Without, rows_of};

fn plans(app: &TestApp) -> Vec<Plan> {
    let document = serde_json::to_value(routes::openapi()).unwrap();
    app.routes.iter().map(|route| Plan::of(route, &document)).collect()
}

/// The organization of those who call, with one user of each role and one of none.
async fn callers(app: &TestApp) -> Vec<Caller<'_>> {
    let org = app.member(&[]).await.org;
    let mut callers = Vec::new();
    for role in Role::ALL {
        callers.push(Caller::new(app, Person { name: role.code(), home: org, org, roles: &[role] }).await);
    }
    callers.push(Caller::new(app, Person { name: "nobody", home: org, org, roles: &[] }).await);
    callers
}

/// The victim, with a row in every table.
async fn begin<'a>(app: &'a TestApp, catalog: &'a Catalog) -> Attack<'a> {
    let (mut canaries, mut victim) = (Canaries::default(), Rows::of_the_victim());
    canaries.note(VICTIM);
    victim.everywhere(app, catalog, &mut canaries).await;
    let without = Without::default();
    let before = rows_of(app, catalog, VICTIM, &without).await;
    for table in catalog.tables.iter().filter(|table| table.rows_of(VICTIM).is_some()) {
        let row = before.iter().find(|row| row.starts_with(&format!("{} ", table.name)));
        let row = row.unwrap_or_else(|| panic!("the victim has no row in {}", table.name));
        assert!(canaries.found(row).is_some(), "nothing would be recognised of {row}");
    }
    Attack {
        app,
        catalog,
        canaries,
        victim,
        without,
        before,
        calls: 0,
        calls_before: 0,
        with_foreign_ids: 0,
        findings: Vec::new(),
    }
}

/// Calls every route as everybody, and says what came of it.
async fn try_all(attack: &mut Attack<'_>, plans: &[Plan], callers: &mut [Caller<'_>]) {
    for plan in plans {
        for caller in &mut *callers {
            attack.route(plan, caller).await;
        }
        attack.look_at_the_victim(plan).await;
    }
}

#[expect(clippy::print_stdout, reason = "how much was tried belongs to the result")]
fn conclude(attack: &Attack<'_>, plans: &[Plan], callers: &[Caller<'_>]) {
    let made = attack.calls - attack.calls_before;
    println!(
        "isolation: {} calls, {} of them with foreign ids, to {} routes as {} callers",
        made,
        attack.with_foreign_ids,
        plans.len(),
        callers.len()
    );
    attack.assert_nothing_found();
    let (mut calls, mut foreign) = (0, 0);
    for plan in plans {
        for caller in callers.iter().filter(|caller| !(caller.belongs && plan.path.ends_with("/switch-organization"))) {
            let references = if caller.may(plan.access) { plan.references() } else { 0 };
            let forged = if caller.thorough && plan.access != Access::Public { 3 } else { 0 };
            let spelled = if caller.thorough && plan.path != "/" { 3 } else { 0 };
            foreign += plan.path_ids.len() + references;
            calls += 1 + plan.path_ids.len() + references + forged + spelled;
        }
    }
    assert!(made >= calls, "{made} calls, but the routes ask for {calls}");
    assert!(
        attack.with_foreign_ids >= foreign && foreign > 0,
        "{} with foreign ids, of {foreign}",
        attack.with_foreign_ids
    );
}

/// What an owner reads everywhere, with each filter and each two of them, but for what differs between any two answers.
async fn reads(app: &TestApp, plans: &[Plan], caller: &Caller<'_>) -> BTreeMap<String, String> {
    let mut answers = BTreeMap::new();
    for plan in plans.iter().filter(|plan| plan.method == "GET" && plan.path_ids.is_empty()) {
        let answer = TestApp::send(app.request("GET", &plan.path).bearer_auth(&caller.token)).await;
        answers.insert(plan.name(), answer.comparable());
        let ids: Vec<_> = plan.query.iter().filter(|parameter| parameter.kind.is_some()).collect();
        let ids: Vec<_> =
            ids.iter().map(|id| (id.name.clone(), vec![caller.user.to_string(), VICTIM.to_string()])).collect();
        for query in combinations(plan, &ids) {
            let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&query).finish();
            let path = format!("{}?{query}", plan.path);
            let answer = TestApp::send(app.request("GET", &path).bearer_auth(&caller.token)).await;
            answers.insert(path, answer.comparable());
        }
    }
    answers
}

on_both_databases! {
    async fn no_route_reaches_another_organization(app: TestApp) {
        let (plans, catalog) = (plans(&app), Catalog::read(&app).await);
        let mut attack = begin(&app, &catalog).await;
        let mut callers = callers(&app).await;
        let owner = callers.remove(0).astray(VICTIM).await;
        let org = owner.org;
        let person = Person { name: "ex-member", home: org, org, roles: &[Role::Owner] };
        let once = Caller::new(&app, person).await.once_of(VICTIM).await;
        attack.without.people.extend([owner.user, once.user]);
        attack.before = rows_of(&app, &catalog, VICTIM, &attack.without).await;
        callers.splice(0..0, [owner, once]);
        try_all(&mut attack, &plans, &mut callers).await;
        conclude(&attack, &plans, &callers);
    }

    async fn every_route_reads_what_it_describes_and_nothing_else(app: TestApp) {
        let (plans, catalog) = (plans(&app), Catalog::read(&app).await);
        let mut attack = begin(&app, &catalog).await;
        let mut owner = callers(&app).await.remove(0);
        let columns = catalog.tables.iter().flat_map(|table| &table.columns).map(|column| column.name.clone());
        let names = inputs::names(&plans, columns);
        for plan in &plans {
            owner.renew(&catalog, &mut attack.canaries).await;
            attack.reads_what_it_describes(plan, &mut owner, &names).await;
        }
        attack.assert_nothing_found();
    }

    async fn who_belongs_to_two_organizations_reaches_only_the_one_of_the_session(app: TestApp) {
        let (plans, catalog) = (plans(&app), Catalog::read(&app).await);
        let org = app.member(&[]).await.org;
        let mut attack = begin(&app, &catalog).await;
        let (owner, cashier) = (&[Role::Owner][..], &[Role::Cashier][..]);
        // Owners there, whatever they are here: a role counts where it is held.
        let people = [("owner from here", org, owner), ("cashier from here", org, cashier)];
        for (name, home, roles) in people.into_iter().chain([("owner from there", VICTIM, owner), ("cashier from there", VICTIM, cashier)]) {
            let person = Person { name, home, org, roles };
            let mut callers = [Caller::new(&app, person).await.of_both(VICTIM, home).await];
            attack.without.people.push(callers[0].user);
            attack.without.trail = home == VICTIM;
            attack.before = rows_of(&app, &catalog, VICTIM, &attack.without).await;
            try_all(&mut attack, &plans, &mut callers).await;
            conclude(&attack, &plans, &callers);
            (attack.calls_before, attack.with_foreign_ids) = (attack.calls, 0);
        }
    }

    /// Totals, sums and counts hold no value of another organization, but would change with its rows.
    async fn what_an_organization_reads_does_not_depend_on_the_rows_of_another(app: TestApp) {
        let (plans, catalog) = (plans(&app), Catalog::read(&app).await);
        let owner = callers(&app).await.remove(0);
        let before = reads(&app, &plans, &owner).await;
        assert!(before.len() > 5, "{before:?}");
        let _attack = begin(&app, &catalog).await;
        for (name, answer) in reads(&app, &plans, &owner).await {
            assert_eq!(Some(&answer), before.get(&name), "{name}");
        }
    }
}
