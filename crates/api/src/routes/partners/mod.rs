//! Customers and suppliers: two resources that are equal but for the name of the term, so each file holds one operation of
//! both.

mod create;
mod fields;
mod list;
mod read;
mod remove;
mod schema;
mod update;
mod view;

use sme_pulse_domain::permission::Permission;
use utoipa::OpenApi;

use super::mount::{Access, Resource, Table};

const READ: Access = Access::Needs(Permission::ReadPartners);
const WRITE: Access = Access::Needs(Permission::WritePartners);

#[derive(OpenApi)]
#[openapi(paths(
    list::customers,
    create::customer,
    read::customer,
    update::customer,
    remove::customer,
    list::suppliers,
    create::supplier,
    read::supplier,
    update::supplier,
    remove::supplier
))]
pub(super) struct Docs;

pub(super) fn mount(table: &mut Table<'_>) {
    table.add(&Resource::at("/api/v1/customers").get(READ, list::customers).post(WRITE, create::customer));
    table.add(
        &Resource::at("/api/v1/customers/{customer_id}")
            .get(READ, read::customer)
            .put(WRITE, update::customer)
            .delete(WRITE, remove::customer),
    );
    table.add(&Resource::at("/api/v1/suppliers").get(READ, list::suppliers).post(WRITE, create::supplier));
    table.add(
        &Resource::at("/api/v1/suppliers/{supplier_id}")
            .get(READ, read::supplier)
            .put(WRITE, update::supplier)
            .delete(WRITE, remove::supplier),
    );
}
