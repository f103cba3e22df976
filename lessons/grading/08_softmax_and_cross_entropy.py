"""8. Softmax and cross-entropy: grading."""

import numpy as np

from minilstm.course import Task

T, B, V = 5, 3, 4
OVERFLOW = (
    "exp of a large score overflows, or a probability became 0 and its logarithm infinite. Equation (1) has no probability in"
    " it, and log_sum_exp no large exponential"
)
SMALL = (1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16, 1e-20)  # numbers that are often added to a probability


def scores(rng):
    plain = rng.normal(size=(3, 4, 5))
    yield (plain,)
    yield (plain + np.array([1000, 0, -1000])[:, None, None],)
    yield (1000 * rng.normal(size=(2, 6)),)


def tokens(rng):
    for N, kinds, scale in ((6, 4, 1), (3, 5, 3), (7, 4, 1000)):
        a, y = rng.normal(0, scale, (N, kinds)), rng.integers(0, kinds, N)
        y[:2] = 1, 2  # not all the same
        yield a, y


def batches(rng):
    for scale in (1000, 1):
        logits, targets = scale * rng.normal(size=(T, B, V)), rng.integers(0, V, (T, B))
        targets[:, 1] = 0, 3, 0, 1, 2  # a 0 that is real, and padding that is not 0
        yield logits, targets, np.array([5, 2, 3])


OF_ALL = "loss_and_gradient(logits.reshape(-1, logits.shape[-1]), targets.ravel())"
MEAN_OF_MEANS = "np.mean([own[:n].mean() for own, n in zip({}[0].reshape(targets.shape).T, lengths)])".format(OF_ALL)
BLANKS = 7  # in the exercise before it is filled in
TASKS = [
    Task(
        "log_sum_exp",
        hints=(
            "Equation (3): m is the largest entry of each row. What does keepdims=True do for the subtraction?",
            "m = a.max(...) over axis -1, with the axis kept, so that a - m subtracts each row's own maximum. Then exp, the sum"
            " over axis -1, kept as well, its logarithm, and add m again.",
        ),
        cases=scores,
        returns="log_sum_exp",
        mistakes={
            "m = 0": "exp of a large score overflows, and that of a very negative one is 0. Subtract the maximum of each row",
            "m = a.max()": "exp of a score far below the maximum is 0, and log 0 is infinite. Subtract the maximum of each row,"
                " not one for the whole array",
            "return np.log(np.exp(a - m).sum(axis=-1, keepdims=True))":
                "the maximum was subtracted; add it again after the logarithm",
            "m + np.log(np.exp(a - m).sum(axis=-1, keepdims=True)) -> np.log(np.exp(a - m).sum(axis=-1, keepdims=True)) - m":
                "the maximum is subtracted a second time; add it instead",
            "return m": "this is the maximum; the sum is missing",
            "return np.exp(a - m).sum(axis=-1, keepdims=True)": "this is the sum; its logarithm is missing",
            ".sum( -> .mean(": "this has the mean instead of the sum",
            "return (m + np.log(np.exp(a - m).sum(axis=-1, keepdims=True)))[..., 0]":
                "keep the last axis, with length 1: both the maximum and the sum need keepdims=True",
        },
        not_finite="exp of a large score overflows. Subtract the maximum of each row",
        praise="right in every row, for scores of any size",
    ),
    Task(
        "loss_and_gradient",
        hints=(
            "The score of each row's target is a[np.arange(N), y], one from each row. The loss is log-sum-exp minus that; the"
            " logarithm of p is a minus log-sum-exp.",
            "log_sum_exp(a) has the shape (N, 1), so a - log_sum_exp(a) is log p, and its exponential is p. Then subtract 1 in"
            " each row at its own target, with the same index as above. For the losses you need log_sum_exp(a)[:, 0].",
        ),
        cases=tokens,
        returns=("losses", "da"),
        mistakes={
            "losses = a[rows, y] - log_sum[:, 0]": "the sign: a loss is minus the logarithm, and never negative",
            "losses = (log_sum[:, 0] - a[rows, y]) / np.log(2)": "they are in bits; p - y is the gradient of a loss in nats",
            "losses = log_sum[:, 0]": "this is log Σ exp(a); subtract the target's score",
            "losses = -a[rows, y]": "this is minus the target's score; log Σ exp(a) is missing",
            "losses = (log_sum[:, 0] - a[rows, y]) / len(y)": "they are already divided by N; the mean comes in task 3",
            "losses = (log_sum[:, 0] - a[rows, y]).mean()":
                "losses is one number; each token has its own loss, and the mean comes in task 3",
            "losses = np.exp(a - log_sum)[rows, y]": "these are the probabilities of the targets, not their logarithms",
            "da[rows, y] -= 1 -> pass": "this is p; subtract 1 at the target",
            "return losses, -da": "the sign: it is p - y, not y - p",
            "da[rows, y] += 1": "1 is added at the target; subtract it",
            "return losses, da / len(y)": "it is already divided by N; the mean comes in task 3",
            "da[rows, y] -> da[:, y]":
                "da[:, y] subtracts 1 in all rows; each row has its own target: da[np.arange(N), y]",
            "da[rows, y] -= 1 -> da -= y[:, None]":
                "the ids themselves are subtracted; y in p - y is 1 at the target and 0 elsewhere",
        } | {
            f"losses = -np.log({function}(np.exp(a - log_sum)[rows, y], {small}))":
                f"{small:g} is added to p_y, or is its minimum, which hides how wrong the model is"
            for small in SMALL for function in ("np.add", "np.maximum")
        },
        not_finite=OVERFLOW,
        praise="the loss of each token is finite, however wrong the model is, and the gradient is p - y",
    ),
    Task(
        "batch_loss",
        hints=(
            "Which positions are real? np.arange(T)[:, None] is a column of steps, lengths a row; compare them. An array of"
            " True and False as an index selects the real tokens, one row each.",
            "With real (T, B), logits[real] is (N, V) and targets[real] is (N,): the arguments of task 2. The mean divides by"
            " N, so the gradient is divided by N, too, once. Write it into an array of zeros by dlogits[real] = ....",
        ),
        cases=batches,
        returns=("the loss", "dlogits"),
        mistakes={
            "real = targets != 0": "tokens count as real where the target is not 0; but 0 may be a real target, as the end is"
                " in the word tokenizer. Use the lengths",
            "< lengths -> <= lengths":
                "one token too many of each sequence: time steps are counted from 0, so step t is real if t < length",
            f"loss = {MEAN_OF_MEANS}": "this is the mean of the sequences' means, in which tokens of short sequences have more"
                " weight; all real tokens have the same weight",
            f"loss = {OF_ALL}[0].mean()": "the loss is a mean over padding too; losses[real] has the real tokens only",
            f"dlogits[real] = da / len(losses) -> dlogits = {OF_ALL}[1].reshape(logits.shape) / len(losses)":
                "the padding has a gradient where 0 belongs: begin with zeros, and write dlogits[real] into them",
        },
        not_finite=f"{OVERFLOW}. Use your loss_and_gradient",
        diagnose=lambda verify, yours: verify.diagnose_loss(yours),
        praise="loss and gradient equal those of reference.loss.softmax_cross_entropy, also for huge logits",
    ),
]  # fmt: skip
