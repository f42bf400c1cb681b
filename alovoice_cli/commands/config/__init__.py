"""`alovoice config`: profiles and their settings."""

import typer

from alovoice_cli.commands.config import change, read

app = typer.Typer()
app.command("list", epilog=read.LIST_EXAMPLES)(read.list_profiles)
app.command("get", epilog=read.GET_EXAMPLES)(read.show_value)
app.command("set", epilog=change.SET_EXAMPLES)(change.set_key)
app.command("unset", epilog=change.UNSET_EXAMPLES)(change.unset_key)
app.command("use", epilog=change.USE_EXAMPLES)(change.use)
app.command("path", epilog=read.PATH_EXAMPLES)(read.print_path)
