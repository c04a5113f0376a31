//! Which folder of the mailbox takes in a folder of the source: by its role, then by its name below its parent's.

use super::Session;
use crate::error::{Error, Kind, Result};
use crate::mapi::{Code, Warning};
use crate::pipeline::{Folder, Role};
use std::collections::HashMap;

/// A folder of the mailbox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The names from the top of the mailbox.
    pub path: Vec<String>,
    /// Its role.
    pub role: Role,
    /// Its id as text; what the lane calls it.
    pub id: String,
    /// What tells it from one that was there before under the same id.
    pub state: String,
    /// False for one that only holds others.
    pub holds_items: bool,
}

impl Place {
    /// What the journal calls it.
    pub(super) fn key(&self) -> String {
        format!("{}\0{}", self.id, self.state)
    }

    /// True for the folder that `path` names where the case of letters does not count.
    pub(in crate::endpoint) fn is_called(&self, path: &[String]) -> bool {
        self.path.join("\0").to_lowercase() == path.join("\0").to_lowercase()
    }
}

/// What is to be said of a folder that cannot keep its name.
pub(in crate::endpoint) fn renamed(name: &str, tame: &str) -> Option<Warning> {
    let text = || format!("the folder \"{name}\" is called \"{tame}\" here, as the server has no such names");
    (tame != name).then(|| Code::Name.with(text()))
}

/// The folders of the mailbox, and which folder of the source is which of them.
pub struct Places {
    all: Vec<Place>,
    mapped: HashMap<Vec<String>, usize>,
    /// The folder of the source that a folder of the mailbox was first found for by name.
    owners: HashMap<usize, Vec<String>>,
    notes: Vec<Warning>,
    /// Nothing is made.
    dry: bool,
}

impl Places {
    /// Takes the folders that are there; `dry` if none is to be made.
    pub fn new(all: Vec<Place>, dry: bool) -> Self {
        Self { all, mapped: HashMap::new(), owners: HashMap::new(), notes: Vec::new(), dry }
    }

    /// Remarks on names since the last call.
    pub fn notes(&mut self) -> Vec<Warning> {
        std::mem::take(&mut self.notes)
    }

    /// The folder that takes in a folder of the source; made where it is not there.
    ///
    /// # Errors
    /// [`Kind::Server`] when the server does not make it.
    pub fn of(&mut self, session: &mut dyn Session, folder: &Folder) -> Result<Place> {
        let class = folder.class.as_deref().unwrap_or_default();
        let at = self.find(session, &folder.path, folder.role, class)?;
        self.all.get(at).cloned().ok_or_else(|| Error::new(Kind::NotFound, "the mailbox has no Inbox"))
    }

    /// Takes note of what was learnt of a folder.
    pub fn update(&mut self, place: &Place) {
        if let Some(known) = self.all.iter_mut().find(|p| p.id == place.id) {
            known.clone_from(place);
        }
    }

    /// The folder of an id.
    pub(super) fn of_id(&self, id: &str) -> Option<&Place> {
        self.all.iter().find(|p| p.id == id)
    }

    fn with_role(&self, role: Role) -> Option<usize> {
        self.all.iter().position(|p| p.role == role && role != Role::None)
    }

    fn find(&mut self, session: &mut dyn Session, path: &[String], role: Role, class: &str) -> Result<usize> {
        if let Some(known) = self.mapped.get(path) {
            return Ok(*known);
        }
        let at = match (path, self.with_role(role)) {
            // An archive may have no Inbox yet.
            ([], _) => match self.with_role(Role::Inbox) {
                Some(at) => at,
                None => self.by_name(session, &["Inbox".to_owned()], Role::Inbox, class)?,
            },
            (_, Some(at)) => at,
            (path, None) => self.by_name(session, path, role, class)?,
        };
        self.mapped.insert(path.to_vec(), at);
        Ok(at)
    }

    fn by_name(&mut self, session: &mut dyn Session, path: &[String], role: Role, class: &str) -> Result<usize> {
        let Some((name, above)) = path.split_last() else { return Ok(usize::MAX) };
        let parent = match above {
            [] => None,
            // The parent itself may not be among what is taken.
            [top] => Some(self.find(session, above, Role::of_name(top), "")?),
            _ => Some(self.find(session, above, Role::None, "")?),
        };
        let parent = parent.and_then(|at| self.all.get(at)).cloned();
        let within = parent.as_ref().map_or(&[][..], |p| &p.path);
        let at = match self.child(within, name).or_else(|| self.child(within, &session.tame(name))) {
            Some(at) => at,
            None => self.make(session, parent.as_ref(), name, role, class)?,
        };
        let owner = self.owners.entry(at).or_insert_with(|| path.to_vec());
        if owner != path {
            let text = format!("\"{}\" and \"{}\" are one folder in this mailbox", owner.join("/"), path.join("/"));
            self.notes.push(Code::Name.with(text));
        }
        Ok(at)
    }

