//! A document as HTML.

use super::Placeholder;
use super::block::{Align, Block, Chars, Document, Inline, Layout, Paragraph, Piece, Row, Script, Table};
use super::css::{item, points, style};
use super::picture::Picture;
use super::table::{Span, spans};
use std::collections::HashSet;
use std::fmt::Write as _;

/// A text as HTML.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Html {
    /// The HTML.
    pub html: String,
    /// The pictures that it shows by their Content-IDs.
    pub pictures: Vec<Picture>,
}

/// Writes a document; `attached` stand at the places of attachments.
pub(super) fn write(document: &Document, attached: &[Placeholder]) -> Html {
    let base = first_chars(&document.blocks).unwrap_or_default();
    let mut writer = Writer { document, attached, base, out: String::new(), lists: Vec::new(), blank: true };
    writer.out.push_str("<html><body");
    let style = style(document, &base, &Chars { font: -1, size: 0, ..Chars::default() });
    writer.attribute("style", &style);
    writer.out.push_str(">\r\n");
    writer.blocks(&document.blocks);
    writer.end_lists(0);
    writer.out.push_str("</body></html>\r\n");
    let html = writer.out;
    let mut seen = HashSet::new();
    let pictures = document.pictures.iter().filter(|p| seen.insert(&p.cid)).cloned().collect();
    Html { html, pictures }
}

/// The look of the first text, which the body as a whole gets.
fn first_chars(blocks: &[Block]) -> Option<Chars> {
    blocks.iter().find_map(|block| match block {
        Block::Paragraph(p) => p.pieces.iter().find_map(|piece| match &piece.inline {
            Inline::Text(_, chars) => {
                Some(Chars { font: chars.font, size: chars.size, color: chars.color, ..Chars::default() })
            }
            _ => None,
        }),
        Block::Table(t) => t.rows.iter().flat_map(|r| &r.cells).find_map(|c| first_chars(&c.blocks)),
    })
}

/// An open list: its element, and the number of its last item.
struct List {
    element: &'static str,
    number: u32,
}

struct Writer<'a> {
    document: &'a Document,
    attached: &'a [Placeholder],
    base: Chars,
    out: String,
    lists: Vec<List>,
    /// True where a blank would not be seen.
    blank: bool,
}

