"""Does minilstm train as Keras does? Both published systems, compared step by step.

    python -m venv keras-env && keras-env/bin/pip install tensorflow-cpu
    python benchmarks/keras_fidelity.py --keras-python keras-env/bin/python

Keras builds the published models (see ``published.py``), draws their weights and trains
for 100 steps. minilstm starts from the same weights and trains on the same
mini-batches. Arrays have the same shapes and order in both, with gates in the order i,
f, g, o (Keras writes i, f, c, o), so nothing is transposed. Two things are compared:

    (1)  |ours - Keras| / Keras                  loss of each step, before its update
    (2)  ‖ours - Keras‖ / ‖Keras - initial‖      each array after the last step,
                                                 relative to its change in training

(1) must be at most 1e-6 in float64, where the comparison is about the mathematics. In
float32, the dtype of training (``--dtype float32``, at most 1e-3), it includes
rounding, which training can magnify. On 409 recipes, both losses stay within 4e-6 of
those of minilstm in float64 for 68 steps. Five steps later both differ from it by
1.2e-3, Keras below, minilstm above.

Exit status: 0 if (1) holds at every step of both systems; 1 if not; 2 if they could not
be compared. It takes some minutes, most of them for the recipes. The text comes from
the grammars; ``--titles ag_news_test.csv --recipes recipes.json`` gives real text.
TensorFlow installs Keras 3. For Keras 2, run ``keras-env/bin/pip install tf_keras``,
then ``TF_USE_LEGACY_KERAS=1 python benchmarks/keras_fidelity.py …``.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from published import Run

import minilstm
from minilstm.errors import InputError
from minilstm.streams import make_writable

TOLERANCE = {"float64": 1e-6, "float32": 1e-3}  # of (1)
SHOWN = (1, 10, 25, 50, 75, 100)
HAS_KERAS = "import importlib.util as u, sys; sys.exit(not (u.find_spec('keras') and u.find_spec('tensorflow')))"


def train_keras(python: str, system: str, V: int, dtype: str, batches: list) -> dict[str, np.ndarray]:
    """Train Keras on these mini-batches, in its own environment; returns its result."""
    with tempfile.TemporaryDirectory() as folder:
        given, result = Path(folder, "batches.npz"), Path(folder, "result.npz")
        inputs = {f"inputs{k}": batch.inputs.T for k, batch in enumerate(batches)}  # (B, T)
        targets = {f"targets{k}": batch.targets.T for k, batch in enumerate(batches)}
        np.savez(given, V=V, dtype=dtype, **inputs, **targets)
        command = [python, str(Path(__file__).with_name("keras_reference.py")), system, str(given), str(result)]
        quiet = {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
        subprocess.run(command, check=True, env=os.environ | quiet)
        return dict(np.load(result))


def compare(python: str, system: str, source: str | None, steps: int, dtype: str) -> dict:
    """Train both on one system, print the comparison, and return it."""
    run = Run.begin(system, source, dtype=dtype)
    model = run.training.model
    keras = train_keras(python, system, model.vocab_size, dtype, run.batches(steps))
    initial = [keras[f"initial{k}"] for k in range(len(model.parameters))]
    for (name, values), given in zip(model.parameters.items(), initial, strict=True):
        assert values.shape == given.shape, name
        values[...] = given
    ours = np.array([record.loss for record in run.steps(steps)])
    difference = np.abs(ours - keras["losses"]) / keras["losses"]                          # (1)
    weights = {}
    for k, (name, values) in enumerate(model.parameters.items()):
        final = keras[f"final{k}"]
        weights[name] = float(np.linalg.norm(values - final) / np.linalg.norm(final - initial[k]))  # (2)

    size, words, optimizer = model.parameters.flat.size, run.text.tokenizer.vocab_size, run.training.optimizer
    print(f"\n{system}, {source or 'text from the grammar'}: {run.text.description}")
    print(f"V = {model.vocab_size:,}, {words:,} of them in use; {size:,} parameters in {dtype}; {optimizer}")
    print(f"{'step':>12}{'minilstm':>12}{'Keras ' + str(keras['version']):>14}{'difference':>12}")
    for step in sorted({s for s in SHOWN if s <= steps} | {steps}):
        print(f"{step:>12}{ours[step - 1]:>12.6f}{keras['losses'][step - 1]:>14.6f}{difference[step - 1]:>12.1e}")
    print(f"{'largest':>12}{f'at step {difference.argmax() + 1}':>26}{difference.max():>12.1e}")
    for name, value in weights.items():
        print(f"{name:>12}{'final weights':>26}{value:>12.1e}")
    return {
        "source": source and Path(source).name, "V": model.vocab_size, "ids_in_use": words, "parameters": size, "dtype": dtype,
        "optimizer": repr(optimizer), "minilstm": minilstm.__version__, "keras": str(keras["version"]),
        "largest_difference": float(difference.max()), "weights_difference": weights,
        "agrees": bool((difference <= TOLERANCE[dtype]).all()),  # false for NaN
        "minilstm_losses": ours.tolist(), "keras_losses": keras["losses"].tolist(),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Train minilstm and Keras on the same batches and compare every loss.")
    parser.add_argument("--keras-python", required=True, metavar="PYTHON", help="the Python of an environment with Keras")
    parser.add_argument("--titles", metavar="CSV", help="an AG News file for the headlines (default: text from the grammar)")
    parser.add_argument("--recipes", metavar="JSON", help="recipes with title and directions (default: text from the grammar)")
    parser.add_argument("--steps", type=int, default=100, help="training steps of each system (default: 100)")
    parser.add_argument("--dtype", choices=TOLERANCE, default="float64", help="dtype of both (default: float64)")
    parser.add_argument("--json", metavar="FILE", help="write all losses and differences to FILE")
    arguments = parser.parse_args()
    python = arguments.keras_python
    if arguments.steps < 1:
        parser.error(f"--steps must be at least 1, not {arguments.steps}")
    try:
        found = subprocess.run([python, "-c", HAS_KERAS]).returncode == 0
    except OSError:
        found = False
    if not found:
        parser.error(f"{python} has no Keras: python -m venv keras-env && keras-env/bin/pip install tensorflow-cpu")
    sources, asked = {"headlines": arguments.titles, "recipes": arguments.recipes}, (arguments.steps, arguments.dtype)
    try:
        report = {system: compare(python, system, source, *asked) for system, source in sources.items()}
    except InputError as error:
        parser.error(str(error))
    except subprocess.CalledProcessError as error:
        parser.exit(2, f"Keras failed (status {error.returncode}); its output is above\n")
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    agrees = all(system["agrees"] for system in report.values())
    print(f"\nlosses {'agree' if agrees else 'DO NOT AGREE'} to {TOLERANCE[arguments.dtype]:g}")
    return 0 if agrees else 1


if __name__ == "__main__":
    make_writable()
    sys.exit(main())
