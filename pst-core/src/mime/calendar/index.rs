//! Where the items of a calendar file stand.

use super::Kind;
use crate::mime::lines::logical;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

/// Lines of a calendar that its items need.
const NEEDED: [&str; 2] = ["METHOD", "X-WR-TIMEZONE"];
const MARKS: [&str; 5] = ["BEGIN", "END", "UID", "RECURRENCE-ID", "X-PST-CLASS"];
/// Zones that are given to every item; of more, each gets those that it names.
const FEW_ZONES: usize = 8;
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
    /// Lines and components that go with the first item alone.
    once: Vec<Range<usize>>,
    zones: Vec<Range<usize>>,
    items: Vec<Part>,
}

impl Parts {
    fn line(&mut self, line: &crate::mime::lines::Logical<'_>) {
        match line.named(&NEEDED) {
            Some(_) => self.needed.push(line.range.clone()),
            None => self.once.push(line.range.clone()),
        }
    }

    fn add(&mut self, part: Part) {
        match part.kind() {
            Some(_) => self.items.push(part),
            None if part.name == "VTIMEZONE" => self.zones.push(part.range),
            None => self.once.push(part.range),
        }
    }

    /// Puts changes to the series that they change, as the reader of a calendar does.
    fn give(&mut self, text: &[u8], out: &mut Vec<Place>) {
        let Self { needed, once, zones, items } = std::mem::take(self);
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
        let by_name = ZoneNames::of(text, &zones);
        for (i, place) in places.iter_mut().enumerate() {
            let mut pieces = needed.clone();
            if i == 0 {
                pieces.extend(once.iter().cloned());
            }
            match &by_name {
                Some(names) => {
                    pieces.extend(names.of_item(text, place).into_iter().filter_map(|z| zones.get(z)).cloned());
                }
                None => pieces.extend(zones.iter().cloned()),
            }
            pieces.append(&mut place.pieces);
            place.pieces = pieces;
        }
        out.append(&mut places);
    }
}

/// The zones of a calendar that has many, by name; the first of a name counts.
struct ZoneNames(HashMap<Vec<u8>, usize>);

impl ZoneNames {
    /// Of few zones, every item gets all.
    fn of(text: &[u8], zones: &[Range<usize>]) -> Option<Self> {
        let name = |zone: &Range<usize>| {
            let mut lines = logical(text.get(zone.clone()).unwrap_or_default());
            lines.find_map(|l| l.named(&["TZID"])).map(|(_, name)| name.into_bytes())
        };
        let all = zones.iter().enumerate().rev().filter_map(|(i, z)| Some((name(z)?, i)));
        (zones.len() > FEW_ZONES).then(|| Self(all.collect()))
    }

    /// The zones that an item names.
    fn of_item(&self, text: &[u8], place: &Place) -> BTreeSet<usize> {
        let mut out = BTreeSet::new();
        let lines = place.pieces.iter().flat_map(|p| logical(text.get(p.clone()).unwrap_or_default()));
        for line in lines {
            let line = line.unfolded().into_bytes();
            let upper = line.to_ascii_uppercase();
            for at in memchr::memmem::find_iter(&upper, b"TZID=") {
                let rest = line.get(at + 5..).unwrap_or_default();
                let name = match rest.strip_prefix(b"\"") {
                    Some(quoted) => quoted.split(|b| *b == b'"').next(),
                    None => rest.split(|b| matches!(b, b';' | b':' | b',')).next(),
                };
                out.extend(name.and_then(|name| self.0.get(name)));
            }
        }
        out
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
