"""Compares config systems by a list of user mistakes, and writes docs/comparison/mistakes.md.

    python benchmarks/mistakes/compare.py             # writes the page
    python benchmarks/mistakes/compare.py --check     # exits with 1 if the page is out of date
    python benchmarks/mistakes/compare.py --details   # also says who found what, with the first message of each

`--keep FOLDER` leaves all programs in a folder. What has to be installed stands in requirements.txt.
"""

from __future__ import annotations

import argparse
import difflib
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from cases import HERE, SYSTEMS, Mistake, System, programs_of, read_mistakes, read_system
from judge import CHECK, Verdict, Verdicts, judge

PAGE = HERE.parents[1] / "docs" / "comparison" / "mistakes.md"

INTRODUCTION = """\
# User mistakes, and when they are found

What does a config system catch before the program runs? The same small training config, with a base, a child that \
overrides it and a derived value, is written in typedcat and in five other systems. Then {count} mistakes are made in \
it, one at a time, and each program is checked by `mypy --strict` and by pyright with its default rules, by `typedcat \
check` if it is a typedcat program, and is run. The list goes through what users do with a config: reading and writing \
keys, inheriting, choosing classes, deriving values, the command line, YAML, sweeps, training. It is not a sample of \
real errors, so the totals say nothing beyond this list. The table says when a mistake is found at the earliest:

| cell | meaning |
|---|---|
| `mypy+pyright`, `mypy`, `pyright` | by these type checkers, before the program runs |
| `check` | by `typedcat check` and no type checker, before the program runs |
| `load` | when the config is built, merged, validated or turned into objects, before the training function is called |
| `run` | when the training uses the value: an exception in the training function |
| `never` | not at all: the program ends without an error, and the training was given something else than was meant |
| - | there is nothing to find: in this system the training was given what was meant |

`typedcat check` is one command for all config files of a project. It executes them, and what they import, and loads \
each config as a run would, sweeps included, but it does not execute the training program. It has to be run to find \
anything: typedcat offers it as a hook of pre-commit and recommends it for continuous integration. The other systems \
have no such command, though whoever writes a test that builds every config finds with it much of what stands under \
`load`. What comes nearest to the command has [a table of its own](#one-command-line-without-training), and does not \
count here.

Found *by type checkers alone* are the cells of the first row, *before the program runs* those of the second as well, \
*before the first training step* those of the third too. The totals leave out `-`.
"""

MISSES = """\
## What typedcat misses

Neither a type checker nor `typedcat check` finds these {missed} in a typedcat program before it runs:
"""

ONLY_CHECK = """\
These {found} `typedcat check` finds, and no type checker:
"""

TRIALS = """\
## One command line without training

Some systems let a user try a command line: the config is built for it, and the program ends before the training. That \
is one program at a time, and only if its command line is read by the system, so the sweeps here, and the YAML file in \
chz, cannot be tried. But it finds mistakes without training, of those on the command line too. The table counts what \
is found when every program is tried in this way first, beside what type checkers find (and, in typedcat, \
`typedcat check`).
"""

REPEAT = """\
## How to repeat it

```bash
python3 -m venv .venv-peers
.venv-peers/bin/pip install -r benchmarks/mistakes/requirements.txt .
.venv-peers/bin/python benchmarks/mistakes/compare.py            # writes this page
.venv-peers/bin/python benchmarks/mistakes/compare.py --check    # exits with 1 if this page is out of date
.venv-peers/bin/python benchmarks/mistakes/compare.py --details  # writes it, and shows the messages
```

The correct programs are in `benchmarks/mistakes/programs`, a folder for each system. The script stops if one of them \
is refused by a type checker or a command, fails, or gives other values to the training than the others, so every \
error that is counted comes from the mistake. A mistake is an edit of one of them, which stands in the `system.toml` \
of the folder. The type checkers see the edited file beside the correct other files. `--keep FOLDER` leaves all \
programs in a folder, as they were checked and run.
"""


