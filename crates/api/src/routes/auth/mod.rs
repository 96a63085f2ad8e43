//! Authentication, under `/api/v1/auth` and, for older clients, under `/auth`: the same handlers and budgets.

mod change_password;
mod device;
mod forgot_password;
mod log_in;
mod log_out;
mod log_out_all;
mod me;
mod mfa;
mod organizations;
mod refresh;
mod reset_password;
mod sessions;
mod step_up;
mod view;

use utoipa::OpenApi;

pub use device::DeviceCookie;

use super::{
    Limits,
    mount::{Access, Resource, Table},
};
use sme_pulse_domain::permission::Permission;

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
))]
pub(super) struct Docs;

pub(super) fn mount(table: &mut Table<'_>, limits: &Limits) {
    let own_account = Access::Needs(Permission::UseOwnAccount);
    table.add_behind(&at("/login").post(Access::Public, log_in::handle).no_store(), limits.log_in.clone());
    table.add(&at("/refresh").post(Access::Public, refresh::handle).no_store());
    table.add(&at("/me").get(own_account, me::handle));
    table.add(&at("/sessions").get(own_account, sessions::list));
    table.add(&at("/sessions/{session_id}").delete(own_account, sessions::end));
    table.add(&at("/logout").post(own_account, log_out::handle));
    table.add(&at("/logout-all").post(own_account, log_out_all::handle));
    table.add(&at("/change-password").post(own_account, change_password::handle));
    let forgot = at("/forgot-password").post(Access::Public, forgot_password::handle).no_store();
    table.add_behind(&forgot, limits.reset.clone());
    let reset = at("/reset-password").post(Access::Public, reset_password::handle).no_store();
    table.add_behind(&reset, limits.reset.clone());
    table.add_behind(&at("/mfa/verify").post(Access::Public, mfa::verify::handle).no_store(), limits.mfa.clone());
    table.add(&at("/mfa").get(own_account, mfa::status::handle));
    table.add(&at("/mfa/enroll").post(own_account, mfa::enrol::handle));
    table.add(&at("/mfa/confirm").post(own_account, mfa::confirm::handle));
    table.add(&at("/mfa/recovery-codes").post(own_account, mfa::recovery_codes::handle));
    table.add(&at("/mfa/disable").post(own_account, mfa::disable::handle));
    table.add(&at("/step-up").post(own_account, step_up::handle));
    table.add(&at("/organizations").get(own_account, organizations::list));
    table.add(&at("/switch-organization").post(own_account, organizations::switch));
}

fn at(path: &str) -> Resource {
    Resource::at(format!("{PREFIX}{path}")).also_at(format!("{ALIAS}{path}"))
}
