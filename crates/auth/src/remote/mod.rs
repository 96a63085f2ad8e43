//! Following an issuer: its keys as it rotates them, and what it takes back. Nothing of it is on the way of a token that is signed with a
//! known key; one task fetches, whoever needs it waits for that.

mod address;
mod backoff;
mod credential;
mod events;
mod feed;
mod fetch;
mod following;
mod http;
mod keeper;
mod settings;
mod status;

pub use credential::Credential;
pub use events::{Event, EventError, EventReader};
pub(crate) use following::Following;
pub(crate) use settings::Parts;
pub use settings::{FeedLoss, Remote};
pub use status::{FeedStatus, KeysStatus, Status};
