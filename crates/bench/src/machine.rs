//! The cores: servers get the lower half, the load the upper half, so that neither waits for the other.

use std::process::{Command, Stdio};

use anyhow::Context as _;

/// How the cores are divided.
#[derive(Debug, Clone)]
pub(crate) struct Cores {
    server: Option<String>,
    /// How many of them the server has.
    pub(crate) server_count: usize,
}

impl Cores {
    /// Moves this process to the upper half. Without `taskset`, or on one core, everything shares everything.
    pub(crate) fn divide() -> anyhow::Result<Self> {
        let all = std::thread::available_parallelism().context("no core count")?.get();
        let half = all / 2;
        if half == 0 {
            return Ok(Self { server: None, server_count: all });
        }
        let own = std::process::id().to_string();
        let upper = format!("{half}-{}", all - 1);
        let moved = Command::new("taskset").args(["-a", "-c", "-p", &upper, &own]).stdout(Stdio::null()).status();
        if !moved.is_ok_and(|status| status.success()) {
            return Ok(Self { server: None, server_count: all });
        }
        Ok(Self { server: Some(format!("0-{}", half - 1)), server_count: half })
    }

    /// A command that runs `program` on the server's cores.
    pub(crate) fn server(&self, program: &std::path::Path) -> Command {
        let Some(cores) = &self.server else { return Command::new(program) };
        let mut command = Command::new("taskset");
        command.args(["-c", cores]).arg(program);
        command
    }

    /// For the report.
    pub(crate) fn describe(&self) -> String {
        match &self.server {
            Some(cores) => format!("servers pinned to core(s) {cores}, load to the others"),
            None => "nothing pinned: figures are less steady".to_owned(),
        }
    }
}
