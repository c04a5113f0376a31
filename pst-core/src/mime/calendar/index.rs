//! Where the items of a calendar file stand.

use super::Kind;
use crate::mime::lines::{self, logical};
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

/// Lines of a calendar that its items need.
const NEEDED: [&str; 2] = ["METHOD", "X-WR-TIMEZONE"];
const MARKS: [&str; 5] = ["BEGIN", "END", "UID", "RECURRENCE-ID", "X-PST-CLASS"];
/// Zones that are given to every item; of more, each gets those that it names.
const FEW_ZONES: usize = 8;
/// What stands with every item is not longer, bytes: a zone of Outlook has a few hundred.
const SHARED: usize = 64 << 10;
/// Components deeper than this count as one.
const DEPTH: usize = 64;

/// An item of a calendar file: the pieces of the file that make a calendar of this one item, between BEGIN:VCALENDAR and
/// END:VCALENDAR.
#[derive(Debug, Clone)]
pub struct Place {
    /// What it is.
    pub kind: Kind,
    /// Byte ranges of the text, in order.
    pub pieces: Vec<Range<usize>>,
}

/// The items of a calendar file in UTF-8.
pub fn index(text: &[u8]) -> Vec<Place> {
    let mut out = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut calendar = Parts::default();
    let mut part: Option<Part> = None;
    for line in logical(text) {
        let inside = open.first().is_some_and(|n| n == "VCALENDAR");
        let base = usize::from(inside);
        match line.named(&MARKS) {
            Some(("BEGIN", name)) => {
                let name = name.to_ascii_uppercase();
                if open.is_empty() && name == "VCALENDAR" {
                    calendar.give(text, &mut out);
                } else if open.len() == base {
                    part = Some(Part::new(name.clone(), line.range.start));
                }
                if open.len() < DEPTH {
                    open.push(name);
                }
            }
            Some(("END", name)) => {
                let name = name.to_ascii_uppercase();
                let Some(at) = open.iter().rposition(|n| *n == name) else { continue };
                open.truncate(at);
                if at <= base
                    && let Some(mut done) = part.take()
                {
                    done.range.end = if at == base { line.range.end } else { line.range.start };
                    calendar.add(done);
                }
                if open.is_empty() && inside {
                    calendar.give(text, &mut out);
                }
            }
            Some((name, value)) if open.len() == base + 1 => {
                if let Some(part) = &mut part {
                    part.note(name, value);
                }
            }
            _ if inside && open.len() == base => calendar.line(&line),
            _ => {}
        }
    }
    if let Some(mut done) = part.take() {
        done.range.end = text.len();
        calendar.add(done);
    }
    calendar.give(text, &mut out);
    out
}

/// A component right inside a calendar.
struct Part {
    name: String,
    range: Range<usize>,
    uid: Option<String>,
    is_change: bool,
    class: Option<Kind>,
}

impl Part {
    fn new(name: String, start: usize) -> Self {
        Self { name, range: start..start, uid: None, is_change: false, class: None }
    }

    fn note(&mut self, name: &str, value: String) {
        match name {
            "UID" if !value.is_empty() => {
                self.uid.get_or_insert(value);
            }
            "RECURRENCE-ID" => self.is_change = true,
            "X-PST-CLASS" => self.class = Kind::of_class(&value),
            _ => {}
        }
    }

    fn kind(&self) -> Option<Kind> {
        match self.name.as_str() {
            "VEVENT" => Some(Kind::Event),
            "VTODO" => Some(Kind::Task),
            "VJOURNAL" if self.class == Some(Kind::Note) => Some(Kind::Note),
            "VJOURNAL" => Some(Kind::Journal),
            _ => None,
        }
    }
}

/// What was found of one calendar.
#[derive(Default)]
struct Parts {
    needed: Vec<Range<usize>>,
    /// The names of those.
    told: Vec<&'static str>,
    /// Lines and components that go with the first item alone.
    once: Vec<Range<usize>>,
    zones: Vec<Range<usize>>,
    items: Vec<Part>,
}

impl Parts {
    /// Of several lines of a name, the first counts.
    fn line(&mut self, line: &lines::Logical<'_>) {
        match line.named(&NEEDED) {
            Some((name, _)) if line.range.len() <= SHARED && !self.told.contains(&name) => {
                self.told.push(name);
                self.needed.push(line.range.clone());
            }
            _ => self.once.push(line.range.clone()),
        }
    }

    fn add(&mut self, part: Part) {
        match part.kind() {
            Some(_) => self.items.push(part),
            None if part.name == "VTIMEZONE" && part.range.len() <= SHARED => self.zones.push(part.range),
            None => self.once.push(part.range),
        }
    }

