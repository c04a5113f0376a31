//! A connection that changes a mailbox over Graph.

use super::client::{Graph, Said};
use super::folders::Container;
use super::import::{Imported, Session as Import};
use super::lane::{Shared, Target, Way};
use super::refusal::{Meaning, Refusal};
use crate::endpoint::ews::compare::compare;
use crate::endpoint::ews::prepare::Ready;
use crate::endpoint::push::{Answer, Difference, Index, Parcel, Place, Session, places};
use crate::error::{Error, Kind, Result};
use crate::mapi::{Code, Warning, fast_transfer};
use crate::pipeline::Role;
use crate::pipeline::journal::Whereabouts;
use std::sync::Arc;

/// Characters of the name of a folder.
const NAME: usize = 255;
/// Bytes of items that are read back at once, unless one alone has more.
const BACK: u64 = 16 << 20;
/// New permissions to import that one item is worth.
const RENEWALS: u32 = 5;
/// What stands before the id of a message that went in as JSON beside others that were imported.
pub(super) const AS_MAIL: &str = "mail/";

/// A session that changes the mailbox.
pub(super) struct Mailbox {
    pub graph: Graph,
    pub way: Way,
    pub shared: Arc<Shared>,
    pub target: Arc<Target>,
    import: Option<Import>,
    /// The folders of mail, as far as they were asked for beside those of import.
    pub mail_folders: Vec<Container>,
}

pub(super) fn ready(parcel: &Parcel) -> Result<&Ready> {
    let wrong = || Error::new(Kind::Usage, "an item was prepared for another kind of target");
    parcel.payload.form.downcast_ref().ok_or_else(wrong)
}

/// True for the error of an item that could not be made into what is sent, and not of the connection.
pub(super) fn is_ours(e: &Error) -> bool {
    !matches!(e.kind(), Kind::Connection | Kind::Interrupted | Kind::Denied | Kind::Server | Kind::Usage)
}

fn place(folder: Container) -> Place {
    Place { id: folder.id, path: folder.path, role: folder.role, state: String::new(), holds_items: true }
}

impl Mailbox {
    pub fn new(graph: Graph, way: Way, shared: Arc<Shared>, target: Arc<Target>) -> Self {
        Self { graph, way, shared, target, import: None, mail_folders: Vec::new() }
    }

    /// Puts one item, or says why not.
    fn one(&mut self, place: &Place, parcel: &Parcel) -> Result<Answer> {
        let ready = ready(parcel)?;
        if ready.associated {
            let text = "Graph has no place for folder-associated items (views, rules, forms)";
            return Ok(Answer::Refused(Error::new(Kind::Server, text)));
        }
        if let Some(words) = self.shared.hopeless(parcel.nth) {
            let text = format!("the server has failed over it each time: {words}");
            return Ok(Answer::Refused(Error::new(Kind::Server, text)));
        }
        if let Way::Mail(why) = &self.way {
            let why = why.clone();
            return self.as_mail(place, parcel, &why);
        }
        let refusal = match self.imported(place, ready) {
            Ok(Ok(item)) => {
                return Ok(Answer::Stored(Whereabouts { id: item.id, change: item.change_key }, Vec::new()));
            }
            Ok(Err(refusal)) => refusal,
            Err(e) if is_ours(&e) => return Ok(Answer::Refused(e)),
            Err(e) => return Err(e),
        };
        match refusal.meaning {
            Meaning::Item | Meaning::TooLarge | Meaning::Forbidden => self.as_mail(place, parcel, &refusal.to_string()),
            _ => self.answered(parcel, &refusal),
        }
    }

    /// What follows from a refusal that is not that of an item.
    pub fn answered(&self, parcel: &Parcel, refusal: &Refusal) -> Result<Answer> {
        Ok(match refusal.meaning {
            Meaning::Again(wait) => Answer::Again(wait, refusal.to_string()),
            Meaning::Missing => Answer::Closed(refusal.to_string()),
            Meaning::Full | Meaning::Expired => Answer::Over(refusal.error()),
            Meaning::Unsure => {
                self.shared.failed(parcel.nth, refusal.to_string());
                return Err(refusal.error());
            }
            Meaning::Item | Meaning::TooLarge | Meaning::Forbidden => Answer::Refused(refusal.error()),
        })
    }

