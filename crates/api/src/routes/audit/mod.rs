//! The organization's audit trail, for owners and admins.

mod list;
mod view;

use utoipa::OpenApi;

use super::mount::{Resource, Table};

#[derive(OpenApi)]
#[openapi(paths(list::handle))]
pub(super) struct Docs;

pub(super) fn mount(table: &mut Table<'_>) {
    table.add(&Resource::at("/api/v1/audit").get(list::handle));
}
