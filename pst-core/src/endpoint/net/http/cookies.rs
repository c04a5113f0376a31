//! The cookies of one server: its load balancers know by them which machine has the mailbox.

/// Cookies of a server at most, and bytes of one.
const MOST: usize = 64;
const LONGEST: usize = 4096;

/// What a server wants to be told again ([RFC 6265]). All paths are one, since all that is asked for is one service.
#[derive(Default)]
pub struct Cookies(Vec<(String, String)>);

impl Cookies {
    /// Takes a Set-Cookie field.
    pub fn take(&mut self, field: &str) {
        let mut parts = field.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { return };
        let (name, value) = (name.trim(), value.trim());
        let plain = |text: &str| text.bytes().all(|b| (0x21..0x7F).contains(&b) && b != b',');
        if name.is_empty() || field.len() > LONGEST || !plain(name) || !plain(value) {
            return;
        }
        self.0.retain(|(known, _)| known != name);
        let over = |attribute: &str| {
            let (key, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            key.eq_ignore_ascii_case("max-age") && value.trim().parse::<i64>().is_ok_and(|age| age <= 0)
        };
        if !value.is_empty() && !parts.any(over) && self.0.len() < MOST {
            self.0.push((name.to_owned(), value.to_owned()));
        }
    }

    /// The Cookie field, where there are any.
    pub fn field(&self) -> Option<String> {
        let pairs: Vec<_> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_a_name_counts() {
        let mut cookies = Cookies::default();
        for field in ["a=1; path=/", "b = 2;Secure", "a=3; HttpOnly", "c=4; Max-Age=0", "d", "=e", "f=a\rb", "b=; x"] {
            cookies.take(field);
        }
        assert_eq!(cookies.field().as_deref(), Some("a=3"));
        (0..200).for_each(|i| cookies.take(&format!("n{i}=v")));
        assert_eq!(cookies.0.len(), MOST);
        assert_eq!(Cookies::default().field(), None);
    }
}
