"""Make mutants of a module: each is one small change of its text of a kind that programmers get wrong.

Tables are mutated as well as code: a row is removed, or a word of a list, or a letter of a pattern. Annotations,
docstrings, `__all__`, imports and statements that only speed up or type the program (`__slots__`) are not mutated.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple


class Mutant(NamedTuple):
    """One change: in `path`, the text at the offsets `start` to `end` becomes `text`.

    `scope` is the dotted name of the enclosing function, or `=NAME` for a statement of the module that binds NAME.
    """

    path: str
    kind: str
    start: int
    end: int
    text: str
    line: int
    scope: str

    def apply(self, source: str) -> str:
        """Return the source of the module with this change."""
        return source[: self.start] + self.text + source[self.end :]

    def describe(self, source: str) -> str:
        """Return the changed lines, before and after, as one line of text."""
        first = source.rfind("\n", 0, self.start) + 1
        last = source.find("\n", self.end) % (len(source) + 1)
        before = " ".join(source[first:last].split())
        after = " ".join((source[first : self.start] + self.text + source[self.end : last]).split())
        return f"{before}  ->  {after}"


_COMPARE = {
    ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "==", ast.Is: "is not",
    ast.IsNot: "is", ast.In: "not in", ast.NotIn: "in",
}  # fmt: skip
_BINARY = {ast.Add: "-", ast.Sub: "+", ast.Mult: "//", ast.FloorDiv: "*", ast.Mod: "*", ast.Div: "*"}
_DROPPED_CALLS = frozenset(
    ("strip", "lstrip", "rstrip", "lower", "upper", "casefold", "split", "removeprefix", "removesuffix", "replace")
)
_LEFT_ALONE = frozenset(("__all__", "__slots__"))


def mutants(path: str, source: str) -> list[Mutant]:
    """Return all mutants of a module in the order of the text."""
    unordered = list(_Maker(path, source).module())
    return sorted(set(unordered), key=lambda one: (one.start, one.end, one.kind, one.text))


class _Maker:
    def __init__(self, path: str, source: str) -> None:
        self.path = path
        self.source = source
        self.lines = [0]
        for line in source.splitlines(keepends=True):
            self.lines.append(self.lines[-1] + len(line))
        self.bytes = source.split("\n")
        self.scope = ""

    def module(self) -> Iterator[Mutant]:
        yield from self._body(ast.parse(self.source).body, "")

    def _body(self, statements: list[ast.stmt], scope: str) -> Iterator[Mutant]:
        for statement in statements:
            yield from self._statement(statement, scope)

    def _statement(self, node: ast.stmt, scope: str) -> Iterator[Mutant]:
        outer, self.scope = self.scope, scope
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inner = f"{scope}.{node.name}".lstrip(".=")
            self.scope = inner
            for default in [*node.args.defaults, *node.args.kw_defaults]:
                yield from self._expression(default) if default is not None else ()
            yield from self._body(node.body, inner)
        elif isinstance(node, ast.ClassDef):
            yield from self._body(node.body, f"{scope}.{node.name}".lstrip("."))
        elif not self._is_left_alone(node):
            if not scope or self._in_class(scope):
                self.scope = f"={scope}.{self._bound(node)}".replace("=.", "=")
            yield from self._simple(node, scope)
        self.scope = outer

    def _in_class(self, scope: str) -> bool:
        return scope.rpartition(".")[2].lstrip("_")[:1].isupper()

    def _bound(self, node: ast.stmt) -> str:
        names = [one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)]
        return names[0] if names else ""

    def _is_left_alone(self, node: ast.stmt) -> bool:
        if isinstance(node, ast.Import | ast.ImportFrom | ast.Global | ast.Nonlocal | ast.Pass | ast.Assert):
            return True
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return True
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return True
        if not isinstance(node, ast.Assign | ast.AnnAssign):
            return False
        return self._bound(node) in _LEFT_ALONE or self._is_type(node)

    def _is_type(self, node: ast.Assign | ast.AnnAssign) -> bool:
        """Return True for an alias of a type: `Form = Literal["yaml", "toml"]`."""
        name = self._bound(node).lstrip("_")
        return name != name.upper() and name[:1].isupper() and isinstance(node.value, ast.Subscript | ast.BinOp)

    def _simple(self, node: ast.stmt, scope: str) -> Iterator[Mutant]:
        in_function = not self.scope.startswith("=")
        if (
            isinstance(node, ast.Expr | ast.AugAssign | ast.Continue | ast.Break | ast.Raise | ast.Delete)
            and in_function
        ):
            yield self._change("statement removed", node, "pass")
        if isinstance(node, ast.Return) and node.value is not None and ast.unparse(node.value) != "None":
            yield self._change("returns None", node.value, "None")
        if isinstance(node, ast.If | ast.While):
            yield self._change("condition negated", node.test, f"not ({self._text(node.test)})")
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "target", "targets", "type_comment"):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.stmt):
                    yield from self._statement(child, scope)
                elif isinstance(child, ast.ExceptHandler):
                    yield from self._body(child.body, scope)
                elif isinstance(child, ast.withitem):
                    yield from self._expression(child.context_expr)
                elif isinstance(child, ast.expr):
                    yield from self._expression(child)

    def _expression(self, node: ast.expr) -> Iterator[Mutant]:
        yield from self._at(node)
        for name, value in ast.iter_fields(node):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.keyword):
                    yield from self._expression(child.value)
                elif isinstance(child, ast.comprehension):
                    for part in [child.iter, *child.ifs]:
                        yield from self._expression(part)
                    for condition in child.ifs:
                        yield self._change("condition negated", condition, f"(not ({self._text(condition)}))")
                elif isinstance(child, ast.expr) and not isinstance(node, ast.JoinedStr):
                    if name == "func" and isinstance(child, ast.Name):
                        continue
                    yield from self._expression(child)
                elif isinstance(child, ast.FormattedValue):
                    yield from self._expression(child.value)

    def _at(self, node: ast.expr) -> Iterator[Mutant]:
        match node:
            case ast.Compare(left=left, ops=ops, comparators=right):
                before: ast.expr = left
                for operator, after in zip(ops, right, strict=True):
                    yield self._make("comparison", *self._between(before, after), _COMPARE[type(operator)], node)
                    before = after
            case ast.BoolOp(op=boolean, values=[first, second, *_]):
                word = "or" if isinstance(boolean, ast.And) else "and"
                yield self._make("and/or", *self._between(first, second), word, node)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                yield self._change("not removed", node, f"({self._text(operand)})")
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                yield self._change("minus removed", node, self._text(operand))
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _BINARY:
                yield self._make("arithmetic", *self._between(left, right), _BINARY[type(operator)], node)
            case ast.IfExp(test=test):
                yield self._change("condition negated", test, f"(not ({self._text(test)}))")
            case ast.Constant(value=bool() as truth):
                yield self._change("boolean", node, str(not truth))
            case ast.Constant(value=int() | float() as number):
                yield self._change("number", node, f"{number + 1!r}")
                yield self._change("number", node, f"{number - 1!r}" if number >= 1 else f"({number - 1!r})")
            case ast.Constant(value=str() | bytes()):
                yield from self._string(node)
            case ast.Call(func=ast.Attribute(value=receiver, attr=name)) if name in _DROPPED_CALLS:
                if not isinstance(receiver, ast.Name) or receiver.id != "re":
                    yield self._change("call dropped", node, self._text(receiver))
            case ast.Subscript(value=value, slice=ast.Slice()):
                yield self._change("slice dropped", node, self._text(value))
            case ast.List(elts=rows) | ast.Tuple(elts=rows) | ast.Set(elts=rows) if len(rows) > 1:
                if isinstance(node.ctx, ast.Load) if not isinstance(node, ast.Set) else True:
                    yield from self._rows(rows, rows)
            case ast.Dict(keys=keys, values=values) if len(keys) > 1 and None not in keys:
                yield from self._rows([key for key in keys if key is not None], values)

    def _rows(self, first: list[ast.expr], last: list[ast.expr]) -> Iterator[Mutant]:
        if not all(isinstance(one, ast.Constant | ast.Tuple | ast.Call | ast.Name) for one in first):
            return
        if not any(isinstance(one, ast.Constant) for one in first) and not self.scope.startswith("="):
            return
        for place in range(len(first)):
            if place + 1 < len(first):
                start, end = self._span(first[place])[0], self._span(first[place + 1])[0]
            else:
                start, end = self._span(last[place - 1])[1], self._span(last[place])[1]
            yield self._make("row removed", start, end, "", first[place])

    def _string(self, node: ast.Constant) -> Iterator[Mutant]:
        raw = self._text(node)
        quote = raw.find('"') if '"' in raw[:3] else raw.find("'")
        if quote < 0:
            return
        width = 3 if raw[quote:].startswith(('"""', "'''")) else 1
        head, content = raw[: quote + width], raw[quote + width : -width]
        if width == 1 and raw.count(raw[quote]) > 2 and "\n" in raw:  # adjacent literals
            yield from self._pieces(node, raw)
            return
        yield from self._content(node, self._span(node)[0] + len(head), content)

    def _pieces(self, node: ast.Constant, raw: str) -> Iterator[Mutant]:
        place = self._span(node)[0]
        for line in raw.splitlines(keepends=True):
            begin, end = line.find('"'), line.rfind('"')
            if 0 <= begin < end:
                yield from self._content(node, place + begin + 1, line[begin + 1 : end])
            place += len(line)

    def _content(self, node: ast.Constant, start: int, content: str) -> Iterator[Mutant]:
        if not content:
            yield self._make("text", start, start, "XX", node)
            return
        words = content.split()
        if len(words) >= 4 and not any(sign in content for sign in "(.:;[\\"):
            place = 0
            for word in words:
                place = content.index(word, place)
                yield self._make("word removed", start + place, start + place + len(word), "", node)
                place += len(word)
            return
        yield self._make("text", start, start + len(content), "", node)
        if not any(sign in content for sign in "\\{"):
            yield self._make("text", start, start + len(content), "XX" + content, node)
        for place, sign in enumerate(content):
            if sign in "*+?" and place and content[place - 1] not in "\\*+?[(^" and len(content) > 3:
                other = {"*": "+", "+": "*", "?": ""}[sign]
                yield self._make("pattern", start + place, start + place + 1, other, node)

    def _between(self, left: ast.expr, right: ast.expr) -> tuple[int, int]:
        start, end = self._span(left)[1], self._span(right)[0]
        text = self.source[start:end]
        before = len(text) - len(text.lstrip(" \n)"))
        after = len(text) - len(text.rstrip(" \n("))
        return start + before, end - after

    def _change(self, kind: str, node: ast.expr | ast.stmt, text: str) -> Mutant:
        return self._make(kind, *self._span(node), text, node)

    def _make(self, kind: str, start: int, end: int, text: str, node: ast.expr | ast.stmt) -> Mutant:
        return Mutant(self.path, kind, start, end, text, node.lineno, self.scope)

    def _text(self, node: ast.expr) -> str:
        start, end = self._span(node)
        return self.source[start:end]

    def _span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._offset(node.lineno, node.col_offset), self._offset(node.end_lineno, node.end_col_offset)

    def _offset(self, line: int, column: int) -> int:
        return self.lines[line - 1] + len(self.bytes[line - 1].encode()[:column].decode())
