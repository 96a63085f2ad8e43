//! Those who call: each with sessions in the organization that is not the victim, and rows of their own to name.

use serde_json::{Value, json};
use sme_pulse_api::routes::mount::Access;
use sme_pulse_domain::role::Role;

use super::super::support::{HASH, TestApp, claims, mint};
use super::canary::Canaries;
use super::catalog::Catalog;
use super::kinds::Kind;
use super::rows::{Row, Rows};

/// Somebody with a session in an organization that is not the victim.
pub(super) struct Caller<'a> {
    app: &'a TestApp,
    pub(super) name: String,
    pub(super) roles: Vec<Role>,
    pub(super) user: i64,
    pub(super) org: i64,
    /// Owners are asked everything; of the others it is enough that they get no further.
    pub(super) thorough: bool,
    /// Belongs to the victim as well.
    pub(super) belongs: bool,
    /// The victim is this person's home.
    pub(super) at_home: bool,
    claims: Value,
    pub(super) token: String,
    rows: Rows,
    /// A session of this person for the victim, to which they do not belong.
    pub(super) stray_session: Option<String>,
}

/// Where somebody is at home and where they call from.
pub(super) struct Person<'a> {
    pub(super) name: &'a str,
    pub(super) home: i64,
    pub(super) org: i64,
    pub(super) roles: &'a [Role],
}

impl<'a> Caller<'a> {
    /// A new user, signed in through the real route at home.
    pub(super) async fn new(app: &'a TestApp, person: Person<'_>) -> Self {
        let Person { name, home, org, roles } = person;
        let email = format!("{}@example.com", name.replace(' ', "."));
        let user = app.insert_user(home, &email, HASH).await;
        for role in roles {
            grant(app, user, org, *role).await;
        }
        if home != org {
            join(app, user, org).await;
        }
        let signed_in = app.sign_in(&email).await;
        Self {
            app,
            name: name.to_owned(),
            roles: roles.to_vec(),
            user,
            org,
            thorough: roles.contains(&Role::Owner),
            belongs: false,
            at_home: false,
            claims: claims(&signed_in.token),
            token: signed_in.token,
            rows: Rows::of_a_caller(org, user),
            stray_session: None,
        }
    }

    /// The same person, who belongs to a third organization, and has a session for the victim that should not be there.
    pub(super) async fn astray(mut self, victim: i64) -> Self {
        let third = self.app.member(&[]).await.org;
        join(self.app, self.user, third).await;
        grant(self.app, self.user, third, Role::Owner).await;
        let (app, user, id) = (self.app, self.user, format!("57a57a57-0000-4000-8000-{:012}", self.user % 1_000_000));
        let times = "'2999-01-01 00:00:00.000000', '2025-11-20 08:15:30.123456', '2025-11-20 08:15:30.123456'";
        let columns = "id, user_id, org_id, expires_at, created_at, updated_at";
        app.sql(&format!("INSERT INTO auth.sessions ({columns}) VALUES ('{id}', {user}, {victim}, {times})")).await;
        self.stray_session = Some(id);
        self
    }

    /// The same person, who belonged to the victim as its owner until the membership ended.
    pub(super) async fn once_of(self, victim: i64) -> Self {
        grant(self.app, self.user, victim, Role::Owner).await;
        join(self.app, self.user, victim).await;
        let ended = format!(
            "UPDATE auth.memberships SET status = 'inactive' WHERE user_id = {} AND org_id = {victim}",
            self.user
        );
        self.app.sql(&ended).await;
        self.astray(victim).await
    }

    /// The same person, who belongs to the victim as its owner.
    pub(super) async fn of_both(mut self, victim: i64, home: i64) -> Self {
        grant(self.app, self.user, victim, Role::Owner).await;
        if home != victim {
            join(self.app, self.user, victim).await;
        }
        (self.belongs, self.at_home) = (true, home == victim);
        self
    }

    pub(super) fn may(&self, access: Access) -> bool {
        match access {
            Access::Public => true,
            Access::Needs(permission) => permission.granted_to(&self.roles.iter().copied().collect()),
        }
    }

    /// Opens another session and uses its token from now on.
    pub(super) async fn renew(&mut self, catalog: &Catalog, canaries: &mut Canaries) {
        let session = self.rows.another(self.app, catalog, canaries, "sessions").await;
        self.token = self.token_with(&json!({"org_id": self.org, "sid": value(&session["id"])}));
    }

    /// A token as the product signs it, with other claims.
    pub(super) fn token_with(&self, changed: &Value) -> String {
        let mut claims = self.claims.clone();
        for (name, value) in changed.as_object().unwrap() {
            let members = claims.as_object_mut().unwrap();
            members.remove(name);
            if !value.is_null() {
                members.insert(name.clone(), value.clone());
            }
        }
        mint(&claims)
    }

    /// The claims that its tokens have.
    pub(super) fn own_claims(token: &str) -> Value {
        claims(token)
    }

    /// The id of a row of this kind that is the caller's own or its organization's, made for this call.
    pub(super) async fn own(&mut self, kind: &Kind, catalog: &Catalog, canaries: &mut Canaries) -> Value {
        if kind.table == "organizations" {
            return json!(self.org);
        }
        let row: Row = self.rows.another(self.app, catalog, canaries, kind.table).await;
        value(&row[kind.column])
    }
}

/// What a literal of SQL is in JSON.
pub(super) fn value(literal: &str) -> Value {
    match literal.strip_prefix('\'') {
        Some(text) => json!(text.trim_end_matches('\'')),
        None => json!(literal.parse::<i64>().unwrap()),
    }
}

async fn grant(app: &TestApp, user: i64, org: i64, role: Role) {
    let role = format!("SELECT {user}, {org}, id FROM core.roles WHERE code = '{role}'");
    app.sql(&format!("INSERT INTO core.user_roles (user_id, org_id, role_id) {role}")).await;
}

async fn join(app: &TestApp, user: i64, org: i64) {
    app.sql(&format!("INSERT INTO auth.memberships (org_id, user_id) VALUES ({org}, {user})")).await;
}
