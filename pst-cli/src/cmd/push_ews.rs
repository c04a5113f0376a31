//! Mailboxes on Exchange servers (EWS) as targets of `pst convert`.

use super::fetch::{Remote, watch};
use crate::args::Convert;
use crate::ui::Talk;
use pst_core::endpoint::ews::discover::Discovery;
use pst_core::endpoint::ews::{self, EwsLane};
use pst_core::endpoint::net::http::Reach;
use pst_core::endpoint::net::{Address, Scheme};
use pst_core::{Error, Kind, Result, mime};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// What is said where an address is no target.
pub const TARGET_ONLY: &str = "ews:// is a target: pst push SOURCE... ews://anna@mail.example.org; to read a mailbox of Exchange, imaps:// serves";

/// Where Exchange has the service.
const PATH: &str = "EWS/Exchange.asmx";
/// How long is waited at first when a busy server does not say how long.
const PATIENCE: Duration = Duration::from_secs(5);

/// Refuses options that only go with the one kind of target, and servers where Microsoft ends EWS.
///
/// # Errors
/// [`Kind::Usage`].
pub fn fits(a: &Convert, target: &Address) -> Result<()> {
    let p = &a.push;
    let ews = target.scheme == Scheme::Ews;
    if ews && !p.force && !p.autodiscover {
        ews::not_retired(&target.host)?;
    }
    let graph = target.scheme == Scheme::Graph;
    let both = "ews:// and graph:// targets";
    let given = [
        (p.mailbox.is_some() && !graph, "--mailbox", both),
        (p.archive && !graph, "--archive", both),
        (p.autodiscover, "--autodiscover", "ews:// targets"),
        (p.force, "--force", "ews:// targets"),
    ];
    match given.iter().find(|(given, ..)| *given && !ews) {
        Some((_, option, targets)) => Err(Error::new(Kind::Usage, format!("{option} is for {targets}"))),
        None => Ok(()),
    }
}

/// The way into the mailbox.
///
/// # Errors
/// When autodiscover finds no server, or the server is one where Microsoft ends EWS.
pub fn lane(
    remote: Remote,
    a: &Convert,
    mail: mime::Options,
    stop: &Arc<AtomicBool>,
    observer: &Arc<dyn Talk>,
) -> Result<EwsLane> {
    let server = remote.account.server(stop);
    let reach = Reach { tls: server.tls, timeout: server.timeout, stop: Arc::clone(stop) };
    let (login, address) = (remote.login, &remote.account.address);
    let of = a.push.mailbox.clone();
    let url = if a.push.autodiscover {
        let address = of.as_deref().unwrap_or(&remote.account.user);
        let allowed = &a.push.autodiscover_host;
        Discovery { reach: &reach, login: &login, address, allowed, places: None, name_servers: None }.find()?
    } else {
        let host = if address.host.contains(':') { format!("[{}]", address.host) } else { address.host.clone() };
        format!("https://{host}:{}/{}", address.port(), address.path.as_deref().unwrap_or(PATH))
    };
    if !a.push.force {
        let (found, _) = reach.server(&url)?;
        ews::not_retired(&found.host)?;
    }
    let mailbox = ews::Options { mailbox: of, impersonate: a.push.impersonate, archive: a.push.archive };
    let target = ews::Target {
        url,
        reach,
        login,
        mailbox,
        patience: PATIENCE,
        endurance: a.push.endurance(),
        watch: watch(observer),
    };
    Ok(EwsLane::new(target, ews::PushOptions { import: super::push::import_options(a), mail }))
}
