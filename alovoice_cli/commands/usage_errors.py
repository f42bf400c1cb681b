"""The errors in the words of a command line, in plain sentences. Loaded only for an error."""

from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import Any

import typer

from alovoice_cli.commands.help_page import metavar_of
from alovoice_cli.errors import UsageError
from alovoice_cli.language import joined_hints, mark, tr

_LEAST_LIKENESS = 0.75
"""`lsit` is this similar to `list`; less similar words would be guesses."""

SYNONYMS = {
    "batch": "call batches",
    "batches": "call batches",
    "calls": "events",
    "certify": "events certify",
    "campaign": "autorule",
    "campaigns": "autorule",
    "conference": "call conference",
    "dashboard": "top",
    "extension": "peers",
    "extensions": "peers",
    "history": "events",
    "ivr": "call ivr",
    "line": "trunks",
    "lines": "trunks",
    "missed": "events missed",
    "outbox": "events outbox",
    "profile": "config",
    "profiles": "config",
    "receipts": "call receipts",
    "recordings": "ai audio",
    "resolve": "call resolve",
    "routing": "route",
    "rules": "route",
    "server": "listen",
    "settings": "config",
    "speech": "ai",
    "stats": "events stats",
    "telegram": "notify",
    "today": "day",
    "token": "login",
    "transcript": "ai result",
    "webhook": "listen",
    "webhooks": "listen",
}
"""Words that people type behind `alovoice`, and the command that they look for."""


def missing_error(ctx: Any, params: Iterable[Any], otherwise: str) -> UsageError:
    """Returns the error that names everything that must be given. `otherwise` says what can be given instead."""
    names = [metavar_of(param) if param.param_type_name == "argument" else _option_name(param) for param in params]
    return UsageError(tr("missing: {names}", names=", ".join(names)), hint=_hint(otherwise, ctx))


def unknown_command(ctx: Any, word: str) -> UsageError:
    """Returns the error for a word that is no command of the context's group."""
    meant = _command_meant(word, ctx.command.commands, is_first=ctx.parent is None)
    return UsageError(
        tr("no such command: {word}", word=word), hint=_hint(_did_you_mean(f"{ctx.command_path} {meant}", meant), ctx)
    )


def words_error(command: Any, ctx: Any, words: list[str], problem: typer.TyperException) -> Exception:
    """Returns the error for what the parser found in the words of a command."""
    flag = getattr(problem, "option_name", None)
    param = getattr(problem, "param", None)
    if flag is not None and hasattr(problem, "possibilities"):
        return _unknown_option(command, ctx, flag)
    if flag is not None:
        option = next(param for param in command.params if flag in (*param.opts, *param.secondary_opts))
        if metavar_of(option):
            return _usage_error(ctx, tr("{option}: the value is missing", option=_as_typed(option, flag)))
        return _usage_error(ctx, tr("{option} takes no value", option=flag))
    if isinstance(problem, typer.BadParameter) and param is not None:
        return _bad_value(command, ctx, words, param)
    _, extra, _ = command.make_parser(ctx).parse_args(list(words))
    if extra and not hasattr(command, "commands"):
        return _usage_error(ctx, tr("unexpected: {words}", words=" ".join(extra)))
    return problem


def _unknown_option(command: Any, ctx: Any, flag: str) -> UsageError:
    root = ctx.find_root()
    if any(flag in (*param.opts, *param.secondary_opts) for param in root.command.params):
        return unused_option(ctx, flag)
    flags = [name for param in command.params for name in (*param.opts, *param.secondary_opts) if name.startswith("--")]
    meant = _closest(flag.lower().lstrip("-"), [name.lstrip("-") for name in flags])
    return UsageError(tr("no such option: {option}", option=flag), hint=_hint(_did_you_mean(f"--{meant}", meant), ctx))


def unused_option(ctx: Any, flag: str) -> UsageError:
    """Returns the error for a global option that the command does not use."""
    return UsageError(
        tr("{command} does not use {option}", command=ctx.command_path, option=flag),
        hint=_hint(tr("leave it out"), ctx),
    )


def _bad_value(command: Any, ctx: Any, words: list[str], param: Any) -> UsageError:
    given, _, _ = command.make_parser(ctx).parse_args(list(words))
    values = given.get(param.name)
    for value in values if isinstance(values, (list, tuple)) else [values]:
        try:
            param.type(value, param, ctx)
        except typer.BadParameter:
            return _usage_error(ctx, _bad_value_text(_short_name(param), repr(value), param))
    return _usage_error(ctx, tr("{option} has a wrong value", option=_short_name(param)))


def _short_name(param: Any) -> str:
    return param.name.upper() if param.param_type_name == "argument" else str(param.opts[0])


def _bad_value_text(option: str, value: str, param: Any) -> str:
    choices = [str(getattr(choice, "value", choice)) for choice in getattr(param.type, "choices", ())]
    if choices:
        return tr("{option} must be one of {names}, not {value}", option=option, names=", ".join(choices), value=value)
    least, most = getattr(param.type, "min", None), getattr(param.type, "max", None)
    kind = param.type.name.partition(" ")[0]
    if kind not in _NUMBERS:
        return tr("{option}: {value} is not a valid value", option=option, value=value)
    plain, at_least, within = _NUMBERS[kind]
    if least is not None and most is not None:
        return tr(within, option=option, least=least, most=most, value=value)
    if least is not None:
        return tr(at_least, option=option, least=least, value=value)
    return tr(plain, option=option, value=value)


_NUMBERS = {
    "int": (
        mark("{option} must be a whole number, not {value}"),
        mark("{option} must be a whole number, at least {least}, not {value}"),
        mark("{option} must be a whole number from {least} to {most}, not {value}"),
    ),
    "float": (
        mark("{option} must be a number, not {value}"),
        mark("{option} must be a number, at least {least}, not {value}"),
        mark("{option} must be a number from {least} to {most}, not {value}"),
    ),
}
"""The messages for a wrong number: without a range, with a least value, with a range."""


def _option_name(param: Any) -> str:
    return _as_typed(param, param.opts[0])


def _as_typed(param: Any, flag: str) -> str:
    return f"{flag} {metavar_of(param)}".rstrip()


def _usage_error(ctx: Any, message: str) -> UsageError:
    return UsageError(message, hint=_hint("", ctx))


def _hint(first: str, ctx: Any) -> str:
    see = tr("see `{command} --help`", command=ctx.command_path)
    return joined_hints(first, see) if first else see


def _did_you_mean(text: str, meant: str) -> str:
    return tr("did you mean `{command}`?", command=text) if meant else ""


def _command_meant(word: str, names: Iterable[str], *, is_first: bool) -> str:
    """Returns the command that the word is likely to mean, or ''. `is_first`: it stands right behind `alovoice`."""
    typed = word.lower()
    if is_first and typed in SYNONYMS:
        return SYNONYMS[typed]
    close = _closest(typed, names)
    if not close and is_first:
        close = SYNONYMS.get(_closest(typed, SYNONYMS), "")
    return close


def _closest(word: str, others: Iterable[str]) -> str:
    """Returns the one of the others that is most like the word, or '' if none is like enough."""
    ratios = [(SequenceMatcher(None, word, other).ratio(), other) for other in others]
    likeness, best = max(ratios, default=(0.0, ""), key=lambda pair: pair[0])
    return best if likeness >= _LEAST_LIKENESS else ""
