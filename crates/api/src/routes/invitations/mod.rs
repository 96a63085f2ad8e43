//! Invitations into an organization: sending them, and what the holder of a link can do.

mod accept;
mod create;
mod join;
mod list;
mod resend;
mod revoke;
mod show;
mod view;

use utoipa::OpenApi;

use super::{
    Limits,
    mount::{Resource, Table},
};
pub(super) use view::PlaceView;

const PREFIX: &str = "/api/v1/invitations";

#[derive(OpenApi)]
#[openapi(paths(
    create::handle,
    list::handle,
    resend::handle,
    revoke::handle,
    show::handle,
    accept::handle,
    join::handle,
))]
pub(super) struct Docs;

pub(super) fn mount(table: &mut Table<'_>, limits: &Limits) {
    table.add(&Resource::at(PREFIX).get(list::handle).post(create::handle));
    // Before the ids: the router takes the first path that fits.
    let accept = at("/accept").open_get(show::handle).open_post(accept::handle).no_store();
    table.add_behind(&accept, limits.invitation.clone());
    let join = at("/join").post(join::handle);
    table.add_behind(&join, limits.invitation.clone());
    table.add(&at("/{invitation_id}").delete(revoke::handle));
    table.add(&at("/{invitation_id}/resend").post(resend::handle));
}

fn at(path: &str) -> Resource {
    Resource::at(format!("{PREFIX}{path}"))
}
