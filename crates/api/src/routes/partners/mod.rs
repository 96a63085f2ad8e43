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

use utoipa::OpenApi;

use super::mount::{Resource, Table};

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
    table.add(&Resource::at("/api/v1/customers").get(list::customers).post(create::customer));
    table.add(
        &Resource::at("/api/v1/customers/{customer_id}")
            .get(read::customer)
            .put(update::customer)
            .delete(remove::customer),
    );
    table.add(&Resource::at("/api/v1/suppliers").get(list::suppliers).post(create::supplier));
    table.add(
        &Resource::at("/api/v1/suppliers/{supplier_id}")
            .get(read::supplier)
            .put(update::supplier)
            .delete(remove::supplier),
    );
}
