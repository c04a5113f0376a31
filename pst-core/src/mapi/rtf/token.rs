//! RTF as a sequence of tokens.

/// A token; text comes without line ends, which mean nothing in RTF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// `{`.
    Open,
    /// `}`.
    Close,
    /// A control word and its number.
    Word(&'a [u8], Option<i32>),
    /// A control symbol.
    Symbol(u8),
    /// `\'hh`.
    Hex(u8),
    /// The data of `\binN`.
    Binary(&'a [u8]),
    /// Text in the code page of its font.
    Text(&'a [u8]),
}

/// The tokens of an RTF text, in one pass.
#[derive(Clone)]
pub(super) struct Tokens<'a> {
    rest: &'a [u8],
}

impl<'a> Tokens<'a> {
    pub fn new(rtf: &'a [u8]) -> Self {
        Self { rest: rtf }
    }

    fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at_checked(len).unwrap_or((self.rest, &[]));
        self.rest = rest;
        taken
    }

    fn control(&mut self) -> Option<Token<'a>> {
        let first = *self.rest.first()?;
        if first.is_ascii_alphabetic() {
            return Some(self.word());
        }
        self.take(1);
        if first != b'\'' {
            return Some(Token::Symbol(first));
        }
        let hex = |b: &u8| char::from(*b).to_digit(16).map(|d| d as u8);
        let (digits, rest) = self.rest.split_at_checked(2)?;
        let [high, low] = digits else { return None };
        // What is no number is text.
        let (Some(high), Some(low)) = (hex(high), hex(low)) else { return Some(Token::Symbol(first)) };
        self.rest = rest;
        Some(Token::Hex(high << 4 | low))
    }

    fn word(&mut self) -> Token<'a> {
        let len = self.rest.iter().position(|b| !b.is_ascii_alphabetic()).unwrap_or(self.rest.len());
        let word = self.take(len);
        let sign = usize::from(self.rest.first() == Some(&b'-') && self.rest.get(1).is_some_and(u8::is_ascii_digit));
        let digits = self.rest.iter().skip(sign).take_while(|b| b.is_ascii_digit()).count();
        let number = std::str::from_utf8(self.take(sign + digits)).ok().and_then(|n| n.parse().ok());
        if self.rest.first() == Some(&b' ') {
            self.take(1);
        }
        if word == b"bin" {
            return Token::Binary(self.take(number.and_then(|n| usize::try_from(n).ok()).unwrap_or(0)));
        }
        Token::Word(word, number)
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            match self.rest.first()? {
                b'{' => {
                    self.take(1);
                    return Some(Token::Open);
                }
                b'}' => {
                    self.take(1);
                    return Some(Token::Close);
                }
                b'\\' => {
                    self.take(1);
                    return self.control();
                }
                b'\r' | b'\n' | 0 => {
                    self.take(1);
                }
                _ => {
                    let special = |b: &u8| matches!(b, b'{' | b'}' | b'\\' | b'\r' | b'\n' | 0);
                    let len = self.rest.iter().position(special).unwrap_or(self.rest.len());
                    return Some(Token::Text(self.take(len)));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens() {
        let all: Vec<Token<'_>> = Tokens::new(b"{\\b0 x\\'e9\\~\\par-1\\u-5?\\bin3 }{}\r\ny}\\").collect();
        assert_eq!(
            all,
            [
                Token::Open,
                Token::Word(b"b", Some(0)),
                Token::Text(b"x"),
                Token::Hex(0xE9),
                Token::Symbol(b'~'),
                Token::Word(b"par", Some(-1)),
                Token::Word(b"u", Some(-5)),
                Token::Text(b"?"),
                Token::Binary(b"}{}"),
                Token::Text(b"y"),
                Token::Close,
            ]
        );
        assert_eq!(Tokens::new(b"\\bin99999 a").last(), Some(Token::Binary(b"a")));
        assert_eq!(Tokens::new(b"\\'zz").next(), Some(Token::Symbol(b'\'')));
        assert_eq!(Tokens::new(b"\\par-x").collect::<Vec<_>>(), [Token::Word(b"par", None), Token::Text(b"-x")]);
    }
}
