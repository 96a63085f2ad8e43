//! The resources of the API. Each declares itself once with [`mount::Resource`]; the table of what is mounted, with
//! the access each route needs, follows from that.

mod body_stage;
pub mod mount;
