"""The page for AI agents that `alovoice skill` prints: the law of exit code 6, rules, and every command by effect."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

FILE_NAME = "SKILL.md"
_HEAD = """---
name: {program}
description: Work with an AloVoice cloud PBX from the command line - auto-dial campaigns, calls, lines, extensions, \
the history of calls, missed callers, speech analyses, routing rules. Use it when somebody asks about their PBX's calls.
---
# {program} {version}: a page for AI agents

## The law of exit code 6

**After exit code 6 never run the same line again. Look first.** The request left this machine and its answer was lost:
a telephone may have rung, a campaign may exist, an analysis may be charged. A second run may call people twice.

1. Read the error: it names the receipt (`R-7F3K`). `{program} call receipts show RECEIPT` shows what is known.
2. A call: `{program} call resolve RECEIPT`. Exit code 0: it rang. 1: it did not ring. 6 or 9: not known, and no proof.
3. A campaign: `{program} autorule list --status unknown`, and ask a person to look into the web console of the PBX.
4. Run it again only after evidence that it did not happen, or when a person who was told all this orders it.

Only these commands may end with 6: {unknown}.
After every other exit code nothing forbids the same line; mend the cause first.

## Rules

- Try it without a PBX: `-p sandbox` is a simulated one in this program. No telephone rings, no token is needed.
- Run a command that dials, creates or costs with `--dry-run` first: it prints the request and sends nothing.
- Never add `--yes`, `--night-ok`, `--allow-duplicate`, `--resend-unknown`, `--accept-risk` or `--override-limit` \
unless a person asked for that very thing; without `--yes`, what cannot be undone is refused where nobody can answer.
- Say with `--confirm N` how many people a list or batch may reach.
- Set `ALOVOICE_READONLY=1` while you only look: all that dials, creates or costs is refused.
- `local` speaks of the PBX alone: `notify test`, `listen`, `events trigger`, `events replay` and `events certify` \
send to people and programs that you name.
- Take `--json` to read answers. With it an error is one JSON object on stderr: kind, message, hint, sent, retry_safe.
- Name the PBX with `-p PROFILE`. Never print or store a token: `{program} login` does that, typed by a person.
- `{program} help --json COMMAND` has a command's options with types and defaults; `{program} COMMAND --help` the text.

## Exit codes

"""


def write_agent_page(tree: Mapping[str, Any]) -> str:
    """Returns the page in Markdown, made of the tree that `machine_tree.as_json` returns."""
    leaves = list(_leaves(tree["command"]))
    effects: Mapping[str, str] = tree["effects"]
    unknown = ", ".join(f"`{_words(leaf)}`" for leaf in leaves if leaf["may_end_unknown"])
    head = _HEAD.format(program=tree["program"], version=tree["version"], unknown=unknown)
    codes = "".join(f"- {row['code']}: {row['meaning']}\n" for row in tree["exit_codes"])
    groups = "".join(_group(effect, meaning, leaves) for effect, meaning in effects.items())
    return f"{head}{codes}\n## Commands, by what they do at most to the PBX\n{groups}"


def _group(effect: str, meaning: str, leaves: Sequence[Mapping[str, Any]]) -> str:
    lines = [f"- `{_synopsis(leaf)}`: {leaf['summary']}." for leaf in leaves if leaf["effect"] == effect]
    return "\n".join([f"\n### {effect}: {meaning}\n", *lines]) + "\n" if lines else ""


def _leaves(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "effect" in node:
        yield node
    for below in node["commands"]:
        yield from _leaves(below)


def _words(leaf: Mapping[str, Any]) -> str:
    return str(leaf["path"]).partition(" ")[2]


def _synopsis(leaf: Mapping[str, Any]) -> str:
    """Returns the command with what must be given; arguments that may be left out stand in brackets."""
    options = [f"{one['name']} {one['metavar'] or ''}".rstrip() for one in leaf["options"] if one["required"]]
    names = [(one["name"], one["required"] or one["name"].startswith("[")) for one in leaf["arguments"]]
    arguments = [name if is_marked else f"[{name}]" for name, is_marked in names]
    return " ".join([_words(leaf), *arguments, *options])
