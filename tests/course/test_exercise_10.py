"""Wrong answers to the exercises of lesson 10, and the messages about them."""

import pytest

from tests.helpers.exercises import result_of, wrong

UNCERTAINTY = """def uncertainty(p):
    q = p[p > 0]
    nats = {nats}
    bits = {bits}
    return nats, bits, {perplexity}
"""
ENTROPY = {"nats": "-(q * np.log(q)).sum()", "bits": "nats / np.log(2)", "perplexity": "np.exp(nats)"}


@pytest.mark.parametrize(
    "part, said",
    [
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
        ({"bits": "0.1"}, "bits of five unequal probabilities is 0.1"),
    ],
)
def test_a_wrong_entropy_is_named(tmp_path, part, said):
    assert said in wrong(tmp_path, 10, "uncertainty", UNCERTAINTY.format(**ENTROPY | part))


def test_three_numbers_are_asked_for(tmp_path):
    assert "three numbers" in wrong(tmp_path, 10, "uncertainty", "def uncertainty(p):\n    return 1.0\n")


def test_two_to_the_power_of_the_bits_is_a_perplexity_too(tmp_path):
    source = UNCERTAINTY.format(**ENTROPY | {"perplexity": "2**bits"})
    assert result_of(tmp_path, 10, "uncertainty", source).state == "right"


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


@pytest.mark.parametrize(
    "part, said",
    [
        ({"total": "1"}, "divide them by that of the prefix"),
        ({"weight": "1"}, "yours counts each once"),
        ({"total": "len(following)"}, "divided by the number of characters that can follow"),
        ({"begins": "prefix in sentence"}, "not anywhere in it"),
        ({"begins": "sentence.startswith(prefix) and sentence != prefix"}, "a sentence that ends here counts"),
        ({"character": "sentence[len(prefix)]"}, "IndexError"),
        ({"character": "sentence[-1]"}, "but yours has it"),
        ({"character": "sentence[len(prefix):len(prefix) + 1] or '.'"}, "continues with '.'"),
        ({"only": " if character"}, "the end '' is missing"),
        ({"only": " if character != 'R'"}, "the character 'R' is missing"),
        ({"weight": "probability**2"}, "the probability of 'i' after 'ra' is"),
    ],
)
def test_a_wrong_reader_is_named(tmp_path, part, said):
    assert said in wrong(tmp_path, 10, "next_characters", READER.format(**EXACT | part))


def test_sentences_with_the_same_next_character_add_up(tmp_path):
    source = READER.format(**EXACT).replace("+= probability", "= probability")
    assert "their probabilities add up" in wrong(tmp_path, 10, "next_characters", source)


def test_what_cannot_follow_is_left_out_and_the_answer_is_a_dictionary(tmp_path):
    source = READER.format(**EXACT).replace("    total", "    following['z'] = 0\n    total")
    assert "leave out what cannot follow" in wrong(tmp_path, 10, "next_characters", source)
    assert "not list" in wrong(tmp_path, 10, "next_characters", "def next_characters(sentences, prefix):\n    return []\n")


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


@pytest.mark.parametrize(
    "part, said",
    [
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
        ({"step": "pass"}, "parameters have not changed"),
        ({"step": "theta = optimizer.step(theta, g, state)"}, "AttributeError"),
        ({"nats": "loss", "characters": "1"}, "the mean over mini-batches"),
        ({"nats": "loss - nats", "characters": "(characters == 0)"}, "the last mini-batch"),
        ({"nats": "loss"}, "already means"),
        ({"characters": "(characters == 0)", "nats": "loss"}, "the sum over mini-batches"),
        ({"state": "optimizer.init(theta)"}, "state is not the one after the last step"),
    ],
)
def test_a_wrong_epoch_is_named(tmp_path, part, said):
    assert said in wrong(tmp_path, 10, "train_epoch", EPOCH.format(**RIGHT | part))


def test_an_epoch_returns_two_things(tmp_path):
    source = EPOCH.format(**RIGHT).replace("nats / characters, state", "nats / characters")
    assert "two things" in wrong(tmp_path, 10, "train_epoch", source)
