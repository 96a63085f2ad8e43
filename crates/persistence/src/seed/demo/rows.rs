//! The rows of the demo, each made from the seed and its number alone.

use chrono::{DateTime, Duration, Utc};
use sea_orm::{ActiveValue::Set, NotSet};
use sme_pulse_domain::{
    account::{AccountKind, LedgerClass, NewAccount},
    email::Email,
    ids::OrgId,
    money::Money,
    partner::NewPartner,
    role::Role,
    status::Status,
};

use super::DemoSize;
use crate::{
    entity::{account, customer, organization, supplier, user, user_role},
    repo::{accounts::new_row, partners::table::PartnerTable},
};

const FIRST: [&str; 12] =
    ["An", "Binh", "Chi", "Dung", "Emma", "Farid", "Grace", "Hoa", "Ines", "Jonas", "Khanh", "Linh"];
const LAST: [&str; 12] =
    ["Nguyen", "Tran", "Le", "Pham", "Smith", "Müller", "Garcia", "Rossi", "Vo", "Dang", "Bui", "Öztürk"];
const TRADES: [&str; 12] = [
    "Trading",
    "Foods",
    "Textiles",
    "Logistics",
    "Coffee",
    "Ceramics",
    "Furniture",
    "Paper",
    "Tools",
    "Farms",
    "Motors",
    "Print",
];
const FORMS: [&str; 4] = ["Ltd", "GmbH", "JSC", "& Sons"];
const TERMS: [i32; 5] = [7, 14, 30, 45, 60];
/// The roles of the people after the first one, over and over.
const OTHERS: [Role; 3] = [Role::Admin, Role::Accountant, Role::Cashier];
const SUPPLIERS: u32 = 5;

pub(super) struct Rows<'a> {
    pub(super) size: DemoSize,
    pub(super) password_hash: &'a str,
}

/// The log-in name of somebody.
pub(super) fn email(seed: u64, organization: u32, user: u32) -> String {
    format!("u{user}.o{organization}.s{seed}@example.com")
}

impl Rows<'_> {
    /// By which an organization of the demo is known.
    pub(super) fn tax_code(&self, number: u32) -> String {
        format!("DEMO-{}-{number}", self.size.seed)
    }

    pub(super) fn organization(&self, number: u32) -> organization::ActiveModel {
        let mut dice = self.dice(number, 0, 0);
        let at = added(number, 0);
        organization::ActiveModel {
            id: NotSet,
            name: Set(format!("{} {number}", company(&mut dice))),
            tax_code: Set(Some(self.tax_code(number))),
            address: Set(Some(format!("{} Market Street", dice.up_to(200)))),
            phone: Set(Some(format!("+84 28 {:07}", dice.up_to(9_999_999)))),
            email: Set(Some(format!("office.o{number}.s{}@example.com", self.size.seed))),
            status: Set(Status::Active.as_str().to_owned()),
            created_at: Set(at),
            updated_at: Set(at),
        }
    }

    pub(super) fn users(&self, org: OrgId, number: u32) -> impl Iterator<Item = user::ActiveModel> {
        (1..=self.size.users).map(move |user| {
            let mut dice = self.dice(number, 1, user);
            let at = added(number, user);
            user::ActiveModel {
                id: NotSet,
                org_id: Set(org.get()),
                email: Set(email(self.size.seed, number, user)),
                password_hash: Set(self.password_hash.to_owned()),
                full_name: Set(Some(person(&mut dice))),
                status: Set(Status::Active.as_str().to_owned()),
                last_login_at: Set(None),
                password_changed_at: Set(None),
                created_at: Set(at),
                updated_at: Set(at),
            }
        })
    }

    /// The role of the holder of one of these addresses; `None` for any other.
    #[expect(clippy::unused_self, reason = "reads as a question about the demo")]
    pub(super) fn role(&self, email: &str) -> Option<Role> {
        let number: usize = email.strip_prefix('u')?.split_once('.')?.0.parse().ok()?;
        let others = number.checked_sub(2);
        Some(
            others.map_or(Role::Owner, |place| {
                OTHERS.into_iter().cycle().nth(place % OTHERS.len()).unwrap_or(Role::Cashier)
            }),
        )
    }

    #[expect(clippy::unused_self, reason = "a row of the demo like the others")]
    pub(super) fn user_role(&self, user: &user::Model, role: i64) -> user_role::ActiveModel {
        user_role::ActiveModel {
            user_id: Set(user.id),
            org_id: Set(user.org_id),
            role_id: Set(role),
            created_at: Set(user.created_at),
            updated_at: Set(user.created_at),
        }
    }

    pub(super) fn customers(&self, org: OrgId, number: u32) -> impl Iterator<Item = customer::ActiveModel> {
        (1..=self.size.customers).map(move |place| {
            let new = self.partner("C", &mut self.dice(number, 2, place), place);
            customer::Entity::new_row(org, &new, added(number, place))
        })
    }

    pub(super) fn suppliers(&self, org: OrgId, number: u32) -> impl Iterator<Item = supplier::ActiveModel> {
        (1..=SUPPLIERS).map(move |place| {
            let new = self.partner("S", &mut self.dice(number, 3, place), place);
            supplier::Entity::new_row(org, &new, added(number, place))
        })
    }

    pub(super) fn accounts(&self, org: OrgId, number: u32) -> impl Iterator<Item = account::ActiveModel> {
        let mut dice = self.dice(number, 4, 0);
        let cash = NewAccount {
            code: Some("1001".to_owned()),
            name: "Cash on Hand".to_owned(),
            kind: AccountKind::Cash,
            class: LedgerClass::Asset,
            account_number: None,
            bank_name: None,
            opening_balance: Money::from_minor(i64::from(dice.up_to(1_000_000))),
            status: Status::Active,
        };
        let bank = NewAccount {
            code: Some("1002".to_owned()),
            name: "Bank Account".to_owned(),
            kind: AccountKind::Bank,
            account_number: Some(format!("{:010}", dice.up_to(u32::MAX))),
            bank_name: Some("Demo Bank".to_owned()),
            opening_balance: Money::from_minor(i64::from(dice.up_to(100_000_000))),
            ..cash.clone()
        };
        (1..).zip([cash, bank]).map(move |(place, new)| new_row(org, &new, added(number, place)))
    }

    #[expect(clippy::unused_self, reason = "a row of the demo like the others")]
    fn partner(&self, letter: &str, dice: &mut Dice, place: u32) -> NewPartner {
        NewPartner {
            // Some have no code, as in life.
            code: (dice.up_to(9) > 0).then(|| format!("{letter}{place:05}")),
            name: format!("{} {place}", company(dice)),
            tax_code: Some(format!("{:010}", dice.up_to(u32::MAX))),
            contact_person: Some(person(dice)),
            email: Some(Email::stored(format!("{}{place}@example.com", letter.to_ascii_lowercase()))),
            phone: Some(format!("+84 9{:08}", dice.up_to(99_999_999))),
            address: Some(format!("{} Harbour Road", dice.up_to(500))),
            term_days: dice.one_of(&TERMS).copied().unwrap_or(30),
            status: Status::of_active(dice.up_to(19) > 0),
        }
    }

    fn dice(&self, organization: u32, kind: u32, place: u32) -> Dice {
        let place = u64::from(kind) << 32 | u64::from(place);
        let mut dice = Dice(self.size.seed);
        for part in [organization.into(), place] {
            dice = Dice(dice.next() ^ part);
        }
        dice
    }
}