    /// Imports an item, by a new permission where the old one has run out. Other connections may use the new one up first.
    fn imported(&mut self, place: &Place, ready: &Ready) -> Result<Said<Imported>> {
        let mut renewals = 0;
        loop {
            let mut session = match self.importer()? {
                Ok(session) => session,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let said = session.import(&place.id, &ready.message, None);
            let expired = matches!(&said, Ok(Err(refusal)) if refusal.meaning == Meaning::Expired);
            if expired && renewals < RENEWALS {
                renewals += 1;
                if let Err(refusal) = self.shared.permission(&mut self.graph, Some(session.permission()))? {
                    return Ok(Err(refusal));
                }
                continue;
            }
            if !expired {
                self.import = Some(session);
            }
            return said;
        }
    }

    /// A session of import that lasts for a while.
    fn importer(&mut self) -> Result<Said<Import>> {
        if let Some(session) = self.import.take().filter(|session| !session.is_over()) {
            return Ok(Ok(session));
        }
        let permission = self.shared.permission(&mut self.graph, None)?;
        Ok(permission.map(|permission| Import::of(permission, Arc::clone(&self.shared.turns))))
    }

    /// Compares imported items with what was sent.
    fn exported(&mut self, items: &[(&str, &Parcel)]) -> Result<Vec<Vec<Difference>>> {
        let ids: Vec<&str> = items.iter().map(|(id, _)| *id).collect();
        let bytes = items.iter().map(|(_, parcel)| parcel.payload.bytes).sum();
        let back = match self.graph.export(&ids, bytes)? {
            Ok(back) => back,
            Err(refusal) if matches!(refusal.meaning, Meaning::Again(_) | Meaning::Unsure) => {
                return Err(Error::new(Kind::Connection, refusal.to_string()));
            }
            // One that cannot be exported does not keep the others.
            Err(_) if items.len() > 1 => {
                return items.iter().map(|one| Ok(self.exported(&[*one])?.pop().unwrap_or_default())).collect();
            }
            Err(refusal) => return Ok(vec![lost(&refusal.to_string())]),
        };
        let judge = |(id, parcel): &(&str, &Parcel)| {
            let Some(bytes) = back.get(*id) else { return Ok(lost("the server does not export it")) };
            match fast_transfer::decode(&mut bytes.as_slice()) {
                Ok(decoded) => compare(&ready(parcel)?.message, &decoded.message),
                Err(e) => Ok(lost(&e.to_string())),
            }
        };
        items.iter().map(judge).collect()
    }
}

/// What is said of an item that cannot be read back.
pub(super) fn lost(why: &str) -> Vec<Difference> {
    vec![Difference::Serious(format!("it cannot be read back: {why}"))]
}

impl Session for Mailbox {
    fn folders(&mut self) -> Result<Vec<Place>> {
        let folders = match self.way {
            Way::Import => self.graph.folders()?,
            Way::Mail(_) => self.graph.mail_folders()?,
        };
        Ok(folders.into_iter().map(place).collect())
    }

    fn tame(&self, name: &str) -> String {
        let plain: String = name.chars().map(|c| if c.is_control() { '_' } else { c }).take(NAME).collect();
        if plain.trim().is_empty() { "_".to_owned() } else { plain.trim().to_owned() }
    }

    fn create(&mut self, parent: Option<&Place>, name: &str, role: Role, class: &str) -> Result<(Place, Vec<Warning>)> {
        let tame = self.tame(name);
        let mut path = parent.map(|p| p.path.clone()).unwrap_or_default();
        path.push(tame.clone());
        let below = parent.map(|p| p.id.as_str());
        let class = if class.is_empty() { role.class() } else { class };
        let said = match &self.way {
            Way::Import => self.graph.create_folder(below, &tame, class)?,
            Way::Mail(why) if !class.to_ascii_uppercase().starts_with("IPF.NOTE") => {
                let text = format!("no folder \"{name}\" is made, as without import Graph takes mail alone: {why}");
                return Err(Error::new(Kind::Server, text));
            }
            Way::Mail(_) => self.graph.create_mail_folder(below, &tame)?,
        };
        let place = match said {
            Ok(made) => Place { id: made.id, path, role, state: String::new(), holds_items: true },
            Err(refusal) if refusal.status == 409 || refusal.code == "ErrorFolderExists" => {
                self.folders()?.into_iter().find(|p| p.is_called(&path)).ok_or_else(|| refused(name, &refusal))?
            }
            Err(refusal) => return Err(refused(name, &refusal)),
        };
        Ok((place, places::renamed(name, &tame).into_iter().collect()))
    }

