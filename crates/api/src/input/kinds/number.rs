//! Integers, ids and amounts of money, read from their text: no float is ever involved.

use sme_pulse_domain::money::{Money, MoneyError};

use super::{Fault, Kind, string};

/// An integer within bounds, see [`integer`].
#[derive(Debug, Clone, Copy)]
pub struct Integer {
    min: i64,
    max: i64,
}

/// An integer from `min` to `max`, both included.
pub const fn integer(min: i64, max: i64) -> Integer {
    Integer { min, max }
}

impl Integer {
    fn check(self, number: i128) -> Result<i64, Fault> {
        if number < i128::from(self.min) {
            return Err(at_least(self.min));
        }
        match i64::try_from(number) {
            Ok(number) if number <= self.max => Ok(number),
            _ => {
                let msg = format!("Input should be less than or equal to {}", self.max);
                Err(Fault::new(msg, "less_than_equal"))
            }
        }
    }
}

impl Kind for Integer {
    type Value = i64;
    const EMPTY_IS_ABSENT: bool = false;

    fn json(&self, raw: &str) -> Result<i64, Fault> {
        self.check(whole(raw).ok_or_else(not_an_integer)?)
    }

    fn query(&self, text: &str) -> Result<i64, Fault> {
        self.check(parsed(text)?)
    }
}

/// A key of a row, see [`ID`].
#[derive(Debug, Clone, Copy)]
pub struct Id;

/// A key of a row. In a body it is greater than 0; as a filter it may be any integer, and some match nothing. Keys
/// beyond 64 bits become the last one, which no row has.
pub const ID: Id = Id;

impl Kind for Id {
    type Value = i64;

    fn json(&self, raw: &str) -> Result<i64, Fault> {
        let id = whole(raw).ok_or_else(not_an_integer)?;
        if id <= 0 {
            return Err(not_positive());
        }
        Ok(clamped(id))
    }

    fn query(&self, text: &str) -> Result<i64, Fault> {
        parsed(text).map(clamped)
    }
}

/// A path id: any integer; one beyond 64 bits becomes 0, which no row has, so that it ends as "not found".
pub(in crate::input) fn path_id(text: &str) -> Result<i64, Fault> {
    parsed(text).map(|id| i64::try_from(id).unwrap_or(0))
}

fn clamped(id: i128) -> i64 {
    let bounded = id.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
    i64::try_from(bounded).unwrap_or(i64::MAX)
}

fn parsed(text: &str) -> Result<i128, Fault> {
    let unsigned = text.strip_prefix('+').filter(|rest| !rest.starts_with('-'));
    whole(unsigned.unwrap_or(text)).ok_or_else(|| {
        let msg = "Input should be a valid integer, unable to parse string as an integer";
        Fault::new(msg, "int_parsing")
    })
}

/// Digits with an optional minus; what does not fit is the nearest that does, far outside every bound.
fn whole(text: &str) -> Option<i128> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let integer = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let beyond = if digits.len() < text.len() { i128::MIN } else { i128::MAX };
    integer.then(|| text.parse().unwrap_or(beyond))
}

fn not_an_integer() -> Fault {
    Fault::new("Input should be a valid integer", "int_type")
}

fn not_positive() -> Fault {
    Fault::new("Input should be greater than 0", "greater_than")
}

fn at_least(min: i64) -> Fault {
    Fault::new(format!("Input should be greater than or equal to {min}"), "greater_than_equal")
}

/// An amount of money with a lower bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// See [`AMOUNT`].
    Positive,
    /// See [`AMOUNT_OR_ZERO`].
    NotNegative,
    /// See [`ANY_AMOUNT`].
    Any,
}

/// An amount greater than 0.
pub const AMOUNT: Amount = Amount::Positive;
/// An amount of 0 or more.
pub const AMOUNT_OR_ZERO: Amount = Amount::NotNegative;
/// An amount of either sign.
pub const ANY_AMOUNT: Amount = Amount::Any;

impl Kind for Amount {
    type Value = Money;

    fn json(&self, raw: &str) -> Result<Money, Fault> {
        match string(raw) {
            Some(text) => self.query(&text),
            None => self.query(raw),
        }
    }

    fn query(&self, text: &str) -> Result<Money, Fault> {
        let amount: Money = text.parse().map_err(|error| match error {
            MoneyError::NotANumber => Fault::new("Input should be a valid decimal", "decimal_parsing"),
            MoneyError::TooPrecise => {
                Fault::new("Decimal input should have no more than 2 decimal places", "decimal_max_places")
            }
            MoneyError::TooLarge => {
                let msg = "Decimal input should have no more than 13 digits before the decimal point";
                Fault::new(msg, "decimal_whole_digits")
            }
        })?;
        match self {
            Self::Positive if amount <= Money::ZERO => Err(not_positive()),
            Self::NotNegative if amount < Money::ZERO => Err(at_least(0)),
            _ => Ok(amount),
        }
    }
}
