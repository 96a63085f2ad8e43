//! The rules about people as tables: who acts, on whom, what is asked, what comes of it.

use super::*;

const ME: UserId = UserId::new(1);
const OTHER: UserId = UserId::new(2);

fn roles(codes: &str) -> RoleSet {
    codes.split_whitespace().map(|code| code.parse().unwrap()).collect()
}

fn person(id: UserId, codes: &str) -> Person {
    Person {
        id,
        org: OrgId::new(1),
        email: Email::parse("ann@example.com").unwrap(),
        full_name: Some("Ann".to_owned()),
        account: Status::Active,
        membership: None,
        roles: roles(codes),
        created_at: DateTime::UNIX_EPOCH,
        updated_at: DateTime::UNIX_EPOCH,
        last_login_at: None,
    }
}

fn outside(id: UserId, codes: &str) -> Person {
    Person { membership: Some(Status::Active), ..person(id, codes) }
}

fn exactly(codes: &str) -> PersonPatch {
    PersonPatch { roles: Some(RoleChange::Exactly(roles(codes))), ..Default::default() }
}

fn to_hold(role: Role) -> PersonPatch {
    PersonPatch { roles: Some(RoleChange::ToHold(role)), ..Default::default() }
}

fn status(status: Status) -> PersonPatch {
    PersonPatch { status: Some(status), ..Default::default() }
}

fn name(name: Option<&str>) -> PersonPatch {
    PersonPatch { full_name: Some(name.map(str::to_owned)), ..Default::default() }
}

#[test]
fn who_may_change_whom() {
    use PersonRefusal::{NotAllowed, OwnDeactivation};
    use Status::{Active, Inactive};
    let nothing = PersonPatch::default();
    let cases = [
        // Owners act on everybody, and give and take every role.
        ("owner", person(OTHER, "owner"), exactly("cashier"), Ok("cashier")),
        ("owner", person(OTHER, "cashier"), exactly("owner admin"), Ok("owner admin")),
        ("owner", person(OTHER, "owner"), status(Inactive), Ok("owner")),
        ("owner", person(ME, "owner"), exactly("admin"), Ok("admin")),
        // Admins act on everybody but owners, also in small things.
        ("admin", person(OTHER, "cashier"), exactly("admin accountant"), Ok("admin accountant")),
        ("admin", person(OTHER, "admin"), status(Inactive), Ok("admin")),
        ("admin", person(OTHER, "cashier"), exactly("owner"), Err(NotAllowed)),
        ("admin", person(OTHER, "cashier"), exactly("cashier owner"), Err(NotAllowed)),
        ("admin", person(OTHER, "cashier"), to_hold(Role::Owner), Err(NotAllowed)),
        ("admin", person(OTHER, "owner admin"), exactly("owner admin"), Err(NotAllowed)),
        ("admin", person(OTHER, "owner"), name(Some("Bob")), Err(NotAllowed)),
        ("admin", person(OTHER, "owner"), nothing.clone(), Err(NotAllowed)),
        ("admin", person(ME, "admin"), exactly("owner"), Err(NotAllowed)),
        ("admin", person(ME, "admin"), exactly("cashier"), Ok("cashier")),
        // Nobody locks themselves out.
        ("owner", person(ME, "owner"), status(Inactive), Err(OwnDeactivation)),
        ("admin", person(ME, "admin"), status(Inactive), Err(OwnDeactivation)),
        ("owner", person(ME, "owner"), status(Active), Ok("owner")),
        // Everybody has a name of their own, and nothing else.
        ("cashier", person(ME, "cashier"), name(Some("Bob")), Ok("cashier")),
        ("", person(ME, ""), name(None), Ok("")),
        ("cashier", person(ME, "cashier"), to_hold(Role::Cashier), Ok("cashier")),
        ("cashier accountant", person(ME, "cashier accountant"), to_hold(Role::Cashier), Ok("accountant cashier")),
        ("cashier", person(ME, "cashier"), exactly("cashier"), Ok("cashier")),
        ("cashier", person(ME, "cashier"), status(Active), Ok("cashier")),
        ("cashier", person(ME, "cashier"), status(Inactive), Err(NotAllowed)),
        ("cashier", person(ME, "cashier"), to_hold(Role::Accountant), Err(NotAllowed)),
        ("cashier accountant", person(ME, "cashier accountant"), exactly("cashier"), Err(NotAllowed)),
        ("cashier", person(OTHER, "cashier"), name(Some("Bob")), Err(NotAllowed)),
        ("accountant", person(OTHER, "cashier"), nothing.clone(), Err(NotAllowed)),
        ("", person(OTHER, ""), nothing, Err(NotAllowed)),
    ];
    for (acting, target, patch, expected) in cases {
        let actor = roles(acting);
        let outcome = target.patched(&patch, Actor { id: ME, roles: &actor });
        assert_eq!(outcome.map(|after| after.roles), expected.map(roles), "{acting} on {target:?}: {patch:?}");
    }
}

