"""How the source writes texts that are translated: whole sentences, filled by name, translated when they are shown."""

import ast
import string
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alovoice_cli.catalogues import SOURCE

TRANSLATING = {"tr": 1, "mark": 1, "pgettext": 2, "ngettext": 2}
"""The functions, each with the number of its texts."""

_AT_ONCE = set(TRANSLATING) - {"mark"}
"""Those that translate when they are called."""

FILES = sorted(SOURCE.rglob("*.py"))


def _calls(nodes: list[ast.AST], names: set[str]) -> Iterator[ast.Call]:
    for node in nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            yield node


def _at(path: Path, node: ast.expr) -> str:
    return f"{path.relative_to(SOURCE.parent)}:{node.lineno}"


def _texts(call: ast.Call) -> list[ast.expr]:
    assert isinstance(call.func, ast.Name)
    return call.args[: TRANSLATING[call.func.id]]


def _outside_functions(module: ast.AST) -> Iterator[ast.AST]:
    """Yields what runs when the module is imported: all but the bodies of functions; their defaults run too."""
    waiting = [module]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += [*node.decorator_list, *node.args.defaults, *(d for d in node.args.kw_defaults if d)]
        elif not isinstance(node, ast.Lambda):
            waiting += ast.iter_child_nodes(node)


def _translated_at_import(nodes: list[ast.AST]) -> Iterator[tuple[ast.expr, str]]:
    """The language is not known yet when a module is imported."""
    for node in _outside_functions(nodes[0]):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _AT_ONCE:
            yield node, "is translated at import"


def _built(nodes: list[ast.AST]) -> Iterator[tuple[ast.expr, str]]:
    """An f-string, `+`, `%` or `.format` makes a text that no catalogue has. A name or a lookup is a marked text."""

    def is_built(text: ast.expr) -> bool:
        if isinstance(text, ast.Call):
            return not (isinstance(text.func, ast.Attribute) and text.func.attr == "get")
        return isinstance(text, ast.JoinedStr | ast.BinOp | ast.IfExp)

    for call in _calls(nodes, set(TRANSLATING)):
        if any(is_built(text) for text in _texts(call)):
            yield call, "is not one literal"


def _badly_filled(nodes: list[ast.AST]) -> Iterator[tuple[ast.expr, str]]:
    """Placeholders are named, and each is filled."""
    for call in _calls(nodes, _AT_ONCE):
        texts = [text.value for text in _texts(call) if isinstance(text, ast.Constant)]
        fields = {name for text in texts for _, name, *_ in string.Formatter().parse(str(text)) if name is not None}
        given = {word.arg for word in call.keywords}
        counted = {"n"} if isinstance(call.func, ast.Name) and call.func.id == "ngettext" else set()
        if any(not name.isidentifier() for name in fields):
            yield call, f"has {fields}"
        elif None not in given and texts and fields - counted != given:
            yield call, f"{fields - counted} is filled with {given}"


def _plurals_by_hand(nodes: list[ast.AST]) -> Iterator[tuple[ast.expr, str]]:
    """`"s" if n > 1 else ""`: other languages have other plurals, and more of them."""
    for node in nodes:
        if isinstance(node, ast.IfExp):
            ends = [end.value for end in (node.body, node.orelse) if isinstance(end, ast.Constant)]
            if len(ends) == 2 and "" in ends and set(ends) & {"s", "es", "S"}:
                yield node, "is a plural made by hand"


RULES = (_translated_at_import, _built, _badly_filled, _plurals_by_hand)


def test_each_text_can_be_translated() -> None:
    # One test for all rules: parsing the program takes longer than they do.
    found = []
    for path in FILES:
        nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
        found += [f"{_at(path, node)} {what}" for rule in RULES for node, what in rule(nodes)]
    assert found == []


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        (_translated_at_import, "TEXT = tr('a')"),
        (_translated_at_import, "def run(text=tr('a')): pass"),
        (_built, "def run(): tr(f'{a}')"),
        (_built, "def run(): ngettext('a' + b, 'c')"),
        (_badly_filled, "def run(): tr('{} b', 1)"),
        (_badly_filled, "def run(): tr('{a}', b=1)"),
        (_plurals_by_hand, "TEXT = 'row' + ('s' if n > 1 else '')"),
    ],
)
def test_a_rule_finds_what_it_forbids(
    rule: Callable[[list[ast.AST]], Iterator[tuple[ast.expr, str]]], source: str
) -> None:
    assert list(rule(list(ast.walk(ast.parse(source)))))
