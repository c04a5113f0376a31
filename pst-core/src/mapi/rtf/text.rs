//! A document as plain text.

use super::Placeholder;
use super::block::{Block, Document, Inline, Paragraph};

/// Writes a document; paragraphs and rows are lines, cells are set apart by tabs.
pub(super) fn write(document: &Document, attached: &[Placeholder]) -> String {
    let mut text = Text { document, attached, out: String::new() };
    text.blocks(&document.blocks);
    text.out
}

struct Text<'a> {
    document: &'a Document,
    attached: &'a [Placeholder],
    out: String,
}

impl Text<'_> {
    fn blocks(&mut self, blocks: &[Block]) {
        for block in blocks {
            match block {
                Block::Paragraph(paragraph) => {
                    self.paragraph(paragraph);
                    self.out.push_str("\r\n");
                }
                Block::Table(table) => {
                    for row in &table.rows {
                        for (i, cell) in row.cells.iter().enumerate() {
                            if i > 0 {
                                self.out.push('\t');
                            }
                            let start = self.out.len();
                            self.blocks(&cell.blocks);
                            let cell = self.out.get(start..).unwrap_or_default();
                            self.out.truncate(start + cell.trim_end_matches(['\r', '\n']).len());
                        }
                        self.out.push_str("\r\n");
                    }
                }
            }
        }
    }

    fn paragraph(&mut self, paragraph: &Paragraph) {
        if let Some(marker) = &paragraph.marker {
            self.out.push_str(&"\t".repeat(paragraph.layout.level));
            self.out.push_str(marker);
            self.out.push('\t');
        }
        let (mut link, mut linked) = (None, self.out.len());
        for piece in &paragraph.pieces {
            let here = self.document.link(piece);
            if here != link {
                self.address(link, linked);
                (link, linked) = (here, self.out.len());
            }
            self.inline(&piece.inline);
        }
        self.address(link, linked);
    }

    /// The address of a link behind its text, unless the text says it.
    fn address(&mut self, link: Option<&str>, linked: usize) {
        let Some(address) = link else { return };
        let shown = self.out.get(linked..).unwrap_or_default().trim();
        let bare = address.strip_prefix("mailto:").unwrap_or(address);
        if shown != bare && shown != address && shown.trim_end_matches('/') != bare.trim_end_matches('/') {
            self.out.push_str(" <");
            self.out.push_str(address);
            self.out.push('>');
        }
    }

    fn inline(&mut self, inline: &Inline) {
        match inline {
            Inline::Text(text, chars) if !chars.hidden => self.out.push_str(text),
            Inline::Text(..) | Inline::Picture(_) => {}
            Inline::Tab => self.out.push('\t'),
            Inline::Line => self.out.push_str("\r\n"),
            Inline::Attachment(n) => {
                if let Some(placeholder) = self.attached.get(*n).filter(|p| !p.name.is_empty()) {
                    self.out.push('[');
                    self.out.push_str(&placeholder.name);
                    self.out.push(']');
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::mapi::rtf::{Placeholder, to_text};

    #[test]
    fn lines_cells_and_lists() {
        let rtf = br"{\rtf1{\fonttbl{\f0 A;}}{\colortbl;\red1\green2\blue3;}{\stylesheet{\s0 Normal;}}{\info{\title t}}
\pard one\tab two\line three\par\par{\listtext\'b7\tab}item\par
\trowd\cellx1\cellx2\pard\intbl a\cell b\par c\cell\row\trowd\cellx1\cellx2\intbl d\cell\cell\row\pard{\v hidden}last}";
        assert_eq!(to_text(rtf, &[]), "one\ttwo\r\nthree\r\n\r\n\u{b7}\titem\r\na\tb\r\nc\r\nd\t\r\nlast\r\n");
    }

    #[test]
    fn links_and_places() {
        let rtf = br#"{\rtf1 {\field{\*\fldinst HYPERLINK "http://a.example/"}{\fldrslt {\ul here}}}, {\field{\*\fldinst{HYPERLINK "mailto:b@a.example"}}{\fldrslt b@a.example}}; \objattph\'20 {\footnote\pard note\par}x\objattph}"#;
        let named = Placeholder { name: "a.doc".to_owned(), cid: None };
        assert_eq!(to_text(rtf, &[named]), "here <http://a.example/>, b@a.example; [a.doc]   [note]x\r\n");
    }
}
