//! `pst login` and `pst logout`, as their users call them.

use crate::command::{code, stderr};
use crate::idp::{APP_SECRET, Idp, fetch};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// `pst` with a home of its own and no screen.
fn pst(home: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pst"));
    for variable in
        ["DISPLAY", "WAYLAND_DISPLAY", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "PST_PASSWORD", "DBUS_SESSION_BUS_ADDRESS"]
    {
        command.env_remove(variable);
    }
    command.args(args).env("HOME", home).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(home: &Path, args: &[&str]) -> Output {
    let out = pst(home, args).output().unwrap();
    let all = format!("{}{}", String::from_utf8_lossy(&out.stdout), stderr(&out));
    assert!(!all.contains("SECRET"), "{all}");
    assert!(out.stdout.is_empty(), "stdout is for data: {all}");
    out
}

fn kept(home: &Path) -> Option<String> {
    fs::read_to_string(home.join(".local/state/pst/tokens.json")).ok()
}

#[cfg(unix)]
#[test]
fn a_sign_in_is_kept_and_forgotten() {
    use std::os::unix::fs::PermissionsExt;
    let (idp, dir) = (Idp::start(), tempfile::tempdir().unwrap());
    let home = dir.path();
    let (token, device) = (idp.url("token"), idp.url("device"));
    let with = |command| {
        let provider = ["--client-id", "desktop", "--token-url", &token, "--device-url", &device];
        run(home, &[&[command, "imaps://alice@localhost", "--oauth", "device"][..], &provider].concat())
    };
    idp.state.lock().unwrap().polls = ["authorization_pending"].into();
    let out = with("login");
    let said = stderr(&out);
    assert_eq!(code(&out), 0, "{said}");
    assert!(said.contains("WDJB-MJHT") && said.contains("tokens.json"), "{said}");
    assert!(kept(home).unwrap().contains("refresh-SECRET-1"));
    let mode = fs::metadata(home.join(".local/state/pst/tokens.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    idp.state.lock().unwrap().polls = ["access_denied"].into();
    let out = with("login");
    assert!(code(&out) == 2 && stderr(&out).contains("has refused: access_denied"), "{}", stderr(&out));
    assert!(kept(home).unwrap().contains("refresh-SECRET-1"), "what was kept stays");
    for says in ["is forgotten", "no sign-in was kept"] {
        let out = with("logout");
        assert!(code(&out) == 0 && stderr(&out).contains(says), "{}", stderr(&out));
        assert!(!kept(home).unwrap().contains("SECRET"));
    }
    idp.state.lock().unwrap().no_refresh = true;
    let out = with("login");
    assert!(code(&out) == 2 && stderr(&out).contains("no refresh token"), "{}", stderr(&out));
}

/// The account is in the configuration, and the page for the browser is opened by hand.
#[test]
fn by_the_browser() {
    let (idp, dir) = (Idp::start(), tempfile::tempdir().unwrap());
    let home = dir.path();
    let folder = home.join(".config/pst");
    fs::create_dir_all(&folder).unwrap();
    let config = format!(
        "[account.work]\naddress = \"imaps://localhost\"\nuser = \"alice\"\nauth = \"oauth\"\nprovider = \"Example\"\n\
         client-id = \"desktop\"\nauth-url = \"{}\"\ntoken-url = \"{}\"\nscope = [\"mail.read\"]\n",
        idp.url("authorize"),
        idp.url("token")
    );
    fs::write(folder.join("config.toml"), config).unwrap();
    let mut child = pst(home, &["login", "--account", "work"]).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    let page = line.trim().rsplit(' ').next().unwrap().to_owned();
    let back = fetch(&page).1.unwrap();
    assert!(back.starts_with("http://127.0.0.1:"), "{back}");
    assert_eq!(fetch(&back).0, 200);
    let mut rest = String::new();
    said.read_line(&mut rest).unwrap();
    assert!(child.wait().unwrap().success(), "{rest}");
    assert!(rest.starts_with("work: the sign-in is kept in "), "{rest}");
    assert!(!format!("{line}{rest}").contains("SECRET"));
    assert!(kept(home).unwrap().contains("refresh-SECRET-1"));
    assert_eq!(idp.forms("authorize")[0]["scope"], "mail.read");
}

#[test]
fn an_app_has_nothing_to_keep() {
    let (idp, dir) = (Idp::start(), tempfile::tempdir().unwrap());
    let secret = dir.path().join("secret");
    let (token, file) = (idp.url("token"), secret.display().to_string());
    let args = ["login", "imaps://shared@localhost", "--oauth", "app", "--client-id", "app", "--token-url", &token];
    let args = [&args[..], &["--client-secret-file", &file]].concat();
    fs::write(&secret, APP_SECRET).unwrap();
    let out = run(dir.path(), &args);
    assert!(code(&out) == 0 && stderr(&out).contains("nothing to keep"), "{}", stderr(&out));
    assert!(kept(dir.path()).is_none());
    fs::write(&secret, "wrong-SECRET").unwrap();
    let out = run(dir.path(), &args);
    assert!(code(&out) == 2 && stderr(&out).contains("invalid_client"), "{}", stderr(&out));
}

#[test]
fn mistakes_are_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("config.toml");
    fs::write(&config, "[account.a]\nuser = \"x\"\npassword = \"hunter-SECRET\"\n").unwrap();
    let config = config.display().to_string();
    let oauth = ["login", "imaps://a@b", "--oauth", "device"];
    for (args, says) in [
        (vec!["login"], "an address such as"),
        (vec!["login", "imaps://a:hunter-SECRET@b"], "password"),
        (vec!["login", "--account", "work"], "there is no account \"work\""),
        (vec!["login", "--account", "a", "--config", &config], "line 3: secrets do not stand in the configuration"),
        (vec!["login", "imaps://a@b", "--config", &config], "--config is for --account"),
        (oauth.to_vec(), "the provider of b is not known"),
        ([&oauth[..], &["--provider", "microsoft"]].concat(), "this program has none of its own: --client-id"),
        ([&oauth[..], &["--provider", "google", "--client-id", "x"]].concat(), "gives devices no codes for mail"),
        ([&oauth[..], &["--password-env", "A"]].concat(), "not both"),
        ([&oauth[..], &["--client-id", "x", "--token-url", "http://b/token"]].concat(), "not protected"),
        (vec!["login", "imaps://a@b", "--insecure-plaintext"], "TLS from the first byte"),
    ] {
        let out = run(dir.path(), &args);
        let said = stderr(&out);
        assert!(code(&out) == 2 && said.contains(says), "{args:?}: {said}");
        assert!(said.starts_with("pst: ") && said.lines().count() == 1, "{args:?}: {said}");
    }
}
