"""`alovoice notify`: the Telegram bot that tells of missed calls, and a test of whoever is told."""

import getpass
import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from alovoice_cli.commands.global_options import shows_list
from alovoice_cli.commands.options import examples
from alovoice_cli.commands.posting import forward_options, learn_bot_token, parsed_notify, poster_of, telegram_bot
from alovoice_cli.config.listen_options import ListenSettings
from alovoice_cli.config.tokens import StoredToken, check_token, decode_token, keep_bot_token
from alovoice_cli.config.urls import origin_of
from alovoice_cli.errors import (
    AlovoiceError,
    NotFoundError,
    RefusedError,
    ServerError,
    TokenRefusedError,
    UnreachableError,
    UsageError,
    worst,
)
from alovoice_cli.events.notices import NoticeMessage
from alovoice_cli.findings import count
from alovoice_cli.masking import disarm
from alovoice_cli.output.listing import Column, Listing
from alovoice_cli.session import Session

if TYPE_CHECKING:
    from alovoice_cli.events.outbox import DeliveryOutcome
    from alovoice_cli.listening.messengers import Messenger
    from alovoice_cli.listening.targets import Target

_LONGEST_LINE = 4096
_OWN_ID = 0  # messages about calls are counted from 1

COLUMNS = (
    Column("to", "To"),
    Column("sent", "Sent"),
    Column("status", "Status", numeric=True),
    Column("message_id", "Message"),
    Column("answer_ms", "ms", numeric=True),
    Column("trouble", "Trouble"),
)
TEST_EXAMPLES = examples("alovoice notify test", "alovoice notify test --to telegram:-1001234567890")
LOGOUT_EXAMPLES = examples("alovoice notify logout", "alovoice notify logout -p tashkent")
LOGIN_EXAMPLES = examples("alovoice notify login", "alovoice notify login --with-token < bot-token.txt")


@shows_list(COLUMNS)
def send_test(
    ctx: typer.Context,
    to: Annotated[
        list[str] | None,
        typer.Option(
            "--to", metavar="telegram:CHAT|exec:CMD|URL", help="Messenger to test (default: all of listen.notify)."
        ),
    ] = None,
) -> None:
    """Send a test message to each messenger.

    Exit code 1: the message was refused (no such chat); 3: the bot's token was refused; 5: not reached; 7: server
    error.
    """
    session: Session = ctx.obj
    words = tuple(to or ()) or ListenSettings.of(session.settings).all("notify", None)
    if not words:
        raise UsageError(
            "no messenger is set", hint="give --to telegram:CHAT, or `alovoice config set listen.notify telegram:CHAT`"
        )
    if not to:
        session.settings.check_permissions("its listen.notify is not used")
    targets = [parsed_notify(word, "--to" if to else "listen.notify") for word in words]
    message = NoticeMessage(_OWN_ID, f"Test from alovoice, profile {session.settings.profile}")
    if session.options.dry_run:
        session.report(
            f"{count(len(targets), 'test message')} would be sent to {', '.join(target.label for target in targets)}",
            sent=False,
            to=[target.label for target in targets],
        )
        return
    troubles: list[AlovoiceError] = []
    rows = [_sent(session, target, message, troubles) for target in targets]
    session.show(Listing(rows, COLUMNS, ours=True))
    codes = [int(trouble.exit_code) for trouble in troubles]
    for trouble in troubles:
        if trouble.exit_code == worst(codes):
            raise trouble


def _sent(
    session: Session, target: "Target", message: NoticeMessage, troubles: list[AlovoiceError]
) -> Mapping[str, object]:
    """Sends the message; returns what came back, and adds what is wrong."""
    messenger = _messenger(session, target)
    began = time.monotonic()
    outcome = messenger.send(message)
    if outcome.moved_to:
        session.warn(f"{target.label} has become another chat: give telegram:{outcome.moved_to} in its place")
        outcome = messenger.send(message, outcome.moved_to)
    delivery = outcome.delivery
    if not outcome.is_delivered:
        troubles.append(_trouble(target, delivery))
    return {
        "to": target.label,
        "sent": outcome.is_delivered,
        "status": delivery.status,
        "message_id": outcome.remote_id or None if target.chat else None,
        "answer_ms": round((time.monotonic() - began) * 1000),
        "trouble": delivery.trouble or None,
    }


