//! Money in minor units (hundredths) of the organization's one currency: checked arithmetic, no floats, exact text.

use std::{fmt, str::FromStr};

/// An amount in minor units. Negative only where a rule says so (an opening balance may be).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(i64);

/// Minor units in one unit.
const UNIT: u128 = 100;
/// Most digits before the decimal point.
const MAX_WHOLE_DIGITS: usize = 13;

/// Why a text is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a decimal number.
    #[error("not a decimal number")]
    NotANumber,
    /// More than two decimals: nothing is rounded.
    #[error("more than 2 decimal places")]
    TooPrecise,
    /// More than 13 digits before the point.
    #[error("more than 13 digits before the decimal point")]
    TooLarge,
}

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The largest magnitude of one stored amount, in minor units.
    pub const MAX_MINOR: i64 = 999_999_999_999_999;

    /// Wraps minor units read from a row.
    pub const fn from_minor(minor: i64) -> Self {
        Self(minor)
    }

    /// The amount in minor units.
    pub const fn minor(self) -> i64 {
        self.0
    }

    /// `None` when the sum does not fit: totals are never wrapped or saturated.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// `None` when the difference does not fit.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }
}

impl FromStr for Money {
    type Err = MoneyError;

    /// Reads the text of a JSON number (an exponent included) or of a decimal string, exactly.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, read_exponent(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: String = [whole, fraction].concat();
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(MoneyError::NotANumber);
        }
        let significant = digits.trim_start_matches('0');
        let trimmed = significant.trim_end_matches('0');
        if trimmed.is_empty() {
            return Ok(Self::ZERO);
        }
        let dropped_zeros = significant.len().saturating_sub(trimmed.len());
        // value = trimmed × 10^scale
        let scale = exponent
            .saturating_sub(i64::try_from(fraction.len()).unwrap_or(i64::MAX))
            .saturating_add(i64::try_from(dropped_zeros).unwrap_or(i64::MAX));
        if scale < -2 {
            return Err(MoneyError::TooPrecise);
        }
        let zeros = usize::try_from(scale.saturating_add(2)).map_err(|_| MoneyError::TooLarge)?;
        if trimmed.len().saturating_add(zeros) > MAX_WHOLE_DIGITS.saturating_add(2) {
            return Err(MoneyError::TooLarge);
        }
        let minor: i64 = format!("{trimmed}{}", "0".repeat(zeros)).parse().map_err(|_| MoneyError::TooLarge)?;
        Ok(Self(if negative { minor.saturating_neg() } else { minor }))
    }
}

fn read_exponent(text: &str) -> Result<i64, MoneyError> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(MoneyError::NotANumber);
    }
    let magnitude: i64 = digits.parse().unwrap_or(i64::MAX);
    Ok(if text.starts_with('-') { magnitude.saturating_neg() } else { magnitude })
}

impl fmt::Display for Money {
    /// Exact, at most two decimals, no trailing zeros, no exponent: `5000000`, `1250.5`, `-0.01`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Total::from(*self).fmt(f)
    }
}

/// A sum of amounts in minor units. It is wider than one amount, so that no number of rows makes it overflow unseen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Total(i128);

impl Total {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Wraps a sum of minor units.
    pub const fn from_minor(minor: i128) -> Self {
        Self(minor)
    }

    /// The sum in minor units.
    pub const fn minor(self) -> i128 {
        self.0
    }

    /// `None` when the sum does not fit.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// `None` when the difference does not fit.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }
}

impl From<Money> for Total {
    fn from(amount: Money) -> Self {
        Self(amount.0.into())
    }
}

impl fmt::Display for Total {
    /// As [`Money`] is written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.unsigned_abs();
        let (whole, cents) = (magnitude.div_euclid(UNIT), magnitude.rem_euclid(UNIT));
        let sign = if self.0 < 0 { "-" } else { "" };
        match cents {
            0 => write!(f, "{sign}{whole}"),
            tens if tens.rem_euclid(10) == 0 => write!(f, "{sign}{whole}.{}", tens.div_euclid(10)),
            _ => write!(f, "{sign}{whole}.{cents:02}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_are_written_without_trailing_zeros_or_exponent() {
        for (minor, text) in [(500_000_000, "5000000"), (125_050, "1250.5"), (-1, "-0.01"), (5, "0.05"), (0, "0")] {
            assert_eq!(Money::from_minor(minor).to_string(), text);
        }
    }

    #[test]
    fn nothing_is_rounded_and_nothing_overflows() {
        for (text, result) in [
            ("0.001", Err(MoneyError::TooPrecise)),
            ("1e-3", Err(MoneyError::TooPrecise)),
            ("1e30", Err(MoneyError::TooLarge)),
            ("1e99999999999999999999", Err(MoneyError::TooLarge)),
            ("10000000000000", Err(MoneyError::TooLarge)),
            ("9999999999999.99", Ok(Money::MAX_MINOR)),
            ("1.2500", Ok(125)),
            ("12.5e1", Ok(12_500)),
            ("-3", Ok(-300)),
            ("0e999", Ok(0)),
            ("NaN", Err(MoneyError::NotANumber)),
            ("Infinity", Err(MoneyError::NotANumber)),
            ("", Err(MoneyError::NotANumber)),
            (".", Err(MoneyError::NotANumber)),
            ("1e", Err(MoneyError::NotANumber)),
            ("--1", Err(MoneyError::NotANumber)),
            ("1,5", Err(MoneyError::NotANumber)),
            ("１", Err(MoneyError::NotANumber)),
        ] {
            assert_eq!(text.parse::<Money>().map(Money::minor), result, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(minor in -Money::MAX_MINOR..=Money::MAX_MINOR) {
            let money = Money::from_minor(minor);
            prop_assert_eq!(money.to_string().parse(), Ok(money));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
            let _ = text.parse::<Money>();
        }
    }
}
