//! How the server of a mailbox is found: Autodiscover by JSON, XML and DNS, redirections, and where they may lead.

use crate::certificates::{Authority, Wanted};
use crate::ews::anna;
use crate::exchange::PASSWORD;
use crate::web::{Told, Web};
use pst_core::endpoint::ews::discover::Discovery;
use pst_core::endpoint::net::TlsOptions;
use pst_core::endpoint::net::http::Reach;
use pst_core::{Error, Kind, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Autodiscover on one server, with answers by path.
fn discovery(answers: impl Fn(&str, u16) -> Told + Send + Sync + 'static, allowed: &[&str]) -> Option<Result<String>> {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new(folder.path())?;
    let pem = authority.make(&Wanted::default());
    let port = Arc::new(AtomicUsize::new(0));
    let known = Arc::clone(&port);
    let web = Web::start((&pem.0, &pem.1), move |asked| {
        if !asked.target.contains(".json") && asked.field("authorization").is_none() {
            return Told::new(401, "").with("WWW-Authenticate", "Basic");
        }
        answers(&asked.target, known.load(Ordering::SeqCst) as u16)
    });
    port.store(web.port as usize, Ordering::SeqCst);
    let tls = TlsOptions { ca_file: Some(authority.file()), ..TlsOptions::default() };
    let reach = Reach { tls, timeout: Duration::from_secs(20), stop: Arc::default() };
    let at = |path: &str| format!("https://localhost:{}/autodiscover/{path}", web.port);
    let places = Some(vec![at("autodiscover.json/v1.0/anna@localhost?Protocol=EWS"), at("autodiscover.xml")]);
    let allowed: Vec<String> = allowed.iter().map(|a| (*a).to_owned()).collect();
    let login = anna(PASSWORD);
    let name_servers = Some(Vec::new());
    let it =
        Discovery { reach: &reach, login: &login, address: "anna@localhost", allowed: &allowed, places, name_servers };
    Some(it.find())
}

fn pox(content: &str) -> Told {
    Told::new(200, format!("<Autodiscover xmlns='x'><Response xmlns='y'>{content}</Response></Autodiscover>"))
}

#[test]
fn autodiscover() {
    let json = |url: &'static str| {
        move |target: &str, _| {
            let body = format!("{{\"Protocol\":\"Ews\",\"Url\":\"{url}\"}}");
            if target.contains(".json") { Told::new(200, body) } else { Told::new(500, "") }
        }
    };
    let Some(found) = discovery(json("https://mail.example.com/EWS/Exchange.asmx"), &[]) else { return };
    assert_eq!(found.unwrap(), "https://mail.example.com/EWS/Exchange.asmx");
    let plain = discovery(json("http://mail.example.com/EWS/Exchange.asmx"), &[]).unwrap().unwrap_err();
    assert_eq!(plain.kind(), Kind::Denied);

    let protocols = "<Account><Protocol><Type>EXCH</Type><EwsUrl>https://in/EWS</EwsUrl></Protocol>\
                     <Protocol><Type>EXPR</Type><EwsUrl>https://out/EWS</EwsUrl></Protocol></Account>";
    let found = discovery(move |t, _| if t.contains(".json") { Told::new(404, "{}") } else { pox(protocols) }, &[]);
    assert_eq!(found.unwrap().unwrap(), "https://out/EWS");

    // A redirection to itself under another path is followed, one to others is not.
    let hop = move |t: &str, port: u16| match t {
        t if t.contains(".json") => Told::new(404, "{}"),
        "/next" => pox(protocols),
        _ => Told::new(302, "").with("Location", format!("https://localhost:{port}/next")),
    };
    assert_eq!(discovery(hop, &[]).unwrap().unwrap(), "https://out/EWS");
    for to in ["https://evil.example/a", "http://localhost/a", "https://evil-localhost/a"] {
        let away = move |t: &str, _| {
            if t.contains(".json") { Told::new(404, "{}") } else { Told::new(302, "").with("Location", to) }
        };
        let refused: Error = discovery(away, &[]).unwrap().unwrap_err();
        assert_eq!(refused.kind(), Kind::Denied, "{to}");
        let named = format!("<Account><Action>redirectUrl</Action><RedirectUrl>{to}</RedirectUrl></Account>");
        let away = move |t: &str, _| if t.contains(".json") { Told::new(404, "{}") } else { pox(&named) };
        assert_eq!(discovery(away, &[]).unwrap().unwrap_err().kind(), Kind::Denied, "{to}");
    }
    let other = "<Account><Action>redirectAddr</Action><RedirectAddr>anna@evil.example</RedirectAddr></Account>";
    let away = move |t: &str, _| if t.contains(".json") { Told::new(404, "{}") } else { pox(other) };
    let refused = discovery(away, &[]).unwrap().unwrap_err();
    assert!(refused.to_string().contains("evil.example"), "{refused}");
    // Nobody goes round in circles.
    let round = |t: &str, port: u16| match t {
        t if t.contains(".json") => Told::new(404, "{}"),
        _ => Told::new(302, "").with("Location", format!("https://localhost:{port}{t}")),
    };
    assert_eq!(discovery(round, &["x"]).unwrap().unwrap_err().kind(), Kind::NotFound);
}

