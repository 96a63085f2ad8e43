//! The people of an organization.

mod create;
mod delete;
pub(super) mod fields;
mod list;
mod read;
mod reset_password;
mod update;
mod view;

pub(super) use view::PersonView;

use utoipa::OpenApi;

use super::mount::{Resource, Table};

#[derive(OpenApi)]
#[openapi(paths(list::handle, create::handle, read::handle, update::handle, delete::handle, reset_password::handle))]
pub(super) struct Docs;

pub(super) fn mount(table: &mut Table<'_>) {
    // Everybody reaches themselves; whom else they reach is asked once the id is known.
    table.add(&Resource::at("/api/v1/users").get(list::handle).post(create::handle));
    table.add(&Resource::at("/api/v1/users/{user_id}").get(read::handle).put(update::handle).delete(delete::handle));
    table.add(&Resource::at("/api/v1/users/{user_id}/reset-password").post(reset_password::handle));
}
