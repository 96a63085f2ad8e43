//! What a new password must not be: one that everybody tries first, or the name of its owner. There are no rules of
//! composition; length is what counts.

use crate::{email::Email, user::User};

/// The most common passwords, see `data/README.md` beside the sources: lower case, sorted by byte, one a line.
const COMMON: &str = include_str!("../data/common_passwords.txt");
/// Shorter names with digits around them are no names any more.
const LEAST_NAME: usize = 3;
/// Shorter words of a name are found in too many good passwords.
const LEAST_WORD: usize = 4;

/// Bounds of a new password; they follow from the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordRules {
    /// Least length in characters.
    pub min_characters: usize,
    /// Greatest length in bytes of UTF-8: what the hash takes without cutting.
    pub max_bytes: usize,
}

/// Why a new password is refused. The sentence is shown to clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// It is among the most common ones.
    #[error("Password is one of the most common ones")]
    Common,
    /// It is made of its owner's name or address.
    #[error("Password must not be your name or e-mail address")]
    Personal,
}

/// Refuses the most common passwords, in any letter case.
pub fn check_common(password: &str) -> Result<(), WeakPassword> {
    if is_listed(COMMON, &password.to_lowercase()) { Err(WeakPassword::Common) } else { Ok(()) }
}

/// Refuses the user's own name, a word of it, the address or a part of it, also with digits and punctuation in and
/// around them, in any letter case.
pub fn check_personal(password: &str, user: &User) -> Result<(), WeakPassword> {
    check_names(password, &user.email, user.full_name.as_deref())
}

/// The same for somebody who is no user yet.
pub fn check_names(password: &str, email: &Email, full_name: Option<&str>) -> Result<(), WeakPassword> {
    let (plain, bare) = forms(password);
    let is_password = |text: &str| {
        let (own, own_bare) = forms(text);
        let same = !own.is_empty() && own == plain;
        same || (own_bare.chars().count() >= LEAST_NAME && own_bare == bare)
    };
    if names_of(email, full_name).any(is_password) { Err(WeakPassword::Personal) } else { Ok(()) }
}

/// Everything a person is called.
fn names_of<'a>(email: &'a Email, full_name: Option<&'a str>) -> impl Iterator<Item = &'a str> {
    let address = email.as_str();
    let (local, _) = address.split_once('@').unwrap_or((address, ""));
    let name = full_name.unwrap_or_default();
    let parts = words(local).chain(words(name)).chain(name.split_whitespace());
    [address, local, name].into_iter().chain(parts.filter(|part| part.chars().count() >= LEAST_WORD))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric())
}

/// Letters and digits in lower case, and the same without digits at both ends.
fn forms(text: &str) -> (String, String) {
    let plain: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let bare = plain.trim_matches(char::is_numeric).to_owned();
    (plain, bare)
}

/// Binary search in lines sorted by byte, without an index that would have to be built.
fn is_listed(lines: &str, word: &str) -> bool {
    let mut rest = lines;
    while !rest.is_empty() {
        let middle = rest.len() / 2;
        // The list is ASCII, so every place is between two characters.
        let start = rest.get(..middle).and_then(|before| before.rfind('\n')).map_or(0, |end| end.saturating_add(1));
        let (before, from) = rest.split_at_checked(start).unwrap_or((rest, ""));
        let (line, after) = from.split_once('\n').unwrap_or((from, ""));
        rest = match word.cmp(line) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => before,
            std::cmp::Ordering::Greater => after,
        };
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ids::{OrgId, UserId},
        status::Status,
    };

    fn user(email: &str, name: Option<&str>) -> User {
        User {
            id: UserId::new(1),
            org: OrgId::new(1),
            email: Email::parse(email).unwrap(),
            full_name: name.map(str::to_owned),
            status: Status::Active,
            last_login_at: None,
        }
    }

    #[test]
    fn the_list_is_sorted_without_doubles_in_lower_case_and_long_enough() {
        let lines: Vec<&str> = COMMON.lines().collect();
        assert!(lines.len() >= 3_000 && lines.is_sorted_by(|one, next| one < next));
        assert!(lines.iter().all(|line| line.len() >= 6 && line.is_ascii() && *line == line.to_lowercase()));
    }

    #[test]
    fn every_entry_is_found_and_nothing_beside_one() {
        for line in COMMON.lines() {
            assert_eq!(check_common(line), Err(WeakPassword::Common), "{line}");
            assert_eq!(check_common(&line.to_uppercase()), Err(WeakPassword::Common), "{line}");
            assert_eq!(check_common(&format!("{line}\u{1}")), Ok(()), "{line}");
        }
        for good in ["", "\n", "correct horse battery", "password\n", "pässwörd", "\u{10FFFF}", "zzzzzzzzzzzzzzz~"] {
            assert_eq!(check_common(good), Ok(()), "{good:?}");
        }
    }

    #[test]
    fn a_search_in_few_lines_ends() {
        for (lines, word, found) in [("", "a", false), ("a\n", "a", true), ("a\nc\n", "b", false), ("a\nc", "c", true)]
        {
            assert_eq!(is_listed(lines, word), found, "{lines:?} {word}");
        }
    }

    #[test]
    fn a_persons_own_names_are_refused_however_dressed_up() {
        let ann = user("ann.smithson@acme-tools.com", Some("Ann Smithson-Größe"));
        for own in [
            "ann.smithson@acme-tools.com",
            "ANN.SMITHSON",
            "annsmithson1990!",
            "smithson",
            "--Smithson--2026",
            "größe123",
            "GRÖSSE".replace("SS", "ß").as_str(),
            "Ann Smithson-Größe",
            "Smithson-Größe 7",
            "1!ann.smithson@acme-tools.com!1",
        ] {
            assert_eq!(check_personal(own, &ann), Err(WeakPassword::Personal), "{own}");
        }
        for good in
            ["smithsonian", "anne smith", "ann", "acme-tools.com", "12345678", "", "x-smithson-y", "correct horse"]
        {
            assert_eq!(check_personal(good, &ann), Ok(()), "{good}");
        }
    }

    #[test]
    fn an_address_of_digits_is_a_name_too_but_digits_alone_are_not_its_shell() {
        let number = user("0912345678@acme.com", None);
        assert_eq!(check_personal("0912345678", &number), Err(WeakPassword::Personal));
        assert_eq!(check_personal("0912345679", &number), Ok(()));
    }
}
