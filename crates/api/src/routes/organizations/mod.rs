//! Companies that sign up. Not mounted where that is switched off.

mod confirm;
mod sign_up;
mod view;

use utoipa::OpenApi;

use super::{
    Limits,
    mount::{Resource, Table},
};

/// Where all of it is.
pub(super) const PREFIX: &str = "/api/v1/organizations";

#[derive(OpenApi)]
#[openapi(paths(sign_up::handle, confirm::handle))]
pub(super) struct Docs;

pub(super) fn mount(table: &mut Table<'_>, limits: &Limits) {
    let sign_up = Resource::at(PREFIX).open_post(sign_up::handle).no_store();
    table.add_behind(&sign_up, limits.sign_up.clone());
    let confirm = Resource::at(format!("{PREFIX}/confirm")).open_post(confirm::handle).no_store();
    table.add_behind(&confirm, limits.sign_up.clone());
}
