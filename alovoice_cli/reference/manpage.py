"""Writes the manual in man(7): `alovoice.1` with everything in common, and a page for each command.

It does not depend on the day or the machine, so that a page changes only when the command line does.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from alovoice_cli.reference.topics import ENVIRONMENT, EXIT_STATUS, EXIT_WARNING, FILES
from alovoice_cli.reference.tree import Argument, Command, Option, global_options, own_options

_CODE = re.compile(r"`([^`\n]+)`")
_SPECIAL = {"\\": r"\e", "-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti", '"': r"\(dq"}
_SPECIAL_SIGN = re.compile(r"[\\\-'`^~\"]")

REVISED = "2026-11-25"
"""The day of the manual's last revision, changed by hand with a release; mandoc warns without a day."""


def write_manual(tree: Command, version: str) -> dict[str, str]:
    """Returns every page of the manual by its file name; hidden commands and options are left out."""
    common = global_options(tree)
    return {f"{_page(command)}.1": _write_page(command, tree, common, version) for command in tree.walk()}


def _write_page(command: Command, tree: Command, common: Sequence[Option], version: str) -> str:
    is_root = command is tree
    sections = [
        f'.TH {_quoted(_page(command).upper())} 1 "{REVISED}" {_quoted(f"{tree.name} {version}")} "Command manual"',
        *_section("NAME", [f"{_escape(_page(command))} \\- {_prose(_lower_first(command.summary))}"]),
        *_section("SYNOPSIS", _synopsis(command)),
        *_section("DESCRIPTION", _paragraphs(command.help)),
        *_section("COMMANDS", _listed((f"{_bold(below.name)}", _sentence(below.summary)) for below in command.shown)),
        *_section("ARGUMENTS", _arguments(command.arguments)),
        *_section("OPTIONS", _options(own_options(command, common))),
        *_section("GLOBAL OPTIONS", _global_options(command, common, tree)),
        *_section("EXAMPLES", _examples(command.examples)),
        *_section("NOTES", _paragraphs(command.epilog)),
        *_section("EXIT STATUS", _exit_status(tree, is_root=is_root)),
        *(_section("ENVIRONMENT", _listed((_bold(name), text) for name, text in ENVIRONMENT)) if is_root else []),
        *(_section("FILES", _listed((_italic(name), text) for name, text in FILES)) if is_root else []),
        *_section("SEE ALSO", _see_also(command, tree)),
    ]
    return "\n".join(sections) + "\n"


def _section(title: str, lines: Iterable[str]) -> list[str]:
    body = list(lines)
    return [f".SH {title}", *body] if body else []


def _synopsis(command: Command) -> list[str]:
    words = [_bold(" ".join(command.path))]
    words += [f"{_bold(option.name)} {_italic(option.metavar)}" for option in command.options if option.required]
    words.append(f"[{_italic('options')}]")
    words += [_italic("command")] if command.subcommands else []
    for argument in command.arguments:
        word = _italic(argument.metavar) + ("\\|.\\|.\\|." if argument.repeatable else "")
        words.append(word if argument.required else f"[{word}]")
    return [" ".join(words)]


def _arguments(arguments: Iterable[Argument]) -> list[str]:
    return _listed((_italic(one.metavar), _with_choices(one.help, one.choices)) for one in arguments)


def _options(options: Iterable[Option]) -> list[str]:
    return _listed((_option_tag(option), _option_text(option)) for option in options)


def _option_tag(option: Option) -> str:
    tag = ", ".join(_bold(flag) for flag in option.flags)
    return f"{tag} {_italic(option.metavar)}" if option.metavar else tag


def _option_text(option: Option) -> str:
    facts = (
        "It must be given." if option.required else "",
        "It may be given more than once." if option.repeatable else "",
        f"Default: {option.default}." if option.default else "",
        f"Environment: {option.environment}." if option.environment else "",
    )
    text = option.help if option.metavar == "|".join(option.choices) else _with_choices(option.help, option.choices)
    return " ".join(filter(None, (_sentence(text), *facts)))


def _with_choices(text: str, choices: Sequence[str]) -> str:
    told = all(re.search(rf"\b{re.escape(choice)}\b", text) for choice in choices)
    return text if told else f"{_sentence(text)} One of: {', '.join(choices)}.".lstrip()


def _sentence(text: str) -> str:
    return text if not text or text.endswith((".", "?", "!", ":", ")")) else f"{text}."


def _global_options(command: Command, common: Sequence[Option], tree: Command) -> list[str]:
    """Returns the global options: all of them for the program's own page, else the names of the used ones."""
    if not common:
        return []
    if command is not tree:
        used = ", ".join(_bold(option.name) for option in common if option in command.options)
        return [f"{used}: see {_reference(_page(tree))}."]
    return [_prose("They mean the same before the command and after it."), *_options(common)]


def _examples(examples: Iterable[str]) -> list[str]:
    body = [_guarded(_escape(line)) for example in examples for line in f"$ {example}".split("\n")]
    return [".EX", *body, ".EE"] if body else []


def _exit_status(tree: Command, *, is_root: bool) -> list[str]:
    warning = _prose(EXIT_WARNING)
    if not is_root:
        return [f"0 if done, otherwise as in {_reference(_page(tree))}.", warning]
    return [*_listed((_bold(str(code)), text) for code, text in EXIT_STATUS), ".PP", warning]


def _see_also(command: Command, tree: Command) -> list[str]:
    above = [page for page in (tree.path, command.path[:-1]) if page and page != command.path]
    pages = dict.fromkeys("-".join(path) for path in (*above, *(below.path for below in command.shown)))
    return [",\n".join(_reference(page) for page in pages)] if pages else []


def _page(command: Command) -> str:
    return "-".join(command.path)


def _reference(page: str) -> str:
    return f"{_bold(page)}(1)"


def _listed(entries: Iterable[tuple[str, str]]) -> list[str]:
    """Returns tagged paragraphs: the tag is already man(7), the text is not."""
    return [line for tag, text in entries for line in (".TP", tag, *(_paragraphs(text, ".IP") or ["\\&"]))]


def _paragraphs(text: str, between: str = ".PP") -> list[str]:
    blocks = [block for block in re.split(r"\n\s*\n", text.strip()) if block.strip()]
    lines: list[str] = []
    for block in blocks:
        lines += [between] if lines else []
        lines += _verbatim(block) if block.startswith(("  ", "\t")) else [_prose(" ".join(block.split()))]
    return lines


def _verbatim(block: str) -> Iterator[str]:
    """Yields an indented paragraph that keeps its lines."""
    yield ".nf"
    yield from (_guarded(_escape(line.rstrip())) for line in block.split("\n"))
    yield ".fi"


def _prose(text: str) -> str:
    """Returns a paragraph on one line, `code` in bold."""
    parts = _CODE.split(text)
    return _guarded("".join(_bold(part) if place % 2 else _escape(part) for place, part in enumerate(parts)))


def _guarded(line: str) -> str:
    """Returns the line with a guard: a dot or a quote at its start would be a macro."""
    return f"\\&{line}" if line.startswith((".", "\\(aq")) else line


def _escape(text: str) -> str:
    return _SPECIAL_SIGN.sub(lambda match: _SPECIAL[match.group()], text)


def _bold(text: str) -> str:
    return rf"\fB{_escape(text)}\fR"


def _italic(text: str) -> str:
    return rf"\fI{_escape(text)}\fR"


def _quoted(text: str) -> str:
    return f'"{_escape(text)}"'


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:] if text[1:2].islower() else text
