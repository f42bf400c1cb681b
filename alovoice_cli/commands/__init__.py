"""The words of the command line: each noun a module that parses, calls and shows, and holds no logic."""
