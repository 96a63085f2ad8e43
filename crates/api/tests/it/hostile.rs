//! Odd inputs by the hundred, the same ones in every run: none is a fault of the server's, and what is accepted comes
//! back as it was sent.

use serde_json::{Value, json};
use sme_pulse_domain::role::Role;
use sme_pulse_testing::on_both_databases;

use super::support::{PASSWORD, TestApp};

const PIECES: [&str; 44] = [
    "a",
    "Z",
    "0",
    " ",
    "\t",
    "\n",
    "\r",
    "\0",
    "\u{1}",
    "\u{1b}[31m",
    "\u{7f}",
    "\u{80}",
    "\u{a0}",
    "é",
    "ß",
    "İ",
    "ı",
    "Ω",
    "ﬀ",
    "\u{200b}",
    "\u{200d}",
    "\u{202e}",
    "\u{2028}",
    "\u{feff}",
    "\u{fffe}",
    "\u{ffff}",
    "\u{fffd}",
    "\u{10ffff}",
    "\u{1f600}",
    "@",
    ".",
    "@x.com",
    "'",
    "\"",
    "\\",
    "\\u0000",
    "%",
    "%00",
    "_",
    "$1",
    ";--",
    "' OR 1=1 --",
    "<script>",
    "${jndi:ldap://x}",
];

/// The same sequence in every run.
struct Odd(u64);

impl Odd {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(bound).unwrap()).unwrap()
    }

    fn text(&mut self) -> String {
        let pieces = self.below(12);
        (0..pieces).map(|_| PIECES[self.below(PIECES.len())]).collect()
    }

    fn value(&mut self) -> Value {
        match self.below(14) {
            0 => Value::Null,
            1 => json!(i64::MIN),
            2 => json!([self.text()]),
            3 => json!({self.text(): self.text()}),
            4 => json!(self.text().repeat(40)),
            _ => json!(self.text()),
        }
    }

    /// What may stand in a header, one byte outside ASCII included.
    fn header(&mut self) -> Vec<u8> {
        let mut bytes = self.text().into_bytes();
        bytes.retain(|byte| !matches!(byte, b'\r' | b'\n' | b'\0'));
        bytes.extend((self.below(3) == 0).then_some(0xff));
        bytes
    }
}

on_both_databases! {
    async fn no_body_of_a_log_in_is_a_fault_of_the_server(app: TestApp) {
        let mut odd = Odd(0x5eed_0001);
        for _ in 0..250 {
            let email = if odd.below(3) == 0 { json!(format!("{}@x.com", odd.text())) } else { odd.value() };
            let mut body = json!({"email": email, "password": odd.value()});
            body[odd.text()] = odd.value();
            let answer = app.post("/auth/login", &body).await;
            assert!(matches!(answer.status, 401 | 422), "{body}: {}", answer.text);
        }
    }

    async fn a_token_or_code_with_nul_is_no_text_and_a_password_with_nul_is_wrong(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        for (path, field, body) in [
            ("/auth/refresh", "refresh_token", json!({"refresh_token": "spr_\0"})),
            ("/auth/reset-password", "token", json!({"token": "\0", "new_password": "a good passphrase"})),
            ("/auth/mfa/verify", "mfa_token", json!({"mfa_token": "spm_\0", "code": "123456"})),
            ("/auth/mfa/verify", "code", json!({"mfa_token": "spm_x", "code": "123\u{0}456"})),
            ("/api/v1/invitations/accept", "token", json!({"token": "a\0", "full_name": "Ann", "password": "a good passphrase"})),
            ("/api/v1/organizations/confirm", "token", json!({"token": "a\0", "password": "x"})),
        ] {
            let answer = app.post(path, &body).await;
            let detail = json!([{"loc": ["body", field], "msg": "Text must not contain NUL characters", "type": "value_error"}]);
            assert_eq!((answer.status, &answer.json()["detail"]), (422, &detail), "{path}: {}", answer.text);
        }
        for (path, body) in [
            ("/api/v1/invitations/join", json!({"token": "a\0"})),
            ("/auth/switch-organization", json!({"org_id": 1, "refresh_token": "spr_\0"})),
            ("/auth/step-up", json!({"code": "12345\0"})),
            ("/auth/mfa/confirm", json!({"code": "12345\0"})),
            ("/auth/mfa/disable", json!({"code": "12345\0"})),
        ] {
            let answer = owner.post_json(path, &body).await;
            assert!(answer.status == 422 && answer.text.contains("Text must not contain NUL characters"), "{path}: {}", answer.text);
        }
        let step_up = owner.post_json("/auth/step-up", &json!({"password": "a\0"})).await;
        assert_eq!(step_up.status, 400, "{}", step_up.text);
    }

    async fn what_is_written_is_read_back_or_refused(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let mut odd = Odd(0x5eed_0002);
        for _ in 0..200 {
            let fields = ["name", "tax_code", "address", "phone"];
            let field = fields[odd.below(fields.len())];
            let value = odd.value();
            let answer = owner.put("/api/v1/settings", &json!({field: value})).await;
            assert!(matches!(answer.status, 200 | 422), "{field} {value}: {}", answer.text);
            if answer.status == 200 {
                let expected = value.as_str().map(str::trim).filter(|text| !text.is_empty());
                assert_eq!(answer.json()[field], json!(expected), "{field} {value}");
                assert_eq!(owner.get("/api/v1/settings").await.text, answer.text);
            }
        }
    }

    async fn no_header_is_a_fault_of_the_server(app: TestApp) {
        let token = app.admin().await.token;
        let mut odd = Odd(0x5eed_0003);
        let names = [
            "User-Agent",
            "X-Forwarded-For",
            "Forwarded",
            "Authorization",
            "Origin",
            "Content-Type",
            "Content-Encoding",
            "Accept",
            "Accept-Encoding",
            "Cookie",
            "X-Request-ID",
            "Expect",
            "Host",
            "Range",
            "If-None-Match",
            "Via",
            "Access-Control-Request-Method",
            "Access-Control-Request-Headers",
            "X-HTTP-Method-Override",
            "Upgrade",
            "TE",
        ];
        let body = json!({"email": "admin@sme.com", "password": PASSWORD}).to_string();
        for number in 0..250 {
            let (method, path) = [
                ("POST", "/auth/login"),
                ("GET", "/auth/me"),
                ("OPTIONS", "/auth/login"),
                ("PUT", "/api/v1/settings"),
                ("GET", "/health"),
            ][number % 5];
            let mut request =
                format!("{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len())
                    .into_bytes();
            if odd.below(2) == 0 {
                request.extend(format!("Authorization: Bearer {token}\r\n").bytes());
            }
            for _ in 0..=odd.below(3) {
                request.extend([names[odd.below(names.len())].as_bytes(), b": ", &odd.header(), b"\r\n"].concat());
            }
            request.extend(format!("\r\n{body}").bytes());
            let answer = app.raw(&request).await;
            assert!((200..500).contains(&answer.status), "{:?}: {}", String::from_utf8_lossy(&request), answer.text);
            assert_eq!(answer.headers.get_all("x-request-id").iter().count(), 1);
        }
        assert_eq!(app.get("/health").await.status, 200);
    }
}
