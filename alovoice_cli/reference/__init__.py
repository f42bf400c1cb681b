"""The command tree told to readers and shells: the manual pages and the completion scripts."""
