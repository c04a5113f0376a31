//! `pst ls` of an account on a mail server.

use super::fetch::{Remote, is_address};
use crate::args::Ls;
use crate::exit::{self, Outcome};
use crate::ui::text::{Out, bytes, say, time};
use pst_core::endpoint::account::Account;
use pst_core::endpoint::imap::{self, Counts, ImapSource};
use pst_core::endpoint::pop::{self, PopSource};
use pst_core::mapi::{PropBag, tag};
use pst_core::pipeline::{Body, Flags, Folder, Item, ItemRef, Mime, Role, Source};
use pst_core::{Error, Kind, Result, mapi, mime};
use serde_json::json;

/// The account that `pst ls` is to list, if it is none of a file, and the folder that it names.
///
/// # Errors
/// When it is a broken address, or options contradict each other.
pub fn account(a: &Ls) -> Result<Option<(Account, Option<String>)>> {
    let first = a.file.as_ref().map(|f| f.to_string_lossy().into_owned());
    let is_remote = first.as_deref().map_or(Ok(false), is_address)?;
    if a.account.account.is_none() {
        let Some(spec) = first.filter(|_| is_remote) else { return Ok(None) };
        return Ok(Some((a.account.account(Some(&spec))?, a.folder.clone())));
    }
    if is_remote || a.folder.is_some() {
        return Err(Error::new(Kind::Usage, "--account is the account by itself: pst ls --account NAME [FOLDER]"));
    }
    Ok(Some((a.account.account(None)?, first)))
}

/// Lists the folders of an account, or the messages of one; no body is fetched.
///
/// # Errors
/// When the server cannot be reached or refuses the sign-in, or has no such folder.
pub fn list(a: &Ls, account: Account, folder: Option<&str>) -> Result<Outcome> {
    let is_imap = account.address.scheme.is_imap();
    super::push::only_target(account.address.scheme)?;
    if folder.is_some() && !is_imap {
        let text =
            "a POP3 server has one folder, and tells nothing of its messages; pst ls without a folder counts them";
        return Err(Error::new(Kind::Usage, text));
    }
    let stop = exit::on_interrupt();
    let Remote { account, login } = Remote::of(account, &stop)?;
    let server = account.server(&stop);
    let mut out = Out::new();
    let mut outcome = Outcome::Done;
    if is_imap {
        let options = imap::Options { headers_only: true, ..imap::Options::default() };
        let source = ImapSource::open(imap::Account::new(server, login), options)?;
        let all = source.folders()?;
        match folder {
            None => all.iter().try_for_each(|f| counts(a, &mut out, &f.path.join("/"), f.role, source.counts(f)))?,
            Some(wanted) => {
                let Some(folder) = super::ls::find(&all, wanted)? else {
                    let text = format!("there is no folder \"{wanted}\"; pst ls without one lists them");
                    return Err(Error::new(Kind::NotFound, text));
                };
                outcome = messages(a, &mut out, &source, &folder)?;
            }
        }
    } else {
        let source = PopSource::open(pop::Account::new(server, login), pop::Options::default())?;
        let (messages, size) = source.on_server();
        let all = Counts { messages: Some(messages), unseen: None, size: Some(size) };
        counts(a, &mut out, Role::Inbox.name(), Role::Inbox, all)?;
    }
    out.end()?;
    Ok(outcome)
}

fn counts(a: &Ls, out: &mut Out, path: &str, role: Role, counts: Counts) -> Result<()> {
    if a.json {
        let role = (role != Role::None).then(|| role.name());
        return out.json(
            &json!({"path": path, "role": role, "items": counts.messages, "unread": counts.unseen, "bytes": counts.size}),
        );
    }
    let number = |n: Option<u64>| n.map_or_else(|| "-".to_owned(), |n| n.to_string());
    let size = counts.size.map_or_else(|| "-".to_owned(), bytes);
    out.line(format!("{:>8} {:>8} {size:>10}  /{path}", number(counts.messages), number(counts.unseen)))
}

fn messages(a: &Ls, out: &mut Out, source: &ImapSource, folder: &Folder) -> Result<Outcome> {
    let mut outcome = Outcome::Done;
    for item in source.items(folder)? {
        let (item, loaded) = match item {
            Ok(item) => {
                let loaded = source.load(folder, &item);
                (item, loaded)
            }
            Err(e) => (ItemRef::default(), Err(e)),
        };
        match loaded {
            Ok(loaded) => message(a, out, &item, loaded)?,
            // It was deleted meanwhile.
            Err(e) if e.kind() == Kind::Gone => {}
            Err(e) if matches!(e.kind(), Kind::Interrupted | Kind::Connection | Kind::Denied) => return Err(e),
            Err(e) => {
                say(format!("pst: {} {e}", item.id));
                outcome = Outcome::Flawed;
            }
        }
    }
    Ok(outcome)
}

fn message(a: &Ls, out: &mut Out, item: &ItemRef, loaded: Item) -> Result<()> {
    let Body::Mime(Mime { bytes, flags, received, .. }) = loaded.body else { return Ok(()) };
    let header = mime::to_mapi(&bytes, &mime::State::default(), received).map(|c| c.message).unwrap_or_default();
    let text = |t| header.props.text(t).unwrap_or_default();
    let from = [tag::SENT_REPRESENTING_NAME, tag::SENDER_NAME].map(text).into_iter().find(|t| !t.is_empty());
    let (from, subject) = (from.unwrap_or_default(), mime::title_of(&header));
    let time = time(at(received, &header.props));
    if a.json {
        let Flags { seen, answered, forwarded, flagged, draft, deleted, keywords } = flags;
        return out.json(
            &json!({"uid": item.key, "subject": subject, "from": from, "time": time, "bytes": item.size, "read": seen,
                    "answered": answered, "forwarded": forwarded, "flagged": flagged, "draft": draft, "deleted": deleted,
                    "keywords": keywords}),
        );
    }
    let (uid, size, letters) = (item.key, item.size, letters(&flags));
    out.line(format!("{uid:>10} {time} {size:>10} {letters} {from:24.24}  {subject}"))
}

/// When a message arrived, or else was sent, FILETIME.
fn at(received: Option<i64>, header: &PropBag) -> Option<u64> {
    received.and_then(mapi::time::from_unix).or_else(|| header.time(tag::CLIENT_SUBMIT_TIME))
}

/// A letter for each flag, as Maildirs have them, or a dash.
fn letters(flags: &Flags) -> String {
    let all = [
        (flags.draft, 'D'),
        (flags.flagged, 'F'),
        (flags.forwarded, 'P'),
        (flags.answered, 'R'),
        (flags.seen == Some(true), 'S'),
        (flags.deleted, 'T'),
    ];
    all.iter().map(|(set, letter)| if *set { *letter } else { '-' }).collect()
}
