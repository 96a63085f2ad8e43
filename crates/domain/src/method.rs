//! The ways in which the holder of a session has proved who they are.

use std::fmt;

/// One way, by the word that RFC 8176 has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// `pwd`: the password.
    Password,
    /// `otp`: a code of the second factor.
    OneTimeCode,
    /// `mfa`: more than one factor; a recovery code counts as the second.
    SeveralFactors,
}

impl Method {
    /// Every way, in the order of every list.
    pub const ALL: [Self; 3] = [Self::Password, Self::OneTimeCode, Self::SeveralFactors];

    /// The stored word, and the one in tokens.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Password => "pwd",
            Self::OneTimeCode => "otp",
            Self::SeveralFactors => "mfa",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Password => 1,
            Self::OneTimeCode => 2,
            Self::SeveralFactors => 4,
        }
    }
}

/// Several ways, each once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Methods(u8);

impl Methods {
    /// The password alone.
    pub const PASSWORD: Self = Self(Method::Password.bit());
    /// The password, then a code of the second factor.
    pub const WITH_CODE: Self = Self(Method::Password.bit() | Method::OneTimeCode.bit() | Method::SeveralFactors.bit());
    /// The password, then a recovery code.
    pub const WITH_RECOVERY_CODE: Self = Self(Method::Password.bit() | Method::SeveralFactors.bit());

    /// Whether this is among them.
    pub const fn contains(self, method: Method) -> bool {
        self.0 & method.bit() != 0
    }

    /// All of them, in order.
    pub fn iter(self) -> impl Iterator<Item = Method> {
        Method::ALL.into_iter().filter(move |method| self.contains(*method))
    }

    /// Reads what [`Display`](fmt::Display) wrote. Words that this version does not know prove nothing to it.
    pub fn stored(words: &str) -> Self {
        let known = |word: &str| Method::ALL.into_iter().find(|method| method.word() == word);
        Self(words.split(' ').filter_map(known).fold(0, |bits, method| bits | method.bit()))
    }
}

/// The words, separated by spaces.
impl fmt::Display for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, method) in self.iter().enumerate() {
            let space = if place == 0 { "" } else { " " };
            write!(f, "{space}{}", method.word())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_and_unknown_words_count_for_nothing() {
        for methods in [Methods::PASSWORD, Methods::WITH_CODE, Methods::WITH_RECOVERY_CODE, Methods::default()] {
            assert_eq!(Methods::stored(&methods.to_string()), methods);
        }
        assert_eq!(Methods::WITH_CODE.to_string(), "pwd otp mfa");
        assert_eq!(Methods::stored("pwd face  PWD mfapwd"), Methods::PASSWORD);
        assert_eq!(Methods::WITH_RECOVERY_CODE.to_string(), "pwd mfa");
    }
}