def main() -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the page instead of writing it")
    parser.add_argument("--details", action="store_true", help="say what was found by whom")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave all programs in this new folder")
    args = parser.parse_args()
    mistakes, meant = read_mistakes()
    systems = [read_system(key) for key in SYSTEMS]
    programs = [program for system in systems for program in programs_of(system, mistakes, meant)]
    with tempfile.TemporaryDirectory() as temporary:
        verdicts = judge(programs, systems, args.keep or Path(temporary))
    if args.details:
        sys.stdout.write(details(systems, verdicts))
    if wrong := refused(verdicts) + unexplained(systems[0], mistakes, verdicts):
        sys.stderr.write("".join(f"error: {line}\n" for line in wrong))
        return 2
    text = page(mistakes, systems, verdicts)
    return check(text) if args.check else write(text)


def write(text: str) -> int:
    """Writes the page."""
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(text, encoding="utf-8")
    return 0


def check(text: str) -> int:
    """Compares the page with what it should be; returns the exit status."""
    old = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    names = (str(PAGE), "what the programs say now")
    sys.stdout.writelines(difflib.unified_diff(old.splitlines(True), text.splitlines(True), *names))
    return int(old != text)


# -- what must hold before the table means anything


def refused(verdicts: Verdicts) -> list[str]:
    """The correct programs that are refused before they run, that fail, or that give other values to the training."""
    wrong = []
    for (key, name), said in verdicts.items():
        why = said.mypy or said.pyright or said.check or said.trial or said.error
        if name.startswith("correct_") and (why or not said.nothing_to_find):
            wrong.append(f"{key}/{name}: {said.earliest}: {why}")
    return wrong


def unexplained(typedcat: System, mistakes: list[Mistake], verdicts: Verdicts) -> list[str]:
    """The mistakes that need a reason in the system.toml of typedcat and have none, and the other way round."""
    by_check = {mistake.name for mistake in found_by_check_only(typedcat, mistakes, verdicts)}
    missed = {mistake.name for mistake in missed_by(typedcat, mistakes, verdicts)}
    wrong = []
    for section, given, needed in (("only_check", typedcat.only_check, by_check), ("misses", typedcat.misses, missed)):
        wrong += [f"typedcat/system.toml: [{section}] lacks {name}" for name in sorted(needed - given.keys())]
        wrong += [f"typedcat/system.toml: {name} is no case for [{section}]" for name in sorted(given.keys() - needed)]
    return wrong


def found_by_check_only(system: System, mistakes: list[Mistake], verdicts: Verdicts) -> list[Mistake]:
    """What the check of a system finds, and no type checker."""
    return [mistake for mistake in mistakes if verdicts[system.key, mistake.name].earliest == CHECK]


def missed_by(system: System, mistakes: list[Mistake], verdicts: Verdicts) -> list[Mistake]:
    """What a system does not find before the program runs, though there is something to find."""
    found = {mistake.name: verdicts[system.key, mistake.name] for mistake in mistakes}
    return [m for m in mistakes if not found[m.name].before_it_runs and not found[m.name].nothing_to_find]


# -- the page


def page(mistakes: list[Mistake], systems: list[System], verdicts: Verdicts) -> str:
    """The whole page."""
    made_by = "<!-- Made by benchmarks/mistakes/compare.py. Do not edit. -->\n"
    written = [f"- **{system.name}**: {system.written}\n" for system in systems]
    sections = [
        made_by + INTRODUCTION.format(count=len(mistakes)),
        table(mistakes, systems, verdicts),
        misses(systems[0], mistakes, verdicts),
        trials(mistakes, systems, verdicts),
        "## How each system is written\n\nEach is written as its own documentation recommends.\n\n" + "".join(written),
        versions(systems),
        REPEAT,
    ]
    return "\n".join(sections)


