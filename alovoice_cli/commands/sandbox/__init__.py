"""`alovoice sandbox`: the simulated PBX as a server, and its state."""

import typer

from alovoice_cli.commands.sandbox import serve, state

app = typer.Typer()
app.command("serve", epilog=serve.EXAMPLES)(serve.serve_sandbox)
app.command("reset", epilog=state.RESET_EXAMPLES)(state.reset_state)
app.command("path", epilog=state.PATH_EXAMPLES)(state.print_path)
