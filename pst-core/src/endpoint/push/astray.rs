//! Items that an earlier run was about to put into another folder than this one does.

use super::places::Places;
use super::shared::Shared;
use super::{Difference, Index, Parcel, Place, Session};
use crate::error::Result;
use crate::pipeline::journal::Whereabouts;
use std::collections::{HashMap, HashSet};

/// What is known of such folders, by what the journal calls them; `None` for those that are gone.
#[derive(Default)]
pub(super) struct Astray(HashMap<String, Option<Folder>>);

struct Folder {
    place: Place,
    index: Index,
    /// Ids that are known to be those of other items.
    others: HashSet<String>,
}

impl Astray {
    /// True if an item came into the folder that the journal names; the journal then knows.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn came(
        &mut self,
        folder: &str,
        parcel: &mut Parcel,
        places: &Places,
        session: &mut dyn Session,
        shared: &Shared,
    ) -> Result<bool> {
        if !self.0.contains_key(folder) {
            let id = folder.split('\0').next().unwrap_or_default();
            let found = places.of_id(id).map(|place| Folder::of(folder, place, session, shared)).transpose()?;
            self.0.insert(folder.to_owned(), found);
        }
        let Some(Some(found)) = self.0.get_mut(folder) else { return Ok(false) };
        let Some(id) = found.matching(parcel, session)? else { return Ok(false) };
        found.others.insert(id.clone());
        shared.journal.stored(folder, parcel.name, Whereabouts { id, change: String::new() });
        Ok(true)
    }
}

impl Folder {
    fn of(name: &str, place: &Place, session: &mut dyn Session, shared: &Shared) -> Result<Self> {
        let mut place = place.clone();
        session.look(&mut place)?;
        shared.calm(session, &place)?;
        Ok(Self { index: session.index(&place)?, others: shared.journal.ids(name)?, place })
    }

    fn matching(&self, parcel: &mut Parcel, session: &mut dyn Session) -> Result<Option<String>> {
        let candidates = self.index.get(&parcel.payload.probe).into_iter().flatten();
        for id in candidates.filter(|id| !self.others.contains(*id)) {
            let said = session.check(&self.place, &mut [(id.clone(), &mut *parcel)])?;
            if !said.iter().flatten().any(|d| matches!(d, Difference::Serious(_))) {
                return Ok(Some(id.clone()));
            }
        }
        Ok(None)
    }
}
