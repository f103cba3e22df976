"""Stand-ins for helper modules of courses that are not beside a learner's file.

Notebooks of deeplearning.ai begin with ``from rnn_utils import *``, those of CS231n with
``from cs231n.rnn_layers import *``. Where these are missing, a stand-in has sigmoid,
softmax and the usual names of NumPy. Any other name is there, too, and says what is
missing when it is called.
"""

from __future__ import annotations

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import numpy as np

COURSES = {  # packages and modules, by their first name
    "cs231n", "d2l", "dlai_tools", "grader_support", "lstm_utils", "outputs",
    "public_tests", "rnn_utils", "solutions", "testCases", "test_utils", "utils",
    "data_utils", "generateTestCases",
}  # fmt: skip


def sigmoid(x):
    """The logistic function, in real or complex numbers."""
    return 1 / (1 + np.exp(-x))


def softmax(x):
    """Over the first axis, as the columns of deeplearning.ai are examples."""
    e = np.exp(x - np.max(x.real, axis=0))
    return e / np.sum(e, axis=0)


class Missing:
    """A name of a module that is not here. Whatever it is called for fails."""

    def __init__(self, module: str, name: str):
        self._whole = f"{module}.{name}"

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        raise ImportError(
            f"{self._whole} is missing: put the module beside the file, as in the course"
        )


class StandIn(ModuleType):
    """A module with sigmoid and softmax, and a placeholder for every other name."""

    def __init__(self, name: str):
        super().__init__(name, "A stand-in of minilstm check.")
        self.__path__: list[str] = []  # a package: its modules are stand-ins, too
        self.np = self.numpy = np
        self.sigmoid, self.softmax = sigmoid, softmax

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Missing(self.__name__, name)


class CourseModules(MetaPathFinder, Loader):
    """Finds a stand-in for modules of courses, after every other way has failed."""

    def __init__(self) -> None:
        self.used: list[str] = []

    def find_spec(self, fullname, path=None, target=None):
        """The stand-in, if the name is one of the COURSES."""
        if fullname.partition(".")[0] not in COURSES:
            return None
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """An empty stand-in."""
        return StandIn(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to run; the name is noted."""
        self.used.append(module.__name__)

    @property
    def note(self) -> str:
        """Which modules are stand-ins, as a sentence."""
        names = ", ".join(name for name in self.used if not self._is_package(name))
        return f"stand-ins with sigmoid and softmax for what is missing: {names}"

    def _is_package(self, name: str) -> bool:
        return any(other.startswith(f"{name}.") for other in self.used)

    def __enter__(self) -> CourseModules:
        sys.meta_path.append(self)
        return self

    def __exit__(self, *error: object) -> None:
        sys.meta_path.remove(self)
        for name in self.used:
            sys.modules.pop(name, None)
