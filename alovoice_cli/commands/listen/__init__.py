"""`alovoice listen`: receives, stores and forwards the PBX's events; `listen check` tests the way to it."""

from alovoice_cli.commands.command_classes import CommandApp
from alovoice_cli.commands.listen import check, receive

app = CommandApp(invoke_without_command=True, epilog=receive.EXAMPLES)
app.callback(epilog=receive.EXAMPLES)(receive.listen)
app.command("check", epilog=check.EXAMPLES)(check.check_url)
