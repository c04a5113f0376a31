//! HTML in which every tag is closed in its place, so that no parser has anything to mend.

use super::elements::{Role, element};
use std::fmt::Write;

/// Elements inside each other.
const DEEPEST: usize = 200;
/// Elements of a page.
const MOST: usize = 200_000;

/// Writes elements and text.
#[derive(Default)]
pub(super) struct Balance {
    out: String,
    open: Vec<Open>,
    /// Start tags that were left out because they would stand too deep, and whose end tags are still to come.
    over: usize,
    elements: usize,
    /// Bytes that were written again, because elements go on behind the end of others.
    again: usize,
    /// Tags that were left out.
    pub left_out: u64,
}

#[derive(Clone)]
struct Open {
    name: &'static str,
    role: Role,
    /// Its start tag.
    tag: String,
}

impl Balance {
    /// Text, in which nothing is a tag.
    pub fn text(&mut self, text: &str) {
        if self.is_between_cells() {
            if text.trim().is_empty() {
                return;
            }
            self.cell();
        }
        for c in text.chars() {
            match c {
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                c => self.out.push(c),
            }
        }
    }

    /// A start tag; its attributes are as they will stand.
    pub fn start(&mut self, name: &str, attributes: &str) {
        let Some((name, role)) = element(name) else { return };
        if self.open.len() >= DEEPEST || self.elements >= MOST {
            self.left_out += 1;
            self.over += usize::from(role != Role::Void);
            return;
        }
        if !self.place(name, role) {
            return;
        }
        let tag = format!("<{name}{attributes}>");
        self.out.push_str(&tag);
        self.elements += 1;
        if role != Role::Void {
            self.open.push(Open { name, role, tag });
        }
    }

    /// An end tag.
    pub fn end(&mut self, name: &str) {
        if name == "br" {
            return self.start(name, "");
        }
        let Some((name, role)) = element(name) else { return };
        if role == Role::Void {
            return;
        }
        if self.over > 0 {
            self.over -= 1;
            return;
        }
        // Nothing ends outside the cell or table that it began in.
        let stops: fn(&Open) -> bool = match role {
            Role::Table | Role::Rows => |open| open.name == "table",
            _ => |open| open.role == Role::Table,
        };
        if let Some(at) = self.find(name, stops) {
            self.close(at, role);
        }
    }

    /// Closes everything.
    pub fn finish(mut self) -> (String, u64) {
        while let Some(open) = self.open.pop() {
            let _ = write!(self.out, "</{}>", open.name);
        }
        (self.out, self.left_out)
    }

    /// The innermost open element of a name, at or above the first that `stops`.
    fn find(&self, name: &str, stops: fn(&Open) -> bool) -> Option<usize> {
        for (at, open) in self.open.iter().enumerate().rev() {
            if open.name == name {
                return Some(at);
            }
            if stops(open) {
                return None;
            }
        }
        None
    }

    /// Closes an element and those inside it. Of these, those go on that a browser would let go on.
    fn close(&mut self, at: usize, role: Role) {
        let closed = self.open.split_off(at);
        for open in closed.iter().rev() {
            let _ = write!(self.out, "</{}>", open.name);
        }
        let goes_on = |open: &Open| match role {
            Role::Table | Role::Rows => false,
            Role::Formatting | Role::Inline => !matches!(open.role, Role::Table | Role::Rows),
            _ => open.role == Role::Formatting,
        };
        for open in closed.into_iter().skip(1).filter(goes_on) {
            // Bounded, or a short text could become a long one.
            if self.again > 1000 + self.out.len() / 4 || self.elements >= MOST {
                self.left_out += 1;
                continue;
            }
            self.again += open.tag.len();
            self.elements += 1;
            self.out.push_str(&open.tag);
            self.open.push(open);
        }
    }

    /// Closes what cannot hold an element, and opens what it needs around it. False if it has no place here.
    fn place(&mut self, name: &'static str, role: Role) -> bool {
        let in_cell: fn(&Open) -> bool = |open| open.role == Role::Table;
        match (name, role) {
            ("caption" | "colgroup" | "thead" | "tbody" | "tfoot" | "tr" | "td" | "th" | "col", _) => {
                return self.in_table(name);
            }
            ("li", _) => self.end_sibling(&["li"], &["ul", "ol"]),
            ("dd" | "dt", _) => self.end_sibling(&["dd", "dt"], &["dl"]),
            ("a", _) => {
                if let Some(at) = self.find("a", in_cell) {
                    self.close(at, Role::Block);
                }
            }
            _ => {}
        }
        if self.is_between_cells() {
            self.cell();
        }
        if (role == Role::Block || name == "table" || name == "hr")
            && let Some(at) = self.find("p", in_cell)
        {
            self.close(at, Role::Block);
        }
        true
    }

    /// Ends an item of the same list.
    fn end_sibling(&mut self, items: &[&str], lists: &[&str]) {
        for (at, open) in self.open.iter().enumerate().rev() {
            if items.contains(&open.name) {
                return self.close(at, Role::Block);
            }
            if lists.contains(&open.name) || open.role == Role::Table {
                return;
            }
        }
    }

