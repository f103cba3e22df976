"""The transcripts of docs/check-a-file.md: what ``minilstm check`` prints about code with published mistakes.

    python -m tests.helpers.transcripts        writes the page again
"""

import contextlib
import io
import os
import re

from minilstm.cli.main import main
from tests.helpers.paths import ROOT

PAGE = ROOT / "docs" / "check-a-file.md"
PUBLISHED_FOLDER = "tests/learners/published"
HEADING = "## Five mistakes that public code had\n"
PUBLISHED = {  # what is wrong, and who reported it where
    "cs231n.py": ("The gradient of the cell state gets only the part that comes through h", "apache/mxnet", 4057),
    "deeplearning_ai.ipynb": ("No step hands its gradients to the step before", "sagarnildass/andrew_ng_deep_learning", 1),
    "d2l.py": ("A sigmoid where its derivative belongs", "CaptainE/RNN-LSTM-in-numpy", 1),
    "pytorch.py": ("A bias gets the gradient of its neighbour", "hanbt/learn_dl", 53),
    "minilstm.py": ("The derivative of tanh is taken at tanh(c)", "nicklashansen/rnn_lstm_from_scratch", 1),
}


def command(name):
    """The arguments that check one of the files."""
    return ["check", f"{PUBLISHED_FOLDER}/{name}"]


def transcript(name, output):
    """A section of the page."""
    title, repository, number = PUBLISHED[name]
    link = f"[{repository}, issue {number}](https://github.com/{repository}/issues/{number})"
    return f"### {title}\n\nReported in {link}.\n\n```\n$ minilstm {' '.join(command(name))}\n{output}```\n"


def in_page():
    """The sections of the page, by the name of their file."""
    sections = PAGE.read_text(encoding="utf-8").split(HEADING)[1].split("\n### ")[1:]
    return {re.search(r"published/(\S+)", section)[1]: f"### {section.rstrip()}\n" for section in sections}


def write():
    """Run all commands in the root of the checkout, and write the page again."""
    before = PAGE.read_text(encoding="utf-8").split(HEADING)
    sections = []
    os.chdir(ROOT)
    for name in PUBLISHED:
        with contextlib.redirect_stdout(io.StringIO()) as output:
            main(command(name))
        sections.append(transcript(name, output.getvalue()))
    start = before[1].split("\n### ")[0].rstrip("\n")
    PAGE.write_text(f"{before[0]}{HEADING}{start}\n\n" + "\n".join(sections), encoding="utf-8")


if __name__ == "__main__":
    write()
