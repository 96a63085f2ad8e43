//! Cash and bank accounts.

mod create;
mod list;
mod read;
mod remove;
mod update;
mod view;

use sme_pulse_domain::permission::Permission;
use utoipa::OpenApi;

use super::mount::{Access, Resource, Table};

const READ: Access = Access::Needs(Permission::ReadAccounts);
const WRITE: Access = Access::Needs(Permission::WriteAccounts);

#[derive(OpenApi)]
#[openapi(paths(list::handle, create::handle, read::handle, update::handle, remove::handle))]
pub(super) struct Docs;

pub(super) fn mount(table: &mut Table<'_>) {
    table.add(&Resource::at("/api/v1/accounts").get(READ, list::handle).post(WRITE, create::handle));
    table.add(
        &Resource::at("/api/v1/accounts/{account_id}")
            .get(READ, read::handle)
            .put(WRITE, update::handle)
            .delete(WRITE, remove::handle),
    );
}
