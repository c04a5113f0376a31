//! Mailboxes in Microsoft 365 by Microsoft Graph as targets of `pst convert`.

use super::fetch::{Remote, watch};
use super::push::usage;
use crate::args::Convert;
use crate::ui::Talk;
use pst_core::endpoint::account::Account;
use pst_core::endpoint::graph::{GraphLane, Target};
use pst_core::endpoint::net::http::Reach;
use pst_core::endpoint::net::{Address, Scheme};
use pst_core::{Result, mime};
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// What is said where an address is no target.
pub const TARGET_ONLY: &str = "graph:// is a target: pst push SOURCE... graph://anna@example.org; to read a mailbox of Microsoft 365, imaps:// serves";

/// How long is waited at first when a busy server does not say how long.
const PATIENCE: Duration = Duration::from_secs(1);

/// Refuses options that Graph has no place for.
///
/// # Errors
/// [`pst_core::Kind::Usage`].
pub fn fits(a: &Convert, target: &Address) -> Result<()> {
    if target.scheme != Scheme::Graph {
        return if a.account.graph_host.is_some() { usage("--graph-host is for graph:// targets") } else { Ok(()) };
    }
    if a.associated {
        return usage(
            "Graph takes no folder-associated items (views, rules, forms); without --associated they are left out and counted",
        );
    }
    Ok(())
}

/// The options with the folder that the address names.
///
/// # Errors
/// [`pst_core::Kind::Usage`] where another one is named, too.
pub fn below<'a>(a: &'a Convert, account: &Account) -> Result<Cow<'a, Convert>> {
    match (&account.address.path, account.address.scheme) {
        (Some(_), Scheme::Graph) if a.target_root.is_some() => {
            usage("the folder that takes all in is named by the address or by --target-root, not by both")
        }
        (Some(path), Scheme::Graph) => Ok(Cow::Owned(Convert { target_root: Some(path.clone()), ..a.clone() })),
        _ => Ok(Cow::Borrowed(a)),
    }
}

/// Whose mailbox is meant.
pub fn mailbox(account: &Account, a: &Convert) -> String {
    a.push.mailbox.as_ref().or(account.address.user.as_ref()).unwrap_or(&account.user).clone()
}

/// The way into the mailbox.
pub fn lane(
    remote: Remote,
    a: &Convert,
    mail: mime::Options,
    stop: &Arc<AtomicBool>,
    observer: &Arc<dyn Talk>,
) -> GraphLane {
    let server = remote.account.server(stop);
    GraphLane::new(Target {
        service: format!("https://{server}"),
        user: mailbox(&remote.account, a),
        archive: a.push.archive,
        reach: Reach { tls: server.tls, timeout: server.timeout, stop: Arc::clone(stop) },
        login: remote.login,
        patience: PATIENCE,
        endurance: a.push.endurance(),
        watch: watch(observer),
        import: super::push::import_options(a),
        mail,
    })
}
