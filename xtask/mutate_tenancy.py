#!/usr/bin/env python3
"""Takes every wall between organizations out of a copy of this repository, one at a time, and looks whether the tests of
isolation notice. Walls are found by pattern, so that new code is mutated as well. Run it as `cargo xtask mutate-tenancy`.

  --list          only say what would be mutated
  --only PATTERN  only mutants whose name (`file:line kind`) matches this regular expression
  --restart       forget the results of earlier runs; without it, what has a result is not run again
  --again         forget those of mutants that were not caught
  --table         write the table of results to docs/security.md
"""

import argparse
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = ROOT / "target" / "mutants"
COPY = WORK / "tree"
RESULTS = WORK / "results.json"
# Not that of the working tree: cargo would take a mutant's crates for its own.
BUILD = WORK / "target"
PLACES = ["crates/persistence/src", "crates/auth/src", "crates/finance/src", "migration/src"]
# What only PostgreSQL runs: the policies and the functions past them.
POSTGRES_ONLY = "migration/src"
# A test binary, the first part of the names of its tests that count (all, where it is empty), and who it asks.
ROUTES = ("sme-pulse-api", "it", "isolation::", "")
REPOSITORIES = ("sme-pulse-persistence", "isolation", "", "by a repository's test: ")
POLICIES = ("sme-pulse-persistence", "store", "row_security::", "by a test of the policies: ")
SERVICE = ("sme-pulse-auth", "service", "isolation::", "by a service's test: ")
# In the order in which they are asked: first those that need the least to be built.
TESTS = {
    "migration": [POLICIES, REPOSITORIES, ROUTES],
    "crates/persistence": [REPOSITORIES, ROUTES],
    "crates/auth": [ROUTES, SERVICE],
    "crates": [ROUTES],
}
RUN_SECONDS = 300
BUILD_SECONDS = 1800
# After so many mutants the unchanged code is tried again; if it fails, what came since is forgotten.
TRIED_AGAIN = 25
# A test that fails with this has not failed because of a mutant.
BROKEN = ["too many clients", "connection refused", "Connection refused", "No space left", "pool timed out", "database is locked"]
# The organization that the tests attack (VICTIM in crates/api/tests/it/isolation/canary.rs).
VICTIM = "917_359_730_000_111"
OTHER_ORG = f"sme_pulse_domain::ids::OrgId::new({VICTIM})"
OTHER_SCOPE = f"sme_pulse_domain::tenant::TenantScope::assume_verified({OTHER_ORG}, None)"
MANY = {"within": "find", "update_within": "update_many", "delete_within": "delete_many"}

# Not mutated, and why.
SKIPPED = {"crates/persistence/src/seed": "seeds write one organization of their own and serve no caller"}
# Survivors that are no hole: part of the name and the reason. Each is run all the same.
EXPLAINED = [
    (
        r"audit/erase\.rs:\d+ query without its tenant in erase:",
        "the events found are written by `erase_one`, which confines them again: two walls, and either alone holds",
    ),
    (
        r"audit/erase\.rs:\d+ query without its tenant in erase_one:",
        "the events written are those that `erase` has found, confined to the organization: two walls, and either alone holds",
    ),
    (
        r"repo/passwords\.rs:\d+ query without its tenant in lock_active:",
        "the user is looked for within the organization, and by its key among the active ones, within it: either alone holds",
    ),
    (
        r"repo/signing_keys\.rs:\d+ unscoped query without its key in ",
        "keys that sign belong to no organization; the tests of key sets in `crates/auth/tests/service` hold them",
    ),
    (
        r"repo/sessions\.rs:\d+ query without its tenant in lock_owner:",
        "it locks one person's row, tells nothing and changes nothing",
    ),
    (
        r"row_level_security\.rs:\d+ policy without one of its conditions in questions: org_id = \{ORG\}$",
        "it sees what the policies of memberships show: those of this organization and the acting person's own, and wherever "
        "`belongs_here` is asked the acting person passes by the condition before it",
    ),
    (
        r"service/authenticate\.rs:\d+ organizations not compared in admit: session\.org != claims\.org",
        "the session's organization is the one that was read with its user, which is compared with the claim above",
    ),
    (
        r"factor/step_up\.rs:\d+ organizations not compared in roles_of:",
        "the row is read by the caller's own session, whose organization was compared with the caller's when they came in",
    ),
    (
        r"factor/waiting\.rs:\d+ organizations not compared in complete_log_in:",
        "a challenge is made at its user's home, and no account changes its home: it stands there for the day that one may",
    ),
    (
        r"service/sessions\.rs:\d+ scope of the home organization in sessions:",
        "people see their own sessions wherever those were opened: the query and the policy ask for the person, who is the same",
    ),
    (
        r"auth/src/guard/recent_user\.rs:\d+ scope of .* in scope: ",
        "offered to other services, no route of this program calls it; and what it hands on has no other scope",
    ),
]


