"""Answers to exercise 10, and a part of the message about each that is wrong."""

from tests.helpers.exercises import IS_RIGHT, answers

ANSWERS = []
UNCERTAINTY = """def uncertainty(p):
    q = p[p > 0]
    nats = {nats}
    bits = {bits}
    return nats, bits, {perplexity}
"""
ENTROPY = {"nats": "-(q * np.log(q)).sum()", "bits": "nats / np.log(2)", "perplexity": "np.exp(nats)"}
ANSWERS += answers("uncertainty", UNCERTAINTY, ENTROPY, [
    ({"nats": "-(p * np.log(p)).sum()"}, "leave out what never happens"),
    ({"nats": "(q * np.log(q)).sum()"}, "its sign"),
    ({"nats": "-(q * np.log2(q)).sum()"}, "log2 gives bits"),
    ({"nats": "-np.log(q).sum()"}, "weight each surprise -ln p by its probability p"),
    ({"nats": "-np.log(q).mean()"}, "plain mean"),
    ({"nats": "-(q * np.log(q)).mean()"}, "it is divided by the number of alternatives"),
    ({"bits": "nats * np.log(2)"}, "more bits than nats"),
    ({"bits": "nats"}, "still nats"),
    ({"perplexity": "np.exp(bits)"}, "e to the power of the bits"),
    ({"perplexity": "2**nats"}, "2 to the power of the nats"),
    ({"perplexity": "len(p)"}, "all were equally likely"),
    ({"bits": "0.1"}, "bits is 0.1 where 1.60473 belongs, for five unequal probabilities"),
])

# three numbers are asked for
ANSWERS += [("uncertainty", """def uncertainty(p):
    return 1.0
""", "must return (nats, bits, perplexity); it returned one float")]
# two to the power of the bits is a perplexity too
ANSWERS += [("uncertainty", """def uncertainty(p):
    q = p[p > 0]
    nats = -(q * np.log(q)).sum()
    bits = nats / np.log(2)
    return nats, bits, 2**bits
""", IS_RIGHT)]
READER = """def next_characters(sentences, prefix):
    following = Counter()
    for sentence, probability in sentences.items():
        if {begins}:
            following[{character}] += {weight}
    total = {total}
    return {{character: probability / total for character, probability in following.items(){only}}}
"""
EXACT = {"begins": "sentence.startswith(prefix)", "character": "sentence[len(prefix):len(prefix) + 1]", "weight": "probability",
         "total": "sum(following.values())", "only": ""}
ANSWERS += answers("next_characters", READER, EXACT, [
    ({"total": "1"}, "divide them by that of the prefix"),
    ({"weight": "1"}, "yours counts each once"),
    ({"total": "len(following)"}, "divided by the number of characters that can follow"),
    ({"begins": "prefix in sentence"}, "not anywhere in it"),
    ({"begins": "sentence.startswith(prefix) and sentence != prefix"}, "a sentence that ends here counts"),
    ({"character": "sentence[len(prefix)]"}, "IndexError"),
    ({"character": "sentence[-1]"}, "'i' is missing in the result; 0.8 belongs there, for prefix = 'ra'"),
    ({"character": "sentence[len(prefix):len(prefix) + 1] or '.'"},
     "'' is missing in the result; 0.5 belongs there, for prefix = 'rain'"),
    ({"only": " if character"}, "'' is missing in the result"),
    ({"only": " if character != 'R'"}, "'R' is missing in the result"),
    ({"weight": "probability**2"}, "the result['i'] is 0.866667 where 0.8 belongs, for prefix = 'ra'"),
])

# sentences with the same next character add up
ANSWERS += [("next_characters", """def next_characters(sentences, prefix):
    following = Counter()
    for sentence, probability in sentences.items():
        if sentence.startswith(prefix):
            following[sentence[len(prefix):len(prefix) + 1]] = probability
    total = sum(following.values())
    return {character: probability / total for character, probability in following.items()}
""", "their probabilities add up")]
# what cannot follow is left out and the answer is a dictionary
ANSWERS += [("next_characters", """def next_characters(sentences, prefix):
    following = Counter()
    for sentence, probability in sentences.items():
        if sentence.startswith(prefix):
            following[sentence[len(prefix):len(prefix) + 1]] += probability
    following['z'] = 0
    total = sum(following.values())
    return {character: probability / total for character, probability in following.items()}
""", "'z' does not belong in the result, for prefix = 'ra'")]
ANSWERS += [("next_characters", """def next_characters(sentences, prefix):
    return []
""", "not list")]
EPOCH = """def train_epoch(model, optimizer, state, batches, rng, max_norm):
    theta = model.parameters.flat
    total = np.zeros_like(theta)
    nats, characters = 0.0, 0
    for batch in batches.epoch({order}):
        loss, gradients, _, _ = model.loss_and_gradients(batch)
        g = gradients.flat
        norm = np.linalg.norm(g)
        {clip}
        {step}
        nats += {nats}
        characters += {characters}
    return nats / characters, {state}
"""
RIGHT = {"order": "rng", "clip": "g *= min(1.0, max_norm / norm)", "step": "state = optimizer.step(theta, g, state)",
         "nats": "loss * batch.tokens", "characters": "batch.tokens", "state": "state"}
ANSWERS += answers("train_epoch", EPOCH, RIGHT, [
    ({"clip": ""}, "not clipped before the step"),
    ({"clip": "", "step": "state = optimizer.step(theta, g, state); g *= min(1.0, max_norm / norm)"}, "not clipped before"),
    ({"clip": "g *= max_norm / norm"}, "a norm below max_norm was made longer"),
    ({"clip": "g *= max(1.0, max_norm / norm)"}, "long ones were not clipped"),
    ({"clip": "np.clip(g, -max_norm, max_norm, out=g)"}, "keeps the direction"),
    ({"step": "optimizer.step(theta, g, optimizer.init(theta))"}, "the optimizer's state was lost in each step"),
    ({"step": "optimizer.step(theta, g, state)"}, "the result of step was not kept"),
    ({"step": "state = optimizer.step(theta, -g, state)"}, "step already goes against the gradient"),
    (
        {"step": "total += g; state = optimizer.step(theta, total.copy(), state)"},
        "the gradients of earlier mini-batches were added",
    ),
    ({"step": RIGHT["step"] + "; " + RIGHT["step"]}, "two steps"),
    ({"order": ""}, "use batches.epoch(rng)"),
    ({"step": "pass"}, "it has not changed: optimizer.step changes theta"),
    ({"step": "theta = optimizer.step(theta, g, state)"}, "AttributeError"),
    ({"nats": "loss", "characters": "1"}, "the mean over mini-batches"),
    ({"nats": "loss - nats", "characters": "(characters == 0)"}, "the last mini-batch"),
    ({"nats": "loss"}, "already means"),
    ({"characters": "(characters == 0)", "nats": "loss"}, "the sum over mini-batches"),
    ({"state": "optimizer.init(theta)"}, "state is not the one after the last step"),
])

# an epoch returns two things
ANSWERS += [("train_epoch", """def train_epoch(model, optimizer, state, batches, rng, max_norm):
    theta = model.parameters.flat
    total = np.zeros_like(theta)
    nats, characters = 0.0, 0
    for batch in batches.epoch(rng):
        loss, gradients, _, _ = model.loss_and_gradients(batch)
        g = gradients.flat
        norm = np.linalg.norm(g)
        g *= min(1.0, max_norm / norm)
        state = optimizer.step(theta, g, state)
        nats += loss * batch.tokens
        characters += batch.tokens
    return nats / characters
""", "must return (loss, state); it returned one float")]