    fn is_between_cells(&self) -> bool {
        self.open.last().is_some_and(|open| open.name == "table" || open.role == Role::Rows)
    }

    /// Opens a cell for what stands between cells.
    fn cell(&mut self) {
        self.start("td", "");
    }

    /// Places a part of a table; false outside of tables.
    fn in_table(&mut self, name: &'static str) -> bool {
        let Some(table) = self.open.iter().rposition(|open| open.name == "table") else { return false };
        let holders: &[&str] = match name {
            "td" | "th" => &["tr", "thead", "tbody", "tfoot"],
            "tr" => &["thead", "tbody", "tfoot"],
            "col" => &["colgroup"],
            _ => &[],
        };
        let inside = self.open.iter().skip(table + 1);
        let keep = inside.take_while(|open| holders.contains(&open.name)).count();
        if self.open.len() > table + 1 + keep {
            self.close(table + 1 + keep, Role::Rows);
        }
        let last = self.open.last().map(|open| open.name);
        match (name, last) {
            ("td" | "th", Some("tr")) => {}
            ("td" | "th", _) => self.start("tr", ""),
            ("tr", Some("table")) => self.start("tbody", ""),
            ("col", Some("table")) => self.start("colgroup", ""),
            _ => {}
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tags in angle brackets, text between them.
    fn balanced(html: &str) -> String {
        let mut balance = Balance::default();
        for piece in html.split('<') {
            let Some((tag, text)) = piece.split_once('>') else {
                balance.text(piece);
                continue;
            };
            match tag.strip_prefix('/') {
                Some(name) => balance.end(name),
                None => {
                    let (name, rest) = tag.split_at(tag.find(' ').unwrap_or(tag.len()));
                    balance.start(name, rest);
                }
            }
            if !text.is_empty() {
                balance.text(text);
            }
        }
        balance.finish().0
    }

    #[test]
    fn tags_are_closed_in_their_place() {
        for (html, expected) in [
            ("<b>x", "<b>x</b>"),
            ("</b>x</p>", "x"),
            ("<p>a<p>b", "<p>a</p><p>b</p>"),
            ("<b><i>x</b>y</i>z", "<b><i>x</i></b><i>y</i>z"),
            ("<p><font a=b>x<p>y", "<p><font a=b>x</font></p><font a=b><p>y</p></font>"),
            ("<b><p>x</b>y</p>", "<b><p>x</p></b><p>y</p>"),
            ("<div><b>x</div>y", "<div><b>x</b></div><b>y</b>"),
            ("<ul><li>a<li>b<ul><li>c</ul><li>d", "<ul><li>a</li><li>b<ul><li>c</li></ul></li><li>d</li></ul>"),
            ("<a x>1<a y>2", "<a x>1</a><a y>2</a>"),
            ("x<br></br><hr></hr>", "x<br><br><hr>"),
            ("<unknown>x</unknown>", "x"),
            ("<header>x</header>", "<div>x</div>"),
        ] {
            assert_eq!(balanced(html), expected, "{html}");
        }
    }

    #[test]
    fn tables_are_whole() {
        for (html, expected) in [
            ("<table><tr><td>a<td>b", "<table><tbody><tr><td>a</td><td>b</td></tr></tbody></table>"),
            ("<table><td>a<tr><td>b", "<table><tbody><tr><td>a</td></tr><tr><td>b</td></tr></tbody></table>"),
            ("<table>x<b>y</table>z", "<table><tbody><tr><td>x<b>y</b></td></tr></tbody></table>z"),
            ("<table> <tr> <td>x</td> </tr></table>", "<table><tbody><tr><td>x</td></tr></tbody></table>"),
            ("<td>x</td><tr>y", "xy"),
            ("<table><td><div>x</td></div>y", "<table><tbody><tr><td><div>x</div></td><td>y</td></tr></tbody></table>"),
            (
                "<table><td><table><td>x</table>y</table>z",
                "<table><tbody><tr><td><table><tbody><tr><td>x</td></tr></tbody></table>y</td></tr></tbody></table>z",
            ),
            ("<p>x<table><td>y", "<p>x</p><table><tbody><tr><td>y</td></tr></tbody></table>"),
            (
                "<table><thead><tr><th>h</thead><caption>c",
                "<table><thead><tr><th>h</th></tr></thead><caption>c</caption></table>",
            ),
            (
                "<table><col w><tr><td>y",
                "<table><colgroup><col w></colgroup><tbody><tr><td>y</td></tr></tbody></table>",
            ),
        ] {
            assert_eq!(balanced(html), expected, "{html}");
        }
    }

    #[test]
    fn depth_and_growth_are_bounded() {
        let deep = balanced(&"<div>".repeat(100_000));
        assert_eq!(deep.matches("<div>").count(), DEEPEST);
        let nested = format!("{}x{}y", "<div>".repeat(300), "</div>".repeat(300));
        assert!(balanced(&nested).ends_with("</div>y"));
        for html in ["<b><p>", "<p><font x=y>", "<i></b>", "<table>x", "<table><b></table>", "<a><b><p></a>"] {
            let html = html.repeat(20_000);
            let out = balanced(&html);
            assert!(out.len() < 16 * html.len() + 10_000, "{}: {}", html.len(), out.len());
        }
    }
}
