"""`alovoice numbers`: lists of phone numbers."""

import typer

from alovoice_cli.commands.numbers import check

app = typer.Typer()


@app.callback()
def _group() -> None:
    """Lists of phone numbers: read, cleaned, explained."""


app.command("check", epilog=check.EXAMPLES)(check.check_numbers)
