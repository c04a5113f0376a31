//! Taking back what was kept of a source: lines that have no property, and the source's own words for those that have.

use super::Output;
use super::event::Series;
use super::when::When;
use crate::mapi::recurrence::date_of;
use crate::mime::calendar::effect::{self, Effect};
use crate::mime::calendar::instead;
use crate::mime::calendar::pattern::{self, Fitted};
use crate::mime::calendar::rule::Rule;
use crate::mime::calendar::value::{Stamp, duration, seconds};
use crate::mime::calendar::zones::{ItemZone, Zone};
use crate::mime::lines::{Component, Line};
use jiff::civil::DateTime;
use std::collections::{BTreeSet, HashMap};

/// The first of the lines of each name and effect.
struct Made(HashMap<(String, Effect), usize>);

impl Made {
    fn of(part: &Component) -> Self {
        let mut first = HashMap::new();
        for (at, line) in part.lines.iter().enumerate() {
            first.entry((line.name.to_ascii_uppercase(), effect::of(line))).or_insert(at);
        }
        Self(first)
    }
}

impl Output<'_> {
    /// Puts what was kept into a component, and appends it with the changes of it that were kept whole.
    pub(super) fn take_back(&mut self, mut event: Component, kept: Component, when: &When, series: Option<&Series>) {
        let out = &mut event;
        let mut whole = Vec::new();
        let Component { lines, parts, .. } = kept;
        let mut lines = instead::take(lines, out);
        drop_floating(&mut lines, when);
        let (dates, lines): (Vec<Line>, Vec<Line>) = lines.into_iter().partition(|l| l.is("EXDATE"));
        self.take_exdates(out, dates, when, series);
        let (categories, lines): (Vec<Line>, Vec<Line>) = lines.into_iter().partition(|l| l.is("CATEGORIES"));
        take_categories(out, categories);
        let lines = self.take_start(out, lines, when, series);
        let mut made = Made::of(out);
        for line in lines {
            self.take_line(out, line, when, series, &mut made);
        }
        let goes_off = |alarm: &Component, out: &Component| {
            effect::goes_off(alarm, out, &|line| self.moment_of(line, when)).filter(|_| alarm.name == "VALARM")
        };
        let mut alarms: HashMap<i64, usize> = HashMap::new();
        for (i, alarm) in out.parts.iter().enumerate() {
            if let Some(at) = goes_off(alarm, out) {
                alarms.entry(at).or_insert(i);
            }
        }
        for part in parts {
            if is_change(&part, out) {
                whole.push(part);
                continue;
            }
            let next = out.parts.len();
            let at = goes_off(&part, out).map_or(next, |at| *alarms.entry(at).or_insert(next));
            match out.parts.get_mut(at) {
                Some(slot) => *slot = part,
                None => out.parts.push(part),
            }
        }
        self.define_zones(&event);
        self.entry.parts.push(event);
        self.entry.parts.append(&mut whole);
    }

    /// The zones that lines of a source name.
    fn define_zones(&mut self, part: &Component) {
        for line in &part.lines {
            let Some(tzid) = line.param("TZID").filter(|t| !self.entry.zones.iter().any(|z| z.tzid == **t)) else {
                continue;
            };
            if let (Some(stamp), Some(zone)) = (first_stamp(line), Zone::named(tzid)) {
                let (at, year) = (seconds(stamp.civil()), stamp.civil().year());
                let definition = zone.definition(at, year, year);
                self.use_zone(&ItemZone { definition, key: zone.key, tzid: tzid.to_owned() });
            }
        }
    }

    fn take_line(&mut self, out: &mut Component, line: Line, when: &When, series: Option<&Series>, made: &mut Made) {
        let name = line.name.to_ascii_uppercase();
        let effect = match name.as_str() {
            // How long it takes, instead of when it ends.
            "DURATION" => {
                let ends = |l: &Line| l.is("DTEND") || l.is("DUE");
                let at = |l: Option<&Line>| l.and_then(|l| Some((Stamp::of(l)?.civil(), self.moment_of(l, when)?)));
                let start = at(out.line("DTSTART"));
                let end = at(out.lines.iter().find(|l| ends(l)));
                let same = match (start, end, duration(&line.value)) {
                    // Days are those of the calendar.
                    (Some((a, from)), Some((b, to)), Some(n)) => from + n == to || seconds(a) + n == seconds(b),
                    _ => false,
                };
                match out.lines.iter_mut().find(|l| ends(l)) {
                    Some(slot) if same => *slot = line,
                    None => out.lines.push(line),
                    Some(_) => {}
                }
                return;
            }
            "RRULE" => {
                let same = series.is_some_and(|s| s.is_made_by(&line, None, when));
                match out.lines.iter_mut().find(|l| l.is("RRULE")) {
                    Some(slot) if same => *slot = line,
                    // A rule that Outlook has no pattern for.
                    None => out.lines.push(line),
                    Some(_) => {}
                }
                return;
            }
            "UID" => {
                // Tasks and notes have no property for it.
                let same = |l: &Line| {
                    l.is("UID") && (l.value.starts_with("pst-") || l.value.eq_ignore_ascii_case(&line.value))
                };
                if let Some(slot) = out.lines.iter().position(same).and_then(|i| out.lines.get_mut(i)) {
                    *slot = line;
                }
                return;
            }
            "DTSTART" | "DTEND" | "DUE" | "RECURRENCE-ID" => {
                let same = out.line(&name).is_some_and(|made| {
                    self.is_same_time(&line, made, when)
                        || (!line.is("DTSTART") && self.is_no_end(&line, made, out, when))
                });
                match out.lines.iter_mut().find(|l| l.is(&name)) {
                    Some(slot) if same => *slot = line,
                    None => out.lines.push(line),
                    Some(_) => {}
                }
                return;
            }
            _ => effect::of(&line),
        };
        let Effect::Known(_, usual) = effect else {
            out.lines.push(line);
            return;
        };
        // Tasks, journal entries and notes lack properties that events have.
        let usual =
            usual || (out.name != "VEVENT" && matches!(name.as_str(), "SEQUENCE" | "LOCATION" | "STATUS" | "TRANSP"));
        let said = out.line(&name).is_some() && !name.starts_with("ATTENDEE");
        let key = (name, effect);
        match made.0.get(&key).and_then(|at| out.lines.get_mut(*at)) {
            Some(slot) => *slot = line,
            // What goes without saying may be said.
            None if usual && !said => {
                made.0.insert(key, out.lines.len());
                out.lines.push(line);
            }
            None => {}
        }
    }

    /// True if two lines mean the same time. Local times without a zone are kept as times in UTC.
    fn is_same_time(&self, kept: &Line, made: &Line, when: &When) -> bool {
        let (Some(a), Some(b)) = (Stamp::of(kept), Stamp::of(made)) else { return false };
        // Tasks keep the date alone.
        if matches!(b, Stamp::Day(_)) {
            return a.civil().date() == b.civil().date();
        }
        let made_at = self.moment(b, made.param("TZID"), when);
        self.moment(a, kept.param("TZID"), when) == made_at
    }

    /// True for an end that lies before its start, where the made one is the shortest there is.
    fn is_no_end(&self, kept: &Line, made: &Line, out: &Component, when: &When) -> bool {
        let at = |l: &Line| self.moment_of(l, when);
        let Some(start) = out.line("DTSTART") else { return false };
        let shortest = if when.all_day { 86_400 } else { 0 };
        at(kept) <= at(start) && at(kept).is_some() && at(made) == at(start).map(|s| s + shortest)
    }

    fn moment_of(&self, line: &Line, when: &When) -> Option<i64> {
        Some(self.moment(Stamp::of(line)?, line.param("TZID"), when))
    }

    /// The source's own start of a series that falls on a later date first, with the end that goes with it.
    fn take_start(&mut self, out: &mut Component, lines: Vec<Line>, when: &When, series: Option<&Series>) -> Vec<Line> {
        let Some(series) = series else { return lines };
        let find = |name: &str| lines.iter().find(|l| l.is(name));
        let Some(start) = find("DTSTART") else { return lines };
        let rule = find("RRULE").or_else(|| out.line("RRULE"));
        let later = out.line("DTSTART").is_some_and(|made| self.moment_of(start, when) < self.moment_of(made, when));
        let local = self.moment_of(start, when).and_then(|at| when.local(at));
        if !later || !rule.is_some_and(|r| series.is_made_by(r, local, when)) {
            return lines;
        }
        let (taken, rest): (Vec<Line>, Vec<Line>) =
            lines.into_iter().partition(|l| ["DTSTART", "DTEND", "RRULE"].iter().any(|n| l.is(n)));
        let ended = taken.iter().any(|l| l.is("DTEND"));
        let replaced = |l: &Line| taken.iter().any(|t| t.is(&l.name)) || (l.is("DTEND") && !ended);
        out.lines.retain(|l| !replaced(l));
        out.lines.extend(taken);
        rest
    }

    fn moment(&self, stamp: Stamp, tzid: Option<&str>, when: &When) -> i64 {
        match (stamp, tzid) {
            (Stamp::Local(at), Some(tzid)) => {
                if let Some(zone) = self.entry.zones.iter().find(|z| z.tzid == tzid || z.key == tzid) {
                    return zone.to_utc(at);
                }
                let ours = when.zone.as_ref().filter(|z| Zone::named(tzid).is_some_and(|n| n.key == z.key));
                match ours {
                    Some(zone) => zone.to_utc(at),
                    None => Zone::named(tzid).map_or(seconds(at), |z| z.clock.to_utc(at)),
                }
            }
            // A local time without a zone was taken as one of the item's.
            (Stamp::Local(at), None) => when.utc(at),
            (stamp, _) => seconds(stamp.civil()),
        }
    }

    /// The source's own lines of deleted dates, if they are the same dates, or none of the series at all.
    fn take_exdates(&mut self, out: &mut Component, kept: Vec<Line>, when: &When, series: Option<&Series>) {
        let moments = |line: &Line| -> BTreeSet<i64> {
            let stamps = line.value.split(',').filter_map(Stamp::parse);
            stamps.map(|s| self.moment(s, line.param("TZID"), when)).collect()
        };
        let made: BTreeSet<i64> = out.all("EXDATE").flat_map(moments).collect();
        let said: Vec<BTreeSet<i64>> = kept.iter().map(moments).collect();
        let latest = said.iter().flatten().max().copied().unwrap_or(i64::MIN);
        let due: BTreeSet<i64> = series.map(|s| s.moments(latest, when)).unwrap_or_default();
        let harmless = |dates: &BTreeSet<i64>| dates.iter().all(|d| made.contains(d) || !due.contains(d));
        let (taken, dates): (Vec<Line>, Vec<BTreeSet<i64>>) =
            kept.into_iter().zip(said).filter(|(_, dates)| harmless(dates)).unzip();
        let covered: BTreeSet<i64> = dates.into_iter().flatten().collect();
        let others: Vec<DateTime> = made.difference(&covered).filter_map(|at| when.local(*at)).collect();
        if taken.is_empty() {
            return;
        }
        out.lines.retain(|l| !l.is("EXDATE"));
        if !others.is_empty() {
            let line = when.lines("EXDATE", &others, self);
            out.lines.push(line);
        }
        out.lines.extend(taken);
    }
}

