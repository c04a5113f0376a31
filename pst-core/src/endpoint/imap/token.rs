//! Walking over the text of a response: words, strings, lists. Never strict, always forward.

use super::wire::{Data, Line};

/// A place in a response.
pub struct Cursor {
    text: Vec<u8>,
    literals: std::vec::IntoIter<super::wire::Literal>,
    /// Where the next literal stands.
    next: usize,
    at: usize,
}

/// A value.
#[derive(Debug)]
pub enum Value {
    /// NIL, or nothing.
    Nil,
    /// A word, or a string in quotes.
    Bytes(Vec<u8>),
    /// A literal.
    Literal(Data),
    /// A list in parentheses, which was passed over.
    List,
}

impl Value {
    /// Its bytes; a literal in a file has none here.
    pub fn bytes(self) -> Option<Vec<u8>> {
        match self {
            Self::Bytes(bytes) | Self::Literal(Data::Held(bytes)) => Some(bytes),
            Self::Nil | Self::List | Self::Literal(Data::Filed(..)) => None,
        }
    }

    /// Its number.
    pub fn number(self) -> Option<u64> {
        std::str::from_utf8(&self.bytes()?).ok()?.trim().parse().ok()
    }
}

impl Cursor {
    /// At the start of a response.
    pub fn new(line: Line) -> Self {
        let literals = line.literals.into_iter();
        let next = literals.as_slice().first().map_or(usize::MAX, |l| l.at);
        Self { text: line.text, literals, next, at: 0 }
    }

    /// The next byte, unless a literal or the end stands here.
    pub fn peek(&self) -> Option<u8> {
        if self.at == self.next { None } else { self.text.get(self.at).copied() }
    }

    /// True at the end, where no literal is left either.
    pub fn ended(&self) -> bool {
        self.at >= self.text.len() && self.next == usize::MAX
    }

    /// Passes over spaces.
    pub fn spaces(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    /// Passes over this byte, if it is the next one.
    pub fn skip(&mut self, byte: u8) -> bool {
        let hit = self.peek() == Some(byte);
        self.at += usize::from(hit);
        hit
    }

    /// The text from here to the next literal or the end.
    pub fn stretch(&self) -> &[u8] {
        self.text.get(self.at..self.next.min(self.text.len())).unwrap_or_default()
    }

    /// Everything from here to the end, literals left out.
    pub fn rest(self) -> Vec<u8> {
        self.text.get(self.at..).unwrap_or_default().to_vec()
    }

    fn take(&mut self, n: usize) -> Vec<u8> {
        let out = self.stretch().get(..n).unwrap_or_default().to_vec();
        self.at += out.len();
        out
    }

    /// The bytes up to a space or a parenthesis.
    pub fn word(&mut self) -> Vec<u8> {
        let n = self.stretch().iter().take_while(|b| !matches!(b, b' ' | b'\t' | b'(' | b')')).count();
        self.take(n)
    }

    /// The name of an item such as `BODY[HEADER.FIELDS (DATE)]<0>`, in upper case: spaces and parentheses inside
    /// brackets belong to it.
    pub fn name(&mut self) -> String {
        let mut inside = false;
        let mut ends = |b: &u8| {
            match b {
                b'[' => inside = true,
                b']' => inside = false,
                b' ' | b'\t' | b'(' | b')' => return inside,
                _ => {}
            }
            true
        };
        let n = self.stretch().iter().take_while(|b| ends(b)).count();
        String::from_utf8_lossy(&self.take(n)).to_ascii_uppercase()
    }

    fn literal(&mut self) -> Option<Data> {
        if self.at != self.next {
            return None;
        }
        let literal = self.literals.next()?;
        self.next = self.literals.as_slice().first().map_or(usize::MAX, |l| l.at);
        Some(literal.data)
    }

    /// The string in quotes that starts here.
    fn quoted(&mut self) -> Vec<u8> {
        self.at += 1;
        let mut out = Vec::new();
        let mut escaped = false;
        let mut taken = 0;
        let mut closed = false;
        for b in self.stretch() {
            taken += 1;
            match b {
                _ if escaped => {
                    escaped = false;
                    out.push(*b);
                }
                b'\\' => escaped = true,
                b'"' => {
                    closed = true;
                    break;
                }
                _ => out.push(*b),
            }
        }
        if !closed && escaped {
            out.push(b'\\');
        }
        self.at += taken;
        out
    }

    /// The value that stands here; lists are passed over.
    pub fn value(&mut self) -> Value {
        self.spaces();
        if let Some(data) = self.literal() {
            return Value::Literal(data);
        }
        match self.peek() {
            None | Some(b')') => Value::Nil,
            Some(b'"') => Value::Bytes(self.quoted()),
            Some(b'(') => {
                self.pass_list();
                Value::List
            }
            Some(_) => {
                let word = self.word();
                if word.eq_ignore_ascii_case(b"NIL") { Value::Nil } else { Value::Bytes(word) }
            }
        }
    }

    /// Passes over the list that starts here, with all lists in it.
    pub fn pass_list(&mut self) {
        let mut depth = 0usize;
        while !self.ended() {
            match self.peek() {
                Some(b'(') => {
                    depth += 1;
                    self.at += 1;
                }
                Some(b')') => {
                    depth = depth.saturating_sub(1);
                    self.at += 1;
                    if depth == 0 {
                        return;
                    }
                }
                Some(b' ' | b'\t') => self.at += 1,
                _ => drop(self.value()),
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// The words and strings of the list that starts here; of lists in it, nothing. A single value is a list of one.
    pub fn list(&mut self) -> Vec<Vec<u8>> {
        self.spaces();
        if !self.skip(b'(') {
            return self.value().bytes().into_iter().collect();
        }
        let mut out = Vec::new();
        loop {
            self.spaces();
            if self.skip(b')') || self.ended() {
                return out;
            }
            out.extend(self.value().bytes());
        }
    }
}
