"""Answers to exercise 1, and a part of the message about each that is wrong."""

from tests.helpers.exercises import IS_RIGHT, answers

ANSWERS = []
IDS = "def make_ids(texts):\n    counts = Counter(''.join(texts))\n    return {}\n"
ANSWERS += answers("make_ids", IDS, (), [
    ("{s: k for k, (s, _) in enumerate(counts.most_common())}", "begin with 0, which is the id of padding"),
    ("{s: k + 2 for k, (s, _) in enumerate(counts.most_common())}", "begin with 2"),
    ("{k + 1: s for k, (s, _) in enumerate(counts.most_common())}", "the wrong way round: characters must be the keys"),
    ("{s: k + 1 for k, s in enumerate(sorted(counts))}", "follow the alphabet"),
    ("{s: k + 1 for k, s in enumerate(counts)}", "follow the first appearance"),
    ("{s: k + 1 for k, (s, _) in enumerate(counts.most_common()[::-1])}", "the rarest character comes first"),
    ("dict(counts)", "these are the counts"),
    ("{s: k + 1 for k, s in enumerate(sorted(counts, key=lambda s: (-counts[s], s)))}", "must come first"),
    ("{s: k + 1 for k, (s, _) in enumerate(Counter(texts[0]).most_common())}", "'T' is missing"),
    ("{s: k + 1 for k, (s, _) in enumerate(Counter(texts[0].split()).most_common())}", "of all texts, not their words"),
    ("{'': 0} | {s: k + 1 for k, (s, _) in enumerate(counts.most_common())}", "'' does not belong"),
    ("[s for s, _ in counts.most_common()]", "a dictionary, not list"),
    ("{s: 'x' for s in counts}", "must consist of numbers"),
])

# ids may be numpy integers
ANSWERS += [("make_ids", """def make_ids(texts):
    counts = Counter(''.join(texts))
    return {s: k for s, k in zip([s for s, _ in counts.most_common()], np.arange(1, len(counts) + 2))}
""", IS_RIGHT)]
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
ANSWERS += answers("pad", PAD, RIGHT, [
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
    ({"result": "inputs, targets"}, "must return (inputs, targets, lengths); it returned 2 values"),
    ({"result": "sequences, targets, n"}, "inputs is made of rows of different lengths"),
    ({"inputs": "ids[1:]"}, "ValueError: could not broadcast"),
])

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
ANSWERS += answers("is_right", TEST, LOOKS, [
    ({"shift": "False"}, "True where False belongs, for a mini-batch whose targets are the inputs themselves"),
    ({"shift": "(targets[:n - 1, b] != ids[1:]).any()"}, "for a mini-batch with the first id after the last one"),
    ({"shift": "eos not in targets[:, b] or (targets[:n - 1, b] != ids[1:]).any()", "after": "False"}, "in the last row"),
    ({"shift": "(targets[:n - 1, b] != ids[1:]).any() or targets[n - 1, b] == ids[0]"}, "in which eos is never a target"),
    ({"after": "False"}, "True where False belongs, for a mini-batch with eos for padding"),
    ({"zero": "False"}, "True where False belongs, for a mini-batch in which a real input is 0"),
    ({"zero": "0 in ids[:-1]"}, "True where False belongs, for a mini-batch whose lengths count eos"),
    ({"early": "return True"}, "True where False belongs, for a mini-batch with eos in the last row"),
    ({"shift": "b < len(lengths) - 1 and targets[:n, b].tolist() != [*ids[1:], eos]"}, "only the last sequence is wrong"),
    ({"shift": "targets[:n, b].tolist() == [*ids[1:], eos]"}, "for a right mini-batch: sequence 0 has inputs ["),
    ({"zero": "0 in ids or eos == 0"}, "False where True belongs, for a right mini-batch"),
    ({"early": "return 1"}, "True or False, not int"),
])

ANSWERS += answers("is_right", "def is_right(inputs, targets, lengths, eos):\n    return {answer}\n", ("answer",), [
    ("True", "True where False belongs"),
    ("False", "False where True belongs"),
])

# a test written number by number passes
ANSWERS += [("is_right", """def is_right(inputs, targets, lengths, eos):
    for b, n in enumerate(lengths):
        ids = inputs[:n, b]
        if 0 in ids:
            return False
        if inputs[n:, b].any() or targets[n:, b].any():
            return False
        if targets[:n, b].tolist() != [*ids[1:], eos]:
            return False
        pass
    return True
""", IS_RIGHT)]
