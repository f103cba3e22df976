"""Learners' code for the tests of layouts: right code of every layout, and changed code."""

import importlib
import inspect
import linecache
import types

from minilstm.verify import LAYOUTS

MODULES = {
    "cs231n": "cs231n",
    "deeplearning.ai": "deeplearning_ai",
    "d2l": "d2l",
    "pytorch": "pytorch",
    "min-char-rnn": "min_char_rnn",
}
# name, cell and kind of all pairs of functions of courses
PAIRS = [
    (name, cell, kind)
    for name in MODULES
    for cell, form in LAYOUTS[name].cells.items()
    for kind in ("step", "sequence")
    if getattr(form, kind)
]


def module(name, *changes):
    """The learner's file of a layout, with some texts changed: pairs of old and new."""
    path = f"tests.learners.{MODULES[name]}"
    right = importlib.import_module(path)
    if not changes:
        return right
    source = inspect.getsource(right)
    for old, new in changes:
        assert source.count(old) == 1, (source.count(old), old)
        source = source.replace(old, new)
    made = types.ModuleType(right.__name__)
    made.__file__ = f"<{path} with {changes}>"
    lines = source.splitlines(keepends=True)
    linecache.cache[made.__file__] = (len(source), None, lines, made.__file__)
    exec(compile(source, made.__file__, "exec"), made.__dict__)
    return made


def functions(name, cell, kind, *changes):
    """A forward and its backward."""
    form, code = LAYOUTS[name].of(cell), module(name, *changes)
    return tuple(getattr(code, form.signature(k).function) for k in (kind, f"{kind}_backward"))


def line_number(function, text):
    """Where a text stands in a function's file."""
    lines, first = inspect.getsourcelines(function)
    return next(first + k for k, line in enumerate(lines) if text in line)