def closing(text, opening):
    """The index of the bracket that closes the one at `opening`; strings are stepped over."""
    depth, i = 0, opening
    while i < len(text):
        if text[i] == '"':
            i += 1
            while text[i] != '"':
                i += 2 if text[i] == "\\" else 1
        elif text[i] in "([{":
            depth += 1
        elif text[i] in ")]}":
            depth -= 1
            if depth == 0:
                return i
        i += 1
    raise ValueError("no closing bracket")


def argument_end(text, start):
    """The index after the first argument that begins at `start`."""
    i = start
    while text[i] not in ",)":
        i = closing(text, i) + 1 if text[i] in "([{" else i + 1
    return i


# A comment, a text or a character, whichever begins first.
TOKENS = re.compile(r'//[^\n]*|"(?:\\.|[^"\\])*"|\'(?:\\.[^\']*|[^\'\\])\'', re.DOTALL)


def code_of(text):
    """The text with tests cut off and comments blanked, so that indexes stay."""
    cut = text.find("#[cfg(test)]\nmod ")
    text = text if cut < 0 else text[:cut]
    return TOKENS.sub(lambda found: " " * len(found[0]) if found[0].startswith("//") else found[0], text)


def texts_of(code):
    """Where the literals of text begin, with what stands in them."""
    return [(found.start() + 1, found[0][1:-1]) for found in TOKENS.finditer(code) if found[0].startswith('"')]


# The column of an organization, or the key of the table of organizations under the name it has in queries.
ORGANIZATION = r"(?<![\w.])(?:(?:\w+\.)?(?:org_id|chain_id)|o\.id)\b"
# In functions past the policies also whose row it is, or by which key it was asked for.
KEY = r"(?<![\w.])(?:(?:\w+\.)?(?:org_id|chain_id|user_id|token_hash)|[ousmfihtc]\.id|id|u\.email|o\.tax_code)\b"
# What it may be compared with; never a part of something longer.
VALUE = r"(\bCASE WHEN .*? END\b|\bANY \(string_to_array\(.*?\[\]\)|\b(?:hash|token)::char\(64\)|\$\d+|\?\d*|\{\w*\}|\b\w+(?:\.\w+)?\b(?![.(:]))"

STATEMENT = r"\b(?:SELECT|UPDATE|DELETE|JOIN)\b"


def sql_mutants(code, left, kind):
    """Comparisons inside of texts that are statements: each holds for every row that has a value there."""
    for begin, text in texts_of(code):
        if not re.search(STATEMENT, text):
            continue
        for found in re.finditer(left + r"\s*=\s*" + VALUE, text, re.DOTALL):
            # `SET org_id = $1` compares nothing.
            if not re.search(r"\bSET\s+$", text[: found.start()]):
                # What is bound has to be used, or the statement is refused.
                new = f"({found[1]} IS NOT NULL)" if found[1][0] in "$?{" else "TRUE"
                yield begin + found.start(), begin + found.end(), new, kind
        for found in re.finditer(r"\b\w+\.org_id IS NULL\b(?! THEN)", text):
            yield begin + found.start(), begin + found.end(), "TRUE", kind
        # A key of several columns with the organization among them.
        for found in re.finditer(r"\(org_id, user_id, key\) IN\s+\(SELECT org_id, user_id, key\b", text):
            yield begin + found.start(), begin + found.end(), "key IN (SELECT key", kind


