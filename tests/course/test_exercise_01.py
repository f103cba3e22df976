"""Wrong answers to the exercises of lesson 1, and the messages that they get."""

import pytest

from tests.helpers.exercises import result_of, wrong

IDS = "def make_ids(texts):\n    counts = Counter(''.join(texts))\n    return {}\n"


@pytest.mark.parametrize(
    "value, said",
    [
        ("{s: k for k, (s, _) in enumerate(counts.most_common())}", "begin with 0, which is the id of padding"),
        ("{s: k + 2 for k, (s, _) in enumerate(counts.most_common())}", "begin with 2"),
        ("{k + 1: s for k, (s, _) in enumerate(counts.most_common())}", "the wrong way round: characters must be the keys"),
        ("{s: k + 1 for k, s in enumerate(sorted(counts))}", "follow the alphabet"),
        ("{s: k + 1 for k, s in enumerate(counts)}", "follow the first appearance"),
        ("{s: k + 1 for k, (s, _) in enumerate(counts.most_common()[::-1])}", "the rarest character comes first"),
        ("dict(counts)", "these are the counts"),
        ("{s: k + 1 for k, s in enumerate(sorted(counts, key=lambda s: (-counts[s], s)))}", "must come first"),
        ("{s: k + 1 for k, (s, _) in enumerate(Counter(texts[0]).most_common())}", "has no id"),
        ("{s: k + 1 for k, (s, _) in enumerate(Counter(texts[0].split()).most_common())}", "Are your keys words?"),
        ("{'': 0} | {s: k + 1 for k, (s, _) in enumerate(counts.most_common())}", "'' has an id and is not a character"),
        ("[s for s, _ in counts.most_common()]", "a dictionary, not list"),
        ("{s: 'x' for s in counts}", "belongs"),
    ],
)
def test_a_message_says_what_is_wrong_with_the_ids(tmp_path, value, said):
    assert said in wrong(tmp_path, 1, "make_ids", IDS.format(value))


def test_ids_may_be_numpy_integers(tmp_path):
    source = IDS.format("{s: k for s, k in zip([s for s, _ in counts.most_common()], np.arange(1, len(counts) + 2))}")
    assert result_of(tmp_path, 1, "make_ids", source).state == "right"


PAD = """def pad(sequences, eos):
    n = np.array([len(ids) for ids in sequences])
    inputs = np.zeros(({T}, len(n)), int)
    targets = np.zeros_like(inputs)
    for b, ids in enumerate(sequences):
        inputs[{rows}, b] = {inputs}
        targets[{rows}, b] = {targets}
    {more}
    return {result}
"""
RIGHT = {"T": "max(n)", "rows": ": n[b]", "inputs": "ids", "targets": "ids[1:] + [eos]", "more": "pass",
         "result": "inputs, targets, n"}


@pytest.mark.parametrize(
    "changed, said",
    [
        ({"targets": "ids"}, "targets is wrong: they are the inputs themselves"),
        ({"targets": "[eos] + ids[:-1]"}, "targets is wrong: they are one step behind"),
        ({"targets": "ids[1:] + ids[:1]"}, "targets is wrong: after the last id comes the first one"),
        ({"targets": "ids[1:] + [0]"}, "targets is wrong: eos is missing after the last id"),
        ({"targets": "ids[1:] + [0]", "more": "targets[-1] = eos"}, "eos is in the last row"),
        ({"more": "targets[targets == 0] = eos"}, "targets is wrong: the padding is eos"),
        ({"more": "inputs[inputs == 0] = eos"}, "inputs is wrong: the padding is eos"),
        ({"rows": "max(n) - n[b] :"}, "inputs is wrong: the padding is on the left"),
        ({"result": "inputs.T, targets.T, n"}, "it must be (T, B), with sequence b in column b"),
        ({"result": "inputs, targets, n + 1"}, "lengths is wrong: it counts eos"),
        ({"T": "max(n) + 1"}, "a row too many"),
        ({"result": "inputs[:, np.argsort(-n)], targets, n"}, "must keep their order"),
        ({"result": "inputs, targets"}, "three arrays"),
        ({"result": "sequences, targets, n"}, "inputs must consist of numbers"),
        ({"inputs": "ids[1:]"}, "ValueError: could not broadcast"),
    ],
)
def test_a_message_says_what_is_wrong_with_the_mini_batch(tmp_path, changed, said):
    assert said in wrong(tmp_path, 1, "pad", PAD.format(**RIGHT | changed))


TEST = """def is_right(inputs, targets, lengths, eos):
    for b, n in enumerate(lengths):
        ids = inputs[:n, b]
        if {zero}:
            return False
        if {after}:
            return False
        if {shift}:
            return False
        {early}
    return True
"""
LOOKS = {"zero": "0 in ids", "after": "inputs[n:, b].any() or targets[n:, b].any()",
         "shift": "targets[:n, b].tolist() != [*ids[1:], eos]", "early": "pass"}


@pytest.mark.parametrize(
    "changed, said",
    [
        ({"shift": "False"}, "accepts a mini-batch whose targets are the inputs themselves"),
        ({"shift": "(targets[:n - 1, b] != ids[1:]).any()"}, "accepts a mini-batch with the first id after the last one"),
        ({"shift": "eos not in targets[:, b] or (targets[:n - 1, b] != ids[1:]).any()", "after": "False"}, "in the last row"),
        ({"shift": "(targets[:n - 1, b] != ids[1:]).any() or targets[n - 1, b] == ids[0]"}, "in which eos is never a target"),
        ({"after": "False"}, "accepts a mini-batch with eos for padding"),
        ({"zero": "False"}, "accepts a mini-batch in which a real input is 0"),
        ({"zero": "0 in ids[:-1]"}, "accepts a mini-batch whose lengths count eos"),
        ({"early": "return True"}, "accepts a mini-batch with eos in the last row"),
        ({"shift": "b < len(lengths) - 1 and targets[:n, b].tolist() != [*ids[1:], eos]"}, "only the last sequence is wrong"),
        ({"shift": "targets[:n, b].tolist() == [*ids[1:], eos]"}, "refuses a right mini-batch: sequence 0 has inputs ["),
        ({"zero": "0 in ids or eos == 0"}, "refuses a right mini-batch"),
        ({"early": "return 1"}, "True or False, not int"),
    ],
)
def test_a_message_says_which_mistake_a_test_does_not_find(tmp_path, changed, said):
    assert said in wrong(tmp_path, 1, "is_right", TEST.format(**LOOKS | changed))


@pytest.mark.parametrize("answer, said", [("True", "accepts"), ("False", "refuses")])
def test_a_constant_is_no_test(tmp_path, answer, said):
    assert said in wrong(tmp_path, 1, "is_right", f"def is_right(inputs, targets, lengths, eos):\n    return {answer}\n")


def test_a_test_written_number_by_number_passes(tmp_path):
    result = result_of(tmp_path, 1, "is_right", TEST.format(**LOOKS))
    assert result.state == "right" and result.sentence.startswith("11 kinds")
