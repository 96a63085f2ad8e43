//! Who may call what, written from the table of permissions and the table of routes: into the description of the API, and
//! as the two files that are kept beside the code. A test compares the files with this.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sme_pulse_domain::{
    permission::Permission,
    role::{Role, RoleSet},
};
use utoipa::openapi::{OpenApi, extensions::ExtensionsBuilder, path::Operation};

use super::openapi::operation;
use crate::routes::mount::{Access, RouteInfo};

/// The name under which the description of a route carries its permission.
pub const EXTENSION: &str = "x-permission";

/// Adds to the description of every route behind a token which permission it needs.
pub fn add_permissions(document: &mut OpenApi, routes: &[RouteInfo]) {
    for route in routes {
        let Access::Needs(permission) = route.access else { continue };
        if let Some(operation) = operation(document, &route.method, &route.path) {
            describe(operation, permission, route.max_age);
        }
    }
}

fn describe(operation: &mut Operation, permission: Permission, max_age: Option<u32>) {
    let mut sentence = format!("Needs the permission `{}`: {}.", permission.code(), who(permission));
    if let Some(minutes) = max_age {
        let _ = write!(sentence, " The caller must have proved who they are within the last {minutes} minutes.");
    }
    operation.description = Some(match operation.description.take().filter(|text| !text.is_empty()) {
        Some(text) => format!("{text}\n\n{sentence}"),
        None => sentence,
    });
    let extension = ExtensionsBuilder::new().add(EXTENSION, permission.code()).build();
    operation.extensions.get_or_insert_default().merge(extension);
}

/// Who holds a permission, in words.
fn who(permission: Permission) -> String {
    if permission.granted_to(&RoleSet::default()) {
        return "every signed-in user".to_owned();
    }
    let roles: Vec<_> = Role::ALL.into_iter().filter(|role| permission.granted_by(*role)).map(Role::code).collect();
    match roles.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => "nobody".to_owned(),
    }
}

/// `docs/permissions.md`.
pub fn document(routes: &[RouteInfo]) -> String {
    let mut text = String::from(HEAD);
    for permission in Permission::ALL {
        let _ = writeln!(text, "| `{}` | {} | {} |", permission.code(), permission.about(), marks(permission, " | "));
    }
    text.push_str(ROUTES);
    for (path, methods) in sorted(routes) {
        for route in methods {
            let need = match route.access {
                Access::Public => "– | everybody".to_owned(),
                Access::Needs(permission) => format!("`{}` | {}", permission.code(), who(permission)),
            };
            let recent = route.max_age.map(|minutes| format!(", with a proof of the last {minutes} minutes"));
            let _ = writeln!(text, "| `{} {path}` | {need}{} |", route.method, recent.unwrap_or_default());
        }
    }
    text.push_str(TAIL);
    text
}

const HEAD: &str = "# Permissions

Generated from `crates/domain/src/permission.rs` and the mounted routes; `cargo xtask docs` writes it anew. A user may hold several
roles and is allowed what any of them grants. What no row grants is refused.

## Which role grants what

| Permission | Allows | owner | admin | accountant | cashier | no role |
|---|---|---|---|---|---|---|
";

const ROUTES: &str = "
## Which route needs what

| Route | Permission | Who may call |
|---|---|---|
";

const TAIL: &str = "
Rules that depend on the row or the body come on top and are told in [api.md](api.md): only owners act on owners, and the last active
owner stays.
";

/// The snapshot of the matrix: a line for every route, a column for every role.
pub fn matrix(routes: &[RouteInfo]) -> String {
    let mut text = format!("{:<58}{}\n", "", "anybody  owner  admin  accountant  cashier  no role");
    for (path, methods) in sorted(routes) {
        for route in methods {
            let name = format!("{:<7}{path}", route.method.as_str());
            let columns = match route.access {
                Access::Public => "yes      yes    yes    yes         yes      yes".to_owned(),
                Access::Needs(permission) => {
                    let roles = Role::ALL.map(|role| permission.granted_by(role));
                    let [owner, admin, accountant, cashier] = roles.map(|granted| if granted { "yes" } else { "-" });
                    let nobody = if permission.granted_to(&RoleSet::default()) { "yes" } else { "-" };
                    format!("-        {owner:<7}{admin:<7}{accountant:<12}{cashier:<9}{nobody}")
                }
            };
            let _ = writeln!(text, "{name:<58}{columns}");
        }
    }
    text
}

fn marks(permission: Permission, between: &str) -> String {
    let roles = Role::ALL.map(|role| permission.granted_by(role));
    let all = roles.into_iter().chain([permission.granted_to(&RoleSet::default())]);
    all.map(|granted| if granted { "✔" } else { "–" }).collect::<Vec<_>>().join(between)
}

/// By path, then in the order of declaration.
fn sorted(routes: &[RouteInfo]) -> BTreeMap<&str, Vec<&RouteInfo>> {
    let mut paths = BTreeMap::<_, Vec<_>>::new();
    for route in routes {
        paths.entry(route.path.as_str()).or_default().push(route);
    }
    paths
}
