//! Finding the server of a mailbox (Autodiscover): JSON v2, and POX ([MS-OXDSCLI]), also where a record of DNS (SRV
//! `_autodiscover._tcp`) leads to it. Nothing vouches for such a record, so it leads to no other host than what else is
//! admitted.

use super::element::Element;
use crate::endpoint::net::http::{Client, Reach, Request, Response};
use crate::endpoint::net::{Login, srv, tame};
use crate::error::{Error, Kind, Result};
use oauth2::url::Url;
use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;

/// Places that lead to each other, at most.
const HOPS: usize = 10;
/// Longest answer, bytes.
const LONGEST: u64 = 1 << 20;

/// Where to look, and whom to trust.
pub struct Discovery<'a> {
    /// How servers are reached.
    pub reach: &'a Reach,
    /// Who signs in.
    pub login: &'a Login,
    /// The mailbox, an SMTP address.
    pub address: &'a str,
    /// Hosts outside of the domain of the address that may be gone on to; passwords are sent there.
    pub allowed: &'a [String],
    /// Where to look, in place of the usual places.
    pub places: Option<Vec<String>>,
    /// Who is asked for records of DNS when no place knows it; `None` for the name servers of the system.
    pub name_servers: Option<Vec<SocketAddr>>,
}

/// What an answer says.
enum Said {
    /// The address of the mailbox's EWS.
    Found(String),
    /// The place to ask next.
    Elsewhere(String),
    /// Another address to ask for.
    Address(String),
    Nothing(String),
}

impl Discovery<'_> {
    /// The URL of the mailbox's EWS.
    ///
    /// # Errors
    /// [`Kind::NotFound`] where no place knows it, with what each has said; [`Kind::Denied`] where a place leads to a host
    /// that is foreign, or to one without TLS; [`Kind::Interrupted`].
    pub fn find(&self) -> Result<String> {
        let domain = domain_of(self.address)?;
        let mut address = self.address.to_owned();
        let mut open = self.places.clone().unwrap_or_else(|| usual(&address, &domain));
        open.reverse();
        let mut seen = HashSet::new();
        let mut said = Vec::new();
        let mut may_ask_dns = true;
        loop {
            let place = match open.pop() {
                Some(place) => place,
                None if std::mem::take(&mut may_ask_dns) => {
                    open = self.services(&domain_of(&address)?, &domain, &mut said)?;
                    open.reverse();
                    continue;
                }
                None => break,
            };
            if !seen.insert((place.clone(), address.clone())) || seen.len() > HOPS {
                continue;
            }
            match self.ask(&place, &address) {
                Ok(Said::Found(url)) => {
                    secure(&url)?;
                    return Ok(url);
                }
                Ok(Said::Elsewhere(next)) => {
                    self.admitted(&next, &domain)?;
                    open.push(next);
                }
                Ok(Said::Address(next)) => {
                    let there = domain_of(&next)?;
                    if !self.is_allowed(&there, &domain) {
                        return Err(foreign(&there));
                    }
                    open = usual(&next, &there);
                    open.reverse();
                    address = next;
                }
                Ok(Said::Nothing(why)) => said.push(format!("{}: {why}", host_of(&place))),
                Err(e) if matches!(e.kind(), Kind::Interrupted | Kind::Denied) => return Err(e),
                Err(e) => said.push(e.text().to_owned()),
            }
        }
        let text = format!(
            "the server of {} cannot be found ({}); name it in the address, as in ews://user@mail.example.com",
            self.address,
            said.join("; ")
        );
        Err(Error::new(Kind::NotFound, text))
    }

    /// The places that records of DNS name for a domain.
    fn services(&self, of: &str, domain: &str, said: &mut Vec<String>) -> Result<Vec<String>> {
        let name = format!("_autodiscover._tcp.{of}");
        let servers = self.name_servers.clone().unwrap_or_else(srv::name_servers);
        match srv::lookup(&name, &servers, &|| self.reach.stop.load(Ordering::Relaxed)) {
            Ok(found) if found.is_empty() => said.push(format!("{name} is not in DNS")),
            Ok(found) => {
                let place = |s: srv::Service| format!("https://{}:{}/autodiscover/autodiscover.xml", s.host, s.port);
                let places: Vec<String> = found.into_iter().map(place).take(HOPS).collect();
                places.iter().try_for_each(|place| self.admitted(place, domain))?;
                return Ok(places);
            }
            Err(e) if e.kind() == Kind::Interrupted => return Err(e),
            Err(e) => said.push(e.text().to_owned()),
        }
        Ok(Vec::new())
    }

    fn ask(&self, place: &str, address: &str) -> Result<Said> {
        let (server, target) = self.reach.server(place)?;
        secure(place)?;
        let is_json = target.contains("autodiscover.json");
        // JSON v2 asks nobody to sign in, so it learns no password.
        let mut client = Client::new(server, Some(self.login.clone()).filter(|_| !is_json));
        let hidden = Vec::new();
        let request = if is_json {
            let fields = vec![("Accept", "application/json".to_owned())];
            Request { method: "GET", target: &target, fields, body: Vec::new().into(), longest: LONGEST, hidden }
        } else {
            let fields = vec![("Content-Type", "text/xml; charset=utf-8".to_owned())];
            Request { method: "POST", target: &target, fields, body: pox(address).into(), longest: LONGEST, hidden }
        };
        let answer = client.send(&request)?;
        if matches!(answer.status, 301 | 302 | 307 | 308) {
            let next = answer.field("location").and_then(|to| Url::parse(place).ok()?.join(to).ok());
            return Ok(next.map_or_else(|| Said::Nothing("it leads nowhere".to_owned()), |n| Said::Elsewhere(n.into())));
        }
        Ok(if is_json { from_json(&answer) } else { from_pox(&answer) })
    }

    fn admitted(&self, url: &str, domain: &str) -> Result<()> {
        secure(url)?;
        let host = host_of(url);
        if self.is_allowed(&host, domain) { Ok(()) } else { Err(foreign(&host)) }
    }

    fn is_allowed(&self, host: &str, domain: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let within = |d: &str| host == d || host.strip_suffix(d).is_some_and(|rest| rest.ends_with('.'));
        within(domain) || self.allowed.iter().any(|a| within(&a.to_ascii_lowercase()))
    }
}

