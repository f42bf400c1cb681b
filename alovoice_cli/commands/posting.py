"""The poster of a command for handlers, and the messengers."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from alovoice_cli.config.tokens import read_bot_token, run_token_command
from alovoice_cli.config.urls import is_loopback_url, origin_of
from alovoice_cli.errors import TokenMissingError, UsageError
from alovoice_cli.events.handler import shown_url
from alovoice_cli.language import tr
from alovoice_cli.masking import Masker
from alovoice_cli.posts import AnyPoster
from alovoice_cli.session import Session

if TYPE_CHECKING:
    from alovoice_cli.listening.forwarding import ForwardOptions
    from alovoice_cli.listening.messengers import TelegramBot
    from alovoice_cli.listening.targets import Target


def poster_of(session: Session, secrets: Iterable[str] = ()) -> AnyPoster:
    """Returns the session's poster, which traces its posts with `--verbose`; makes no connection yet.

    The trace contains none of the `secrets`, the values of headers: a handler may send one back in an answer.
    """
    if not session.options.verbose:
        return session.poster
    from alovoice_cli.api.poster import TracedPoster  # noqa: PLC0415 - help needs no client
    from alovoice_cli.api.trace import Trace  # noqa: PLC0415 - same

    hidden = Masker(part for value in secrets for part in (value, value.rpartition(" ")[2]))
    trace = Trace(lambda text: session.display.trace(hidden.hide(text)), session.masker)
    return TracedPoster(session.poster, trace, shown_url)


def telegram_bot(session: Session) -> "TelegramBot":
    """Returns the profile's bot; masks its token from now on. Raises TokenMissingError, and as the settings do."""
    from alovoice_cli.listening.messengers import TelegramBot  # noqa: PLC0415 - for who tells a chat

    settings = session.settings
    token = _bot_token(session)
    if not token:
        raise TokenMissingError(
            tr("profile {profile} has no token for a Telegram bot", profile=settings.profile),
            hint=tr(
                "`alovoice notify login` stores the token from @BotFather;"
                " `alovoice config set notify.telegram.token_command CMD` names a command that prints the token"
            ),
        )
    learn_bot_token(session, token)
    return TelegramBot(token, settings.telegram_url)


def _bot_token(session: Session) -> str:
    """Returns the stored token for the Bot API's server, else the output of the profile's command; '' without both."""
    settings = session.settings
    stored = read_bot_token(settings.paths, settings.profile)
    if stored is not None:
        if stored.origin != origin_of(settings.telegram_url):
            raise UsageError(
                tr(
                    "the stored token of the bot belongs to {origin} and is not sent to {url}",
                    origin=stored.origin,
                    url=settings.telegram_url,
                ),
                hint=tr("`alovoice notify login` stores a token for it"),
            )
        return stored.value
    command = settings.telegram.get("token_command")
    if command is None:
        return ""
    settings.check_permissions(tr("its notify.telegram.token_command is not run"))
    key = "notify.telegram.token_command"
    return run_token_command(str(command), session.environ, settings.timeout, key=key)


def learn_bot_token(session: Session, token: str) -> None:
    """Hides the token in all output, and in what the HTTP libraries log: it stands in the URL."""
    from alovoice_cli.api.trace import hide_in_logs  # noqa: PLC0415 - as above

    session.masker.learn(token)
    hide_in_logs(token)


def parsed_notify(text: str, option: str) -> "Target":
    """Returns the target of `telegram:CHAT`, `exec:CMD` or a URL, http only to this machine. Raises UsageError."""
    from alovoice_cli.listening.targets import parse_notify  # noqa: PLC0415 - as above

    target = parse_notify(text, option)
    if target.url.startswith("http:") and not is_loopback_url(target.url):
        raise UsageError(
            tr("{target} would get the numbers of callers unencrypted", target=target.label),
            hint=tr("give an https:// URL; http:// is only for this computer"),
        )
    return target


def forward_options(session: Session, sign_secret: str | None, headers: Sequence[str]) -> "ForwardOptions":
    """Returns how JSON is sent to handlers: `--sign-secret`, and all `--forward-header`, each a text or `@FILE`.

    Raises UsageError.
    """
    from alovoice_cli.listening.forwarding import ForwardOptions, Signer  # noqa: PLC0415 - as above
    from alovoice_cli.listening.targets import parse_headers  # noqa: PLC0415 - as above

    lines: list[tuple[str, str]] = []
    for word in headers:
        text = secret_text(session, word, "--forward-header")
        if word.startswith("@"):
            lines += [
                (tr("{file}, row {row}", file=Path(word).name, row=number), line)
                for number, line in enumerate(text.splitlines(), 1)
            ]
        else:
            lines.append(("--forward-header", text))
    signer = Signer(secret_text(session, sign_secret, "--sign-secret")) if sign_secret else None
    return ForwardOptions(signer, parse_headers(lines))


def secret_text(session: Session, text: str, option: str) -> str:
    """Returns a secret, or the content of the file of an `@FILE`. Raises UsageError."""
    if not text.startswith("@"):
        return text
    path = session.paths.from_home(text[1:])
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            tr("{option}: {path} cannot be read ({problem})", option=option, path=path, problem=error),
            hint=tr("name a text file"),
        ) from None
