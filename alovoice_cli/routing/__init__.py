"""Routing rules: a file that operators write, read with the place of every error, and asked for one step at a time.

step        one of the five steps that the PBX understands, and the only validator
call        the PBX's question, the call that it stands for, and what a condition is
reading     TOML -> Rules, every error with file, line and column; clauses reads `when` and `then`
engine      question -> decision, with its trail; pure, compiled when the file is read
lint        what the file says that its writer hardly meant: rules out of reach, hours without a rule
comparing   which callers two files send elsewhere, by the stored questions
live        the rules of a running listener: the last good ones, whatever is written to the file
"""
