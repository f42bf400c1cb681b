"""`alovoice login`: stores a PBX's token under a profile, after checking it."""

import getpass
from typing import Annotated

import typer

from alovoice_cli.commands.command_classes import CommandApp
from alovoice_cli.commands.options import examples
from alovoice_cli.config.edits import Login, check_place, keep_login
from alovoice_cli.config.paths import check_permissions
from alovoice_cli.config.profiles import SANDBOX
from alovoice_cli.config.settings import Settings
from alovoice_cli.config.tokens import check_token, decode_token, run_token_command
from alovoice_cli.errors import UsageError
from alovoice_cli.language import ngettext, tr
from alovoice_cli.session import Session

app = CommandApp()
_LONGEST_LINE = 4096


@app.command(
    "login",
    epilog=examples(
        "alovoice login",
        "alovoice login -p samarkand --with-token < token.txt",
        "alovoice login -p tashkent --token-command 'pass show alovoice/tashkent'",
    ),
)
def store_token(
    ctx: typer.Context,
    with_token: Annotated[
        bool, typer.Option("--with-token", help="Read the token from stdin.", show_default=False)
    ] = False,
    token_command: Annotated[
        str | None,
        typer.Option("--token-command", metavar="CMD", help="Store a command instead that prints the token."),
    ] = None,
    no_check: Annotated[
        bool, typer.Option("--no-check", help="Do not check the token with the PBX.", show_default=False)
    ] = False,
) -> None:
    """Store the token of a PBX under a profile.

    Name the profile with -p NAME. The settings page of the PBX shows the token; you type it without echo. No option
    takes the token, because every user of a computer can read the arguments of its processes.
    """
    session: Session = ctx.obj
    settings = session.resolve_settings(allow_new_profile=True)
    name = settings.profile
    if name == SANDBOX:
        raise UsageError(
            tr("the sandbox needs no token"), hint=tr("`alovoice -p sandbox trunks` works without a login")
        )
    if with_token and token_command is not None:
        raise UsageError(tr("--with-token and --token-command cannot be used together"), hint=tr("choose one of them"))
    login = Login(name, settings.base_url, session.options.base_url is not None, token_command)
    session.note(login.describe_place(session.paths))
    if not session.options.dry_run:
        check_place(session.paths, login)
    token = _read_token(session, settings, token_command, from_stdin=with_token)
    session.masker.learn(token)
    if session.options.dry_run:
        session.report(tr("nothing was stored"), profile=name, stored=False)
        return
    if not no_check:
        lines = len(session.client_for(settings=settings, token=token).trunks.list())
        accepted = ngettext(
            "the PBX at {url} accepts the token and has {n} line",
            "the PBX at {url} accepts the token and has {n} lines",
            lines,
            url=settings.base_url,
        )
        session.note(accepted)
    keep_login(session.paths, login, token)
    ready = tr("profile {name} is ready: try `alovoice -p {name} trunks`", name=name)
    session.report(ready, profile=name, stored=True)


def _read_token(session: Session, settings: Settings, command: str | None, *, from_stdin: bool) -> str:
    if command is not None:
        if settings.permission_check:
            check_permissions(session.paths, tr("no token_command is stored there"))
        with session.counted():
            return run_token_command(command, session.environ, settings.timeout)
    if from_stdin:
        return check_token(decode_token(session.stdin.buffer.readline(_LONGEST_LINE)), "stdin")
    if not session.stdin.isatty():
        raise UsageError(
            tr("there is no terminal to ask for the token"), hint=tr("give the token with --with-token < FILE")
        )
    return check_token(getpass.getpass(tr("Token: "), stream=session.stderr), tr("the terminal"))
