//! The console in a browser, over the whole application with a database of its own.

mod account;
mod people;
mod signing_in;
mod views;

use crate::{
    chromium::Browser,
    support::{PASSWORD, TestApp},
};

/// The console, open in a browser.
struct Console {
    browser: Option<Browser>,
    base: String,
}

impl Console {
    /// `None` on a machine without a browser.
    fn open(app: &TestApp) -> Option<Self> {
        let mut browser = Browser::start()?;
        browser.appear(1280, "light");
        Some(Self { browser: Some(browser), base: app.base.clone() })
    }

    /// Does something in the browser, which blocks, while the application goes on.
    async fn run<T: Send + 'static>(&mut self, work: impl FnOnce(&mut Browser) -> T + Send + 'static) -> T {
        let mut browser = self.browser.take().unwrap();
        let done = tokio::task::spawn_blocking(move || {
            let result = work(&mut browser);
            (browser, result)
        });
        let (browser, result) = done.await.unwrap();
        self.browser = Some(browser);
        result
    }

    /// Opens an address of the console.
    async fn go(&mut self, path: &str) {
        let url = format!("{}{path}", self.base);
        self.run(move |browser| browser.go(&url)).await;
    }

    /// Waits until the reader sees this.
    async fn sees(&mut self, text: &str) {
        let text = text.to_owned();
        self.run(move |browser| browser.wait_for(&format!("document.body.innerText.includes({text:?})"))).await;
    }

    async fn wait_for(&mut self, expression: &str) {
        let expression = expression.to_owned();
        self.run(move |browser| browser.wait_for(&expression)).await;
    }

    /// The value of an expression in the page.
    async fn eval(&mut self, expression: &str) -> serde_json::Value {
        let expression = expression.to_owned();
        self.run(move |browser| browser.eval(&expression)).await
    }

    /// Clicks the newest button or link with this text or name.
    async fn press(&mut self, text: &str) {
        let found = format!(
            "[...document.querySelectorAll('dialog[open] button, button, a')].findLast(e => \
             e.getAttribute('aria-label') === {text:?} || e.textContent.trim() === {text:?})"
        );
        self.run(move |browser| {
            browser.wait_for(&found);
            browser.eval(&format!("{{ const found = {found}; found.focus(); found.click(); }}"));
        })
        .await;
    }

    /// Types into the newest field of this name, in place of what is there.
    async fn enter(&mut self, name: &str, text: &str) {
        let selector = format!("dialog[open] [name={name}], body:not(:has(dialog[open])) [name={name}]");
        let text = text.to_owned();
        self.run(move |browser| browser.replace_in(&selector, &text)).await;
    }

    /// The first step of signing in, wherever the page is.
    async fn credentials(&mut self, email: &str, password: &str) {
        self.go("/console").await;
        self.enter("email", email).await;
        self.enter("password", password).await;
        self.press("Sign in").await;
    }

    /// Signs in with the password that every test user has.
    async fn sign_in(&mut self, email: &str) {
        self.credentials(email, PASSWORD).await;
        self.sees("Sign out").await;
    }

    /// The texts of the navigation.
    async fn navigation(&mut self) -> Vec<String> {
        let found = self.eval("[...document.querySelectorAll('#navigation a')].map(a => a.textContent)").await;
        serde_json::from_value(found).unwrap()
    }

    /// A picture, when pictures are asked for.
    async fn picture(&mut self, name: &str) {
        self.wait_for("document.querySelector('main h1')").await;
        let name = format!("console-{name}");
        self.run(move |browser| browser.picture(&name)).await;
    }

    /// Asserts that nothing went wrong that no reader sees: no script failed, no policy was violated, no other host asked.
    async fn assert_clean(mut self) {
        let (complaints, requests) = self.run(|browser| (browser.complaints(), browser.requests())).await;
        // A refused call is no mistake of the page.
        let complaints: Vec<_> = complaints.iter().filter(|text| !text.contains(r#""source":"network""#)).collect();
        assert_eq!(complaints, Vec::<&String>::new());
        for url in requests {
            let ours = url.starts_with(&format!("{}/", self.base)) || url.starts_with("data:") || url == "about:blank";
            assert!(ours, "a request to {url}");
        }
    }
}
