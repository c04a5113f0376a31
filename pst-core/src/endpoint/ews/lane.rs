//! The way into a mailbox over Exchange Web Services.

use super::client::{Ews, Options};
use super::compare::{compare, compare_subject};
use super::folders::{Container, FolderId};
use super::items::{Field, ItemId, KEY};
use super::prepare::{Ready, Writer, is_message_id, probes};
use super::refusal::{Meaning, Refusal};
use super::typed::Typed;
use super::upload::{Mail, Upload};
use crate::endpoint::net::http::Reach;
use crate::endpoint::net::{Login, Notice, Watch};
use crate::endpoint::push::{Answer, Difference, Index, Lane, Limits, Parcel, Place, Session, places, receipts};
use crate::error::{Error, Kind, Result};
use crate::mapi::{Code, Message, Warning, fast_transfer, tag, time};
use crate::mime;
use crate::pipeline::journal::Whereabouts;
use crate::pipeline::{Flags, Mime, Prepare, Role};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Items of a batch and their bytes: Exchange gives a batch one minute, and a request 25 MB of base64.
const BATCH: Limits = Limits { items: 20, bytes: 10 << 20 };
/// Larger items do not go in by CreateItem, whose MIME is held as a whole, bytes.
const HELD: u64 = 64 << 20;
/// PidTagSubject.
const SUBJECT: Field = Field::Tag(0x0037, "String");
/// Characters of the name of a folder.
const NAME: usize = 255;

/// How items go into a mailbox over EWS.
#[derive(Debug, Clone, Default)]
pub struct PushOptions {
    /// How mail becomes messages of a store.
    pub import: mime::ImportOptions,
    /// How messages of a store become mail, where a server takes nothing else.
    pub mail: mime::Options,
}

/// A mailbox, and how it is reached.
#[derive(Clone)]
pub struct Target {
    /// The address of EWS.
    pub url: String,
    /// How the server is reached.
    pub reach: Reach,
    /// Who signs in.
    pub login: Login,
    /// Which mailbox is meant.
    pub mailbox: Options,
    /// How long is waited when a busy server does not say how long.
    pub patience: Duration,
    /// How long a busy server is asked the same.
    pub endurance: Duration,
    /// Takes notices.
    pub watch: Watch,
}

/// A mailbox over EWS as a target.
pub struct EwsLane {
    target: Target,
    options: PushOptions,
    /// The server has no UploadItems.
    create_only: Arc<AtomicBool>,
}

impl EwsLane {
    /// A mailbox that is connected to when it is first needed.
    pub fn new(target: Target, options: PushOptions) -> Self {
        Self { target, options, create_only: Arc::default() }
    }
}

impl Lane for EwsLane {
    fn preparer(&self) -> Arc<dyn Prepare> {
        Arc::new(Writer { import: self.options.import })
    }

    fn limits(&self) -> Limits {
        BATCH
    }

    fn session(&self) -> Result<Box<dyn Session>> {
        let Target { url, reach, login, mailbox, patience, endurance, watch } = self.target.clone();
        let ews = Ews::new(&url, &reach, login, mailbox, patience, watch)?.enduring(endurance);
        let PushOptions { mail, import } = self.options.clone();
        Ok(Box::new(Mailbox { ews, mail, disarm: import.quiet.receipts, create_only: Arc::clone(&self.create_only) }))
    }

    fn stopped(&self) -> bool {
        self.target.reach.stop.load(Ordering::Relaxed)
    }

    fn tell(&self, notice: &Notice) {
        (self.target.watch)(notice);
    }

    /// What a server wants stands in its answers, not in its words.
    fn backoff(&self, _words: &str) -> Option<Duration> {
        None
    }

    fn patience(&self) -> Duration {
        self.target.patience
    }
}

/// A session that changes the mailbox.
struct Mailbox {
    ews: Ews,
    mail: mime::Options,
    /// Mail that was read asks for no receipts.
    disarm: bool,
    create_only: Arc<AtomicBool>,
}

/// What became of an item that a server was asked to take.
enum Taken {
    Told(Answer),
    /// It may go in otherwise, for this reason.
    Otherwise(String),
    Alone,
    Unsure(Error),
}

