"""The levels of the package, whose modules import downward only; and layout rules."""

import ast
import re
from pathlib import Path

import minilstm

ROOT = Path(minilstm.__file__).parent
LEVELS = [  # of modules or of their folders, the lowest first
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
    {"cli", "course", "testing", "pytest_plugin", "__main__"},
]
LEVEL = {name: level for level, names in enumerate(LEVELS) for name in names}
TOP = {name.split(".")[0] for name in LEVEL}


def imported(module, name):
    """The module that ``from module import name`` needs, without the package's name.

    It is ``module.name`` if there is such a module, and ``module`` otherwise.
    """
    below = [*module.split(".")[1:], name]
    path = ROOT.joinpath(*below)
    return ".".join(below if path.is_dir() or path.with_suffix(".py").is_file() else below[:-1])


def imports(path):
    """Modules of minilstm that a file imports anywhere, without the package's name."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} has a relative import"
            if node.module.split(".")[0] == "minilstm":
                found |= {imported(node.module, alias.name) for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {a.name.removeprefix("minilstm.") for a in node.names if a.name.startswith("minilstm.")}
    return {name for name in found if name.split(".")[0] in TOP}


def level(name):
    """The level of a module: its own, or that of its folder."""
    return LEVEL[name] if name in LEVEL else LEVEL[name.split(".")[0]]


def files():
    return [path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py"]


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_every_module_belongs_to_a_level():
    for path in files():
        assert module_name(path).split(".")[0] in TOP, f"{path.name} has no level"


def test_imports_run_downward_only():
    seen = 0
    for path in files():
        here = module_name(path)
        for there in imports(path):
            seen += 1
            assert level(there) <= level(here), f"{here} (level {level(here)}) imports {there} (level {level(there)})"
    assert seen > 20


def test_imports_form_no_cycle():
    graph = {module_name(path): {n for n in imports(path) if n != module_name(path)} for path in files()}
    packages = {module_name(path) for path in files() if path.name == "__init__.py"}
    done, above = set(), []

    def visit(name):
        assert name not in above, f"cycle: {' -> '.join([*above, name])}"
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


def test_no_file_has_more_than_400_lines():
    for path in [*files(), ROOT / "__init__.py"]:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, f"{path.name} is too long"


def test_headings_of_docstrings_are_underlined_on_a_line_of_their_own():
    for path in files():
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"^ *-{5,} +[^-\s]", text, re.MULTILINE), f"{path.name}: a heading's line runs into the text"
