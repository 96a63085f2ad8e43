//! Keys with which programs act for the person who made them: seeing, making and revoking them.

mod create;
mod list;
mod read;
mod revoke;
mod view;

use utoipa::OpenApi;

use super::mount::{Resource, Table};

#[derive(OpenApi)]
#[openapi(paths(list::handle, create::handle, read::handle, revoke::handle))]
pub(super) struct Docs;

pub(super) fn mount(table: &mut Table<'_>) {
    table.add(&Resource::at("/api/v1/api-keys").get(list::handle).post(create::handle));
    table.add(&Resource::at("/api/v1/api-keys/{api_key_id}").get(read::handle).delete(revoke::handle));
}