fn taken(said: std::result::Result<ItemId, Refusal>, several: bool) -> Taken {
    let refusal = match said {
        Ok(item) => return Taken::Told(Answer::Stored(at(item), Vec::new())),
        Err(refusal) => refusal,
    };
    let words = refusal.to_string();
    match refusal.meaning {
        Meaning::Item | Meaning::Unknown => Taken::Otherwise(words),
        Meaning::TooLarge if several => Taken::Alone,
        Meaning::TooLarge => Taken::Told(Answer::Refused(refusal.error())),
        Meaning::Again(wait) => Taken::Told(Answer::Again(wait, words)),
        Meaning::Folder => Taken::Told(Answer::Closed(words)),
        Meaning::Mailbox => Taken::Told(Answer::Over(refusal.error())),
        Meaning::Unsure => Taken::Unsure(refusal.error()),
    }
}

fn at(item: ItemId) -> Whereabouts {
    Whereabouts { id: item.id, change: item.change_key }
}

fn ready(parcel: &Parcel) -> Result<&Ready> {
    let wrong = || Error::new(Kind::Usage, "an item was prepared for another kind of target");
    parcel.payload.form.downcast_ref().ok_or_else(wrong)
}

/// True for the error of an item that could not be made into what is sent, and not of the connection.
fn is_ours(e: &Error) -> bool {
    !matches!(e.kind(), Kind::Connection | Kind::Interrupted | Kind::Denied | Kind::Server | Kind::Usage)
}

/// True for items that MIME can carry.
fn is_mail(message: &Message) -> bool {
    let class = message.props.text(tag::MESSAGE_CLASS).unwrap_or_default().to_ascii_uppercase();
    ["IPM.NOTE", "IPM.POST", "REPORT.", "IPM.SCHEDULE."].iter().any(|mail| class.starts_with(mail))
}

impl Mailbox {
    /// Puts some items, and each of them alone where they are too much at once.
    fn some(&mut self, place: &Place, items: &[(usize, &Ready)], told: &mut dyn FnMut(usize, Answer)) -> Result<()> {
        let said = if self.create_only.load(Ordering::Relaxed) {
            let words = "the server takes no items as Exchange exports them".to_owned();
            items.iter().map(|_| Taken::Otherwise(words.clone())).collect()
        } else {
            self.uploaded(place, items)?
        };
        let mut unsure = None;
        for ((nth, ready), said) in items.iter().zip(said) {
            match said {
                Taken::Told(answer) => told(*nth, answer),
                Taken::Otherwise(why) => match self.otherwise(place, ready, &why)? {
                    Taken::Told(answer) => told(*nth, answer),
                    Taken::Unsure(error) => unsure = Some(error),
                    Taken::Otherwise(_) | Taken::Alone => {}
                },
                Taken::Alone => self.some(place, &[(*nth, ready)], told)?,
                Taken::Unsure(error) => unsure = Some(error),
            }
        }
        unsure.map_or(Ok(()), Err)
    }