fn foreign(host: &str) -> Error {
    let host = tame(host.as_bytes());
    let text = format!(
        "Autodiscover leads to {host}, which is outside of the mailbox's domain; --autodiscover-host {host} allows it"
    );
    Error::new(Kind::Denied, text)
}

/// Refuses what is not protected.
fn secure(url: &str) -> Result<()> {
    if url.to_ascii_lowercase().starts_with("https://") {
        return Ok(());
    }
    let text = format!("Autodiscover leads to {}, which is not protected by TLS", host_of(url));
    Err(Error::new(Kind::Denied, text))
}

fn host_of(url: &str) -> String {
    Url::parse(url).ok().and_then(|u| u.host_str().map(str::to_owned)).unwrap_or_else(|| "nowhere".to_owned())
}

fn domain_of(address: &str) -> Result<String> {
    let domain = address.rsplit_once('@').map(|(_, domain)| domain.to_ascii_lowercase());
    let plain = |d: &String| !d.is_empty() && d.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
    domain.filter(plain).ok_or_else(|| {
        let text = "to find the server, the whole address of the mailbox is needed, as in anna@example.com";
        Error::new(Kind::Usage, text)
    })
}

/// The places that are asked, in order.
fn usual(address: &str, domain: &str) -> Vec<String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._@".contains(&b);
    let encoded: String =
        address.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect();
    vec![
        format!("https://autodiscover.{domain}/autodiscover/autodiscover.json/v1.0/{encoded}?Protocol=EWS"),
        format!("https://autodiscover.{domain}/autodiscover/autodiscover.xml"),
        format!("https://{domain}/autodiscover/autodiscover.xml"),
    ]
}

fn pox(address: &str) -> String {
    const ASKED: &str = "http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006";
    const ANSWER: &str = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";
    let address = quick_xml::escape::escape(address);
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Autodiscover xmlns=\"{ASKED}\"><Request><EMailAddress>{address}\
         </EMailAddress><AcceptableResponseSchema>{ANSWER}</AcceptableResponseSchema></Request></Autodiscover>"
    )
}

fn from_json(answer: &Response) -> Said {
    let value: Option<serde_json::Value> = serde_json::from_slice(&answer.body).ok();
    let text = |name: &str| value.as_ref()?.get(name)?.as_str().map(str::to_owned);
    match text("Url") {
        Some(url) if answer.status == 200 => Said::Found(url),
        _ => {
            let why = text("ErrorMessage").unwrap_or_else(|| format!("status {}", answer.status));
            Said::Nothing(tame(why.as_bytes()))
        }
    }
}

fn from_pox(answer: &Response) -> Said {
    let nothing = |why: &str| Said::Nothing(tame(why.as_bytes()));
    let Some(document) = Element::parse(&answer.body).filter(|_| answer.status == 200) else {
        return nothing(&format!("status {}", answer.status));
    };
    let Some(response) = document.child("Response") else { return nothing("no answer in the answer") };
    if let Some(error) = response.child("Error") {
        return nothing(error.text_of("Message").unwrap_or("an error without words"));
    }
    let Some(account) = response.child("Account") else { return nothing("no account") };
    match account.text_of("Action") {
        Some("redirectUrl") => {
            return account.text_of("RedirectUrl").map_or_else(|| nothing("no URL"), |u| Said::Elsewhere(u.to_owned()));
        }
        Some("redirectAddr") => {
            return account
                .text_of("RedirectAddr")
                .map_or_else(|| nothing("no address"), |a| Said::Address(a.to_owned()));
        }
        _ => {}
    }
    // EXPR is how the mailbox is reached from outside, EXCH from inside.
    let url = |kind: &str| {
        let mut protocols = account.children.iter().filter(|c| c.name == "Protocol");
        protocols.find(|p| p.text_of("Type") == Some(kind))?.text_of("EwsUrl").filter(|u| !u.is_empty())
    };
    url("EXPR").or_else(|| url("EXCH")).map_or_else(|| nothing("it has no EWS"), |u| Said::Found(u.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_domains() {
        assert_eq!(domain_of("anna@Example.com").unwrap(), "example.com");
        for wrong in ["anna", "anna@", "anna@x/y", "anna@x:80"] {
            assert!(domain_of(wrong).is_err(), "{wrong}");
        }
        assert!(usual("a+b@x.org", "x.org")[0].ends_with("/a%2Bb@x.org?Protocol=EWS"));
    }

    #[test]
    fn unprotected_places_are_refused() {
        assert!(secure("HTTPS://x").is_ok());
        assert!(secure("http://x.example/").unwrap_err().text().contains("x.example"));
    }
}
