"""`alovoice login`: stores a PBX's token under a profile, after checking it."""

from typing import Annotated

import typer

from alovoice_cli.commands.options import examples
from alovoice_cli.errors import UsageError
from alovoice_cli.session import SANDBOX, Session

app = typer.Typer()


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
        typer.Option("--token-command", metavar="CMD", help="Store this command instead; it prints the token."),
    ] = None,
    no_check: Annotated[
        bool, typer.Option("--no-check", help="Do not ask the PBX whether it takes the token.", show_default=False)
    ] = False,
) -> None:
    """Store the token of a PBX under a profile (-p NAME; the settings page of the PBX has a button that copies it).

    The token is asked for without echo. There is no option that takes it: every user of a machine can read the
    arguments of its processes.
    """
    session: Session = ctx.obj
    session.allow_new_profile = True
    name = session.settings.profile
    if name == SANDBOX:
        raise UsageError("the sandbox needs no token", hint="`alovoice -p sandbox trunks` works as it is")
    if with_token and token_command is not None:
        raise UsageError("--with-token and --token-command exclude each other", hint="choose one of them")
    session.note(session.tokens.whither(name, by_command=token_command is not None))
    token = session.read_token(token_command, from_stdin=with_token)
    if not no_check and not session.options.dry_run:
        lines = session.client_with(token).trunks.list()
        session.note(f"the PBX at {session.settings.base_url} takes the token; it has {len(lines)} lines")
    if session.options.dry_run:
        session.note("nothing was stored")
        return
    session.keep_login(name, token, token_command)
    session.note(f"profile {name} is ready: try `alovoice -p {name} trunks`")
