"""The mutants of one module: mutmut's changes, each to one function, as code that takes the function's place.

Left out: texts for people (the arguments of `tr` and its kin), annotations, decorators, default values and whatever
stands outside of functions.
"""

import difflib
import itertools
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation import file_mutation
from mutmut.mutation.mutators import mutation_operators, operator_string
from mutmut.mutation.pragma_handling import IgnoredCode

TEXTS = {"tr", "ngettext", "pgettext", "mark"}
STATEMENTS = (cst.SimpleStatementLine, cst.BaseCompoundStatement, cst.ExceptHandler, cst.MatchCase)


@dataclass(frozen=True)
class Mutant:
    """One change: its function, the lines of its statement, what it changes, and the function's new source."""

    function: str
    first_line: int
    lines: range
    change: str
    source: str

    def code(self, filename: str) -> types.CodeType:
        """Returns the code of the changed function, at the lines of the real one."""
        todo = [compile(self.source, filename, "exec")]
        while todo:
            code = todo.pop()
            if code.co_qualname == self.function and code.co_firstlineno == self.first_line:
                return code
            todo += [const for const in code.co_consts if isinstance(const, types.CodeType)]
        raise LookupError(self.function)


def mutants_of(path: Path) -> list[Mutant]:
    """Returns every mutant of a source file, in the file's order."""
    source = path.read_text()
    wrapper = MetadataWrapper(cst.parse_module(source))
    visitor = _Visitor()
    wrapper.visit(visitor)
    positions = wrapper.resolve(PositionProvider)
    mutants = []
    for function, owner in _functions(wrapper.module):
        start = positions[function].start.line  # of `def`: decorators stand above
        first = min([start, *(positions[decorator].start.line for decorator in function.decorators)])
        before = _source(wrapper.module, function, owner, first)
        for original, changed, lines in visitor.found.get(id(function), ()):
            after = _source(wrapper.module, file_mutation.deep_replace(function, original, changed), owner, first)
            name = f"{owner}.{function.name.value}" if owner else function.name.value
            mutants.append(Mutant(name, first, lines, _change(before, after), after))
    return [mutant for mutant in mutants if mutant.change and _compiles(mutant.source)]


class _Visitor(file_mutation.MutationVisitor):
    """mutmut's visitor, which also enters decorated functions, and notes the lines of the statement of each change."""

    def __init__(self) -> None:
        nothing = IgnoredCode(*[set() for _ in IgnoredCode.__dataclass_fields__])
        operators = [(kind, _one_string if how is operator_string else how) for kind, how in mutation_operators]
        super().__init__(operators, nothing)
        self.found: dict[int, list[tuple[Any, Any, range]]] = {}
        self._lines = range(0)

    def on_visit(self, node: Any) -> bool:
        if isinstance(node, STATEMENTS):
            self._lines = self._statement_lines(node)
        return bool(super().on_visit(node))

    def _statement_lines(self, node: Any) -> range:
        place = self.get_metadata(PositionProvider, node)
        body = getattr(getattr(node, "body", None), "body", None)
        if isinstance(node, cst.SimpleStatementLine) or not body:
            return range(place.start.line, place.end.line + 1)
        inner = self.get_metadata(PositionProvider, body[0]).start.line
        return range(place.start.line, max(inner, place.start.line + 1))

    def _create_mutations(self, node: Any) -> None:
        known = len(self.mutations)
        super()._create_mutations(node)
        for mutation in self.mutations[known:]:
            function = mutation.contained_by_top_level_function
            if isinstance(function, cst.FunctionDef) and _keeps_texts(node, mutation.mutated_node):
                self.found.setdefault(id(function), []).append((node, mutation.mutated_node, self._lines))

    def _skip_node_and_children(self, node: Any) -> bool:
        if isinstance(node, cst.Param | cst.Decorator | cst.Annotation):
            return True
        if isinstance(node, cst.FunctionDef):
            return False
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value in TEXTS:
            return True
        return bool(super()._skip_node_and_children(node))


def _one_string(node: Any) -> Iterator[Any]:
    """Changes a string in one way: mutmut's other two only change its case."""
    yield from itertools.islice(operator_string(node), 1)


def _keeps_texts(original: Any, changed: Any) -> bool:
    """Returns whether a changed call still passes all its texts: a text for people may say anything."""
    if not (isinstance(original, cst.Call) and isinstance(changed, cst.Call)):
        return True
    return sum(map(_is_text, original.args)) == sum(map(_is_text, changed.args))


def _is_text(argument: Any) -> bool:
    value = argument.value
    return isinstance(value, cst.Call) and isinstance(value.func, cst.Name) and value.func.value in TEXTS


def _functions(module: Any) -> Iterator[tuple[Any, str]]:
    """Yields each function of a module, and each method with the name of its class."""
    for statement in module.body:
        if isinstance(statement, cst.FunctionDef):
            yield statement, ""
        elif isinstance(statement, cst.ClassDef):
            for inner in statement.body.body:
                if isinstance(inner, cst.FunctionDef):
                    yield inner, statement.name.value


def _source(module: Any, function: Any, owner: str, first: int) -> str:
    """Returns a module that holds the one function, in its class, with `def` or decorator on its line."""
    text: str = module.code_for_node(function.with_changes(leading_lines=[])).lstrip("\n")
    if not owner:
        return "\n" * (first - 1) + text
    indented = "".join(module.default_indent + line for line in text.splitlines(keepends=True))
    return "\n" * (first - 2) + f"class {owner}:\n" + indented


def _change(before: str, after: str) -> str:
    """Returns what differs, as one line: `old -> new`."""
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0))[2:]
    old, new = (" ".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+")
    return f"{old} -> {new}" if old != new else ""


def _compiles(source: str) -> bool:
    try:
        compile(source, "", "exec")
    except SyntaxError:
        return False
    return True
