"""Print the shape of a Python tree: sizes, types, docstrings.  measure.py DIR..."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

SKIP = {"migrations", "tests"}


def spread(values: list[int]) -> str:
    """Return median, 90th percentile and maximum."""
    ordered = sorted(values)
    at = [ordered[int(len(ordered) * share)] for share in (0.5, 0.9)]
    return "/".join(map(str, [*at, ordered[-1]]))


files: list[int] = []
functions: list[ast.FunctionDef | ast.AsyncFunctionDef] = []
for folder in sys.argv[1:]:
    for path in Path(folder).rglob("*.py"):
        if SKIP.isdisjoint(path.parts) and (text := path.read_text()).count("\n") > 2:
            files.append(text.count("\n"))
            functions += [
                node
                for node in ast.walk(ast.parse(text))
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            ]
public = [f for f in functions if not f.name.startswith("_")]
lengths = [(f.end_lineno or f.lineno) - f.lineno + 1 for f in functions]
print("files", len(files), "lines", sum(files), "a file", spread(files))
print("functions", len(functions), "lines a function", spread(lengths))
typed = sum(f.returns is not None for f in functions)
documented = sum(ast.get_docstring(f) is not None for f in public)
print(f"return types {typed / len(functions):.0%}")
print(f"public docstrings {documented / len(public):.0%}")