/// A minute after the one before; no clock is asked, so that the same seed gives the same times.
fn added(organization: u32, place: u32) -> DateTime<Utc> {
    let begin = DateTime::from_timestamp(1_735_689_600, 0).unwrap_or_default();
    begin + Duration::seconds(organization.into()) + Duration::minutes(place.into())
}

fn company(dice: &mut Dice) -> String {
    let mut word = |words: &[&'static str]| dice.one_of(words).copied().unwrap_or_default();
    format!("{} {} {}", word(&LAST), word(&TRADES), word(&FORMS))
}

fn person(dice: &mut Dice) -> String {
    let mut word = |words: &[&'static str]| dice.one_of(words).copied().unwrap_or_default();
    format!("{} {}", word(&FIRST), word(&LAST))
}

/// Numbers that look thrown and are the same each time (splitmix64); nothing secret is made of them.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to this one.
    fn up_to(&mut self, most: u32) -> u32 {
        u32::try_from(self.next() % u64::from(most).saturating_add(1)).unwrap_or(most)
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        let last = u32::try_from(all.len().checked_sub(1)?).ok()?;
        all.get(usize::try_from(self.up_to(last)).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(seed: u64) -> Rows<'static> {
        Rows { size: DemoSize { organizations: 2, users: 5, customers: 20, seed }, password_hash: "x" }
    }

    #[test]
    fn the_same_seed_gives_the_same_rows_and_another_one_others() {
        let names = |seed, number| {
            let made: Vec<_> = rows(seed).customers(OrgId::new(1), number).map(|row| format!("{row:?}")).collect();
            made
        };
        assert_eq!(names(1, 1), names(1, 1));
        assert_ne!(names(1, 1), names(2, 1));
        assert_ne!(names(1, 1), names(1, 2));
    }

    #[test]
    fn the_first_person_owns_and_the_others_take_turns() {
        let rows = rows(7);
        let roles: Vec<_> = (1..=5).map(|user| rows.role(&email(7, 3, user)).unwrap()).collect();
        assert_eq!(roles, [Role::Owner, Role::Admin, Role::Accountant, Role::Cashier, Role::Admin]);
        assert_eq!(rows.role("admin@sme.com"), None);
        assert!(Email::parse(&email(7, 3, 1)).is_ok());
    }
}