    fn uploaded<'r>(&mut self, place: &Place, items: &[(usize, &'r Ready)]) -> Result<Vec<Taken>> {
        let upload =
            |(_, r): &(usize, &'r Ready)| Upload { message: &r.message, associated: r.associated, replaces: None };
        let uploads: Vec<Upload<'_>> = items.iter().map(upload).collect();
        let said = match self.ews.upload(&place.id, &uploads) {
            Ok(said) => said,
            // One that cannot be read does not keep the others.
            Err(e) if is_ours(&e) && items.len() > 1 => return Ok(items.iter().map(|_| Taken::Alone).collect()),
            Err(e) if is_ours(&e) => return Ok(vec![Taken::Told(Answer::Refused(e))]),
            Err(e) => return Err(e),
        };
        let unknown = |s: &std::result::Result<ItemId, Refusal>| {
            s.as_ref().is_err_and(|refusal| refusal.meaning == Meaning::Unknown)
        };
        if !said.is_empty() && said.iter().all(unknown) {
            self.create_only.store(true, Ordering::Relaxed);
        }
        Ok(said.into_iter().map(|s| taken(s, items.len() > 1)).collect())
    }

    /// Puts an item that was refused as it is, for the reason `why`: mail as MIME, others made of their properties.
    fn otherwise(&mut self, place: &Place, ready: &Ready, why: &str) -> Result<Taken> {
        if ready.associated {
            return Ok(refused(why, ""));
        }
        if ready.length > HELD {
            return Ok(refused(why, "; it is too large to go in by CreateItem"));
        }
        if is_mail(&ready.message) { self.as_mime(place, ready, why) } else { self.typed(place, ready, why) }
    }

    fn as_mime(&mut self, place: &Place, ready: &Ready, why: &str) -> Result<Taken> {
        let message = &ready.message;
        let mut bytes = Vec::new();
        let mut warnings = match mime::from_mapi(message, &mut bytes, &self.mail) {
            Err(e) if is_ours(&e) => return Ok(Taken::Told(Answer::Refused(e))),
            made => made?,
        };
        let state = mime::state_of(message);
        if self.disarm && state.seen != Some(false) {
            let (quiet, asked) = receipts::disarmed(bytes);
            bytes = quiet;
            warnings.extend(asked.into_iter().map(receipts::renamed));
        }
        let flags = Flags { seen: Some(state.seen != Some(false)), draft: state.draft, ..Flags::default() };
        let class = message.props.text(tag::MESSAGE_CLASS).filter(|c| !c.eq_ignore_ascii_case("IPM.Note"));
        let mail = Mail {
            mime: &Mime { bytes, flags, ..Mime::default() },
            class: class.as_deref(),
            received: mime::delivery_time(message),
            submitted: message.props.time(tag::CLIENT_SUBMIT_TIME).and_then(time::known).map(time::to_unix),
            categories: &state.keywords,
            key: Some(ready.probe.as_str()).filter(|probe| !is_message_id(probe)),
        };
        let said = self.ews.create(FolderId::Id(&place.id), &[mail])?;
        Ok(match said.into_iter().next().map(|s| taken(s, false)) {
            Some(Taken::Told(Answer::Stored(at, _))) => {
                let text = format!("it went in as MIME, without what MIME has no place for, because of this: {why}");
                warnings.push(Code::Property.with(text));
                Taken::Told(Answer::Stored(at, warnings))
            }
            Some(Taken::Otherwise(also)) => refused(why, &format!("; nor as MIME: {also}")),
            Some(other) => other,
            None => Taken::Unsure(Refusal::silence().error()),
        })
    }

    fn typed(&mut self, place: &Place, ready: &Ready, why: &str) -> Result<Taken> {
        let mut made = Typed::of(&ready.message, &ready.probe, &self.mail);
        let mut also = String::new();
        loop {
            let item = match made {
                Err(e) if is_ours(&e) => return Ok(Taken::Told(Answer::Refused(e))),
                made => made?,
            };
            let Some(mut item) = item else { return Ok(refused(why, &also)) };
            let said = self.ews.create_typed(FolderId::Id(&place.id), &item)?;
            match said.into_iter().next().map(|s| taken(s, false)) {
                Some(Taken::Told(Answer::Stored(at, _))) => {
                    let mut warnings = std::mem::take(&mut item.warnings);
                    warnings.push(Code::Property.with(format!("{} because of this: {why}", item.how())));
                    return Ok(Taken::Told(Answer::Stored(at, warnings)));
                }
                Some(Taken::Otherwise(words)) => also = format!("; nor made of its properties: {words}"),
                Some(other) => return Ok(other),
                None => return Ok(Taken::Unsure(Refusal::silence().error())),
            }
            made = item.into_calendar(&ready.message, &self.mail);
        }
    }

    /// Whether an item is the one that was sent, on a server that gives none as Exchange exports them.
    fn looked_at(&mut self, item: &ItemId, sent: &Ready) -> Result<Vec<Difference>> {
        let got = self.ews.get(std::slice::from_ref(item), false, &[SUBJECT, KEY])?;
        let serious = |text: String| Ok(vec![Difference::Serious(text)]);
        Ok(match got.into_iter().next() {
            // What it was given tells it from all others.
            Some(Ok(back)) if KEY.of(&back) == Some(&sent.probe) => Vec::new(),
            Some(Ok(back)) => compare_subject(&sent.message, SUBJECT.of(&back)),
            Some(Err(refusal)) if matches!(refusal.meaning, Meaning::Again(_) | Meaning::Unsure) => {
                return Err(Error::new(Kind::Connection, refusal.to_string()));
            }
            Some(Err(refusal)) => return serious(format!("it cannot be read back: {refusal}")),
            None => return serious("it is not there".to_owned()),
        })
    }
}

fn refused(why: &str, more: &str) -> Taken {
    Taken::Told(Answer::Refused(Error::new(Kind::Server, format!("the server does not take it: {why}{more}"))))
}

fn place(folder: Container) -> Place {
    Place { id: folder.id, path: folder.path, role: folder.role, state: String::new(), holds_items: true }
}