/// A name server that knows one service; by UDP it gives cut answers where it is `brief`.
fn name_server(host: &'static str, port: u16, brief: bool) -> std::net::SocketAddr {
    use std::io::{Read, Write};
    let udp = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let at = udp.local_addr().unwrap();
    let tcp = std::net::TcpListener::bind(at).unwrap();
    let answer = move |question: &[u8], cut: bool| {
        let mut out = question.to_vec();
        out[2..4].copy_from_slice(&[if cut { 0x83 } else { 0x81 }, 0x80]);
        if cut {
            return out;
        }
        out[7] = 1;
        let mut data: Vec<u8> = [0, 0, port].into_iter().flat_map(u16::to_be_bytes).collect();
        for part in host.split('.') {
            data.push(part.len() as u8);
            data.extend(part.bytes());
        }
        data.push(0);
        out.extend([0xC0, 12, 0, 33, 0, 1, 0, 0, 0, 60]);
        out.extend((data.len() as u16).to_be_bytes());
        out.extend(data);
        out
    };
    std::thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((n, from)) = udp.recv_from(&mut buffer) {
            // What was not asked for is not heard.
            let mut other = answer(&buffer[..n], false);
            other[0] ^= 1;
            udp.send_to(&other, from).unwrap();
            udp.send_to(&answer(&buffer[..n], brief), from).unwrap();
        }
    });
    std::thread::spawn(move || {
        for stream in tcp.incoming() {
            let mut stream = stream.unwrap();
            let mut length = [0; 2];
            stream.read_exact(&mut length).unwrap();
            let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
            stream.read_exact(&mut question).unwrap();
            let told = answer(&question, false);
            stream.write_all(&(told.len() as u16).to_be_bytes()).unwrap();
            stream.write_all(&told).unwrap();
        }
    });
    at
}

#[test]
fn autodiscover_by_dns() {
    let folder = tempfile::tempdir().unwrap();
    let Some(authority) = Authority::new(folder.path()) else { return };
    let pem = authority.make(&Wanted::default());
    let web = Web::start((&pem.0, &pem.1), |asked| {
        assert_eq!(asked.target, "/autodiscover/autodiscover.xml");
        if asked.field("authorization").is_none() {
            return Told::new(401, "").with("WWW-Authenticate", "Basic");
        }
        pox("<Account><Protocol><Type>EXPR</Type><EwsUrl>https://out/EWS</EwsUrl></Protocol></Account>")
    });
    let tls = TlsOptions { ca_file: Some(authority.file()), ..TlsOptions::default() };
    let reach = Reach { tls, timeout: Duration::from_secs(20), stop: Arc::default() };
    let login = anna(PASSWORD);
    let find = |server, allowed: &[String]| {
        let (places, name_servers) = (Some(Vec::new()), Some(vec![server]));
        Discovery { reach: &reach, login: &login, address: "anna@localhost", allowed, places, name_servers }.find()
    };
    for brief in [false, true] {
        assert_eq!(find(name_server("localhost", web.port, brief), &[]).unwrap(), "https://out/EWS");
    }
    // A record leads nowhere that nobody has allowed.
    let refused = find(name_server("mail.evil.example", web.port, false), &[]).unwrap_err();
    assert_eq!(refused.kind(), Kind::Denied);
    assert!(refused.to_string().contains("--autodiscover-host mail.evil.example"), "{refused}");
    // Where there is no such service, what was tried is told.
    let nobody = find("127.0.0.1:9".parse().unwrap(), &[]).unwrap_err();
    assert_eq!(nobody.kind(), Kind::NotFound);
    assert!(nobody.to_string().contains("127.0.0.1:9"), "{nobody}");
}
