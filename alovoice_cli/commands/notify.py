"""`alovoice notify`: the Telegram bot for missed calls, and a test of all messengers."""

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
from alovoice_cli.language import ngettext, tr
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
    Column("to", "Messenger"),
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
            tr("no messenger is set"),
            hint=tr("give --to telegram:CHAT, or run `alovoice config set listen.notify telegram:CHAT`"),
        )
    if not to:
        session.settings.check_permissions(tr("its listen.notify is not used"))
    targets = [parsed_notify(word, "--to" if to else "listen.notify") for word in words]
    message = NoticeMessage(_OWN_ID, tr("Test from alovoice, profile {profile}", profile=session.settings.profile))
    if session.options.dry_run:
        session.report(
            ngettext(
                "{n} test message would be sent to {targets}",
                "{n} test messages would be sent to {targets}",
                len(targets),
                targets=", ".join(target.label for target in targets),
            ),
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
        session.warn(
            tr(
                "the id of chat {target} has changed: use telegram:{chat} instead",
                target=target.label,
                chat=outcome.moved_to,
            )
        )
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
    """Returns the error for a message that was not delivered, by the answer."""
    status = outcome.status
    said = tr("{target} did not accept the message: {problem}", target=target.label, problem=outcome.trouble)
    if status is None and target.command:
        return RefusedError(said, hint=tr("run the program yourself; it gets one JSON object on standard input"))
    if status is None:
        return UnreachableError(said, hint=tr("check the address and the network"))
    if target.chat and status in (401, 404):
        return TokenRefusedError(said, hint=tr("`alovoice notify login` stores another token"), status=status)
    if status in (401, 403):
        hint = tr("add the bot to the chat, and write to it once") if target.chat else tr("check --forward-header")
        return TokenRefusedError(said, hint=hint, status=status)
    if status == 404:
        return NotFoundError(said, hint=tr("check the URL"), status=status)
    if status == 429 or status >= 500 or status < 400:
        return ServerError(said, hint=tr("try again later"), status=status)
    hint = (
        tr("add the bot to the chat; the id of a group begins with -100")
        if target.chat
        else tr("read the response of the server")
    )
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
        session.report(tr("nothing was stored"), profile=profile, stored=False)
        return
    if not no_check:
        session.note(tr("the bot is {name}", name=_bot_name(session, url, token)))
    keep_bot_token(session.paths, profile, StoredToken(token, origin_of(url)))
    words = tr("the token is stored: try `alovoice notify test --to telegram:CHAT`")
    session.report(words, profile=profile, stored=True)


def forget_bot_token(ctx: typer.Context) -> None:
    """Delete the stored token of the profile's Telegram bot."""
    session: Session = ctx.obj
    profile = session.settings.profile
    if session.options.dry_run:
        session.report(tr("nothing was deleted"), profile=profile, removed=False)
        return
    removed = keep_bot_token(session.paths, profile, None)
    words = (
        tr("the token of the bot is deleted (profile {profile})", profile=profile)
        if removed
        else tr("no token of a bot is stored (profile {profile})", profile=profile)
    )
    session.report(words, profile=profile, removed=removed)


def _read_token(session: Session, *, from_stdin: bool) -> str:
    if from_stdin:
        return check_token(decode_token(session.stdin.buffer.readline(_LONGEST_LINE)), "stdin")
    if not session.stdin.isatty():
        raise UsageError(tr("there is no terminal to ask for the token"), hint=tr("use --with-token < FILE"))
    return check_token(getpass.getpass(tr("Token of the bot: "), stream=session.stderr), tr("the terminal"))


def _bot_name(session: Session, url: str, token: str) -> str:
    """Returns the bot's name at Telegram. Raises TokenRefusedError, UnreachableError or ServerError."""
    posted = poster_of(session).post(f"{url}/bot{token}/getMe", b"", headers={}, timeout=session.settings.timeout)
    if posted.status is None:
        raise UnreachableError(
            tr("{url} cannot be reached: {problem}", url=url, problem=posted.error),
            hint=tr("--no-check stores the token without a check"),
        )
    if posted.status in (401, 404):
        raise TokenRefusedError(
            tr("Telegram does not know the token"), hint=tr("copy it again from @BotFather"), status=posted.status
        )
    try:
        name = json.loads(posted.body)["result"]["username"]
    except (ValueError, KeyError, TypeError, RecursionError):
        words = tr("{url} answered {status} without the name of a bot", url=url, status=posted.status)
        raise ServerError(words, status=posted.status) from None
    return disarm(f"@{name}")
