"""Read the names that a Python settings file sets to literals, as Pelican's does, without running any of it."""

from __future__ import annotations

import ast
from typing import Any


class Computed:
    """Stands for a value that only running the file would tell."""

    def __repr__(self) -> str:
        return "Computed()"


COMPUTED = Computed()


def literals(text: str) -> dict[str, Any]:
    """Return the names at the top of a Python file with their values; COMPUTED where those take running it.

    Literals, names set before, `dict(key=value)`, `+=`, item assignment, `update`, `append` and `extend` are followed. A name
    that is set under a condition or in a loop is COMPUTED. Raises SyntaxError, ValueError, RecursionError.
    """
    found: dict[str, Any] = {}
    for statement in ast.parse(text).body:
        try:
            _follow(statement, found)
        except (ValueError, TypeError, KeyError, AttributeError, IndexError):
            for name in _names_in(statement):
                found[name] = COMPUTED
    return found


def _follow(statement: ast.stmt, found: dict[str, Any]) -> None:
    match statement:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                _assign(target, _value(value, found), found)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            _assign(target, _value(value, found), found)
        case ast.AugAssign(target=ast.Name(id=name), op=ast.Add() | ast.BitOr() as operator, value=value):
            more = _value(value, found)
            found[name] = found[name] + more if isinstance(operator, ast.Add) else found[name] | more
        case ast.Expr(
            value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method), args=args, keywords=keywords)
        ):
            if method in ("update", "append", "extend", "setdefault", "insert", "remove", "pop", "clear"):
                values = [_value(one, found) for one in args]
                named = {one.arg: _value(one.value, found) for one in keywords if one.arg}
                getattr(found[name], method)(*values, **named)
        case ast.If(test=ast.Constant(value=condition), body=body, orelse=orelse):
            for one in body if condition else orelse:
                _follow(one, found)
        case ast.If() | ast.For() | ast.While() | ast.Try() | ast.With() | ast.AugAssign() | ast.Delete():
            raise ValueError("it takes running")
        case _:
            pass


def _assign(target: ast.expr, value: Any, found: dict[str, Any]) -> None:
    match target:
        case ast.Name(id=name):
            found[name] = value
        case ast.Subscript(value=ast.Name(id=name), slice=index):
            found[name][_value(index, found)] = value
        case _:
            raise ValueError("it takes running")


def _value(node: ast.expr, found: dict[str, Any]) -> Any:
    """Return the value of an expression of literals and names that are known; raises ValueError for others."""
    match node:
        case ast.Name(id=name):
            value = found[name]
            if value is COMPUTED:
                raise ValueError(name)
            return value
        case ast.Call(func=ast.Name(id="dict"), args=[], keywords=keywords):
            return {str(one.arg): _value(one.value, found) for one in keywords if one.arg}
        case ast.Dict(keys=keys, values=values) if None not in keys:
            return {_value(key, found): _value(value, found) for key, value in zip(keys, values, strict=True) if key}
        case ast.List(elts=items):
            return [_value(item, found) for item in items]
        case ast.Tuple(elts=items):
            return tuple(_value(item, found) for item in items)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _value(left, found) + _value(right, found)
        case _:
            return ast.literal_eval(node)


def _names_in(statement: ast.stmt) -> set[str]:
    """Return the names that a statement may change: those that it sets, and those whose methods it calls."""
    names = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            names.add(node.id)
        elif isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.value, ast.Name):
            names.add(node.value.id)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names
