//! The organization's own data sheet.

mod read;
mod view;
mod write;

use utoipa::OpenApi;

use super::mount::{Resource, Table};

#[derive(OpenApi)]
#[openapi(paths(read::handle, write::handle))]
pub(super) struct Docs;

pub(super) fn mount(table: &mut Table<'_>) {
    table.add(&Resource::at("/api/v1/settings").get(read::handle).put(write::handle));
}
