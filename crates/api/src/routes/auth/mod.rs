//! Authentication, under `/api/v1/auth` and, for older clients, under `/auth`: the same handlers and budgets.

mod change_password;
mod device;
mod forgot_password;
mod introspect;
mod log_in;
mod log_out;
mod log_out_all;
mod me;
mod mfa;
mod organizations;
mod refresh;
mod reset_password;
mod revocations;
mod revoke;
mod sessions;
mod step_up;
mod token_body;
mod view;

use utoipa::OpenApi;

pub use device::DeviceCookie;
pub use revocations::Followers;

use super::{
    Limits,
    mount::{Resource, Table},
};

const PREFIX: &str = "/api/v1/auth";
const ALIAS: &str = "/auth";

#[derive(OpenApi)]
#[openapi(paths(
    log_in::handle,
    me::handle,
    log_out::handle,
    log_out_all::handle,
    refresh::handle,
    sessions::list,
    sessions::end,
    change_password::handle,
    forgot_password::handle,
    reset_password::handle,
    mfa::verify::handle,
    mfa::status::handle,
    mfa::enrol::handle,
    mfa::confirm::handle,
    mfa::recovery_codes::handle,
    mfa::disable::handle,
    step_up::handle,
    organizations::list,
    organizations::switch,
    introspect::handle,
    revoke::handle,
    revocations::handle,
))]
pub(super) struct Docs;

pub(super) fn mount(table: &mut Table<'_>, limits: &Limits) {
    table.add_behind(&at("/login").open_post(log_in::handle).no_store(), limits.log_in.clone());
    table.add(&at("/refresh").open_post(refresh::handle).no_store());
    table.add(&at("/me").get(me::handle));
    table.add(&at("/sessions").get(sessions::list));
    table.add(&at("/sessions/{session_id}").delete(sessions::end));
    table.add(&at("/logout").post(log_out::handle));
    table.add(&at("/logout-all").post(log_out_all::handle));
    table.add(&at("/change-password").post(change_password::handle));
    let forgot = at("/forgot-password").open_post(forgot_password::handle).no_store();
    table.add_behind(&forgot, limits.reset.clone());
    let reset = at("/reset-password").open_post(reset_password::handle).no_store();
    table.add_behind(&reset, limits.reset.clone());
    table.add_behind(&at("/mfa/verify").open_post(mfa::verify::handle).no_store(), limits.mfa.clone());
    table.add(&at("/mfa").get(mfa::status::handle));
    table.add(&at("/mfa/enroll").post(mfa::enrol::handle));
    table.add(&at("/mfa/confirm").post(mfa::confirm::handle));
    table.add(&at("/mfa/recovery-codes").post(mfa::recovery_codes::handle));
    table.add(&at("/mfa/disable").post(mfa::disable::handle));
    table.add(&at("/step-up").post(step_up::handle));
    table.add(&at("/organizations").get(organizations::list));
    table.add(&at("/switch-organization").post(organizations::switch));
    table.add(&at("/introspect").post(introspect::handle));
    table.add(&at("/revoke").post(revoke::handle));
    table.add(&at("/revocations").get(revocations::handle));
}

fn at(path: &str) -> Resource {
    Resource::at(format!("{PREFIX}{path}")).also_at(format!("{ALIAS}{path}"))
}
