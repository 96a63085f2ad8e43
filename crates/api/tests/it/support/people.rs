//! People of one organization, put into the database or added through the API.

use serde_json::{Value, json};
use sme_pulse_domain::role::Role;

use super::{HASH, Member, TestApp};

pub(crate) const USERS: &str = "/api/v1/users";

/// The path of one user.
pub(crate) fn user_path(id: i64) -> String {
    format!("{USERS}/{id}")
}

/// What adds a user.
pub(crate) fn new_user(email: &str, roles: Value) -> Value {
    let mut body = json!({"email": email, "full_name": "New Person", "password": "a good passphrase"});
    body["roles"] = roles;
    body
}

impl TestApp {
    /// A user in this organization, who exists, with these roles; signed in.
    pub(crate) async fn colleague(&self, org: i64, email: &str, roles: &[Role]) -> Member<'_> {
        self.insert_user(org, email, HASH).await;
        self.grant(org, email, roles).await;
        self.sign_in(email).await
    }

    /// Makes somebody from elsewhere a member of this organization, with these roles.
    pub(crate) async fn join(&self, org: i64, email: &str, roles: &[Role]) {
        self.sql(&format!(
            "INSERT INTO auth.memberships (org_id, user_id) SELECT {org}, id FROM core.users WHERE email = '{email}'"
        ))
        .await;
        self.grant(org, email, roles).await;
    }

    async fn grant(&self, org: i64, email: &str, roles: &[Role]) {
        for role in roles {
            self.sql(&format!(
                "INSERT INTO core.user_roles (user_id, org_id, role_id) SELECT u.id, {org}, r.id \
                 FROM core.users u CROSS JOIN core.roles r WHERE u.email = '{email}' AND r.code = '{role}'"
            ))
            .await;
        }
    }
}

impl Member<'_> {
    pub(crate) async fn delete(&self, path: &str) -> super::Answer {
        TestApp::send(self.request("DELETE", path)).await
    }

    /// What a list shows, in its order: the members of each item called so.
    pub(crate) async fn listed(&self, query: &str, field: &str) -> (i64, Vec<Value>) {
        let answer = self.get(&format!("{USERS}?{query}")).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.text);
        let page = answer.json();
        let items = page["items"].as_array().unwrap().iter().map(|item| item[field].clone()).collect();
        (page["total"].as_i64().unwrap(), items)
    }
}
