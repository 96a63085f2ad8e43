//! Faults on purpose, in the middle of writes: whatever was acknowledged is there once, nothing is there in halves, and the
//! service heals by itself. `docs/reliability.md` tells what these tests print.

mod clock;
mod crash;
mod disk;
mod postgres;
mod relay;
mod writes;