    /// Puts changes to the series that they change, as the reader of a calendar does.
    fn give(&mut self, text: &[u8], out: &mut Vec<Place>) {
        let Self { needed, once, zones, items, .. } = std::mem::take(self);
        let mut places: Vec<Place> = Vec::new();
        let mut series: HashMap<String, usize> = HashMap::new();
        let mut changes = Vec::new();
        for item in items {
            let Some(kind) = item.kind() else { continue };
            match item.uid {
                Some(uid) if kind == Kind::Event && item.is_change => changes.push((uid, item.range)),
                uid => {
                    if let (Some(uid), Kind::Event) = (uid, kind) {
                        series.entry(uid).or_insert(places.len());
                    }
                    places.push(Place { kind, pieces: vec![item.range] });
                }
            }
        }
        for (uid, range) in changes {
            match series.get(&uid).and_then(|i| places.get_mut(*i)) {
                Some(place) => place.pieces.push(range),
                None => places.push(Place { kind: Kind::Event, pieces: vec![range] }),
            }
        }
        let named = (zones.len() > FEW_ZONES).then(|| NamedZones::new(text, &zones, &needed));
        for (i, place) in places.iter_mut().enumerate() {
            let mut pieces = needed.clone();
            if i == 0 {
                pieces.extend(once.iter().cloned());
            }
            match &named {
                None => pieces.extend(zones.iter().cloned()),
                Some(named) => pieces.extend(named.of(text, place).filter_map(|z| zones.get(z).cloned())),
            }
            pieces.append(&mut place.pieces);
            place.pieces = pieces;
        }
        out.append(&mut places);
    }
}

/// Zones by their names.
struct NamedZones {
    zones: HashMap<String, usize>,
    /// The zone of times that name none.
    default: Option<usize>,
}

impl NamedZones {
    fn new(text: &[u8], places: &[Range<usize>], needed: &[Range<usize>]) -> Self {
        let part = |range: &Range<usize>| text.get(range.clone()).unwrap_or_default();
        let mut zones = HashMap::new();
        for (i, place) in places.iter().enumerate() {
            if let Some(tzid) = lines::parse(part(place)).components.first().and_then(|zone| zone.text("TZID")) {
                zones.entry(tzid).or_insert(i);
            }
        }
        let lines = needed.iter().flat_map(|range| logical(part(range)));
        let default = lines.filter_map(|l| l.named(&["X-WR-TIMEZONE"])).find_map(|(_, name)| zones.get(&name).copied());
        Self { zones, default }
    }

    /// The numbers of the zones that an item names, ascending.
    fn of(&self, text: &[u8], place: &Place) -> impl Iterator<Item = usize> {
        let mut found: BTreeSet<usize> = self.default.into_iter().collect();
        for piece in &place.pieces {
            let mut open = lines::parse(text.get(piece.clone()).unwrap_or_default()).components;
            while let Some(component) = open.pop() {
                let tzids = component.lines.iter().flat_map(|line| line.all("TZID"));
                found.extend(tzids.filter_map(|tzid| self.zones.get(tzid)));
                open.extend(component.parts);
            }
        }
        found.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_stand_alone() {
        let zone = "BEGIN:VTIMEZONE\r\nTZID:X\r\nBEGIN:STANDARD\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n";
        let event = |uid: &str, more: &str| {
            format!("BEGIN:VEVENT\r\nUID:{uid}\r\n{more}BEGIN:VALARM\r\nUID:no\r\nEND:VALARM\r\nEND:VEVENT\r\n")
        };
        let text = format!(
            "\u{feff}BEGIN:VCALENDAR\r\nVERSION:2.0\r\nX-WR-CALNAME:n\r\n{}{zone}{}{}BEGIN:VTODO\r\nUID:t\r\nEND:VTODO\r\nBEGIN:VJOURNAL\r\nX-PST-CLASS:IPM.Sticky\r\n Note\r\nEND:VJOURNAL\r\nMETHOD:PUBLISH\r\nEND:VCALENDAR\r\n{}",
            event("a", ""),
            event("b", ""),
            event("a", "RECURRENCE-ID:20240101\r\n"),
            event("c", "")
        );
        let places = index(text.as_bytes());
        let kinds: Vec<Kind> = places.iter().map(|p| p.kind).collect();
        assert_eq!(kinds, [Kind::Event, Kind::Event, Kind::Task, Kind::Note, Kind::Event]);
        let whole = |place: &Place| -> String { place.pieces.iter().map(|r| &text[r.clone()]).collect() };
        assert_eq!(whole(&places[0]).matches("BEGIN:VEVENT").count(), 2);
        assert!(whole(&places[0]).contains("X-WR-CALNAME") && !whole(&places[1]).contains("X-WR-CALNAME"));
        assert!(places.iter().take(4).all(|p| whole(p).contains("METHOD:PUBLISH") && whole(p).contains("VTIMEZONE")));
        assert_eq!(whole(&places[4]), event("c", ""));
        for odd in [
            "",
            "END:VEVENT",
            "BEGIN:VEVENT",
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\n",
            "BEGIN:X\nEND:VCALENDAR",
        ] {
            index(odd.as_bytes());
        }
        assert_eq!(index("BEGIN:X\n".repeat(100_000).as_bytes()).len(), 0);
    }
}
