"""How the source writes texts that are translated: whole sentences, filled by name, translated when they are shown."""

import ast
import string
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from alovoice_cli.catalogues import SOURCE

TRANSLATING = {"tr": 1, "mark": 1, "pgettext": 2, "ngettext": 2}
"""The functions, each with the number of its texts."""

FILES = sorted(SOURCE.rglob("*.py"))


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def _calls(tree: ast.AST, names: set[str]) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            yield node


def _at(path: Path, node: ast.expr) -> str:
    return f"{path.relative_to(SOURCE.parent)}:{node.lineno}"


def _texts(call: ast.Call) -> list[ast.expr]:
    assert isinstance(call.func, ast.Name)
    return call.args[: TRANSLATING[call.func.id]]


def _outside_functions(tree: ast.AST) -> Iterator[ast.AST]:
    """Yields what runs when the module is imported: all but the bodies of functions; their defaults run too."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += [*node.decorator_list, *node.args.defaults, *(d for d in node.args.kw_defaults if d)]
        elif not isinstance(node, ast.Lambda):
            waiting += ast.iter_child_nodes(node)


def test_nothing_is_translated_at_import_for_the_language_is_not_known_then() -> None:
    found = [
        _at(path, node)
        for path in FILES
        for node in _outside_functions(_tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in TRANSLATING.keys() - {"mark"}
    ]
    assert found == []


def test_a_text_to_translate_is_one_literal() -> None:
    """An f-string, `+`, `%` or `.format` makes a text that no catalogue has. A name or a lookup is a marked text."""

    def is_built(text: ast.expr) -> bool:
        if isinstance(text, ast.Call):
            return not (isinstance(text.func, ast.Attribute) and text.func.attr == "get")
        return isinstance(text, ast.JoinedStr | ast.BinOp | ast.IfExp)

    found = [
        _at(path, call)
        for path in FILES
        for call in _calls(_tree(path), set(TRANSLATING))
        if any(is_built(text) for text in _texts(call))
    ]
    assert found == []


def test_placeholders_are_named_and_filled() -> None:
    found = []
    for path in FILES:
        for call in _calls(_tree(path), set(TRANSLATING) - {"mark"}):
            texts = [text.value for text in _texts(call) if isinstance(text, ast.Constant)]
            fields = {name for text in texts for _, name, *_ in string.Formatter().parse(str(text)) if name is not None}
            given = {word.arg for word in call.keywords}
            counted = {"n"} if isinstance(call.func, ast.Name) and call.func.id == "ngettext" else set()
            if any(not name.isidentifier() for name in fields):
                found.append(f"{_at(path, call)}: {fields}")
            elif None not in given and texts and fields - counted != given:
                found.append(f"{_at(path, call)}: {fields - counted} is filled with {given}")
    assert found == []


def test_no_plural_is_made_by_hand() -> None:
    """`"s" if n > 1 else ""`: other languages have other plurals, and more of them."""
    found = []
    for path in FILES:
        tree = _tree(path)
        for node in ast.walk(tree):
            if isinstance(node, ast.IfExp):
                ends = [end.value for end in (node.body, node.orelse) if isinstance(end, ast.Constant)]
                if len(ends) == 2 and "" in ends and set(ends) & {"s", "es", "S"}:
                    found.append(_at(path, node))
    assert found == []
