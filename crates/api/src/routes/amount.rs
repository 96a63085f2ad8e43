//! Amounts of money in answers: JSON numbers written from integers, so exact to the last digit.

use serde::{Serialize, Serializer, ser::Error as _};
use serde_json::value::RawValue;
use sme_pulse_domain::money::Total;

/// An amount as a JSON number: at most two decimals, no trailing zeros, no exponent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Amount(Total);

impl Amount {
    pub(super) fn of(amount: impl Into<Total>) -> Self {
        Self(amount.into())
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.0.to_string()).map_err(S::Error::custom)?.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_a_number_of_any_size_and_never_a_text() {
        for (minor, text) in [
            (0, "0"),
            (125_050, "1250.5"),
            (-1, "-0.01"),
            (999_999_999_999_999, "9999999999999.99"),
            (1_000_000_000_000_000_000_000, "10000000000000000000"),
        ] {
            assert_eq!(serde_json::to_string(&Amount::of(Total::from_minor(minor))).unwrap(), text);
        }
    }
}
