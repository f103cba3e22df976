"""The code from one character to one weight and back is short enough to be read.

``PATH`` lists it file by file: every function and class that
``language_model.train_step`` uses for a model of LSTM layers. The test follows the
calls in the source, so that nothing is missing.
"""

import ast
from pathlib import Path

from minilstm import reference

FOLDER = Path(reference.__file__).parent
PATH = {
    "language_model": {
        "train_step", "loss_and_gradients", "forward", "backward", "output_matrix", "recurrent_layers",
        "ModelCache",
    },
    "embedding": {"embed", "embed_backward", "one_hot"},
    "sequence": {"sequence_forward", "sequence_backward", "SequenceCache"},
    "lstm": {"lstm_step", "lstm_step_backward", "LSTMStepCache", "LSTMGrads"},
    "functions": {"sigmoid", "log_sum_exp", "softmax"},
    "loss": {"softmax_cross_entropy", "softmax_cross_entropy_backward", "CrossEntropyCache"},
    "optimizers": {"adam_step", "AdamState", "clip_by_norm"},
}
OTHER_CELLS = {"gru", "rnn"}  # the other cells in CELLS


def tree(file):
    return ast.parse((FOLDER / f"{file}.py").read_text(encoding="utf-8"))


def definitions(file):
    """The functions and classes at the top of a file, by name."""
    return {node.name: node for node in tree(file).body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}


def lines(node):
    return node.end_lineno - node.lineno + 1


def names_in(node):
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def reached(file, name):
    """All (file, name) that a definition uses directly or indirectly, and itself."""
    found, left = set(), [(file, name)]
    while left:
        file, name = here = left.pop()
        if here in found:
            continue
        found.add(here)
        imported = {
            alias.name: node.module.removeprefix("minilstm.reference.")
            for node in tree(file).body if isinstance(node, ast.ImportFrom) and node.module.startswith("minilstm.")
            for alias in node.names
        }
        tables = {
            node.targets[0].id: node for node in tree(file).body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        used = names_in(definitions(file)[name])
        used |= {inner for table in used & tables.keys() for inner in names_in(tables[table])}
        left += [(file, other) for other in used & definitions(file).keys()]
        left += [(module, other) for other, module in imported.items() if other in used and module not in OTHER_CELLS]
    return found


def test_the_path_is_complete():
    found = reached("language_model", "train_step")
    assert found == {(file, name) for file, names in PATH.items() for name in names}


def test_the_path_from_one_character_to_one_weight_and_back_has_at_most_450_lines():
    """Docstrings, comments, imports and blank lines count; other functions do not."""
    total = 0
    for file, names in PATH.items():
        whole = len((FOLDER / f"{file}.py").read_text(encoding="utf-8").splitlines())
        beside = [node for name, node in definitions(file).items() if name not in names]
        # with the blank lines above each
        total += whole - sum(lines(node) + 2 for node in beside)
    assert 300 < total <= 450, total


def test_no_file_of_the_reference_has_more_than_120_lines():
    files = list(FOLDER.glob("*.py"))
    assert len(files) > 10
    for path in files:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 120, path.name