impl Session for Mailbox {
    fn folders(&mut self) -> Result<Vec<Place>> {
        Ok(self.ews.folders()?.into_iter().map(place).collect())
    }

    fn tame(&self, name: &str) -> String {
        let plain: String = name.chars().map(|c| if c.is_control() { '_' } else { c }).take(NAME).collect();
        if plain.trim().is_empty() { "_".to_owned() } else { plain.trim().to_owned() }
    }

    fn create(&mut self, parent: Option<&Place>, name: &str, role: Role, class: &str) -> Result<(Place, Vec<Warning>)> {
        let tame = self.tame(name);
        let mut path = parent.map(|p| p.path.clone()).unwrap_or_default();
        path.push(tame.clone());
        let below = parent.map_or(self.ews.top(), |p| FolderId::Id(&p.id));
        let class = if class.is_empty() { role.class() } else { class };
        let place = match self.ews.create_folder(below, &tame, class)? {
            Ok(id) => Place { id, path, role, state: String::new(), holds_items: true },
            Err(refusal) if refusal.code == "ErrorFolderExists" => {
                self.folders()?.into_iter().find(|p| p.is_called(&path)).ok_or_else(|| refusal.error())?
            }
            Err(refusal) => {
                let text = format!("the server does not make the folder \"{name}\": {refusal}");
                let kind = refusal.error().kind();
                // Whether it was made, the next attempt finds out.
                let kind = if matches!(refusal.meaning, Meaning::Again(_)) { Kind::Connection } else { kind };
                return Err(Error::new(kind, text));
            }
        };
        Ok((place, places::renamed(name, &tame).into_iter().collect()))
    }

    fn look(&mut self, _place: &mut Place) -> Result<()> {
        Ok(())
    }

    fn put(&mut self, place: &Place, items: &mut [Parcel], told: &mut dyn FnMut(usize, Answer)) -> Result<()> {
        let all: Vec<(usize, &Ready)> =
            items.iter().enumerate().map(|(i, parcel)| Ok((i, ready(parcel)?))).collect::<Result<_>>()?;
        self.some(place, &all, told)
    }

    fn count(&mut self, place: &Place) -> Result<u64> {
        self.ews.count(FolderId::Id(&place.id))
    }

    fn index(&mut self, place: &Place) -> Result<Index> {
        let mut index = Index::new();
        for associated in [false, true] {
            for found in self.ews.probes(FolderId::Id(&place.id), associated, None)? {
                for probe in probes(&found) {
                    index.entry(probe).or_default().push(found.item.id.clone());
                }
            }
        }
        Ok(index)
    }

    fn check(&mut self, _place: &Place, items: &mut [(String, &mut Parcel)]) -> Result<Vec<Vec<Difference>>> {
        let mut out = Vec::new();
        for (id, parcel) in items {
            let item = ItemId { id: id.clone(), change_key: String::new() };
            if self.create_only.load(Ordering::Relaxed) {
                out.push(self.looked_at(&item, ready(parcel)?)?);
                continue;
            }
            out.push(match self.ews.export(&item)? {
                Ok(bytes) => {
                    let back = fast_transfer::decode(&mut bytes.as_slice())?;
                    compare(&ready(parcel)?.message, &back.message)?
                }
                Err(refusal) if matches!(refusal.meaning, Meaning::Again(_) | Meaning::Unsure) => {
                    return Err(Error::new(Kind::Connection, refusal.to_string()));
                }
                Err(refusal) if refusal.meaning == Meaning::Unknown => self.looked_at(&item, ready(parcel)?)?,
                Err(refusal) => vec![Difference::Serious(format!("it cannot be read back: {refusal}"))],
            });
        }
        Ok(out)
    }

    fn delete(&mut self, _place: &Place, ids: &[String]) -> Result<Vec<Warning>> {
        let ids: Vec<_> = ids.iter().map(|id| ItemId { id: id.clone(), change_key: String::new() }).collect();
        let said = self.ews.delete(&ids)?;
        let stays = |refusal: Refusal| Code::Deleted.with(format!("what it replaces stays: {refusal}"));
        let gone = |refusal: &Refusal| refusal.code != "ErrorItemNotFound";
        Ok(said.into_iter().filter_map(std::result::Result::err).filter(gone).map(stays).collect())
    }

    fn close(self: Box<Self>) {}
}
