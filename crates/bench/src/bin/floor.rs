//! The floors of the benchmark: the least work that could give the same result, as separate programs, so that they
//! are pinned and measured exactly like the product.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpResponse, HttpServer};
use anyhow::Context as _;
use clap::Parser;

#[derive(Parser)]
enum Floor {
    /// A bare actix server whose every path answers the content of a file; prints its port
    Http {
        body: PathBuf,
        /// 0 takes a free one
        #[arg(default_value_t = 0)]
        port: u16,
    },
    /// A bare loop of one bcrypt verification on each thread; prints count and seconds
    Hash { threads: usize, cost: u32, seconds: u64 },
}

fn main() -> anyhow::Result<()> {
    match Floor::parse() {
        Floor::Http { body, port } => http(Bytes::from(std::fs::read(body).context("no body")?), port),
        Floor::Hash { threads, cost, seconds } => hash(threads, cost, Duration::from_secs(seconds)),
    }
}

fn http(body: Bytes, port: u16) -> anyhow::Result<()> {
    actix_web::rt::System::new().block_on(async move {
        let app = move || App::new().app_data(Data::new(body.clone())).default_service(web::to(answer));
        let server = HttpServer::new(app).disable_signals().bind(("127.0.0.1", port)).context("no port")?;
        let port = server.addrs().first().context("no address")?.port();
        say(format_args!("{port}"))?;
        server.run().await.context("the server ended")
    })
}

async fn answer(body: Data<Bytes>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(body.get_ref().clone())
}

fn hash(threads: usize, cost: u32, limit: Duration) -> anyhow::Result<()> {
    let stored = bcrypt::hash("123456", cost).context("no hash")?;
    let began = now();
    let workers: Vec<_> = (0..threads)
        .map(|_| {
            let stored = stored.clone();
            std::thread::spawn(move || {
                let mut rounds = 0_u32;
                while began.elapsed() < limit {
                    bcrypt::verify("123456", &stored)?;
                    rounds += 1;
                }
                // Each thread's own end: the last round of another thread is not waited for.
                Ok::<f64, bcrypt::BcryptError>(rate(rounds, began.elapsed()))
            })
        })
        .collect();
    let mut total = Vec::new();
    for worker in workers {
        total.push(worker.join().map_err(|_| anyhow::anyhow!("a hashing thread panicked"))??);
    }
    say(format_args!("{}", total.iter().sum::<f64>()))
}

#[expect(clippy::float_arithmetic, reason = "a rate is a quotient")]
fn rate(rounds: u32, time: Duration) -> f64 {
    f64::from(rounds) / time.as_secs_f64()
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn now() -> Instant {
    Instant::now()
}

fn say(line: std::fmt::Arguments<'_>) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).context("nobody reads")
}
