# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The Python reference as Markdown pages, from the sources' docstrings and signatures.

Reads the sources and imports nothing: it needs neither MLX nor ROS, and takes a second.  Public is
what has a docstring and no leading underscore.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

_SECTION = re.compile(r'^(Args|Attributes|Raises|Returns|Yields):$')
_ENTRY = re.compile(r'^(\w[\w.*, ]*): ')


def write_reference(package: Path, out: Path) -> None:
    """Write one page per folder of `package` into `out`: `vlmaxxing_ros.engine.md` and so on."""
    folders = [package, *(p for p in package.rglob('*') if (p / '__init__.py').is_file())]
    for folder in sorted(folders):
        name = '.'.join((package.name, *folder.relative_to(package).parts))
        (out / f'{name}.md').write_text('\n'.join(page(folder, name)) + '\n')


def page(folder: Path, name: str) -> Iterator[str]:
    """The lines of one folder's page: its own docstring, then its modules."""
    yield f'# {name}'
    for source in sorted(folder.glob('*.py'), key=lambda path: (path.stem != '__init__', path)):
        tree = ast.parse(source.read_text())
        module = name if source.stem == '__init__' else f'{name}.{source.stem}'
        if module != name:
            yield from ('', f'## {source.stem}')
        _qualify(tree, module)
        yield from ('', f'```{{py:module}} {module}', '```', '')
        yield from _text(ast.get_docstring(tree) or '')
        for node in tree.body:
            yield from _described(node, '`````', '')


class _Qualified(ast.NodeTransformer):
    """Write names in full, by what they stand for."""

    def __init__(self, names: dict[str, str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Replace one name."""
        full = self._names.get(node.id)
        return ast.parse(full, mode='eval').body if full else node


def _qualify(tree: ast.Module, module: str) -> None:
    """Write our types' names in full in annotations: there may be two of one name."""
    names: dict[str, str] = {}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [node]
        own = (getattr(t, 'id', None) or getattr(t, 'name', None) for t in targets)
        names |= {name: f'{module}.{name}' for name in own if name}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or '').startswith('vlmaxxing_ros'):
            names |= {n.asname or n.name: f'{node.module}.{n.name}' for n in node.names}
    qualified = _Qualified(names)
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and node.annotation:
            node.annotation = qualified.visit(node.annotation)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns:
            node.returns = qualified.visit(node.returns)


def _described(node: ast.stmt, fence: str, owner: str) -> Iterator[str]:
    """A public class or function as a directive; a class with its public methods inside."""
    if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return
    text = ast.get_docstring(node)
    if text is None or node.name.startswith('_'):
        return
    if isinstance(node, ast.ClassDef):
        yield from ('', f'{fence}{{py:class}} {node.name}', '')
        yield from _text(text)
        for inner in node.body:
            yield from _described(inner, fence[:-1], node.name)
        yield fence
        return
    kinds = {ast.unparse(decorator) for decorator in node.decorator_list}
    if owner and kinds & {'property', 'cached_property'}:
        returns = f'\n:type: {ast.unparse(node.returns)}' if node.returns else ''
        head = f'{{py:property}} {node.name}{returns}'
    else:
        head = f'{{{"py:method" if owner else "py:function"}}} {node.name}{_signature(node, owner)}'
        head += ''.join(
            f'\n:{kind}:' for kind in ('classmethod', 'staticmethod', 'abstractmethod')
            if kind in kinds
        )  # fmt: skip
    yield from ('', f'{fence}{head}', '')
    yield from _text(text)
    yield fence


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef, owner: str) -> str:
    given = node.args
    first = [*given.posonlyargs, *given.args][:1]
    if owner and first and first[0].arg in ('self', 'cls'):
        (given.posonlyargs or given.args).pop(0)
    returns = f' -> {ast.unparse(node.returns)}' if node.returns else ''
    return f'({ast.unparse(given)}){returns}'


def _text(docstring: str) -> Iterator[str]:
    """A docstring as Markdown: sections become lists, the rest stays."""
    listing = False
    for line in docstring.splitlines():
        section = _SECTION.match(line)
        if section:
            listing = True
            yield from (f'*{section[1]}*', '')
        elif listing and line.startswith('    '):
            inner = line[4:]
            entry = _ENTRY.match(inner)
            bullet = f'- `{entry[1]}`: {_plain(inner[entry.end() :])}' if entry else ''
            yield bullet or textwrap.indent(_plain(inner), '  ' if inner[:1] == ' ' else '')
        else:
            listing = listing and not line.strip()
            yield _plain(line)


def _plain(line: str) -> str:
    """Escape what Markdown would take for markup outside `code`."""
    parts = re.split(r'(`[^`]*`)', line)
    return ''.join(
        part if index % 2 else re.sub(r'([*_<>\[\]{}|$])', r'\\\1', part)
        for index, part in enumerate(parts)
    )
