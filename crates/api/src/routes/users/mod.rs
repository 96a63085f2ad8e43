//! The people of an organization.

mod create;
mod delete;
pub(super) mod fields;
mod list;
mod read;
mod reset_password;
mod update;
pub(super) mod view;

use sme_pulse_domain::permission::Permission;
use utoipa::OpenApi;

use super::mount::{Access, Resource, Table};

#[derive(OpenApi)]
#[openapi(paths(list::handle, create::handle, read::handle, update::handle, delete::handle, reset_password::handle))]
pub(super) struct Docs;

pub(super) fn mount(table: &mut Table<'_>) {
    // Everybody reaches themselves; whom else they reach is asked once the id is known.
    let own_account = Access::Needs(Permission::UseOwnAccount);
    let write = Access::Needs(Permission::WriteUsers);
    table.add(
        &Resource::at("/api/v1/users")
            .get(Access::Needs(Permission::ReadUsers), list::handle)
            .post(write, create::handle),
    );
    table.add(
        &Resource::at("/api/v1/users/{user_id}")
            .get(own_account, read::handle)
            .put(own_account, update::handle)
            .delete(write, delete::handle),
    );
    table.add(&Resource::at("/api/v1/users/{user_id}/reset-password").post(write, reset_password::handle));
}
