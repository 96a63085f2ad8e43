//! Headless Chromium, driven by the protocol of its developer tools over a pipe: no port, no driver program, no version to match.

use std::{
    env, fs,
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The longest silence of a browser that still works.
const PATIENCE: Duration = Duration::from_mins(1);

/// Notes every violation of the page's policy, from before its first script on.
const WATCH: &str = "window.violations = []; document.addEventListener('securitypolicyviolation', \
    e => window.violations.push(e.violatedDirective + ' ' + e.blockedURI));";

/// A tab that is open, but not the one in use.
pub(crate) struct Tab(Option<String>);

/// A browser with a page open.
pub(crate) struct Browser {
    child: Child,
    commands: ChildStdin,
    messages: Receiver<Value>,
    session: Option<String>,
    next: u64,
    events: Vec<Value>,
    _profile: TempDir,
}

impl Browser {
    /// `None`, with a line that says so, on a machine without Chromium; with `CI=true` that is a failure.
    pub(crate) fn start() -> Option<Self> {
        let Some(program) = find() else {
            assert!(env::var("CI").as_deref() != Ok("true"), "no Chromium on this machine");
            // Past the test harness, which keeps what a passing test prints to itself.
            io::stderr().write_all(b"skipped: no Chromium on this machine\n").unwrap();
            return None;
        };
        let profile = tempfile::tempdir().unwrap();
        // The protocol is spoken on descriptors 3 and 4, which a shell can make of the two a child always has.
        let mut child = Command::new("sh")
            .args(["-c", r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1"#])
            .arg(program)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args(["--disable-dev-shm-usage", "--window-size=1280,1400", "--remote-debugging-pipe"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let commands = child.stdin.take().unwrap();
        let messages = listen(BufReader::new(child.stdout.take().unwrap()));
        let mut browser =
            Self { child, commands, messages, session: None, next: 0, events: Vec::new(), _profile: profile };
        browser.open();
        Some(browser)
    }

    fn open(&mut self) {
        let target = self.call("Target.createTarget", &json!({ "url": "about:blank" }));
        let attached = self.call("Target.attachToTarget", &json!({ "targetId": target["targetId"], "flatten": true }));
        self.session = Some(attached["sessionId"].as_str().unwrap().to_owned());
        for domain in ["Page", "Network", "Log", "Runtime"] {
            self.call(&format!("{domain}.enable"), &json!({}));
        }
        self.call("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": WATCH }));
    }

    /// One command of the protocol, which must succeed.
    fn call(&mut self, method: &str, params: &Value) -> Value {
        let answer = self.ask(method, params);
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// One command of the protocol; events that arrive meanwhile are kept.
    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.next += 1;
        let mut command = json!({ "id": self.next, "method": method, "params": params });
        if let Some(session) = &self.session {
            command["sessionId"] = json!(session);
        }
        self.commands.write_all(format!("{command}\0").as_bytes()).unwrap();
        self.commands.flush().unwrap();
        loop {
            let message = self.messages.recv_timeout(PATIENCE).expect("the browser to answer");
            if message["id"] == self.next {
                return message;
            }
            self.events.push(message);
        }
    }

    /// Goes to an address. The page may still be loading afterwards: see [`Self::wait_for`].
    pub(crate) fn go(&mut self, url: &str) {
        // By way of an empty page, so that an address that differs in its fragment alone loads anew.
        self.call("Page.navigate", &json!({ "url": "about:blank" }));
        let went = self.call("Page.navigate", &json!({ "url": url }));
        assert!(went.get("errorText").is_none(), "{url}: {went}");
    }

    /// Loads the page anew.
    pub(crate) fn reload(&mut self) {
        self.eval("{ window.before = true; }");
        self.call("Page.reload", &json!({}));
        // The old page answers for a while, and between the two there is none.
        let gone = json!({ "expression": "window.before !== true", "returnByValue": true });
        while self.ask("Runtime.evaluate", &gone)["result"]["result"]["value"] != true {}
    }

    /// The value of an expression in the page, a promise awaited.
    pub(crate) fn eval(&mut self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let result = self.call("Runtime.evaluate", &params);
        assert!(result.get("exceptionDetails").is_none(), "{expression}: {}", result["exceptionDetails"]);
        result["result"]["value"].clone()
    }

    /// Waits until an expression in the page is true, looking again after each change of the page.
    pub(crate) fn wait_for(&mut self, expression: &str) {
        self.eval(&format!(
            "new Promise((done, fail) => {{
                const holds = () => {{ try {{ return Boolean({expression}); }} catch {{ return false; }} }};
                if (holds()) return done(true);
                const watch = new MutationObserver(() => {{ if (holds()) {{ watch.disconnect(); done(true); }} }});
                watch.observe(document, {{ subtree: true, childList: true, attributes: true, characterData: true }});
                setTimeout(() => fail(new Error('it did not come true: ' + document.body.innerText)), 30000);
            }})"
        ));
    }

    /// Clicks the first element of a selector, as soon as there is one.
    pub(crate) fn click(&mut self, selector: &str) {
        self.wait_for(&format!("document.querySelector({selector:?})"));
        self.eval(&format!("document.querySelector({selector:?}).click()"));
    }

    /// Types into the first element of a selector, as soon as there is one.
    pub(crate) fn type_into(&mut self, selector: &str, text: &str) {
        self.wait_for(&format!("document.querySelector({selector:?})"));
        self.eval(&format!("document.querySelector({selector:?}).focus()"));
        self.call("Input.insertText", &json!({ "text": text }));
    }

    /// Types into the first element of a selector, in place of what is there.
    pub(crate) fn replace_in(&mut self, selector: &str, text: &str) {
        self.wait_for(&format!("document.querySelector({selector:?})"));
        self.eval(&format!("document.querySelector({selector:?}).select()"));
        self.call("Input.insertText", &json!({ "text": text }));
    }

    /// Types where the focus is.
    pub(crate) fn type_here(&mut self, text: &str) {
        self.call("Input.insertText", &json!({ "text": text }));
    }

    /// Presses a key such as `Tab`, by its name and its number in the protocol.
    pub(crate) fn press(&mut self, key: &str, number: u8) {
        let text = if key == "Enter" { "\r" } else { "" };
        for kind in ["keyDown", "keyUp"] {
            let params =
                json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": number, "text": text });
            self.call("Input.dispatchKeyEvent", &params);
        }
    }

    /// Runs a script before those of every page to come, in this tab.
    pub(crate) fn before_scripts(&mut self, source: &str) {
        self.call("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": source }));
    }

    /// Makes the page as wide as a device, with its scheme of colours.
    pub(crate) fn appear(&mut self, width: u32, scheme: &str) {
        let size = json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", &size);
        let scheme = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.call("Emulation.setEmulatedMedia", &scheme);
    }

    /// Opens another tab of the same browser and turns to it. [`Self::turn_to`] the one that comes back leads back.
    pub(crate) fn new_tab(&mut self) -> Tab {
        let before = Tab(self.session.take());
        self.open();
        before
    }

    /// Goes on in another tab; the one before comes back.
    pub(crate) fn turn_to(&mut self, tab: Tab) -> Tab {
        Tab(std::mem::replace(&mut self.session, tab.0))
    }

    /// What the reader sees.
    pub(crate) fn text(&mut self) -> String {
        self.eval("document.body.innerText").as_str().unwrap().to_owned()
    }

    /// The addresses of all requests so far.
    pub(crate) fn requests(&mut self) -> Vec<String> {
        self.eval("1"); // all earlier events arrive before this answer
        let sent = self.events.iter().filter(|event| event["method"] == "Network.requestWillBeSent");
        sent.map(|event| event["params"]["request"]["url"].as_str().unwrap().to_owned()).collect()
    }

    /// Everything the page complained about: policy violations, exceptions, errors and warnings of the console.
    pub(crate) fn complaints(&mut self) -> Vec<String> {
        let mut found: Vec<String> = serde_json::from_value(self.eval("window.violations")).unwrap();
        for event in &self.events {
            let params = &event["params"];
            let level = params["entry"]["level"].as_str().or(params["type"].as_str()).unwrap_or_default();
            match event["method"].as_str().unwrap_or_default() {
                "Runtime.exceptionThrown" => found.push(params["exceptionDetails"].to_string()),
                "Log.entryAdded" if matches!(level, "error" | "warning") => found.push(params["entry"].to_string()),
                "Runtime.consoleAPICalled" if matches!(level, "error" | "warning" | "assert") => {
                    found.push(params["args"].to_string());
                }
                _ => {}
            }
        }
        found
    }

    /// A picture of the page, when pictures are asked for.
    pub(crate) fn picture(&mut self, name: &str) {
        if let Ok(folder) = env::var("DOCS_SCREENSHOTS") {
            let picture = self.call("Page.captureScreenshot", &json!({ "format": "png" }));
            let bytes = STANDARD.decode(picture["data"].as_str().unwrap()).unwrap();
            fs::write(Path::new(&folder).join(format!("{name}.png")), bytes).unwrap();
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Asked first, so that it ends its own children; killed in case it does not listen.
        let _ = self.commands.write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        while self.messages.recv_timeout(Duration::from_secs(5)).is_ok() {}
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads messages until the browser closes its end.
fn listen(mut from: impl BufRead + Send + 'static) -> Receiver<Value> {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let mut message = Vec::new();
        while from.read_until(0, &mut message).is_ok_and(|read| read > 0) {
            message.pop();
            let Ok(value) = serde_json::from_slice(&message) else { return };
            if tell.send(value).is_err() {
                return;
            }
            message.clear();
        }
    });
    told
}

fn find() -> Option<PathBuf> {
    let folders: Vec<_> = env::split_paths(&env::var_os("PATH")?).collect();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|path| path.is_file())
}
