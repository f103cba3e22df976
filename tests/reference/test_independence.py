"""The reference is independent: it imports NumPy and itself, nothing else."""

import ast
import subprocess
import sys
from pathlib import Path

from minilstm import reference

FOLDER = Path(reference.__file__).parent


def test_the_reference_works_without_numba():
    program = """
import sys
sys.modules.update(dict.fromkeys(["numba", "llvmlite"]))  # importing them fails
import numpy as np
import minilstm.reference
from minilstm.reference import dropout, generate, initial, language_model, optimizers
params = initial.initial_parameters(np.random.default_rng(0), 5, hidden=4)
adam = dict.fromkeys(params, optimizers.AdamState())
ids = np.array([[0, 1], [2, 3], [4, 0]])
losses = []
for _ in range(30):
    loss, params, adam = minilstm.reference.train_step(params, adam, ids[:-1], ids[1:], rate=0.1)
    losses.append(loss)
print(losses[0] > 1.5, losses[-1] < 0.1)
print(generate.generate_ids(params, ids[:1], 2, np.random.default_rng(0), top_k=1).tolist())
print(sorted(name for name in sys.modules if name.startswith("minilstm.") and ".reference" not in name))
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["True True", "[[2, 3], [4, 0]]", "[]"]


def test_the_reference_imports_only_numpy_and_itself():
    seen = set()
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                seen.add(node.module)
            elif isinstance(node, ast.Import):
                seen |= {alias.name for alias in node.names}
    ours = {name for name in seen if name.startswith("minilstm")}
    assert all(name.startswith("minilstm.reference.") for name in ours) and len(ours) > 5
    assert seen - ours == {"collections.abc", "math", "typing", "numpy"}