def policy_mutants(code):
    """What policies ask, one condition at a time, and what keeps them closed."""
    for begin, text in texts_of(code):
        asked = r"\b(?:org_id|chain_id|user_id|id) = \{(?:ORG|PERSON)\}|\{ORG\} = 0|\bauth\.\w+\((?:id|user_id|id, user_id, org_id)\)"
        # In questions also whose row it is, and what it was.
        asked += r"|\bid = (?:person|named)\b|\buser_id = person\b|\borg_id = place\b"
        for found in re.finditer(asked, text) if not re.search(STATEMENT, text) else []:
            yield begin + found.start(), begin + found.end(), "true", "policy without one of its conditions"
        for found in re.finditer(r"\{(?:home|own|sheet|chain)\}", text):
            yield begin + found.start(), begin + found.end(), "true", "policy without one of its conditions"
        for part in ["ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;", "ALTER TABLE {table} FORCE ROW LEVEL SECURITY;"]:
            for found in re.finditer(re.escape(part), text):
                yield begin + found.start(), begin + found.end(), "", "table left open"
        for found in re.finditer(r"current_setting\(''sme_pulse\.every_tenant'', true\) = ''on''", text):
            yield begin + found.start(), begin + found.end(), "true", "table left open"
        for found in re.finditer(r"; REVOKE ALL ON FUNCTION \{signature\} FROM PUBLIC", text):
            yield begin + found.start(), begin + found.end(), "; SELECT '{signature}'", "function for everybody"
    # One policy of those that share a condition.
    outside = TOKENS.sub(lambda token: " " * len(token[0]), code)
    for found in re.finditer(r"(?<![\w{.])(?:home|own|sheet|chain|at_home)(?:\.clone\(\))?(?=[,)])", outside):
        # Named as an argument of `format!` or bound by `let` it is no policy's yet.
        if not re.search(r"let \w+ = $|format!\([^)]*$", code[: found.start()]):
            yield found.start(), found.end(), '"true".to_owned()', "policy without its condition"


def mutants_of(path, text):
    """Yields (start, end, replacement, kind) for every wall in a file."""
    code = code_of(text)
    if path.startswith(POSTGRES_ONLY):
        if "CREATE POLICY" in code or "SECURITY DEFINER" in code:
            yield from sql_mutants(code, KEY, "function without a key")
            yield from policy_mutants(code)
        return
    # A query of a tenant's table without its tenant.
    for found in re.finditer(r"((?:\w+::)*\w+)::(within|update_within|delete_within)\(", code):
        end = closing(code, found.end() - 1) + 1
        yield found.start(), end, f"<{found[1]} as sea_orm::EntityTrait>::{MANY[found[2]]}()", "query without its tenant"
    # A comparison of the tenant's column, written by hand.
    column = r"(?:\bOrgId|\bChainId|tenant_column\(\)|\borganization::Column::Id)\)*(?:\s*\.into_simple_expr\(\))?"
    for found in re.finditer(column + r"\s*(\.(?:eq|equals)\()", code):
        end = closing(code, found.end() - 1) + 1
        yield found.start(1), end, ".is_not_null()", "tenant's column not compared"
    # A subquery that confines to the tenant.
    for found in re.finditer(r"\.in_subquery\(", code):
        yield found.start(), closing(code, found.end() - 1) + 1, ".is_not_null()", "subquery does not confine"
    # Queries outside any tenant, which a key confines.
    for found in re.finditer(r"Entity::(?:find|update_many|delete_many)\(\)(\s*\.filter\()", code):
        end = closing(code, found.end() - 1) + 1
        yield found.start(1), end, "", "unscoped query without its key"
    # Rows written for another organization.
    for found in re.finditer(r"Set\(((?:\w+\.)*scope\.org\(\)\.get\(\))\)", code):
        yield found.start(1), found.end(1), VICTIM, "row written for another organization"
    # SQL text.
    yield from sql_mutants(code, ORGANIZATION, "SQL without its tenant")
    for found in re.finditer(r'key: ("org_id, user_id, key")', code):
        yield found.start(1), found.end(1), '"key"', "SQL without its tenant"
    # The scope of a use case.
    for found in re.finditer(r"\b(?:\w+(?:\(\))?\.)+((?:account_)?scope)\(\)", code):
        if path.startswith("crates/persistence"):
            continue
        yield found.start(), found.end(), OTHER_SCOPE, "scope of another organization"
        if found[1] == "scope":
            yield found.start(1), found.end(1), "account_scope", "scope of the home organization"
    # The places where scopes are made.
    for found in re.finditer(r"(?<!fn )\bassume_verified\(", code):
        yield found.end(), argument_end(code, found.end()), OTHER_ORG, "scope made for another organization"
    # Comparisons of organizations, and the membership.
    same = r"[\w.]*\borg(?:_id)?(?:\(\))?\s*(==|!=)\s*[\w.]*\b(?:in_)?org(?:_id)?\b(?:\(\))?"
    same += r"|[\w.]*\bin_org_id\s*(==|!=)\s*[\w.]*org_id\b"
    for found in re.finditer(same, code):
        answer = "true" if "==" in found.group() else "false"
        yield found.start(), found.end(), answer, "organizations not compared"
    for found in re.finditer(r"!\s*\w+(?:\.\w+)*\.is_member\b", code):
        yield found.start(), found.end(), "false", "membership not asked for"


