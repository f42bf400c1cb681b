"""`--from-file` and `--like`: a campaign's options from a file or from the ledger, behind those of the command line.

The options themselves stay as they are declared. Both fill the context's map of defaults, which Typer asks for every
option that the words do not give, obligatory ones too; it asks last, so `-p` on either side of the verb is known.
"""

from typing import Annotated, Any

import typer


def _fill_from_file(ctx: typer.Context, value: str | None) -> str | None:
    return _fill(ctx, "file", value)


def _fill_like(ctx: typer.Context, value: str | None) -> str | None:
    return _fill(ctx, "like", value)


def _fill(ctx: typer.Context, name: str, value: str | None) -> str | None:
    if value is not None and not ctx.resilient_parsing:
        # Here and not above: whoever gives neither option pays for neither.
        from alovoice_cli.commands.autorule.definitions import Filled  # noqa: PLC0415

        filled: Any = ctx.default_map if isinstance(ctx.default_map, Filled) else Filled(ctx)
        setattr(filled, name, value)
        ctx.default_map = filled
    return value


FromFile = Annotated[
    str | None,
    typer.Option(
        "--from-file",
        metavar="FILE",
        callback=_fill_from_file,
        is_eager=True,
        help="A campaign.toml (see export): what it says, these options may say otherwise.",
    ),
]
Like = Annotated[
    str | None,
    typer.Option(
        "--like",
        metavar="ID",
        callback=_fill_like,
        is_eager=True,
        help="As the campaign of this id or receipt, but for what is said here.",
    ),
]