/// True for a change of a series. Another event inside an event stays in its place, or it would become an item.
fn is_change(part: &Component, series: &Component) -> bool {
    let same_uid = || match (part.text("UID"), series.text("UID")) {
        (Some(own), Some(uid)) => own.eq_ignore_ascii_case(&uid),
        _ => false,
    };
    let changes = |c: &Component| c.name == "VEVENT" && c.line("RECURRENCE-ID").is_some();
    changes(part) && !changes(series) && same_uid()
}

/// Drops times without a zone that were taken as times of a zone: that zone is in the item and not in the lines.
fn drop_floating(lines: &mut Vec<Line>, when: &When) {
    const TIMES: [&str; 5] = ["DTSTART", "DTEND", "DUE", "EXDATE", "RECURRENCE-ID"];
    let floats = |l: &Line| l.param("TZID").is_none() && matches!(first_stamp(l), Some(Stamp::Local(_)));
    if when.zone.is_some() && lines.iter().any(|l| l.is("DTSTART") && floats(l)) {
        lines.retain(|l| !(TIMES.iter().any(|n| l.is(n)) && floats(l)));
    }
}

fn first_stamp(line: &Line) -> Option<Stamp> {
    line.value.split(',').next().and_then(Stamp::parse)
}

impl Series {
    /// The moments of the series up to one.
    fn moments(&self, latest: i64, when: &When) -> BTreeSet<i64> {
        let dates = self.recurrence.pattern.occurrences().into_iter().flatten();
        let moments = dates.filter_map(|d| self.on(date_of(d))).map(|local| when.utc(local));
        moments.take_while(|at| *at <= latest).collect()
    }

