//! An identity provider on the loopback interface: device codes, the page for the browser, and tokens.
//!
//! Every secret that it gives has "SECRET" in it, so that a test can look for them in all that is printed.

use sha2::{Digest, Sha256};
use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// The secret of the app "app".
pub const APP_SECRET: &str = "app-SECRET";

/// What it does next, and what was asked of it.
#[derive(Default)]
pub struct State {
    /// Errors that the next polls for a device code bring, before there is a token.
    pub polls: VecDeque<&'static str>,
    /// Answers (status, body) that the next requests to /token and /device bring, whatever they ask.
    pub answers: VecDeque<(u16, String)>,
    /// What the page for the browser sends it back with: the code where it is empty.
    pub denied: &'static str,
    /// No refresh tokens are given.
    pub no_refresh: bool,
    /// Seconds that tokens last.
    pub lifetime: u64,
    /// Paths and forms, as they came.
    pub requests: Vec<(String, HashMap<String, String>)>,
    /// How many tokens were given.
    pub given: usize,
    challenge: String,
    redirect: String,
    refresh: String,
}

/// The provider, which ends with its last handle.
pub struct Idp {
    port: u16,
    pub state: Arc<Mutex<State>>,
}

impl Idp {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State { lifetime: 3600, ..State::default() }));
        let weak = Arc::downgrade(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Some(state) = weak.upgrade() else { return };
                let _ = serve(&stream.unwrap(), port, &state);
            }
        });
        Self { port, state }
    }

    pub fn url(&self, page: &str) -> String {
        format!("http://127.0.0.1:{}/{page}", self.port)
    }

    /// The forms that came to a page.
    pub fn forms(&self, page: &str) -> Vec<HashMap<String, String>> {
        let state = self.state.lock().unwrap();
        state.requests.iter().filter(|(p, _)| p == page).map(|(_, form)| form.clone()).collect()
    }
}

impl Drop for Idp {
    fn drop(&mut self) {
        self.state = Arc::default();
        // Wakes the listener, which then finds nobody.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// The status, the place it leads to and the body of a page, fetched as a browser does.
pub fn fetch(url: &str) -> (u16, Option<String>, String) {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.replace("localhost", "127.0.0.1");
    let mut stream = TcpStream::connect(&host).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let to = head.lines().find_map(|l| l.strip_prefix("Location: ")).map(str::to_owned);
    (head[9..12].parse().unwrap(), to, body.to_owned())
}

fn serve(stream: &TcpStream, port: u16, state: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut length = 0;
    loop {
        let mut field = String::new();
        if reader.read_line(&mut field)? <= 2 {
            break;
        }
        if let Some(value) = field.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let target = first.split(' ').nth(1).unwrap_or("/");
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let form = if body.is_empty() { pairs(query) } else { pairs(&String::from_utf8(body).unwrap()) };
    let page = path.trim_start_matches('/').to_owned();
    let (status, kind, body) = {
        let mut state = state.lock().unwrap();
        state.requests.push((page.clone(), form.clone()));
        match page.as_str() {
            "token" | "device" if !state.answers.is_empty() => {
                let (status, body) = state.answers.pop_front().unwrap();
                (status, "application/json", body)
            }
            "device" => (200, "application/json", device(port)),
            "token" => {
                let (status, body) = token(&mut state, &form);
                (status, "application/json", body)
            }
            "authorize" => (302, "text/html", authorize(&mut state, &form)),
            _ => (404, "text/html", String::new()),
        }
    };
    let mut out = stream;
    let place = if status == 302 { format!("Location: {body}\r\n") } else { String::new() };
    let length = body.len();
    write!(out, "HTTP/1.1 {status} -\r\nContent-Type: {kind}\r\n{place}Content-Length: {length}\r\n\r\n{body}")
}

fn device(port: u16) -> String {
    format!(
        "{{\"device_code\":\"device-SECRET\",\"user_code\":\"WDJB-MJHT\",\"verification_uri\":\"http://127.0.0.1:{port}/enter\",\
         \"expires_in\":900,\"interval\":2}}"
    )
}

fn error(name: &str) -> (u16, String) {
    (400, format!("{{\"error\":\"{name}\",\"error_description\":\"about\\r\\n{name}\"}}"))
}

fn token(state: &mut State, form: &HashMap<String, String>) -> (u16, String) {
    let is = |name: &str, value: &str| form.get(name).is_some_and(|v| v == value);
    if is("client_id", "app") && !is("client_secret", APP_SECRET) {
        let repeated = form.get("client_secret").cloned().unwrap_or_default();
        return (401, format!("{{\"error\":\"invalid_client\",\"error_description\":\"not {repeated}\"}}"));
    }
    match form["grant_type"].as_str() {
        "urn:ietf:params:oauth:grant-type:device_code" if is("device_code", "device-SECRET") => {
            match state.polls.pop_front() {
                Some(name) => error(name),
                None => give(state, true),
            }
        }
        "authorization_code" if is("code", "code-SECRET") && is("redirect_uri", &state.redirect) => {
            let sum = Sha256::digest(form.get("code_verifier").map_or("", |v| v.as_str()));
            let sum = base64_simd::URL_SAFE_NO_PAD.encode_to_string(sum);
            if sum == state.challenge { give(state, true) } else { error("invalid_grant") }
        }
        "refresh_token" if is("refresh_token", &state.refresh) => give(state, true),
        "client_credentials" if is("client_id", "app") || form.contains_key("client_assertion") => give(state, false),
        _ => error("invalid_grant"),
    }
}

fn give(state: &mut State, refresh: bool) -> (u16, String) {
    state.given += 1;
    let n = state.given;
    let mut more = String::new();
    if refresh && !state.no_refresh {
        state.refresh = format!("refresh-SECRET-{n}");
        more = format!(",\"refresh_token\":\"{}\"", state.refresh);
    }
    let lifetime = state.lifetime;
    (
        200,
        format!("{{\"access_token\":\"access-SECRET-{n}\",\"token_type\":\"Bearer\",\"expires_in\":{lifetime}{more}}}"),
    )
}

fn authorize(state: &mut State, form: &HashMap<String, String>) -> String {
    let (redirect, given) = (form["redirect_uri"].clone(), &form["state"]);
    let known = form["response_type"] == "code" && form["code_challenge_method"] == "S256";
    state.challenge = form["code_challenge"].clone();
    state.redirect = redirect.clone();
    match state.denied {
        "" if known => format!("{redirect}?code=code-SECRET&state={given}"),
        "" => format!("{redirect}?error=invalid_request&state={given}"),
        denied => format!("{redirect}?error={denied}&error_description=no+way&state={given}"),
    }
}

fn pairs(text: &str) -> HashMap<String, String> {
    let plain = |t: &str| {
        let bytes = t.as_bytes();
        let (mut out, mut i) = (Vec::new(), 0);
        while i < bytes.len() {
            match bytes[i] {
                b'%' => {
                    out.push(u8::from_str_radix(&t[i + 1..i + 3], 16).unwrap());
                    i += 2;
                }
                b'+' => out.push(b' '),
                b => out.push(b),
            }
            i += 1;
        }
        String::from_utf8(out).unwrap()
    };
    text.split('&').filter_map(|p| p.split_once('=')).map(|(n, v)| (plain(n), plain(v))).collect()
}
