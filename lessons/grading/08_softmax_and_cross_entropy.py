"""8. Softmax and cross-entropy: grading."""

import numpy as np

from minilstm.course import Task, Wrong, same
from minilstm.reference import functions
from minilstm.verify import contracts, diagnose_loss

SMALL = (1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16, 1e-20)  # what people add to a probability, or clip it at
KEEP_ABOVE = {"is added to, or is the least": np.add, "is the least, or is added to": np.maximum}


def _array(name, value):
    """What was returned as an array; rows of different lengths are none."""
    try:
        array = np.asarray(value)
    except ValueError:
        raise Wrong(f"{name} is made of rows of different lengths, which is no array") from None
    if array.dtype.kind not in "fiu":
        raise Wrong(f"{name} must consist of numbers, not of {type(value).__name__}")
    return array


def _finite(name, array, why):
    """Raise Wrong, with the reason for infinity or for nan, if there is one."""
    for text, bad in (("inf", np.isinf(array)), ("nan", np.isnan(array))):
        if np.any(bad):
            raise Wrong(f"{name} has {text} in it: {why[text]}")


def log_sum_exp(yours):
    rng = np.random.default_rng(0)
    plain = rng.normal(size=(3, 4, 5))
    for a in (plain, plain + np.array([1000, 0, -1000])[:, None, None], 1000 * rng.normal(size=(2, 6))):
        got = _array("log_sum_exp", yours(a))
        right = functions.log_sum_exp(a)
        if got.shape == a.shape[:-1]:
            raise Wrong("the last axis must be kept, with length 1: both the maximum and the sum need keepdims=True")
        _finite("log_sum_exp", got, {
            "inf": "exp of a large score overflows, and of one far below the maximum it is 0. Take off the maximum of each row,"
                   " not one for the whole array.",
            "nan": "inf - inf, or the logarithm of a negative number.",
        })  # fmt: skip
        m = a.max(axis=-1, keepdims=True)
        same("log_sum_exp", got, right, {
            "the maximum that was taken off must be added again": right - m,
            "the maximum is taken off once more where it must be added": right - 2 * m,
            "this is the maximum; the sum is missing": m,
            "this is the sum; its logarithm is wanted": np.exp(right - m),
            "the mean in place of the sum": right - np.log(a.shape[-1]),
        })  # fmt: skip
    return "right in every row, whatever its size"


def loss_and_gradient(yours):
    rng = np.random.default_rng(1)
    for N, V, scale in ((6, 4, 1), (3, 5, 3), (7, 4, 1000)):
        a, y = rng.normal(0, scale, (N, V)), rng.integers(0, V, N)
        y[:2] = 1, 2  # not all the same
        got = yours(a, y)
        contracts.unpack(got, 2, "loss_and_gradient must return two arrays: (losses, da)")
        p, one_hot = functions.softmax(a), np.eye(V)[y]
        losses = functions.log_sum_exp(a)[:, 0] - a[range(N), y]
        p_y = p[range(N), y]
        mine, da = _array("losses", got[0]), _array("da", got[1])
        if mine.shape == ():
            raise Wrong("losses is one number; each token must have its own, the mean comes in task 3")
        _finite("losses", mine, {
            "inf": "exp of a large score overflows, or a probability became 0 and its logarithm infinite. Equation (1) has no"
                   " probability in it, and log_sum_exp no large exponential.",
            "nan": "exp of a large score is inf, and inf / inf is nan. Take off the maximum first.",
        })  # fmt: skip
        kept_above = {f"{small:g} {done} p_y, which hides how wrong the model is": -np.log(change(p_y, small))
                      for small in SMALL for done, change in KEEP_ABOVE.items()}  # fmt: skip
        same("losses", mine, losses, {
            "the sign: a loss is minus the logarithm, and never negative": -losses,
            "they are in bits; p - y is the gradient of nats": losses / np.log(2),
            "this is log Σ exp(a); the target's score must be taken off": losses + a[range(N), y],
            "this is minus the target's score; log Σ exp(a) is missing": -a[range(N), y],
            "they are divided by N already; the mean comes in task 3": losses / N,
            "these are the probabilities of the targets, not their logarithms": p_y,
        } | (kept_above if scale > 100 else {}))  # fmt: skip
        everywhere = p.copy()
        everywhere[:, y] -= 1
        _finite("da", da, {
            "inf": "exp of a large score overflows.",
            "nan": "exp of a large score is inf, and inf / inf is nan. Take off the maximum first.",
        })  # fmt: skip
        same("da", da, p - one_hot, {
            "this is p; the target is not taken off": p,
            "the sign: it is p - y, not y - p": one_hot - p,
            "the target is added": p + one_hot,
            "it is divided by N already; the mean comes in task 3": (p - one_hot) / N,
            "da[:, y] takes 1 off in all rows; each row has a target of its own: da[np.arange(N), y]": everywhere,
            "the ids themselves are taken off; y in p - y is 1 at the target and else 0": p - y[:, None],
        })  # fmt: skip
    return "each token has its loss, finite however wrong the model is, and its p - y"


