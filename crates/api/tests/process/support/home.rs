//! Where a process runs: a working directory, the variables it is given and no others, and a database.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use sme_pulse_testing::{Fixture, TestDatabase};
use tempfile::TempDir;

use super::Server;

/// A directory, variables and, unless it is bare, an empty database named by `DATABASE_URL`.
pub(crate) struct Home {
    folder: TempDir,
    variables: Vec<(String, String)>,
    pub(super) database: Option<TestDatabase>,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Done {
    /// `None` when it was killed.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Fixture for Home {
    async fn on(database: TestDatabase) -> Self {
        let mut home = Self::bare();
        // Cheap hashes, and no budget of log-ins unless a test is about it.
        home.set("BACKEND_BCRYPT_COST", "4").set("BACKEND_RATE_LIMIT_ENABLED", "false");
        home.set("DATABASE_URL", database.url()).set("BACKEND_POOL_SIZE", "2").set("BACKEND_MAX_OVERFLOW", "6");
        home.database = Some(database);
        home
    }
}

impl Home {
    /// No variable but those that keep a test to itself, and no database.
    pub(crate) fn bare() -> Self {
        Self { folder: TempDir::new().unwrap(), variables: Vec::new(), database: None }
    }

    /// On a new SQLite file.
    pub(crate) async fn sqlite() -> Self {
        Self::on(TestDatabase::sqlite()).await
    }

    /// On a database in the shared cluster; `None` when there is none.
    pub(crate) async fn postgres() -> Option<Self> {
        Some(Self::on(TestDatabase::postgres().await?).await)
    }

    /// Sets a variable, or sets it anew.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.unset(name);
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Takes a variable away.
    pub(crate) fn unset(&mut self, name: &str) -> &mut Self {
        self.variables.retain(|(known, _)| known != name);
        self
    }

    /// The working directory.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The product with these arguments, not yet started.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sme-pulse"));
        command.args(args).current_dir(self.folder()).env_clear().env("BACKEND_PORT", "0");
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Done {
        Done::of(self.start(args))
    }

    /// Starts a command.
    pub(crate) fn start(&self, args: &[&str]) -> Child {
        self.command(args).spawn().unwrap()
    }

    /// Runs a command that has to succeed, and returns its standard output.
    pub(crate) fn succeed(&self, args: &[&str]) -> String {
        let done = self.run(args);
        assert_eq!(done.code, Some(0), "{args:?}: {done:?}");
        done.stdout
    }

    /// Starts the server and waits until it listens.
    pub(crate) async fn serve(&self) -> Server {
        Server::start(self, self.command(&["serve"])).await
    }

    /// As [`Self::serve`], and a write beyond the size that files may have fails instead of ending the process.
    pub(crate) async fn serve_ignoring_file_size_signals(&self) -> Server {
        // What is ignored stays ignored in the program that takes the shell's place.
        self.serve_after("trap '' XFSZ").await
    }

    /// As [`Self::serve`], with so many open files at the most.
    pub(crate) async fn serve_with_open_files(&self, most: u32) -> Server {
        self.serve_after(&format!("ulimit -n {most}")).await
    }

    async fn serve_after(&self, first: &str) -> Server {
        let product = self.command(&["serve"]);
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &format!("{first}; exec \"$0\" serve")]).arg(product.get_program());
        shell.current_dir(self.folder()).env_clear();
        shell.envs(product.get_envs().filter_map(|(name, value)| Some((name, value?))));
        shell.stdin(Stdio::null()).stdout(Stdio::piped());
        Server::start(self, shell).await
    }
}

impl Done {
    /// Waits for the end of a command whose output is short.
    pub(crate) fn of(child: Child) -> Self {
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// The one line that was written to standard error.
    pub(crate) fn complaint(&self) -> &str {
        let line = self.stderr.strip_suffix('\n').unwrap_or_else(|| panic!("not one line: {self:?}"));
        assert!(!line.contains('\n'), "not one line: {self:?}");
        line
    }
}
