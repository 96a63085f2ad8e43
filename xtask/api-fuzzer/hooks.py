"""What a schema cannot say, for `cargo xtask fuzz-api`: values that are right by the schema are made right by the rest as well."""

import re

import schemathesis

# Neither common nor anybody's name; within the lengths allowed. The development login has it too, so that a case which sets
# its password shuts nobody out.
GOOD_PASSWORD = "correct horse 47 battery"
# The user that the cases log in as.
OWN_ID = 1
# Bodies of which one of these members must be there.
ONE_OF = (
    ("/step-up", ("password", "code"), GOOD_PASSWORD),
    ("/users", ("role", "roles"), "cashier"),
    ("/invitations", ("role", "roles"), "cashier"),
)
INTEGERS = ("credit_term", "payment_term", "expires_in_days", "org_id")
# Names that nobody can have (RFC 6761); this API refuses them.
RESERVED = re.compile(r"\.(test|example|invalid|localhost|local|onion|arpa)$", re.IGNORECASE)


@schemathesis.deserializer("application/json")
def read(context, response):
    """A JWS is text; schemathesis takes `application/jwt` for JSON."""
    kinds = response.headers.get("content-type") or [""]
    return response.text if kinds[0].startswith("application/jwt") else response.json()


@schemathesis.hook
def before_call(context, case, **kwargs):
    """Changes only what the schema allows anyway, so that wrong values stay wrong."""
    if case.method != "GET" and (case.path_parameters or {}).get("user_id") == OWN_ID:
        # Demoted or with a password that was drawn, nobody could go on.
        case.path_parameters["user_id"] = OWN_ID + 1
    body = case.body
    if not isinstance(body, dict):
        return
    for path, members, example in ONE_OF:
        if case.path.endswith(path) and all(body.get(member) is None for member in members):
            body[members[0]] = example
    for name in ("password", "new_password"):
        # The list of common passwords and the bytes of a text are no part of a schema.
        if isinstance(body.get(name), str) and len(body[name]) >= 8:
            body[name] = GOOD_PASSWORD
    if isinstance(body.get("email"), str):
        body["email"] = RESERVED.sub(".dev", body["email"])
    for name in INTEGERS:
        # To JSON Schema 5.0 is an integer; this API wants it written as one.
        if isinstance(body.get(name), float) and body[name].is_integer():
            body[name] = int(body[name])
    if isinstance(body.get("opening_balance"), float):
        # Two decimals: `multipleOf` cannot be checked for binary fractions.
        body["opening_balance"] = round(body["opening_balance"], 2)
