"""Many calls from one list: joins plan, journal, client and terminal for the commands that take `--batch`."""