def all_mutants():
    found = []
    for place in PLACES:
        for file in sorted((ROOT / place).rglob("*.rs")):
            path, text = str(file.relative_to(ROOT)), file.read_text()
            if path.endswith("tests.rs") or any(path.startswith(skipped) for skipped in SKIPPED):
                continue
            seen = set()
            for start, end, new, kind in sorted(mutants_of(path, text)):
                if (start, end, new) in seen or text[start:end] == new:
                    continue
                seen.add((start, end, new))
                line = text.count("\n", 0, start) + 1
                head = re.findall(r"fn (\w+)", text[:start])
                # Only PostgreSQL has schemas.
                around = next((found for at, found in texts_of(code_of(text)) if at <= start < at + len(found)), "")
                postgres = kind.startswith("SQL") and re.search(r"\b(core|auth|finance|analytics)\.\w", around)
                postgres = postgres or path.startswith(POSTGRES_ONLY)
                named = re.findall(r'name: "(\w+)",\n', text[:start]) if postgres else []
                # Lines move; a result belongs to a file's text.
                key = hashlib.sha256(f"{text}|{start}|{end}|{new}".encode()).hexdigest()[:16]
                found.append(
                    dict(
                        path=path, line=line, start=start, end=end, new=new, kind=kind, key=key,
                        inside=(named or head or [""])[-1], engine="PostgreSQL" if postgres else "SQLite",
                        name=f"{path}:{line} {kind}", old=text[start:end],
                    )
                )
    return found


def copy_tree():
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\n")
    wanted = {name for name in listed if name and (ROOT / name).is_file()}
    for file in [file for file in COPY.rglob("*") if file.is_file()] if COPY.exists() else []:
        if str(file.relative_to(COPY)) not in wanted:
            file.unlink()
    for name in wanted:
        source, copy = ROOT / name, COPY / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        # Unchanged files keep their times, so that nothing is built again for them.
        if not copy.exists() or copy.read_bytes() != source.read_bytes():
            shutil.copy(source, copy)


def borrow_dependencies():
    """Links what the working tree has built of other people's crates, which saves building them again."""
    if BUILD.exists() or not (ROOT / "target" / "debug").exists():
        return
    ours = re.compile(r"(lib)?(sme[-_]pulse|xtask|it-|documents-|edge-|process-|browser-)")
    for name in ["deps", ".fingerprint", "build"]:
        source, copy = ROOT / "target" / "debug" / name, BUILD / "debug" / name
        copy.mkdir(parents=True, exist_ok=True)
        # Programs of tests have no ending; they are all ours.
        theirs = [entry for entry in source.iterdir() if not ours.match(entry.name) and (name != "deps" or entry.suffix)]
        for some in range(0, len(theirs), 500):
            subprocess.run(["cp", "-al", *map(str, theirs[some : some + 500]), str(copy)], check=True)


