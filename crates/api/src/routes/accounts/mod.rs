//! Cash and bank accounts.

mod create;
mod list;
mod read;
mod remove;
mod update;
mod view;

use utoipa::OpenApi;

use super::mount::{Resource, Table};

#[derive(OpenApi)]
#[openapi(paths(list::handle, create::handle, read::handle, update::handle, remove::handle))]
pub(super) struct Docs;

pub(super) fn mount(table: &mut Table<'_>) {
    table.add(&Resource::at("/api/v1/accounts").get(list::handle).post(create::handle));
    table.add(
        &Resource::at("/api/v1/accounts/{account_id}").get(read::handle).put(update::handle).delete(remove::handle),
    );
}
