//! The organization's own data sheet.

mod read;
mod view;
mod write;

use sme_pulse_domain::permission::Permission;
use utoipa::OpenApi;

use super::mount::{Access, Resource, Table};

#[derive(OpenApi)]
#[openapi(paths(read::handle, write::handle))]
pub(super) struct Docs;

pub(super) fn mount(table: &mut Table<'_>) {
    table.add(
        &Resource::at("/api/v1/settings")
            .get(Access::Needs(Permission::ReadOrganization), read::handle)
            .put(Access::Needs(Permission::WriteOrganization), write::handle),
    );
}
