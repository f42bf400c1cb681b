"""The words of the command line: a module for each noun, which parses, calls and shows, and contains no logic."""
