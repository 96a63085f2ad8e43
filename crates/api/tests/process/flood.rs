//! A flood of refused requests writes an access event for each, and little else.

use crate::support::{Home, Raw};

const BATCH: usize = 100;
const REQUESTS: usize = 3_000;

#[tokio::test]
async fn a_flood_of_refusals_is_told_in_few_lines_that_say_how_many_there_were() {
    let home = Home::sqlite().await;
    let mut server = home.serve().await;
    let mut client = Raw::connect(server.address).await;
    let request = "GET /auth/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x.y.z\r\n\r\n".repeat(BATCH);
    for _ in (0..REQUESTS).step_by(BATCH) {
        client.send(&request).await;
        for _ in 0..BATCH {
            let head = client.head().await;
            assert!(head.starts_with("HTTP/1.1 401"), "{head}");
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            client.skip(length.parse().unwrap()).await;
        }
    }
    server.stop().await;
    server.rest_of_log().await;
    let count = |text: &str| server.log.iter().filter(|line| line["msg"] == text).count();
    assert_eq!(count("Request completed"), REQUESTS);
    let kind = "Invalid or expired JWT token";
    let summaries = server.log.iter().filter(|line| line["msg"] == "Lines of one kind were left out");
    let left_out: u64 = summaries.filter(|line| line["kind"] == kind).map(|line| line["lines"].as_u64().unwrap()).sum();
    assert_eq!(count(kind) + usize::try_from(left_out).unwrap(), REQUESTS);
    assert!(left_out > 0);
}