#[test]
fn a_role_that_is_held_changes_nothing_and_another_replaces_all() {
    let held = roles("owner admin");
    assert_eq!(RoleChange::ToHold(Role::Admin).applied_to(&held), held);
    assert_eq!(RoleChange::ToHold(Role::Cashier).applied_to(&held), roles("cashier"));
    assert_eq!(RoleChange::Exactly(roles("cashier")).applied_to(&held), roles("cashier"));
}

#[test]
fn deleting_and_setting_passwords_follow_the_same_rule() {
    use PersonRefusal::{NotAllowed, OwnDeletion};
    for (acting, target, deleted, password) in [
        ("owner", person(OTHER, "owner"), Ok(()), Ok(())),
        ("owner", person(ME, "owner"), Err(OwnDeletion), Ok(())),
        ("admin", person(OTHER, "admin"), Ok(()), Ok(())),
        ("admin", person(ME, "admin"), Err(OwnDeletion), Ok(())),
        ("admin", person(OTHER, "owner cashier"), Err(NotAllowed), Err(NotAllowed)),
        ("accountant", person(OTHER, "cashier"), Err(NotAllowed), Err(NotAllowed)),
        ("owner", outside(OTHER, "owner"), Ok(()), Err(NotAllowed)),
    ] {
        let held = roles(acting);
        let actor = Actor { id: ME, roles: &held };
        let after = target.deactivated(actor);
        assert_eq!(after.clone().map(drop), deleted, "{acting} {target:?}");
        assert!(after.is_err() || !after.unwrap().status().is_active());
        assert_eq!(target.allows_new_password(actor), password, "{acting} {target:?}");
    }
}

#[test]
fn only_owners_add_owners() {
    for (acting, added, allowed) in [
        ("owner", "owner", true),
        ("owner", "cashier", true),
        ("admin", "admin cashier", true),
        ("admin", "owner", false),
        ("admin cashier", "cashier owner", false),
        ("accountant", "cashier", false),
        ("", "cashier", false),
    ] {
        let held = roles(acting);
        let outcome = Person::may_be_added(&roles(added), Actor { id: ME, roles: &held });
        assert_eq!(outcome.is_ok(), allowed, "{acting} adds {added}");
    }
}

#[test]
fn whatever_takes_the_last_active_owner_away_is_refused() {
    let owner = person(OTHER, "owner admin");
    let mut inactive = owner.clone();
    inactive.account = Status::Inactive;
    let member = outside(OTHER, "owner");
    let mut left = member.clone();
    left.membership = Some(Status::Inactive);
    for (before, after, others, kept) in [
        (&owner, &person(OTHER, "admin"), false, false),
        (&owner, &inactive, false, false),
        (&member, &left, false, false),
        (&owner, &person(OTHER, "admin"), true, true),
        (&owner, &person(OTHER, "owner"), false, true),
        (&inactive, &person(OTHER, "admin"), false, true),
        (&person(OTHER, "admin"), &person(OTHER, "cashier"), false, true),
    ] {
        assert_eq!(before.keeps_an_owner(after, others).is_ok(), kept, "{before:?} {after:?}");
    }
}

#[test]
fn of_a_member_from_elsewhere_only_the_membership_and_the_roles_are_ours() {
    let owner = roles("owner");
    let actor = Actor { id: ME, roles: &owner };
    let member = outside(OTHER, "accountant");
    assert_eq!(member.patched(&name(Some("Bob")), actor), Err(PersonRefusal::NameKeptElsewhere));
    assert_eq!(member.patched(&name(None), actor), Err(PersonRefusal::NameKeptElsewhere));
    assert_eq!(member.patched(&name(Some("Ann")), actor), Ok(member.clone()));
    let own = Actor { id: OTHER, roles: &member.roles };
    assert_eq!(member.patched(&name(Some("Bob")), own), Err(PersonRefusal::NameKeptElsewhere));

    let left = member.patched(&status(Status::Inactive), actor).unwrap();
    assert_eq!(
        (left.account, left.membership, left.status()),
        (Status::Active, Some(Status::Inactive), Status::Inactive)
    );
    assert_eq!(left.patched(&status(Status::Active), actor), Ok(member.clone()));

    let closed = Person { account: Status::Inactive, ..member };
    assert_eq!(closed.status(), Status::Inactive);
    assert_eq!(closed.patched(&status(Status::Active), actor), Err(PersonRefusal::AccountKeptElsewhere));
    let out = closed.patched(&status(Status::Inactive), actor).unwrap();
    assert_eq!((out.account, out.membership), (Status::Inactive, Some(Status::Inactive)));
}