    fn look(&mut self, _place: &mut Place) -> Result<()> {
        Ok(())
    }

    fn put(&mut self, place: &Place, items: &mut [Parcel], told: &mut dyn FnMut(usize, Answer)) -> Result<()> {
        for (i, parcel) in items.iter().enumerate() {
            if self.graph.stopped() {
                return Ok(());
            }
            let answer = self.one(place, parcel)?;
            let ends = !matches!(answer, Answer::Stored(..) | Answer::Refused(_));
            told(i, answer);
            if ends {
                return Ok(());
            }
        }
        Ok(())
    }

    fn count(&mut self, place: &Place) -> Result<u64> {
        match self.way {
            Way::Import => self.graph.count(&place.id),
            Way::Mail(_) => self.graph.mail_count(&place.id),
        }
    }

    fn index(&mut self, place: &Place) -> Result<Index> {
        let held = match self.way {
            Way::Import => self.graph.items(&place.id)?,
            Way::Mail(_) => self.graph.mail_items(&place.id)?,
        };
        let mut index = Index::new();
        for item in held {
            if item.unfinished {
                self.shared.left(&item.id, &item.probes);
                continue;
            }
            for probe in item.probes {
                index.entry(probe).or_default().push(item.id.clone());
            }
        }
        Ok(index)
    }

    fn check(&mut self, _place: &Place, items: &mut [(String, &mut Parcel)]) -> Result<Vec<Vec<Difference>>> {
        let mut out: Vec<Vec<Difference>> = Vec::new();
        let mut batch: Vec<(&str, &Parcel)> = Vec::new();
        let mut bytes = 0;
        for (id, parcel) in items.iter() {
            let mail = match &self.way {
                Way::Mail(_) => Some(id.as_str()),
                Way::Import => id.strip_prefix(AS_MAIL),
            };
            let full = batch.len() >= super::items::EXPORTED || bytes + parcel.payload.bytes > BACK;
            if !batch.is_empty() && (full || mail.is_some()) {
                out.extend(self.exported(&std::mem::take(&mut batch))?);
                bytes = 0;
            }
            match mail {
                Some(id) => out.push(self.read_back(id, parcel)?),
                None => {
                    batch.push((id, parcel));
                    bytes += parcel.payload.bytes;
                }
            }
        }
        if !batch.is_empty() {
            out.extend(self.exported(&batch)?);
        }
        Ok(out)
    }

    fn delete(&mut self, place: &Place, ids: &[String]) -> Result<Vec<Warning>> {
        let mut warnings = Vec::new();
        for id in ids {
            let said = match (&self.way, id.strip_prefix(AS_MAIL)) {
                (_, Some(id)) => self.graph.delete_message(id)?,
                (Way::Mail(_), None) => self.graph.delete_message(id)?,
                (Way::Import, None) => self.graph.delete_item(&place.id, id)?,
            };
            if let Err(refusal) = said
                && refusal.meaning != Meaning::Missing
            {
                warnings.push(Code::Deleted.with(format!("what it replaces stays: {refusal}")));
            }
        }
        Ok(warnings)
    }

    fn close(self: Box<Self>) {}
}

/// The error of a folder that was not made. Whether it was made all the same, the next attempt finds out.
fn refused(name: &str, refusal: &Refusal) -> Error {
    let kind = match refusal.meaning {
        Meaning::Again(_) => Kind::Connection,
        _ => refusal.error().kind(),
    };
    // A permission that is missing for one folder does not end the run.
    let kind = if matches!(kind, Kind::Connection | Kind::Limit) { kind } else { Kind::Server };
    Error::new(kind, format!("the server does not make the folder \"{name}\": {refusal}"))
}
