"""How long the code is. The table is there to be looked at; only file length and import cycles are enforced."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from itertools import groupby
from pathlib import Path
from statistics import median, quantiles

import grimp
import pytest

FILE_LINES = 500
FUNCTION_LINES_MEDIAN, FUNCTION_LINES_NINE_IN_TEN = 10, 30  # a reason to look where exceeded, no more

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions_of(path: Path) -> Iterator[Function]:
    return (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, Function))


def length(function: Function) -> int:
    """Lines from `def` to the last statement, the docstring not counted."""
    text = function.body[0] if ast.get_docstring(function) else None
    docstring = (text.end_lineno or text.lineno) - text.lineno + 1 if text else 0
    return (function.end_lineno or function.lineno) - function.lineno + 1 - docstring


def row(name: str, paths: list[Path]) -> str:
    found = [(length(function), f"{path.name}:{function.name}") for path in paths for function in functions_of(path)]
    lines = sum(len(path.read_text().splitlines()) for path in paths)
    counts = f"{name:<10}{len(paths):>6}{lines:>7}{len(found):>11}"
    if len(found) < 2:
        return counts
    lengths = [size for size, _ in found]
    longest, where = max(found)
    return f"{counts}{median(lengths):>8.0f}{quantiles(lengths, n=10, method='inclusive')[-1]:>13.0f}  {longest} {where}"


def table(package: Path) -> str:
    paths = sorted(package.rglob("*.py"), key=lambda path: path.relative_to(package).parts)
    by_room = groupby(paths, key=lambda path: path.relative_to(package).parts[0] if path.parent != package else "(top)")
    rooms: dict[str, list[Path]] = {}
    for room, members in by_room:
        rooms.setdefault(room, []).extend(members)
    head = f"{'package':<10}{'files':>6}{'lines':>7}{'functions':>11}{'median':>8}{'nine in ten':>13}  longest function"
    return "\n".join([head, *(row(room, members) for room, members in rooms.items()), row("all", paths)])


def cycle(graph: grimp.ImportGraph) -> list[str]:
    """Modules that import each other in a ring (imports inside functions count), or none."""
    try:
        TopologicalSorter({module: graph.find_modules_directly_imported_by(module) for module in graph.modules}).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_file_is_longer_than_500_lines(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package = root / "src" / "unspun"
    with capsys.disabled():
        print(f"\n{table(package)}\nbudget: median {FUNCTION_LINES_MEDIAN}, nine in ten {FUNCTION_LINES_NINE_IN_TEN}")
    sizes = {path.relative_to(package).as_posix(): len(path.read_text().splitlines()) for path in package.rglob("*.py")}
    assert {name: lines for name, lines in sizes.items() if lines > FILE_LINES} == {}


def test_no_modules_import_each_other_in_a_ring() -> None:
    assert cycle(grimp.build_graph("unspun", cache_dir=None)) == []


def test_a_ring_of_imports_is_found() -> None:
    graph = grimp.ImportGraph()
    for importer, imported in (("a", "b"), ("b", "c"), ("c", "a")):
        graph.add_import(importer=importer, imported=imported)
    assert set(cycle(graph)) == {"a", "b", "c"}


def test_a_docstring_is_no_part_of_a_functions_length() -> None:
    source = 'def f(x):\n    """One.\n\n    Two.\n    """\n    return x\n'
    (function,) = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef))
    assert length(function) == 2
