"""`alovoice`, and `python -m alovoice_cli`."""

import gc
import sys


def main() -> None:
    """Runs the process's own words and ends it with their exit code."""
    if sys.argv[1:] == ["--version"] and sys.stdout:
        from alovoice_cli import __version__  # noqa: PLC0415 - answered before anything else is loaded: a tenth of it

        try:
            sys.stdout.write(f"alovoice {__version__}\n")
            sys.stdout.flush()
            return
        except (OSError, AttributeError):
            pass  # a full disk, a closed stream: the long way says so
    # A command ends before garbage would matter, and a server still collects, only by a rarer rhythm. Measured: a tenth
    # of the start-up would go into collections while modules load.
    gc.set_threshold(200_000, 20, 100)
    from alovoice_cli.process import run_process  # noqa: PLC0415 - after the quick answer above

    run_process()


if __name__ == "__main__":
    main()
