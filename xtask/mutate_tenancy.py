#!/usr/bin/env python3
"""Takes every wall between organizations out of a copy of this repository, one at a time, and looks whether the tests of
isolation notice. Walls are found by pattern, so that new code is mutated as well. Run it as `cargo xtask mutate-tenancy`.

  --list          only say what would be mutated
  --only PATTERN  only mutants whose name (`file:line kind`) matches this regular expression
  --restart       forget the results of earlier runs; without it, what has a result is not run again
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
PLACES = ["crates/persistence/src", "crates/auth/src", "crates/finance/src"]
# The tests of the routes first; what they let through is shown to those of the repositories.
ROUTES = ["cargo", "test", "--quiet", "-p", "sme-pulse-api", "--test", "it"]
REPOSITORIES = ["cargo", "test", "--quiet", "-p", "sme-pulse-persistence", "--test", "isolation", "--test", "store"]
RUN_SECONDS = 300
BUILD_SECONDS = 1800
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
        r"audit/erase\.rs:\d+ query without its tenant in erase$",
        "the events found are written by `erase_one`, which confines them again: two walls, and either alone holds",
    ),
    (
        r"audit/erase\.rs:\d+ query without its tenant in erase_one$",
        "the events written are those that `erase` has found, confined to the organization: two walls, and either alone holds",
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


def code_of(text):
    """The text with tests cut off and comments blanked, so that indexes stay."""
    cut = text.find("#[cfg(test)]\nmod ")
    text = text if cut < 0 else text[:cut]
    return re.sub(r"//[^\n]*", lambda found: " " * len(found.group()), text)


def mutants_of(path, text):
    """Yields (start, end, replacement, kind) for every wall in a file."""
    code = code_of(text)
    # A query of a tenant's table without its tenant.
    for found in re.finditer(r"((?:\w+::)*\w+)::(within|update_within|delete_within)\(", code):
        end = closing(code, found.end() - 1) + 1
        yield found.start(), end, f"<{found[1]} as sea_orm::EntityTrait>::{MANY[found[2]]}()", "query without its tenant"
    # A comparison of the tenant's column, written by hand.
    column = r"(?:\bOrgId|\bChainId|tenant_column\(\))\)*(?:\s*\.into_simple_expr\(\))?"
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
    for found in re.finditer(r"\b(?:\w+\.)?(?:org_id|chain_id)\s*=\s*((?:\w+\.)?\w*org_id|\$\d+|\?\d*|\{\w*\})", code):
        yield found.start(), found.end(), f"({found[1]} IS NOT NULL)", "SQL without its tenant"
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
                lines = text.splitlines()
                around = "\n".join(lines[max(0, line - 6) : line + 6])
                postgres = kind.startswith("SQL") and re.search(r"\b(core|auth|finance|analytics)\.\w", around)
                # Lines move; a result belongs to a file's text.
                key = hashlib.sha256(f"{text}|{start}|{end}|{new}".encode()).hexdigest()[:16]
                found.append(
                    dict(
                        path=path, line=line, start=start, end=end, new=new, kind=kind, key=key,
                        inside=head[-1] if head else "", engine="PostgreSQL" if postgres else "SQLite",
                        name=f"{path}:{line} {kind}",
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
        for entry in source.iterdir():
            if not ours.match(entry.name):
                subprocess.run(["cp", "-al", str(entry), str(copy / entry.name)], check=True)


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


def judge(engine):
    """Builds the copy and runs the tests of isolation: verdict and what was seen."""
    environment = dict(os.environ, CARGO_TARGET_DIR=str(BUILD), RUST_BACKTRACE="0")
    other = "::postgres" if engine == "SQLite" else "::sqlite"
    if engine == "SQLite":
        environment.pop("TEST_POSTGRES_URL", None)
    elif not environment.get("TEST_POSTGRES_URL"):
        return "not run", "TEST_POSTGRES_URL is not set"
    verdict, sign = run(ROUTES, ["isolation::"], other, environment)
    if verdict == "survived":
        verdict, sign = run(REPOSITORIES, [], other, environment)
        sign = f"by a repository's test: {sign}" if verdict == "caught" else sign
    return verdict, sign


def run(test, names, other, environment):
    output, code = command(test + ["--no-run"], BUILD_SECONDS, environment)
    if code != 0:
        errors = [line for line in output.splitlines() if line.startswith("error")]
        return "does not build", (errors or ["?"])[0][:160]
    output, code = command(test + names + ["--", "--skip", other], RUN_SECONDS, environment)
    if code is None:
        return "caught", "the tests did not end"
    if code != 0:
        return "caught", first_sign(output)
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


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--list", action="store_true")
    arguments.add_argument("--only", default="")
    arguments.add_argument("--restart", action="store_true")
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
    missing = [mutant for mutant in chosen if mutant["key"] not in results]
    if missing and not asked.table:
        copy_tree()
        borrow_dependencies()
        print("the tests without a mutation", flush=True)
        for engine in sorted({mutant["engine"] for mutant in missing}, reverse=True):
            verdict, sign = judge(engine)
            if verdict != "survived":
                print(f"error: unchanged code is already refused on {engine}: {verdict} {sign}")
                if engine == "SQLite":
                    return 1
        for number, mutant in enumerate(missing, 1):
            file = COPY / mutant["path"]
            original = (ROOT / mutant["path"]).read_text()
            began = time.monotonic()
            try:
                file.write_text(original[: mutant["start"]] + mutant["new"] + original[mutant["end"] :])
                verdict, sign = judge(mutant["engine"])
            finally:
                file.write_text(original)
            results[mutant["key"]] = dict(verdict=verdict, sign=sign)
            RESULTS.write_text(json.dumps(results, indent=1))
            seconds = round(time.monotonic() - began)
            print(f"[{number}/{len(missing)}] {verdict:<14} {mutant['name']} ({seconds} s) {sign}", flush=True)
    return conclude(chosen, every, results, asked.table)


def conclude(chosen, every, results, table):
    rows, holes = [], 0
    count = {}
    for mutant in chosen:
        result = results.get(mutant["key"], dict(verdict="not run", sign=""))
        verdict = result["verdict"]
        reason = next((why for part, why in EXPLAINED if re.search(part, f"{mutant['name']} in {mutant['inside']}")), "")
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