    /// A folder directly below another one, by its name: as it is written, or else in any case.
    fn child(&self, within: &[String], name: &str) -> Option<usize> {
        let named = |same: &dyn Fn(&str) -> bool| {
            let fits = |p: &Place| p.path.split_last().is_some_and(|(last, above)| above == within && same(last));
            self.all.iter().position(fits)
        };
        let lower = name.to_lowercase();
        named(&|n| n == name).or_else(|| named(&|n| n.to_lowercase() == lower))
    }

    fn make(
        &mut self,
        session: &mut dyn Session,
        parent: Option<&Place>,
        name: &str,
        role: Role,
        class: &str,
    ) -> Result<usize> {
        let (place, notes) = if self.dry {
            let path = parent.map_or(&[][..], |p| &p.path).iter().cloned().chain([session.tame(name)]).collect();
            (Place { path, role, holds_items: true, ..Place::default() }, Vec::new())
        } else {
            session.create(parent, name, role, class)?
        };
        self.notes.extend(notes);
        // The server may have known it under another name of the source's.
        if let Some(at) = self.all.iter().position(|p| p.id == place.id && !self.dry) {
            return Ok(at);
        }
        self.all.push(place);
        Ok(self.all.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Answer, Difference, Index, Parcel};
    use super::*;

    /// A server that makes what it is asked to, but no name with a slash.
    #[derive(Default)]
    struct Maker(Vec<String>);

    impl Session for Maker {
        fn folders(&mut self) -> Result<Vec<Place>> {
            Ok(Vec::new())
        }

        fn tame(&self, name: &str) -> String {
            name.replace('/', "_")
        }

        fn create(
            &mut self,
            parent: Option<&Place>,
            name: &str,
            role: Role,
            _class: &str,
        ) -> Result<(Place, Vec<Warning>)> {
            let mut path = parent.map(|p| p.path.clone()).unwrap_or_default();
            path.push(self.tame(name));
            self.0.push(path.join("/"));
            Ok((Place { id: path.join("/"), path, role, ..Place::default() }, Vec::new()))
        }

        fn look(&mut self, _place: &mut Place) -> Result<()> {
            Ok(())
        }

        fn put(&mut self, _: &Place, _: &mut [Parcel], _: &mut dyn FnMut(usize, Answer)) -> Result<()> {
            Ok(())
        }

        fn count(&mut self, _place: &Place) -> Result<u64> {
            Ok(0)
        }

        fn index(&mut self, _place: &Place) -> Result<Index> {
            Ok(Index::new())
        }

        fn check(&mut self, _: &Place, _: &mut [(String, &mut Parcel)]) -> Result<Vec<Vec<Difference>>> {
            Ok(Vec::new())
        }

        fn delete(&mut self, _: &Place, _: &[String]) -> Result<Vec<Warning>> {
            Ok(Vec::new())
        }

        fn close(self: Box<Self>) {}
    }

    fn path(text: &str) -> Vec<String> {
        text.split('|').filter(|n| !n.is_empty()).map(str::to_owned).collect()
    }

    fn place(text: &str, role: Role) -> Place {
        Place { id: text.replace('|', "/"), path: path(text), role, ..Place::default() }
    }

    #[test]
    fn roles_then_names_then_new_ones() {
        let mut places = Places::new(
            vec![
                place("Inbox", Role::Inbox),
                place("Gesendet", Role::Sent),
                place("Work", Role::None),
                place("Work|Old", Role::None),
            ],
            false,
        );
        let mut maker = Maker::default();
        let mut at = |text: &str, role| {
            let folder = Folder { path: path(text), role, ..Folder::default() };
            places.of(&mut maker, &folder).unwrap().id
        };
        assert_eq!(at("", Role::None), "Inbox");
        assert_eq!(at("Posteingang", Role::Inbox), "Inbox");
        assert_eq!(at("Posteingang|Kunden", Role::None), "Inbox/Kunden");
        assert_eq!(at("Sent Items", Role::Sent), "Gesendet");
        assert_eq!(at("work|OLD|deeper", Role::None), "Work/Old/deeper");
        assert_eq!(at("a/b", Role::None), "a_b");
        assert_eq!(at("a_b", Role::None), "a_b");
        // A parent that is not taken itself is found by what its name says.
        assert_eq!(at("Boîte de réception|x", Role::None), "Inbox/x");
        assert_eq!(maker.0, ["Inbox/Kunden", "Work/Old/deeper", "a_b", "Inbox/x"]);
        let mut archive = Places::new(Vec::new(), false);
        let top = archive.of(&mut maker, &Folder::default()).unwrap();
        let inbox = Folder { path: path("Posteingang"), role: Role::Inbox, ..Folder::default() };
        assert_eq!((top.id.as_str(), archive.of(&mut maker, &inbox).unwrap()), ("Inbox", top.clone()));
        let notes = places.notes();
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(notes[0].text.contains("\"a/b\" and \"a_b\""), "{notes:?}");
    }
}
