"""Read the literal values in a Python settings file, such as Pelican's, without running it."""

from __future__ import annotations

import ast
from typing import Any


class Computed:
    """A value that is known only after running the file."""

    def __repr__(self) -> str:
        return "Computed()"


COMPUTED = Computed()


def literals(text: str) -> dict[str, Any]:
    """Return the module-level names of a Python file with their values, COMPUTED if a value is known only after running it.

    Literals, earlier names, `dict(key=value)`, `+=`, item assignment, `update`, `append` and `extend` are supported. A name
    that is set under a condition or in a loop is COMPUTED. Raise SyntaxError, ValueError or RecursionError.
    """
    names: dict[str, Any] = {}
    for statement in ast.parse(text).body:
        try:
            _follow(statement, names)
        except (ValueError, TypeError, KeyError, AttributeError, IndexError):
            for name in _names_in(statement):
                names[name] = COMPUTED
    return names


def _follow(statement: ast.stmt, names: dict[str, Any]) -> None:
    match statement:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                _assign(target, _value(value, names), names)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            _assign(target, _value(value, names), names)
        case ast.AugAssign(target=ast.Name(id=name), op=ast.Add() | ast.BitOr() as operator, value=value):
            more = _value(value, names)
            names[name] = names[name] + more if isinstance(operator, ast.Add) else names[name] | more
        case ast.Expr(
            value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method), args=args, keywords=keywords)
        ):
            if method in ("update", "append", "extend", "setdefault", "insert", "remove", "pop", "clear"):
                values = [_value(one, names) for one in args]
                named = {one.arg: _value(one.value, names) for one in keywords if one.arg}
                getattr(names[name], method)(*values, **named)
        case ast.If(test=ast.Constant(value=condition), body=body, orelse=orelse):
            for one in body if condition else orelse:
                _follow(one, names)
        case ast.If() | ast.For() | ast.While() | ast.Try() | ast.With() | ast.AugAssign() | ast.Delete():
            raise ValueError("known only after running the file")
        case _:
            pass


def _assign(target: ast.expr, value: Any, names: dict[str, Any]) -> None:
    match target:
        case ast.Name(id=name):
            names[name] = value
        case ast.Subscript(value=ast.Name(id=name), slice=index):
            names[name][_value(index, names)] = value
        case _:
            raise ValueError("known only after running the file")


def _value(node: ast.expr, names: dict[str, Any]) -> Any:
    """Return the value of an expression of literals and known names; raise ValueError for others."""
    match node:
        case ast.Name(id=name):
            value = names[name]
            if value is COMPUTED:
                raise ValueError(name)
            return value
        case ast.Call(func=ast.Name(id="dict"), args=[], keywords=keywords):
            return {str(one.arg): _value(one.value, names) for one in keywords if one.arg}
        case ast.Dict(keys=keys, values=values) if None not in keys:
            return {_value(key, names): _value(value, names) for key, value in zip(keys, values, strict=True) if key}
        case ast.List(elts=items):
            return [_value(item, names) for item in items]
        case ast.Tuple(elts=items):
            return tuple(_value(item, names) for item in items)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _value(left, names) + _value(right, names)
        case _:
            return ast.literal_eval(node)


def _names_in(statement: ast.stmt) -> set[str]:
    """Return the names that a statement may change: those it assigns, and those whose methods it calls."""
    names = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            names.add(node.id)
        elif isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.value, ast.Name):
            names.add(node.value.id)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names
