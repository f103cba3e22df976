"""8. Softmax and cross-entropy: grading."""

import numpy as np

from minilstm.course import Task, Wrong, same
from minilstm.reference import functions
from minilstm.verify import contracts, diagnose_loss

# small numbers that are often added to a probability, or used as its minimum
SMALL = (1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16, 1e-20)
KEEP_ABOVE = {"is added to p_y, or is its minimum": np.add, "is the minimum of p_y, or is added to it": np.maximum}


def _array(name, value):
    """The answer as an array; rows of different lengths are not an array."""
    try:
        array = np.asarray(value)
    except ValueError:
        raise Wrong(f"{name} is made of rows of different lengths, which is not an array") from None
    if array.dtype.kind not in "fiu":
        raise Wrong(f"{name} must consist of numbers, not of {type(value).__name__}")
    return array


def _finite(name, array, why):
    """Raise Wrong, with the reason, if the array has an infinite entry or a nan."""
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
            raise Wrong("keep the last axis, with length 1: both the maximum and the sum need keepdims=True")
        _finite("log_sum_exp", got, {
            "inf": "exp of a large score overflows, and that of a score far below the maximum is 0. Subtract the maximum of"
                   " each row, not one for the whole array.",
            "nan": "it is inf - inf, or the logarithm of a negative number.",
        })  # fmt: skip
        m = a.max(axis=-1, keepdims=True)
        same("log_sum_exp", got, right, {
            "the maximum was subtracted; add it again after the logarithm": right - m,
            "the maximum is subtracted a second time; add it instead": right - 2 * m,
            "this is the maximum; the sum is missing": m,
            "this is the sum; its logarithm is missing": np.exp(right - m),
            "this has the mean instead of the sum": right - np.log(a.shape[-1]),
        })  # fmt: skip
    return "right in every row, for scores of any size"


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
            raise Wrong("losses is one number; each token has its own loss, and the mean comes in task 3")
        _finite("losses", mine, {
            "inf": "exp of a large score overflows, or a probability became 0 and its logarithm infinite. Equation (1) has no"
                   " probability in it, and log_sum_exp no large exponential.",
            "nan": "exp of a large score is inf, and inf / inf is nan. Subtract the maximum first.",
        })  # fmt: skip
        kept_above = {f"{small:g} {done}, which hides how wrong the model is": -np.log(change(p_y, small))
                      for small in SMALL for done, change in KEEP_ABOVE.items()}  # fmt: skip
        same("losses", mine, losses, {
            "the sign: a loss is minus the logarithm, and never negative": -losses,
            "they are in bits; p - y is the gradient of a loss in nats": losses / np.log(2),
            "this is log Σ exp(a); subtract the target's score": losses + a[range(N), y],
            "this is minus the target's score; log Σ exp(a) is missing": -a[range(N), y],
            "they are already divided by N; the mean comes in task 3": losses / N,
            "these are the probabilities of the targets, not their logarithms": p_y,
        } | (kept_above if scale > 100 else {}))  # fmt: skip
        everywhere = p.copy()
        everywhere[:, y] -= 1
        _finite("da", da, {
            "inf": "exp of a large score overflows.",
            "nan": "exp of a large score is inf, and inf / inf is nan. Subtract the maximum first.",
        })  # fmt: skip
        same("da", da, p - one_hot, {
            "this is p; subtract 1 at the target": p,
            "the sign: it is p - y, not y - p": one_hot - p,
            "1 is added at the target; subtract it": p + one_hot,
            "it is already divided by N; the mean comes in task 3": (p - one_hot) / N,
            "da[:, y] subtracts 1 in all rows; each row has its own target: da[np.arange(N), y]": everywhere,
            "the ids themselves are subtracted; y in p - y is 1 at the target and 0 elsewhere": p - y[:, None],
        })  # fmt: skip
    return "the loss of each token is finite, however wrong the model is, and the gradient is p - y"


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
                    " tokenizer. Use the lengths.")  # fmt: skip
    if np.isclose(loss, (np.where(real, losses, 0).sum(axis=0) / lengths).mean()):
        raise Wrong("this is the mean of the sequences' means, in which tokens of short sequences have more weight; all real"
                    " tokens have the same weight")  # fmt: skip
    if np.isclose(loss, losses[np.arange(T)[:, None] <= lengths].mean()):
        raise Wrong("one token too many of each sequence: time steps are counted from 0, so step t is real if t < length")
    found = diagnose_loss(yours)
    unknown = len(found.mistakes) < len(found.findings)
    if unknown and np.isclose(loss, losses.mean()):
        raise Wrong("the loss is a mean over padding too; losses[real] has the real tokens only")
    if unknown and dlogits[~real].any():
        raise Wrong("the padding has a gradient where 0 belongs: begin with zeros, and write dlogits[real] into them")
    if unknown:  # several bugs, not all of them known; this one is certain
        loss, dlogits = yours(1000 * logits, targets, lengths)
        if not np.isfinite(loss) or not np.isfinite(dlogits).all():
            raise Wrong("with logits 1000 times as large it has inf or nan: exp overflows, or a probability becomes 0 and its"
                        " logarithm infinite. Use your loss_and_gradient.")  # fmt: skip
    if not found:
        raise Wrong(found.text)
    return "loss and gradient equal those of reference.loss.softmax_cross_entropy, also for huge logits"


BLANKS = 7  # in the exercise before it is filled in
TASKS = [
    Task("log_sum_exp", log_sum_exp, (
        "Equation (3): m is the largest entry of each row. What does keepdims=True do for the subtraction?",
        "m = a.max(...) over axis -1, with the axis kept, so that a - m subtracts each row's own maximum. Then exp, the sum"
        " over axis -1, kept as well, its logarithm, and add m again.",
    )),
    Task("loss_and_gradient", loss_and_gradient, (
        "The score of each row's target is a[np.arange(N), y], one from each row. The loss is log-sum-exp minus that; the"
        " logarithm of p is a minus log-sum-exp.",
        "log_sum_exp(a) has the shape (N, 1), so a - log_sum_exp(a) is log p, and its exponential is p. Then subtract 1 in"
        " each row at its own target, with the same index as above. For the losses you need log_sum_exp(a)[:, 0].",
    )),
    Task("batch_loss", batch_loss, (
        "Which positions are real? np.arange(T)[:, None] is a column of steps, lengths a row; compare them. An array of True"
        " and False as an index selects the real tokens, one row each.",
        "With real (T, B), logits[real] is (N, V) and targets[real] is (N,): the arguments of task 2. The mean divides by N,"
        " so the gradient is divided by N, too, once. Write it into an array of zeros by dlogits[real] = ....",
    )),
]  # fmt: skip