def _messenger(session: Session, target: "Target") -> "Messenger":
    from alovoice_cli.listening.messengers import MessengerOptions, messenger_of  # noqa: PLC0415 - same

    given = ListenSettings.of(session.settings)
    forward = forward_options(session, given.first("sign-secret", None), given.all("forward-header", None))
    bot = telegram_bot(session) if target.chat else None
    options = MessengerOptions(bot, forward, session.environ, session.settings.timeout)
    return messenger_of(target, poster_of(session, forward.headers.values()).post, session.now, options)


def _trouble(target: "Target", outcome: "DeliveryOutcome") -> AlovoiceError:
    """The error of a message that was not taken, by what came back."""
    status, said = outcome.status, f"{target.label} did not take the message: {outcome.trouble}"
    if status is None and target.command:
        return RefusedError(said, hint="run the program by hand; it gets one JSON object on standard input")
    if status is None:
        return UnreachableError(said, hint="is the address right, and the network up?")
    if target.chat and status in (401, 404):
        return TokenRefusedError(said, hint="`alovoice notify login` stores another token", status=status)
    if status in (401, 403):
        hint = "let the bot into the chat, and write to it once" if target.chat else "check --forward-header"
        return TokenRefusedError(said, hint=hint, status=status)
    if status == 404:
        return NotFoundError(said, hint="check the URL", status=status)
    if status == 429 or status >= 500 or status < 400:
        return ServerError(said, hint="try again later", status=status)
    hint = "add the bot to the chat; a group's number begins with -100" if target.chat else "read what it says"
    return RefusedError(said, hint=hint, status=status)


def store_bot_token(
    ctx: typer.Context,
    with_token: Annotated[
        bool, typer.Option("--with-token", help="Read the token from stdin.", show_default=False)
    ] = False,
    no_check: Annotated[
        bool, typer.Option("--no-check", help="Do not check the token with Telegram.", show_default=False)
    ] = False,
) -> None:
    """Store the token of the profile's Telegram bot.

    @BotFather gives the token; you type it without echo. To keep it elsewhere, use `alovoice config set
    notify.telegram.token_command CMD`: the command prints only the token.
    """
    session: Session = ctx.obj
    profile, url = session.settings.profile, session.settings.telegram_url
    token = _read_token(session, from_stdin=with_token)
    learn_bot_token(session, token)
    if session.options.dry_run:
        session.report("nothing was stored", profile=profile, stored=False)
        return
    if not no_check:
        session.note(f"the bot is {_bot_name(session, url, token)}")
    keep_bot_token(session.paths, profile, StoredToken(token, origin_of(url)))
    session.report("the token is stored: try `alovoice notify test --to telegram:CHAT`", profile=profile, stored=True)


def forget_bot_token(ctx: typer.Context) -> None:
    """Delete the stored token of the profile's Telegram bot."""
    session: Session = ctx.obj
    profile = session.settings.profile
    if session.options.dry_run:
        session.report("nothing was removed", profile=profile, removed=False)
        return
    removed = keep_bot_token(session.paths, profile, None)
    text = "the bot's token is forgotten" if removed else "no token of a bot is stored"
    session.report(f"{text} (profile {profile})", profile=profile, removed=removed)


def _read_token(session: Session, *, from_stdin: bool) -> str:
    if from_stdin:
        return check_token(decode_token(session.stdin.buffer.readline(_LONGEST_LINE)), "stdin")
    if not session.stdin.isatty():
        raise UsageError("there is no terminal to ask for the token at", hint="give it by --with-token < FILE")
    return check_token(getpass.getpass("Token of the bot: ", stream=session.stderr), "the terminal")


def _bot_name(session: Session, url: str, token: str) -> str:
    """What Telegram calls the bot. Raises TokenRefusedError, UnreachableError or ServerError."""
    posted = poster_of(session).post(f"{url}/bot{token}/getMe", b"", headers={}, timeout=session.settings.timeout)
    if posted.status is None:
        raise UnreachableError(f"{url} is not reached: {posted.error}", hint="--no-check stores the token unasked")
    if posted.status in (401, 404):
        raise TokenRefusedError(
            "Telegram does not know the token", hint="copy it again from @BotFather", status=posted.status
        )
    try:
        name = json.loads(posted.body)["result"]["username"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ServerError(f"{url} answered {posted.status}, and no bot", status=posted.status) from None
    return disarm(f"@{name}")