def batch_loss(yours):
    rng = np.random.default_rng(2)
    T, B, V = 5, 3, 4
    logits, targets, lengths = rng.normal(size=(T, B, V)), rng.integers(0, V, (T, B)), np.array([5, 2, 3])
    targets[:, 1] = 0, 3, 0, 1, 2  # a 0 that is real, and padding that is not 0
    got = yours(logits, targets, lengths)
    contracts.unpack(got, 2, "batch_loss must return two things: (loss, dlogits)")
    loss, dlogits = _array("the loss", got[0]), _array("dlogits", got[1])
    same("the shape of the loss", loss.shape, ())
    same("the shape of dlogits", dlogits.shape, (T, B, V))
    losses = (functions.log_sum_exp(logits) - np.take_along_axis(logits, targets[..., None], axis=-1))[..., 0]
    real = np.arange(T)[:, None] < lengths
    if np.isclose(loss, losses[targets != 0].mean()):
        raise Wrong("tokens count as real where the target is not 0; but 0 may be a real target, as the end is in the word"
                    " tokenizer. Ask the lengths.")  # fmt: skip
    if np.isclose(loss, (np.where(real, losses, 0).sum(axis=0) / lengths).mean()):
        raise Wrong("this is the mean of the sequences' means, in which the tokens of short sequences weigh more; all real"
                    " tokens weigh the same")  # fmt: skip
    if np.isclose(loss, losses[np.arange(T)[:, None] <= lengths].mean()):
        raise Wrong("one token too many of each sequence: steps are counted from 0, so step t is real where t < length")
    found = diagnose_loss(yours)
    unknown = len(found.mistakes) < len(found.findings)
    if unknown and np.isclose(loss, losses.mean()):
        raise Wrong("the loss is a mean over padding too; losses[real] has the real tokens' alone")
    if unknown and dlogits[~real].any():
        raise Wrong("the padding has a gradient where 0 belongs: dlogits are zeros, into which dlogits[real] is written")
    if unknown:  # several at once, and not all are known; this one can be told for sure
        loss, dlogits = yours(1000 * logits, targets, lengths)
        if not np.isfinite(loss) or not np.isfinite(dlogits).all():
            raise Wrong("with logits 1000 times as large there is inf or nan in it: exp overflows, or a probability becomes 0"
                        " and its logarithm infinite. Your loss_and_gradient knows better.")  # fmt: skip
    if not found:
        raise Wrong(found.text)
    return "loss and gradient equal those of reference.loss.softmax_cross_entropy, with huge logits too"


BLANKS = 7  # in the exercise, as long as nobody has filled it in
TASKS = [
    Task("log_sum_exp", log_sum_exp, (
        "Equation (3): m is the largest entry of each row. What does keepdims=True do for the subtraction?",
        "m = a.max(...) over axis -1, kept, so that a - m takes off each row's own maximum. Then exp, the sum over axis -1,"
        " kept as well, its logarithm, and m comes back.",
    )),
    Task("loss_and_gradient", loss_and_gradient, (
        "The score of each row's target is a[np.arange(N), y], one from each row. The loss is log-sum-exp minus that; the"
        " logarithm of p is a minus log-sum-exp.",
        "log_sum_exp(a) has the shape (N, 1), so a - log_sum_exp(a) is log p, and its exponential is p. Then take 1 off in each"
        " row at its own target, with the same index as above. For the losses you need log_sum_exp(a)[:, 0].",
    )),
    Task("batch_loss", batch_loss, (
        "Which positions are real? np.arange(T)[:, None] is a column of steps, lengths a row; compare them. An array of True"
        " and False as an index picks the real tokens as rows.",
        "With real (T, B), logits[real] is (N, V) and targets[real] is (N,): just what task 2 takes. The mean divides by N, and"
        " so the gradient does, once. Put it back by dlogits[real] = ..., into zeros.",
    )),
]  # fmt: skip
