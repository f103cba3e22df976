"""The floors of the house: imports run downward only."""

import ast
import re
from pathlib import Path

import minilstm

ROOT = Path(minilstm.__file__).parent
FLOORS = [  # of modules, or of the folders that they lie in
    {"reference"},
    {"checks", "errors", "files", "functions", "seeds", "streams", "parallel.ownership", "parallel.threads"},
    {"cells", "kernels", "params"},
    {"layers", "optim"},
    {"parallel"},
    {"models"},
    {"data"},
    {"corpora"},
    {"generation", "interop", "verify"},
    {"training"},
    {"cli", "course", "__main__"},
]
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
TOP = {room.split(".")[0] for room in FLOOR}


def imported(module, name):
    """The module that ``from module import name`` needs, below the package: of that name, or the one that has the name."""
    below = [*module.split(".")[1:], name]
    path = ROOT.joinpath(*below)
    return ".".join(below if path.is_dir() or path.with_suffix(".py").is_file() else below[:-1])


def imports(path):
    """Modules of ours that a file imports, wherever in the file, as dotted names below the package."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} has a relative import"
            if node.module.split(".")[0] == "minilstm":
                found |= {imported(node.module, alias.name) for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {a.name.removeprefix("minilstm.") for a in node.names if a.name.startswith("minilstm.")}
    return {name for name in found if name.split(".")[0] in TOP}


def floor(name):
    """The floor of a module: its own, or that of the folder that it lies in."""
    return FLOOR[name] if name in FLOOR else FLOOR[name.split(".")[0]]


def files():
    return [path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py"]


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_every_room_has_a_floor():
    for path in files():
        assert module_name(path).split(".")[0] in TOP, f"{path.name} stands on no floor"


def test_imports_run_downward_only():
    seen = 0
    for path in files():
        here = module_name(path)
        for there in imports(path):
            seen += 1
            assert floor(there) <= floor(here), f"{here} (floor {floor(here)}) imports {there} (floor {floor(there)})"
    assert seen > 20


def test_no_imports_run_in_a_circle():
    graph = {module_name(path): {n for n in imports(path) if n != module_name(path)} for path in files()}
    packages = {module_name(path) for path in files() if path.name == "__init__.py"}
    done, above = set(), []

    def visit(name):
        assert name not in above, f"circle: {' -> '.join([*above, name])}"
        if name in done:
            return
        above.append(name)
        for other in graph.get(name, ()):
            if not (name in packages or other in packages and name.startswith(other + ".")):
                visit(other)
        above.pop()
        done.add(name)

    for name in graph:
        visit(name)
    assert len(done) > 20


def test_files_fit_a_readers_head():
    for path in files():
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, f"{path.name} is too long"


def test_the_line_below_a_heading_of_a_docstring_stands_alone():
    for path in files():
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"^ *-{5,} +[^-\s]", text, re.MULTILINE), f"{path.name}: a heading's line runs into the text"
