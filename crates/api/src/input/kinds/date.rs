//! Dates: `YYYY-MM-DD` and nothing else.

use chrono::NaiveDate;

use super::{Fault, Kind, string};

/// A calendar date, see [`DATE`].
#[derive(Debug, Clone, Copy)]
pub struct Day;

/// A calendar date of the years 1 to 9999, which both databases can store.
pub const DATE: Day = Day;

impl Kind for Day {
    type Value = NaiveDate;

    fn json(&self, raw: &str) -> Result<NaiveDate, Fault> {
        self.query(&string(raw).ok_or_else(|| fault("expected a text of the form YYYY-MM-DD"))?)
    }

    fn query(&self, text: &str) -> Result<NaiveDate, Fault> {
        read(text.as_bytes()).map_err(fault)
    }
}

fn fault(reason: &'static str) -> Fault {
    Fault::new(format!("Input should be a valid date or datetime, {reason}"), "date_from_datetime_parsing")
}

fn read(text: &[u8]) -> Result<NaiveDate, &'static str> {
    let [y1, y2, y3, y4, first_dash, m1, m2, second_dash, d1, d2, rest @ ..] = text else {
        return Err("input is too short");
    };
    let year = number([y1, y2, y3, y4]).ok_or("invalid character in year")?;
    let month = number([m1, m2]).ok_or("invalid character in month")?;
    let day = number([d1, d2]).ok_or("invalid character in day")?;
    if (*first_dash, *second_dash) != (b'-', b'-') {
        return Err("invalid date separator, expected `-`");
    }
    if !rest.is_empty() {
        return Err("unexpected extra characters at the end of the input");
    }
    if year == 0 {
        return Err("year value is outside expected range of 1-9999");
    }
    if !(1..=12).contains(&month) {
        return Err("month value is outside expected range of 1-12");
    }
    let year = i32::try_from(year).unwrap_or_default();
    NaiveDate::from_ymd_opt(year, month, day).ok_or("day value is outside expected range")
}

fn number<const N: usize>(digits: [&u8; N]) -> Option<u32> {
    digits.into_iter().try_fold(0_u32, |number, &byte| {
        let digit = char::from(byte).to_digit(10)?;
        number.checked_mul(10)?.checked_add(digit)
    })
}
