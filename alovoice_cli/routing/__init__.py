"""Routing rules: a file that operators write, in which every error has its place, and which gives a caller one step.

step        one of the five steps that the PBX understands, and its only validator
call        the PBX's question, the call for which rules are evaluated, and the base of conditions
reading     reads TOML into Rules, every error with file, line and column; clauses reads `when` and `then`
engine      decides a question, with a trail of the tried rules; pure
lint        finds probable mistakes in a file: rules that no call reaches, hours without a rule
comparing   compares two files by the stored questions: which callers would go elsewhere
live        the rules of a running listener: always the last good ones
"""