def table(mistakes: list[Mistake], systems: list[System], verdicts: Verdicts) -> str:
    """Mistakes by systems, with the totals."""
    rows = [["mistake", *(system.name for system in systems)], ["---"] * (len(systems) + 1)]
    for mistake in mistakes:
        rows.append([mistake.what, *(cell(verdicts[system.key, mistake.name]) for system in systems)])
    columns = [to_find(system, mistakes, verdicts) for system in systems]
    rows.append(totals("by type checkers alone", [[bool(v.static) for v in column] for column in columns]))
    rows.append(totals("before the program runs", [[v.before_it_runs for v in column] for column in columns]))
    rows.append(totals("before the first training step", [[v.before_training for v in column] for column in columns]))
    return as_markdown(rows)


def to_find(system: System, mistakes: list[Mistake], verdicts: Verdicts) -> list[Verdict]:
    """What was said of the mistakes that matter in a system."""
    judged = [verdicts[system.key, mistake.name] for mistake in mistakes]
    return [verdict for verdict in judged if not verdict.nothing_to_find]


def cell(verdict: Verdict) -> str:
    """When a mistake is found, as Markdown."""
    return verdict.earliest if verdict.nothing_to_find else f"`{verdict.earliest}`"


def as_markdown(rows: list[list[str]]) -> str:
    """A table as Markdown."""
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def totals(name: str, found: list[list[bool]]) -> list[str]:
    """A row of totals."""
    return [f"**found {name}**", *(f"**{sum(column)} of {len(column)}**" for column in found)]


def misses(typedcat: System, mistakes: list[Mistake], verdicts: Verdicts) -> str:
    """What typedcat does not find before the program runs, and what its type checkers do not find, and why."""
    rows = [["mistake", "found", "why neither finds it"], ["---"] * 3]
    for mistake in missed_by(typedcat, mistakes, verdicts):
        rows.append([mistake.what, cell(verdicts[typedcat.key, mistake.name]), typedcat.misses[mistake.name]])
    checked = [["mistake", "code of the finding", "why no type checker finds it"], ["---"] * 3]
    for mistake in found_by_check_only(typedcat, mistakes, verdicts):
        codes = verdicts[typedcat.key, mistake.name].check
        checked.append([mistake.what, codes, typedcat.only_check[mistake.name]])
    first, second = MISSES.format(missed=len(rows) - 2), ONLY_CHECK.format(found=len(checked) - 2)
    return f"{first}\n{as_markdown(rows)}\n{second}\n{as_markdown(checked)}"


def trials(mistakes: list[Mistake], systems: list[System], verdicts: Verdicts) -> str:
    """What each system finds if its command lines are tried without training."""
    rows = [["system", "how a command line is tried", "found without it", "found with it"], ["---"] * 4]
    for system in systems:
        said = to_find(system, mistakes, verdicts)
        without = sum(verdict.before_it_runs for verdict in said)
        tried = sum(verdict.before_it_runs or verdict.trial is not None for verdict in said)
        rows.append([system.name, system.trial.name, f"{without} of {len(said)}", f"{tried} of {len(said)}"])
    return f"{TRIALS}\n{as_markdown(rows)}"


def versions(systems: list[System]) -> str:
    """The versions of everything."""
    packages = dict.fromkeys(package for system in systems for package in system.packages)
    said = [f"{package} {version(package)}" for package in (*packages, "mypy", "pyright")]
    python = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    return f"## Versions\n\n{', '.join([*said, python])}.\n"


def details(systems: list[System], verdicts: Verdicts) -> str:
    """Who found what, and the first message of each."""
    names = {system.key: system.name for system in systems}
    return "".join(
        f"{names[key]}, {name}: {verdict.earliest}\n{_messages(verdict)}" for (key, name), verdict in verdicts.items()
    )


def _messages(verdict: Verdict) -> str:
    said = {
        "mypy": verdict.mypy,
        "pyright": verdict.pyright,
        CHECK: verdict.check,
        "trial": verdict.trial,
        verdict.stage: verdict.error,
    }
    return "".join(f"    {who}: {message}\n" for who, message in said.items() if message)


if __name__ == "__main__":
    sys.exit(main())
