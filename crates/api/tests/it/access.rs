//! Every mounted route against everybody who could call it: nobody, each role, and a route the table forgot.

use std::collections::BTreeSet;

use sme_pulse_api::routes::{self, mount::Access};
use sme_pulse_domain::{permission::Permission, role::Role};
use sme_pulse_testing::on_both_databases;

use super::support::TestApp;

/// Method, path, who may: written by hand, so that a changed guard shows. A mounted route that is missing here fails.
const TABLE: &[(&str, &str, Access)] = &[
    ("GET", "/", Access::Public),
    ("GET", "/health", Access::Public),
    ("GET", "/health/ready", Access::Public),
    ("GET", "/.well-known/jwks.json", Access::Public),
    ("GET", "/.well-known/openid-configuration", Access::Public),
    ("GET", "/.well-known/oauth-authorization-server", Access::Public),
    ("POST", "/api/v1/auth/login", Access::Public),
    ("POST", "/auth/login", Access::Public),
    ("POST", "/api/v1/auth/refresh", Access::Public),
    ("POST", "/auth/refresh", Access::Public),
    ("GET", "/api/v1/auth/me", Access::Needs(Permission::UseOwnAccount)),
    ("GET", "/auth/me", Access::Needs(Permission::UseOwnAccount)),
    ("POST", "/api/v1/auth/logout", Access::Needs(Permission::UseOwnAccount)),
    ("POST", "/auth/logout", Access::Needs(Permission::UseOwnAccount)),
    ("POST", "/api/v1/auth/logout-all", Access::Needs(Permission::UseOwnAccount)),
    ("POST", "/auth/logout-all", Access::Needs(Permission::UseOwnAccount)),
    ("GET", "/api/v1/auth/sessions", Access::Needs(Permission::UseOwnAccount)),
    ("GET", "/auth/sessions", Access::Needs(Permission::UseOwnAccount)),
    ("DELETE", "/api/v1/auth/sessions/{session_id}", Access::Needs(Permission::UseOwnAccount)),
    ("DELETE", "/auth/sessions/{session_id}", Access::Needs(Permission::UseOwnAccount)),
    ("POST", "/api/v1/auth/change-password", Access::Needs(Permission::UseOwnAccount)),
    ("POST", "/auth/change-password", Access::Needs(Permission::UseOwnAccount)),
    ("POST", "/api/v1/auth/forgot-password", Access::Public),
    ("POST", "/auth/forgot-password", Access::Public),
    ("POST", "/api/v1/auth/reset-password", Access::Public),
    ("POST", "/auth/reset-password", Access::Public),
    ("GET", "/api/v1/auth/mfa", Access::Needs(Permission::UseOwnAccount)),
    ("GET", "/auth/mfa", Access::Needs(Permission::UseOwnAccount)),
    ("POST", "/api/v1/auth/mfa/enroll", Access::Needs(Permission::UseOwnAccount)),
    ("POST", "/auth/mfa/enroll", Access::Needs(Permission::UseOwnAccount)),
    ("POST", "/api/v1/auth/mfa/confirm", Access::Needs(Permission::UseOwnAccount)),
    ("POST", "/auth/mfa/confirm", Access::Needs(Permission::UseOwnAccount)),
    ("POST", "/api/v1/auth/mfa/recovery-codes", Access::Needs(Permission::UseOwnAccount)),
    ("POST", "/auth/mfa/recovery-codes", Access::Needs(Permission::UseOwnAccount)),
    ("POST", "/api/v1/auth/mfa/disable", Access::Needs(Permission::UseOwnAccount)),
    ("POST", "/auth/mfa/disable", Access::Needs(Permission::UseOwnAccount)),
    ("POST", "/api/v1/auth/step-up", Access::Needs(Permission::UseOwnAccount)),
    ("POST", "/auth/step-up", Access::Needs(Permission::UseOwnAccount)),
    ("POST", "/api/v1/auth/mfa/verify", Access::Public),
    ("POST", "/auth/mfa/verify", Access::Public),
    ("POST", "/api/v1/auth/introspect", Access::Needs(Permission::InspectTokens)),
    ("POST", "/auth/introspect", Access::Needs(Permission::InspectTokens)),
    ("POST", "/api/v1/auth/revoke", Access::Needs(Permission::RevokeTokens)),
    ("POST", "/auth/revoke", Access::Needs(Permission::RevokeTokens)),
    ("GET", "/api/v1/auth/revocations", Access::Needs(Permission::FollowRevocations)),
    ("GET", "/auth/revocations", Access::Needs(Permission::FollowRevocations)),
    ("GET", "/api/v1/settings", Access::Needs(Permission::ReadOrganization)),
    ("PUT", "/api/v1/settings", Access::Needs(Permission::WriteOrganization)),
    ("GET", "/api/v1/audit", Access::Needs(Permission::ReadAuditTrail)),
    ("GET", "/api/v1/users", Access::Needs(Permission::ReadUsers)),
    ("POST", "/api/v1/users", Access::Needs(Permission::WriteUsers)),
    ("GET", "/api/v1/users/{user_id}", Access::Needs(Permission::UseOwnAccount)),
    ("PUT", "/api/v1/users/{user_id}", Access::Needs(Permission::UseOwnAccount)),
    ("DELETE", "/api/v1/users/{user_id}", Access::Needs(Permission::WriteUsers)),
    ("POST", "/api/v1/users/{user_id}/reset-password", Access::Needs(Permission::WriteUsers)),
    ("GET", "/api/v1/customers", Access::Needs(Permission::ReadPartners)),
    ("POST", "/api/v1/customers", Access::Needs(Permission::WritePartners)),
    ("GET", "/api/v1/customers/{customer_id}", Access::Needs(Permission::ReadPartners)),
    ("PUT", "/api/v1/customers/{customer_id}", Access::Needs(Permission::WritePartners)),
    ("DELETE", "/api/v1/customers/{customer_id}", Access::Needs(Permission::WritePartners)),
    ("GET", "/api/v1/suppliers", Access::Needs(Permission::ReadPartners)),
    ("POST", "/api/v1/suppliers", Access::Needs(Permission::WritePartners)),
    ("GET", "/api/v1/suppliers/{supplier_id}", Access::Needs(Permission::ReadPartners)),
    ("PUT", "/api/v1/suppliers/{supplier_id}", Access::Needs(Permission::WritePartners)),
    ("DELETE", "/api/v1/suppliers/{supplier_id}", Access::Needs(Permission::WritePartners)),
    ("GET", "/api/v1/accounts", Access::Needs(Permission::ReadAccounts)),
    ("POST", "/api/v1/accounts", Access::Needs(Permission::WriteAccounts)),
    ("GET", "/api/v1/accounts/{account_id}", Access::Needs(Permission::ReadAccounts)),
    ("PUT", "/api/v1/accounts/{account_id}", Access::Needs(Permission::WriteAccounts)),
    ("DELETE", "/api/v1/accounts/{account_id}", Access::Needs(Permission::WriteAccounts)),
    ("GET", "/api/v1/auth/organizations", Access::Needs(Permission::UseOwnAccount)),
    ("GET", "/auth/organizations", Access::Needs(Permission::UseOwnAccount)),
    ("POST", "/api/v1/auth/switch-organization", Access::Needs(Permission::UseOwnAccount)),
    ("POST", "/auth/switch-organization", Access::Needs(Permission::UseOwnAccount)),
    ("GET", "/api/v1/invitations", Access::Needs(Permission::ManageInvitations)),
    ("POST", "/api/v1/invitations", Access::Needs(Permission::ManageInvitations)),
    ("DELETE", "/api/v1/invitations/{invitation_id}", Access::Needs(Permission::ManageInvitations)),
    ("POST", "/api/v1/invitations/{invitation_id}/resend", Access::Needs(Permission::ManageInvitations)),
    ("GET", "/api/v1/invitations/accept", Access::Public),
    ("POST", "/api/v1/invitations/accept", Access::Public),
    ("POST", "/api/v1/invitations/join", Access::Needs(Permission::UseOwnAccount)),
    ("GET", "/api/v1/api-keys", Access::Needs(Permission::ManageApiKeys)),
    ("POST", "/api/v1/api-keys", Access::Needs(Permission::ManageApiKeys)),
    ("GET", "/api/v1/api-keys/{api_key_id}", Access::Needs(Permission::ManageApiKeys)),
    ("DELETE", "/api/v1/api-keys/{api_key_id}", Access::Needs(Permission::ManageApiKeys)),
    ("POST", "/api/v1/organizations", Access::Public),
    ("POST", "/api/v1/organizations/confirm", Access::Public),
];