    /// True if a rule makes the pattern that the series has, from a start or from its own.
    fn is_made_by(&self, line: &Line, start: Option<DateTime>, when: &When) -> bool {
        let stored = &self.recurrence.pattern;
        let Some(rule) = Rule::parse(&line.value) else { return false };
        let Some(start) = start.or_else(|| self.on(date_of(stored.start))) else { return false };
        let until = rule.until.and_then(|until| when.until(until));
        let Ok(Fitted { pattern: made, .. }) = pattern::fit(&rule, start, until) else { return false };
        (made.frequency, made.pattern, made.period, made.end)
            == (stored.frequency, stored.pattern, stored.period, stored.end)
            && (made.start, made.last) == (stored.start, stored.last)
            && made.deleted.iter().all(|d| stored.deleted.contains(d))
    }
}

/// The source's own lines of categories, if they are the same categories.
fn take_categories(out: &mut Component, kept: Vec<Line>) {
    let all = |lines: &mut dyn Iterator<Item = &Line>| -> BTreeSet<String> {
        lines.flat_map(effect::categories).map(|c| c.to_lowercase()).collect()
    };
    if !kept.is_empty() && all(&mut out.all("CATEGORIES")) == all(&mut kept.iter()) {
        out.lines.retain(|l| !l.is("CATEGORIES"));
        out.lines.extend(kept);
    }
}

/// The source's name for the zone of the item, where it names the same zone.
pub(super) fn rename_zone(when: &mut When, kept: &Component) {
    let Some(zone) = &mut when.zone else { return };
    let Some(tzid) = kept.line("DTSTART").and_then(|l| l.param("TZID")) else { return };
    if tzid == zone.key || Zone::named(tzid).is_some_and(|z| z.key == zone.key) {
        tzid.clone_into(&mut zone.tzid);
    }
}