impl Writer<'_> {
    fn blocks(&mut self, blocks: &[Block]) {
        let outer = std::mem::take(&mut self.lists);
        for block in blocks {
            match block {
                Block::Paragraph(paragraph) => match paragraph.marker.as_deref().and_then(item) {
                    Some((element, number)) => self.item(paragraph, element, number),
                    None => {
                        self.end_lists(0);
                        self.paragraph(paragraph);
                    }
                },
                Block::Table(table) => {
                    self.end_lists(0);
                    self.table(table);
                }
            }
        }
        self.end_lists(0);
        self.lists = outer;
    }

    fn paragraph(&mut self, paragraph: &Paragraph) {
        self.out.push_str("<div");
        self.layout(&paragraph.layout, true);
        self.out.push('>');
        self.blank = true;
        if let Some(marker) = &paragraph.marker {
            self.escaped(marker);
            self.out.push(' ');
        }
        self.pieces(&paragraph.pieces);
        self.out.push_str("</div>\r\n");
    }

    fn item(&mut self, paragraph: &Paragraph, element: &'static str, number: Option<u32>) {
        let depth = paragraph.layout.level + 1;
        self.end_lists(depth);
        if self.lists.len() == depth {
            if self.lists.last().is_some_and(|l| l.element == element) {
                self.out.push_str("</li>\r\n");
            } else {
                self.end_lists(depth - 1);
            }
        }
        let continues = self.lists.len() == depth;
        while self.lists.len() < depth {
            self.out.push('<');
            self.out.push_str(element);
            self.out.push_str(">\r\n");
            self.lists.push(List { element, number: 0 });
            if self.lists.len() < depth {
                self.out.push_str("<li style=\"list-style-type:none\">");
            }
        }
        self.out.push_str("<li");
        if let Some(list) = self.lists.last_mut() {
            let expected = if continues { list.number.saturating_add(1) } else { 1 };
            list.number = number.unwrap_or(expected);
            if list.number != expected {
                let _ = write!(self.out, " value=\"{}\"", list.number);
            }
        }
        self.layout(&paragraph.layout, false);
        self.out.push('>');
        self.blank = true;
        self.pieces(&paragraph.pieces);
    }

    /// Closes lists until `depth` are open.
    fn end_lists(&mut self, depth: usize) {
        while self.lists.len() > depth {
            let Some(list) = self.lists.pop() else { return };
            let _ = write!(self.out, "</li>\r\n</{}>\r\n", list.element);
        }
    }

    fn layout(&mut self, layout: &Layout, indents: bool) {
        let mut style = String::new();
        match layout.align {
            Align::Left => {}
            Align::Right => style.push_str("text-align:right;"),
            Align::Center => style.push_str("text-align:center;"),
            Align::Justify => style.push_str("text-align:justify;"),
        }
        let lengths = [
            ("margin-top", layout.before, true),
            ("margin-bottom", layout.after, true),
            ("margin-left", layout.left, indents),
            ("margin-right", layout.right, indents),
            ("text-indent", layout.first, indents),
        ];
        for (name, twips, wanted) in lengths {
            if twips != 0 && wanted && (-20_000..20_000).contains(&twips) {
                let _ = write!(style, "{name}:{}pt;", points(twips));
            }
        }
        self.attribute("style", style.trim_end_matches(';'));
        if layout.rtl {
            self.attribute("dir", "rtl");
        }
    }

    fn pieces(&mut self, pieces: &[Piece]) {
        if pieces.is_empty() {
            self.out.push_str("<br>");
            return;
        }
        let mut link = None;
        for piece in pieces {
            let here = self.document.link(piece);
            if here != link {
                if link.is_some() {
                    self.out.push_str("</a>");
                }
                if let Some(address) = here {
                    self.out.push_str("<a");
                    self.attribute("href", address);
                    self.out.push('>');
                }
                link = here;
            }
            self.inline(&piece.inline);
        }
        if link.is_some() {
            self.out.push_str("</a>");
        }
    }

    fn inline(&mut self, inline: &Inline) {
        match inline {
            Inline::Text(text, chars) => self.run(text, chars),
            Inline::Tab => self.out.push_str("<span style=\"white-space:pre\">\t</span>"),
            Inline::Line => {
                self.out.push_str("<br>\r\n");
                self.blank = true;
                return;
            }
            Inline::Picture(n) => {
                let Some(picture) = self.document.pictures.get(*n) else { return };
                self.out.push_str("<img");
                self.attribute("src", &format!("cid:{}", picture.cid));
                if let Some((width, height)) = picture.shown {
                    self.attribute("style", &format!("width:{width}pt;height:{height}pt"));
                }
                self.out.push('>');
            }
            Inline::Attachment(n) => {
                let Some(placeholder) = self.attached.get(*n) else { return };
                match &placeholder.cid {
                    Some(cid) => {
                        self.out.push_str("<img");
                        self.attribute("src", &format!("cid:{cid}"));
                        self.attribute("alt", &placeholder.name);
                        self.out.push('>');
                    }
                    None if placeholder.name.is_empty() => return,
                    None => {
                        self.out.push('[');
                        self.escaped(&placeholder.name);
                        self.out.push(']');
                    }
                }
            }
        }
        self.blank = false;
    }

    fn run(&mut self, text: &str, chars: &Chars) {
        let script = match chars.script {
            Script::Normal => None,
            Script::Super => Some("sup"),
            Script::Sub => Some("sub"),
        };
        let elements = [
            chars.bold.then_some("b"),
            chars.italic.then_some("i"),
            chars.underline.then_some("u"),
            chars.strike.then_some("s"),
            script,
        ];
        for element in elements.iter().flatten() {
            let _ = write!(self.out, "<{element}>");
        }
        let style = style(self.document, chars, &self.base);
        if !style.is_empty() {
            self.out.push_str("<span");
            self.attribute("style", &style);
            self.out.push('>');
        }
        self.escaped(text);
        if !style.is_empty() {
            self.out.push_str("</span>");
        }
        for element in elements.iter().rev().flatten() {
            let _ = write!(self.out, "</{element}>");
        }
    }

    fn table(&mut self, table: &Table) {
        let border = u8::from(table.rows.iter().any(|r| r.bordered));
        let _ = write!(self.out, "<table border=\"{border}\" cellspacing=\"0\" cellpadding=\"4\">\r\n");
        for (row, spans) in table.rows.iter().zip(spans(table)) {
            self.out.push_str("<tr>\r\n");
            for (i, span) in spans.into_iter().enumerate() {
                self.cell(row, i, span);
            }
            self.out.push_str("</tr>\r\n");
        }
        self.out.push_str("</table>\r\n");
    }

    fn cell(&mut self, row: &Row, index: usize, span: Option<Span>) {
        let Some(cell) = row.cells.get(index) else { return };
        let span = match span {
            Some(span) => span,
            // Part of a merged cell: nothing is in it, unless a program was careless.
            None if cell.blocks.is_empty() => return,
            None => Span { columns: 1, rows: 1 },
        };
        self.out.push_str("<td");
        for (name, n) in [("colspan", span.columns), ("rowspan", span.rows)] {
            if n > 1 {
                let _ = write!(self.out, " {name}=\"{n}\"");
            }
        }
        if let Some(shape) = row.shapes.get(index) {
            let before = index.checked_sub(1).and_then(|i| row.shapes.get(i)).map_or(row.left, |s| s.edge);
            let width = i64::from(shape.edge) - i64::from(before);
            let mut style = String::new();
            if (1..30_000).contains(&width) && span.columns == 1 {
                let _ = write!(style, "width:{}pt;", points(width as i32));
            }
            if let Some([r, g, b]) = self.document.color(shape.back).filter(|_| shape.back != 0) {
                let _ = write!(style, "background-color:#{r:02x}{g:02x}{b:02x};");
            }
            self.attribute("style", style.trim_end_matches(';'));
        }
        self.out.push('>');
        match cell.blocks.as_slice() {
            [] => self.out.push_str("&nbsp;"),
            [Block::Paragraph(only)] if only.marker.is_none() && only.layout.align == Align::Left => {
                self.blank = true;
                self.pieces(&only.pieces);
            }
            blocks => self.blocks(blocks),
        }
        self.out.push_str("</td>\r\n");
    }

    fn attribute(&mut self, name: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        let _ = write!(self.out, " {name}=\"");
        for c in value.chars() {
            match c {
                '"' => self.out.push_str("&quot;"),
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                c if c.is_control() => {}
                c => self.out.push(c),
            }
        }
        self.out.push('"');
    }

    /// Text; blanks that HTML would swallow become no-break spaces.
    fn escaped(&mut self, text: &str) {
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                ' ' if self.blank || chars.peek() == Some(&' ') => self.out.push_str("&nbsp;"),
                '\u{A0}' => self.out.push_str("&nbsp;"),
                c if c.is_control() => continue,
                c => self.out.push(c),
            }
            self.blank = c == ' ' && self.out.ends_with(' ');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapi::rtf::to_html;

    fn body(rtf: &str) -> String {
        let html = to_html(rtf.as_bytes(), &[]).html;
        let start = html.find(">\r\n").unwrap() + 3;
        html[start..].strip_suffix("</body></html>\r\n").unwrap().replace("\r\n", "")
    }

    #[test]
    fn letters() {
        let rtf = r"{\rtf1\deff0{\fonttbl{\f0\froman Times New Roman;}{\f1\fmodern 'Courier' <New>;}}{\colortbl;\red255\green0\blue0;}
\plain\f0\fs20 a\b b\i c\b0\i0\f1\cf1\fs21 d\plain\f0\fs20\ul e\ulnone\strike f\strike0\super g\nosupersub\caps h\caps0  <&>\par}";
        let html = to_html(rtf.as_bytes(), &[]).html;
        assert!(
            html.starts_with("<html><body style=\"font-family:'Times New Roman',serif;font-size:10pt\">"),
            "{html}"
        );
        assert_eq!(
            body(rtf),
            "<div>a<b>b</b><b><i>c</i></b><span style=\"font-family:'Courier New',monospace;font-size:10.5pt;\
             color:#ff0000\">d</span><u>e</u><s>f</s><sup>g</sup><span style=\"text-transform:uppercase\">h</span> \
             &lt;&amp;&gt;</div>"
        );
    }

    #[test]
    fn paragraphs() {
        assert_eq!(
            body(r"{\rtf1\pard\qc\li720\fi-360\sb100  a  b\line c\par\pard\par\rtlpar x\tab y}"),
            "<div style=\"text-align:center;margin-top:5pt;margin-left:36pt;text-indent:-18pt\">&nbsp;a&nbsp; b<br>c\
             </div><div><br></div><div dir=\"rtl\">x<span style=\"white-space:pre\">\t</span>y</div>"
        );
    }

    #[test]
    fn lists() {
        let rtf = r"{\rtf1{\listtext\pard\plain\f1 \'b7\tab}\pard\ls1 a\par{\listtext\'b7\tab}\ilvl1 b\par{\pntext 3.\tab}\pard c\par{\pntext 4.}d\par{\pntext 7.}e\par{\pntext a)}f\par}";
        assert_eq!(
            body(rtf),
            "<ul><li>a<ul><li>b</li></ul></li></ul><ol><li value=\"3\">c</li><li>d</li><li value=\"7\">e</li></ol>\
             <div>a) f</div>"
        );
    }

    #[test]
    fn tables() {
        let rtf = r"{\rtf1{\colortbl;\red0\green0\blue255;}\trowd\trleft0\clbrdrt\brdrs\clcbpat1\cellx1000\cellx3000\pard\intbl a\cell b\par\b c\cell\row
\trowd\trleft0\clmgf\cellx1000\clmrg\cellx3000\pard\intbl wide\cell\cell\row\pard
\itap2\intbl in\nestcell{\*\nesttableprops\trowd\cellx500\nestrow}{\nonesttables\par}\itap1 out\cell\row\pard after}";
        assert_eq!(
            body(rtf),
            "<table border=\"1\" cellspacing=\"0\" cellpadding=\"4\"><tr>\
             <td style=\"width:50pt;background-color:#0000ff\">a</td>\
             <td style=\"width:100pt\"><div>b</div><div><b>c</b></div></td></tr>\
             <tr><td colspan=\"2\"><b>wide</b></td></tr>\
             <tr><td><table border=\"0\" cellspacing=\"0\" cellpadding=\"4\"><tr><td style=\"width:25pt\"><b>in</b></td>\
             </tr></table><div><b>out</b></div></td></tr></table><div><b>after</b></div>"
        );
    }

    #[test]
    fn pictures_links_and_places() {
        let rtf = r#"{\rtf1 x{\*\shppict{\pict\pngblip\picwgoal200\pichgoal400 89504e470d0a1a0a}}{\nonshppict{\pict\wmetafile8 00}}
{\field{\*\fldinst HYPERLINK "http://a.example/?a=1&b=2"}{\fldrslt one {\b two}}}\objattph\objattph{\shp{\*\shpinst\shpleft1{\sp{\sn shapeType}{\sv 75}}{\sp{\sn pib}{\sv {\pict\pngblip\bin8 "#;
        let rtf = [rtf.as_bytes(), b"\x89PNG\r\n\x1a\n}}}}}}"].concat();
        let attached = ["p.gif", "a<b"].map(|n| Placeholder { name: n.to_owned(), cid: None });
        let mut attached = attached.to_vec();
        attached[0].cid = Some("p@x".to_owned());
        let Html { html, pictures } = to_html(&rtf, &attached);
        let [picture] = pictures.as_slice() else { panic!("{} pictures", pictures.len()) };
        let cid = &picture.cid;
        assert!(
            html.contains(&format!(
                "<div>x<img src=\"cid:{cid}\" style=\"width:10pt;height:20pt\"><a href=\"http://a.example/?a=1&amp;b=2\">\
                 one <b>two</b></a><img src=\"cid:p@x\" alt=\"p.gif\">[a&lt;b]<img src=\"cid:{cid}\"></div>"
            )),
            "{html}"
        );
    }

    #[test]
    fn hostile_text_takes_linear_time() {
        for piece in [
            r"{\trowd\cellx1\cell\row",
            r"\trowd\clvmrg\cellx5\intbl\cell\row",
            r"{\field{\*\fldinst HYPERLINK x}{\fldrslt y}}",
            r"{\listtext 1.}a\par",
            r"\itap9\intbl a\nestcell",
            r"{\pict 00}",
            r"\b a\b0 b",
        ] {
            let rtf = format!("{{\\rtf1 {}", piece.repeat(20_000));
            assert!(!to_html(rtf.as_bytes(), &[]).html.is_empty());
        }
    }
}