on_both_databases! {
    async fn the_table_of_this_test_is_what_is_mounted(app: TestApp) {
        let mounted: BTreeSet<String> = app.routes.iter().map(|route| format!("{} {} {:?}", route.method, route.path, route.access)).collect();
        let expected: BTreeSet<String> = TABLE.iter().map(|(method, path, access)| format!("{method} {path} {access:?}")).collect();
        assert_eq!(mounted, expected);
    }

    async fn without_a_token_every_protected_route_is_a_401(app: TestApp) {
        for (method, path, access) in TABLE {
            let answer = TestApp::send(app.request(method, path)).await;
            match access {
                Access::Public => assert_ne!((answer.status, answer.json()["error_code"].as_str()), (401, Some("not_authenticated")), "{method} {path}"),
                Access::Needs(_) => {
                    assert_eq!((answer.status, answer.json()["detail"].as_str()), (401, Some("Not authenticated")), "{method} {path}");
                    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
                }
            }
        }
    }

    async fn each_role_gets_exactly_what_the_matrix_grants(app: TestApp) {
        let mut callers: Vec<Vec<Role>> = Role::ALL.iter().map(|role| vec![*role]).collect();
        callers.push(Vec::new());
        for roles in callers {
            let member = app.member(&roles).await;
            let held = roles.iter().copied().collect();
            // Logging out ends the session, so it comes last.
            let (last, first): (Vec<_>, Vec<_>) = TABLE.iter().partition(|(_, path, _)| path.ends_with("/logout"));
            for (method, path, access) in first.into_iter().chain(last.into_iter().take(1)) {
                let Access::Needs(permission) = access else { continue };
                // Everybody reaches themselves, and nobody has the last id.
                let user = if permission == Permission::UseOwnAccount { member.user } else { i64::MAX };
                let mut concrete = path.replace("{user_id}", &user.to_string());
                for id in ["{customer_id}", "{supplier_id}", "{account_id}", "{invitation_id}", "{api_key_id}"] {
                    concrete = concrete.replace(id, &i64::MAX.to_string());
                }
                let answer = TestApp::send(member.request(method, &concrete).header("content-type", "application/json").body("{}")).await;
                if permission.granted_to(&held) {
                    // An id that stands for nothing gets past the guard and finds no row.
                    // An empty body gets past it too, and is refused where fields are required.
                    let expected = match path.trim_start_matches("/api/v1").trim_start_matches("/auth") {
                        // An id that stands for nothing gets past the guard and finds no row, a needed field is missing, and
                        // there is no second factor yet.
                        "/users/{user_id}" if permission == Permission::UseOwnAccount => 200..201,
                        "/invitations/join" | "/switch-organization" | "/introspect" | "/revoke" => 422..423,
                        rest if rest.contains('{') => 404..405,
                        "/users" | "/customers" | "/suppliers" | "/accounts" | "/invitations" | "/api-keys" if *method == *"POST" => 422..423,
                        "/mfa/confirm" | "/step-up" | "/change-password" => 422..423,
                        "/mfa/recovery-codes" | "/mfa/disable" => 409..410,
                        _ => 200..300,
                    };
                    assert!(expected.contains(&answer.status), "{roles:?} {method} {path}: {}", answer.text);
                } else {
                    assert_eq!((answer.status, answer.json()["detail"].as_str()), (403, Some("Insufficient permissions")), "{roles:?} {method} {path}");
                }
            }
        }
    }
}

#[test]
fn every_canonical_route_is_described_with_its_protection() {
    let document = serde_json::to_value(routes::openapi()).unwrap();
    for (method, path, access) in TABLE.iter().filter(|(_, path, _)| !path.starts_with("/auth/")) {
        let operation = &document["paths"][path][method.to_lowercase()];
        assert!(operation.is_object(), "{method} {path} is not described");
        assert_eq!(operation["security"].is_array(), matches!(access, Access::Needs(_)), "{method} {path}");
        for status in ["400", "413"] {
            assert!(operation["responses"][status].is_object(), "{method} {path} does not describe {status}");
        }
    }
}