def command(args, seconds, environment):
    """Exit code and output; None when it took too long."""
    process = subprocess.Popen(
        args, cwd=COPY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        return process.communicate(timeout=seconds)[0], process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return process.communicate()[0], None


def judge(engine, path):
    """Builds the copy, of which the file at `path` is changed, and runs the tests of isolation: verdict and what was seen."""
    environment = dict(os.environ, CARGO_TARGET_DIR=str(BUILD), RUST_BACKTRACE="0")
    if engine == "SQLite":
        environment.pop("TEST_POSTGRES_URL", None)
    elif not environment.get("TEST_POSTGRES_URL"):
        return "not run", "TEST_POSTGRES_URL is not set"
    for test in next(tests for place, tests in TESTS.items() if path.startswith(place)):
        verdict, sign = run(test, "::postgres" if engine == "SQLite" else "::sqlite", environment)
        if verdict != "survived":
            break
    return verdict, sign


def run(test, other, environment):
    package, binary, names, who = test
    cargo = ["cargo", "test", "--quiet", "-p", package, "--test", binary]
    # Its tests need the parts that other services may leave out.
    cargo += ["--all-features"] if package == "sme-pulse-auth" else []
    output, code = command(cargo + ["--no-run"], BUILD_SECONDS, environment)
    if code is None:
        return "unclear", "it was not built in time"
    if code != 0:
        errors = [line for line in output.splitlines() if line.startswith("error")]
        return "does not build", (errors or ["?"])[0][:160]
    output, code = command(cargo + [names] * bool(names) + ["--", "--skip", other], RUN_SECONDS, environment)
    if code is None:
        return "unclear", "the tests did not end"
    if code != 0:
        failed = re.findall(r"^    ([\w:]+)$", output.rpartition("\nfailures:\n")[2], re.MULTILINE)
        failed = [name for name in failed if name.startswith(names)]
        broken = [words for words in BROKEN if words in output]
        if not failed or broken:
            return "unclear", f"no test of isolation says so: {(broken or output.splitlines()[-1:] or ['?'])[0][:160]}"
        return "caught", f"{who}{failed[0]}: {first_sign(output)}"
    ran = [int(number) for number in re.findall(r"(\d+) passed", output)]
    return ("survived", "") if sum(ran) > 0 else ("not run", "no test ran")


def first_sign(output):
    lines = output.splitlines()
    for i, line in enumerate(lines):
        if re.match(r"(GET|POST|PUT|DELETE|HEAD) .* (as|wrote|took away) ", line):
            why = lines[i + 1].strip() if i + 1 < len(lines) and lines[i + 1].startswith("    ") else ""
            return f"{line[:110]} … {why[:110]}"
    panics = [lines[i + 1] for i, line in enumerate(lines) if "panicked at" in line and i + 1 < len(lines)]
    return (panics or ["?"])[0][:200]


def is_sound(engines):
    """Whether the unchanged code passes."""
    for engine in engines:
        verdict, sign = judge(engine, "migration" if engine == "PostgreSQL" else "crates/persistence")
        if verdict != "survived":
            print(f"error: unchanged code is refused on {engine}: {verdict} {sign}", flush=True)
            return False
    return True


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--list", action="store_true")
    arguments.add_argument("--only", default="")
    arguments.add_argument("--restart", action="store_true")
    arguments.add_argument("--again", action="store_true")
    arguments.add_argument("--table", action="store_true")
    asked = arguments.parse_args()
    every = all_mutants()
    chosen = [mutant for mutant in every if re.search(asked.only, mutant["name"])]
    if asked.list:
        for mutant in chosen:
            print(f"{mutant['name']} ({mutant['engine']}, in {mutant['inside']})")
        print(f"{len(chosen)} mutants")
        return 0
    WORK.mkdir(parents=True, exist_ok=True)
    results = {} if asked.restart or not RESULTS.exists() else json.loads(RESULTS.read_text())
    if asked.again:
        results = {key: result for key, result in results.items() if result["verdict"] == "caught"}
    missing = [mutant for mutant in chosen if mutant["key"] not in results]
    if missing and not asked.table:
        copy_tree()
        borrow_dependencies()
        print("the tests without a mutation", flush=True)
        engines = sorted({mutant["engine"] for mutant in missing}, reverse=True)
        if not is_sound(engines):
            return 1
        since = []
        for number, mutant in enumerate(missing, 1):
            file = COPY / mutant["path"]
            original = (ROOT / mutant["path"]).read_text()
            began = time.monotonic()
            try:
                file.write_text(original[: mutant["start"]] + mutant["new"] + original[mutant["end"] :])
                verdict, sign = judge(mutant["engine"], mutant["path"])
                # A use case with a wrong scope meets the policies on PostgreSQL, which is where the tests run as well.
                if verdict == "survived" and mutant["path"].startswith("crates/auth") and os.environ.get("TEST_POSTGRES_URL"):
                    verdict, sign = judge("PostgreSQL", mutant["path"])
                    sign = f"on PostgreSQL alone: {sign}" if verdict == "caught" else sign
            finally:
                file.write_text(original)
            results[mutant["key"]] = dict(verdict=verdict, sign=sign)
            since.append(mutant)
            seconds = round(time.monotonic() - began)
            print(f"[{number}/{len(missing)}] {verdict:<14} {mutant['name']} ({seconds} s) {sign}", flush=True)
            if len(since) == TRIED_AGAIN or number == len(missing):
                if not is_sound(sorted({mutant["engine"] for mutant in since})):
                    for doubtful in since:
                        results.pop(doubtful["key"])
                    RESULTS.write_text(json.dumps(results, indent=1))
                    return 1
                since = []
            RESULTS.write_text(json.dumps(results, indent=1))
    return conclude(chosen, every, results, asked.table)


def conclude(chosen, every, results, table):
    rows, holes = [], 0
    count = {}
    for mutant in chosen:
        result = results.get(mutant["key"], dict(verdict="not run", sign=""))
        verdict = result["verdict"]
        what = f"{mutant['name']} in {mutant['inside']}: {mutant['old']}"
        reason = next((why for part, why in EXPLAINED if re.search(part, what, re.DOTALL)), "")
        if verdict != "caught" and reason:
            verdict = "explained"
        elif verdict != "caught":
            holes += 1
        count[verdict] = count.get(verdict, 0) + 1
        rows.append((mutant, verdict, reason))
    print(", ".join(f"{number} {verdict}" for verdict, number in sorted(count.items())), f"of {len(chosen)} mutants")
    for mutant, verdict, reason in rows:
        if verdict != "caught":
            print(f"{verdict:<14} {mutant['name']} in {mutant['inside']} {reason}")
    if table and len(chosen) == len(every):
        write_table(rows, count)
    return 1 if holes else 0


def write_table(rows, count):
    """Between two marks of docs/security.md: a line for each kind, and one for each mutant that is not caught."""
    kinds = {}
    for mutant, verdict, _ in rows:
        kinds.setdefault(mutant["kind"], []).append(verdict)
    lines = ["| Taken out | Places | Caught | Explained below | Other |", "|---|---|---|---|---|"]
    for kind, verdicts in sorted(kinds.items()):
        caught, explained = verdicts.count("caught"), verdicts.count("explained")
        lines.append(f"| {kind} | {len(verdicts)} | {caught} | {explained} | {len(verdicts) - caught - explained} |")
    rest = [(mutant, verdict, reason) for mutant, verdict, reason in rows if verdict != "caught"]
    if rest:
        lines += ["", "| Not caught | Where | Result | Why it is no hole |", "|---|---|---|---|"]
        for mutant, verdict, reason in rest:
            place = f"`{mutant['path']}`, line {mutant['line']}, `{mutant['inside']}`"
            lines.append(f"| {mutant['kind']} | {place} | {verdict} | {reason or '–'} |")
    file = ROOT / "docs" / "security.md"
    text = file.read_text()
    begin, end = "<!-- mutants -->\n", "<!-- end of mutants -->"
    before, rest_of = text.split(begin)
    _, after = rest_of.split(end)
    file.write_text(before + begin + "\n".join(lines) + "\n" + end + after)


if __name__ == "__main__":
    sys.exit(main())
