"""Mutation testing: which changes of the mathematics does no test notice?

    pip install cosmic-ray
    python tests/mutation.py [--jobs N] [--only minilstm/layers/losses.py ...]

cosmic-ray changes one operator, number or statement at a time. The tests of that module
must then fail; the mutant is killed. Almost none should survive. Each module is mutated
in a copy of the checkout, with the compiler off, so that kernels run as Python.
Annotations are never evaluated, so their mutants (``X | None``) are omitted. Prints a
line for each module, and writes the survivors as differences to ``mutants.txt``. Takes
about an hour on two cores.
"""

import argparse
import compileall
import json
import os
import py_compile
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from minilstm.streams import make_writable

ROOT = Path(__file__).resolve().parents[1]
LAYER = "layers/test_layers_small layers/test_layers_recurrent layers/test_layers_edges models/test_model"
RECURRENT = "layers/test_layers_recurrent layers/test_layers_edges layers/test_properties models/test_model"
TESTS = {  # the tests of each module, the fastest first
    "minilstm/reference/gru.py": "reference/test_cells kernels/test_kernels",
    "minilstm/reference/lstm.py": "reference/test_cells kernels/test_kernels",
    "minilstm/reference/rnn.py": "reference/test_cells kernels/test_kernels",
    "minilstm/kernels/activations.py": "kernels/test_activations kernels/test_kernels",
    "minilstm/kernels/adam.py": "optim/test_optim",
    "minilstm/kernels/embedding.py": LAYER,
    "minilstm/kernels/exponential.py": "kernels/test_exponential layers/test_losses",
    "minilstm/kernels/gru.py": "kernels/test_kernels layers/test_layers_recurrent",
    "minilstm/kernels/lstm.py": "kernels/test_kernels layers/test_layers_recurrent",
    "minilstm/kernels/rmsprop.py": "optim/test_optim",
    "minilstm/kernels/rnn.py": "kernels/test_kernels layers/test_layers_recurrent",
    "minilstm/kernels/sgd.py": "optim/test_optim",
    "minilstm/kernels/softmax.py": "layers/test_losses models/test_model",
    "minilstm/layers/dense.py": LAYER,
    "minilstm/layers/dropout.py": "layers/test_dropout layers/test_layers_small",
    "minilstm/layers/embedding.py": LAYER,
    "minilstm/layers/gru.py": RECURRENT,
    "minilstm/layers/initial.py": LAYER,
    "minilstm/layers/lstm.py": RECURRENT,
    "minilstm/layers/one_hot.py": LAYER,
    "minilstm/layers/packing.py": RECURRENT,
    "minilstm/layers/recurrent.py": RECURRENT,
    "minilstm/layers/rnn.py": RECURRENT,
    "minilstm/layers/workspace.py": f"{LAYER} layers/test_losses",
    "minilstm/layers/losses.py": "layers/test_losses layers/test_properties models/test_model",
    "minilstm/optim/adam.py": "optim/test_optim",
    "minilstm/optim/clipping.py": "optim/test_optim",
    "minilstm/optim/optimizer.py": "optim/test_optim",
    "minilstm/optim/rmsprop.py": "optim/test_optim",
    "minilstm/optim/schedules.py": "optim/test_optim",
    "minilstm/optim/sgd.py": "optim/test_optim",
}
CONFIG = """
[cosmic-ray]
module-path = "{module}"
timeout = 120.0
excluded-modules = []
test-command = "{python} -m pytest -q -x -p no:cacheprovider {tests}"
[cosmic-ray.distributor]
name = "local"
[cosmic-ray.filters.operators-filter]
exclude-operators = ["core/ReplaceBinaryOperator_BitOr_.*"]
"""


def survivors_of(module: str) -> tuple[str, int, list[str]]:
    """Mutate one module in a copy of the checkout.

    Returns the module, the number of mutants, and the differences that no test noticed.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "checkout"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "build", "runs", "*.egg-info", "__pycache__"))
        tests = " ".join(f"tests/{name}.py" for name in TESTS[module].split())
        (copy / "mutation.toml").write_text(CONFIG.format(module=module, python=sys.executable, tests=tests))
        profile = {"NUMBA_DISABLE_JIT": "1", "HYPOTHESIS_PROFILE": "quick", "OPENBLAS_NUM_THREADS": "1"}
        environment = {**os.environ, **profile, "PYTHONPATH": str(copy)}
        # Python checks compiled files by time and size, which two mutants may share;
        # with a hash it always notices
        compileall.compile_dir(copy / "minilstm", quiet=1, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)

        def run(*command: str) -> str:
            tool = [str(Path(sys.executable).parent / command[0]), *command[1:]]
            return subprocess.run(tool, cwd=copy, env=environment, check=True, capture_output=True, text=True).stdout

        subprocess.run(  # tests that fail anyway would kill every mutant
            [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests.split()],
            cwd=copy, env=environment, check=True, capture_output=True,
        )
        run("cosmic-ray", "init", "mutation.toml", "mutants.sqlite")
        run("cr-filter-operators", "mutants.sqlite", "mutation.toml")
        run("cosmic-ray", "exec", "mutation.toml", "mutants.sqlite")
        results = [json.loads(line)[1] for line in run("cosmic-ray", "dump", "mutants.sqlite").splitlines()]
    tested = [result for result in results if result and result["worker_outcome"] == "normal"]
    return module, len(tested), [result["diff"] for result in tested if result["test_outcome"] == "survived"]


def main() -> int:
    """Mutate all modules, with ``--jobs`` of them at a time."""
    parser = argparse.ArgumentParser(description="Mutate the mathematics and see the tests fail.")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="modules at a time (cores)")
    parser.add_argument("--only", nargs="+", choices=list(TESTS), default=list(TESTS), metavar="MODULE")
    arguments = parser.parse_args()
    mutants = survived = 0
    with ThreadPoolExecutor(arguments.jobs) as pool, open("mutants.txt", "w", encoding="utf-8") as file:
        for module, count, survivors in pool.map(survivors_of, arguments.only):
            mutants, survived = mutants + count, survived + len(survivors)
            print(f"{module:<36}{count:>6} mutants{len(survivors):>5} survived", flush=True)
            file.write("".join(f"{difference}\n\n" for difference in survivors))
            file.flush()
    print(f"{mutants - survived} of {mutants} killed: {(mutants - survived) / mutants:.1%}")
    return 0


if __name__ == "__main__":
    make_writable()
    sys.exit(main())
