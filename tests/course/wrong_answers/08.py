"""Answers to exercise 8, and a part of the message about each that is wrong."""

from tests.helpers.exercises import IS_RIGHT, answers

ANSWERS = []
LSE = "def log_sum_exp(a):\n    m = {m}\n    return {value}\n"
MAX, SUM = "a.max(axis=-1, keepdims=True)", "np.exp(a - m).sum(axis=-1, keepdims=True)"
ANSWERS += answers("log_sum_exp", LSE, ("m", "value"), [
    ("0", f"m + np.log({SUM})", "log_sum_exp is wrong: exp of a large score overflows"),
    ("a.max()", f"m + np.log({SUM})", "Subtract the maximum of each row, not one for the whole array"),
    (MAX, f"np.log({SUM})", "the maximum was subtracted; add it again"),
    (MAX, f"np.log({SUM}) - m", "the maximum is subtracted a second time"),
    (MAX, "m", "the sum is missing"),
    (MAX, SUM, "this is the sum; its logarithm is missing"),
    (MAX, "m + np.log(np.exp(a - m).mean(axis=-1, keepdims=True))", "the mean instead of the sum"),
    (MAX, "(m + np.log(" + SUM + "))[..., 0]", "keep the last axis, with length 1"),
    ("a.max(axis=-1)", f"m + np.log({SUM})", "ValueError: operands could not be broadcast"),
    ("a.max(axis=0)", "m + np.log(np.exp(a - m).sum(axis=0))", "has the shape (4, 5) where (3, 4, 1) belongs"),
])

BOTH = """def loss_and_gradient(a, y):
    rows = np.arange(len(y))
    p = {p}
    losses = {losses}
    da = p{copy}
    {target}
    return {result}
"""
RIGHT = {"p": "np.exp(a - log_sum_exp(a))", "losses": "log_sum_exp(a)[:, 0] - a[rows, y]", "copy": "",
         "target": "da[rows, y] -= 1", "result": "losses, da"}
ANSWERS += answers("loss_and_gradient", BOTH, RIGHT, [
    ({"losses": "-np.log(p[rows, y])"}, "of losses is inf where 2274.18 belongs: exp of a large score overflows, or a"),
    ({"losses": "-np.log(p[rows, y] + 1e-12)"}, "1e-12 is added to p_y, or is its minimum"),
    ({"losses": "-np.log(np.clip(p[rows, y], 1e-15, 1))"}, "1e-15 is"),
    ({"losses": "np.log(p[rows, y])"}, "losses is wrong: the sign"),
    ({"losses": "-np.log2(p[rows, y])"}, "in bits"),
    ({"losses": "log_sum_exp(a)[:, 0]"}, "subtract the target's score"),
    ({"losses": "-a[rows, y]"}, "log Σ exp(a) is missing"),
    ({"losses": "(log_sum_exp(a)[:, 0] - a[rows, y]).mean()"}, "losses is one number"),
    ({"losses": "(log_sum_exp(a)[:, 0] - a[rows, y]) / len(y)"}, "losses is wrong: they are already divided by N"),
    ({"losses": "p[rows, y]"}, "the probabilities of the targets"),
    ({"losses": "log_sum_exp(a) - a[rows, y]"}, "losses has the shape (6, 6) where (6,) belongs"),
    ({"p": "np.exp(a) / np.exp(a).sum(axis=1, keepdims=True)"},
     "of da is nan where 7.60269e-219 belongs: exp of a large score overflows"),
    ({"target": "pass"}, "da is wrong: this is p; subtract 1 at the target"),
    ({"target": "da[rows, y] += 1"}, "1 is added at the target"),
    ({"result": "losses, -da"}, "it is p - y, not y - p"),
    ({"result": "losses, da / len(y)"}, "da is wrong: it is already divided by N"),
    ({"target": "da[:, y] -= 1"}, "subtracts 1 in all rows"),
    ({"target": "da = da - y[:, None]"}, "the ids themselves are subtracted"),
    ({"p": "a", "losses": "0 * a[:, 0]"}, "in place"),
    ({"result": "losses"}, "must return (losses, da)"),
    ({"result": "[[1], [2, 3]], da"}, "losses is made of rows of different lengths"),
])

BATCH = """def batch_loss(logits, targets, lengths):
    T, B, V = logits.shape
    real = {real}
    losses, da = loss_and_gradient(logits[real], targets[real])
    N = len(losses)
    dlogits = np.zeros(logits.shape)
    dlogits[real] = {da}
    return {loss}, dlogits
"""
BATCH_RIGHT = {"real": "np.arange(T)[:, None] < lengths", "da": "da / N", "loss": "losses.mean()"}
ANSWERS += answers("batch_loss", BATCH, BATCH_RIGHT, [
    ({"da": "da"}, "1. not divided by the number of tokens"),
    ({"da": "da / N**2"}, "1. divided twice by the number of tokens"),
    ({"da": "da / (T * B)"}, "1. gradient divided by padding too"),
    ({"da": "da / B"}, "1. gradient divided by the number of sequences"),
    ({"da": "-da / N"}, "1. wrong sign"),
    ({"loss": "losses.sum()"}, "1. sum in place of the mean"),
    ({"loss": "losses.sum() / (T * B)"}, "1. padding counted in the mean"),
    ({"loss": "losses.sum() / B"}, "1. loss divided by the number of sequences"),
    ({"loss": "losses.sum() / (T * B)", "da": "da / (T * B)"}, "2. gradient divided by padding too"),
    ({"real": "np.ones((T, B), bool)"}, "1. lengths not used"),
    ({"real": "targets != 0"}, "0 may be a real target"),
    ({"real": "np.arange(T)[:, None] <= lengths"}, "one token too many"),
    ({"real": "np.arange(B) < lengths[:, None]"}, "IndexError: boolean index did not match"),
    ({"loss": "sum(np.split(losses, N))"}, "the loss has the shape (1,) where () belongs"),
    ({"loss": "losses.mean(), 1"}, "must return (the loss, dlogits)"),
    ({"loss": "'small'"}, "the loss must consist of numbers; yours is 'small'"),
])

# the mean of means is not the mean
ANSWERS += [("batch_loss", """def batch_loss(logits, targets, lengths):
    T, B, V = logits.shape
    real = np.arange(T)[:, None] < lengths
    losses, da = loss_and_gradient(logits[real], targets[real])
    every = loss_and_gradient(logits.reshape(-1, V), targets.ravel())[0].reshape(T, B)
    N = len(losses)
    dlogits = np.zeros(logits.shape)
    dlogits[real] = da / N
    return np.mean([l[:n].mean() for l, n in zip(every.T, lengths)]), dlogits
""", "the sequences' means")]
# a batch computed step by step passes
ANSWERS += [("batch_loss", """def batch_loss(logits, targets, lengths):
    loss, dlogits, N = 0.0, np.zeros_like(logits), sum(lengths)
    for b, n in enumerate(lengths):
        losses, da = loss_and_gradient(logits[:n, b], targets[:n, b])
        loss += losses.sum() / N
        dlogits[:n, b] = da / N
    return loss, dlogits
""", IS_RIGHT)]
EVERYWHERE = """def batch_loss(logits, targets, lengths):
    T, B, V = logits.shape
    real = np.arange(T)[:, None] < lengths
    losses, da = loss_and_gradient(logits.reshape(-1, V), targets.ravel())
    losses, da = losses.reshape(T, B), da.reshape(T, B, V) / real.sum()
    return {loss}, {dlogits}
"""
ALONE = {"loss": "losses[real].mean()", "dlogits": "da * real[..., None]"}
ANSWERS += answers("batch_loss", EVERYWHERE, ALONE, [
    ({"dlogits": "da"}, "the padding has a gradient where 0 belongs"),
    ({"loss": "losses.mean()"}, "the loss is a mean over padding too"),
])
# the overflow is named first among many mistakes
ANSWERS += [("batch_loss", """def batch_loss(logits, targets, lengths):
    real = np.arange(len(logits))[:, None] < lengths
    p = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    is_target = np.eye(logits.shape[-1])[targets]
    loss = -(np.log((p * is_target).sum(axis=-1)) * real).mean()
    return loss, (p - is_target) * real[..., None]
""", "exp of a large score overflows")]
# two mistakes are both named and each sentence is wrapped
ANSWERS += [("batch_loss", """def batch_loss(logits, targets, lengths):
    T, B, V = logits.shape
    real = np.arange(T)[:, None] < lengths
    losses, da = loss_and_gradient(logits[real], targets[real])
    N = len(losses)
    dlogits = np.zeros(logits.shape)
    dlogits[real] = da
    return losses.sum(), dlogits
""", "1. sum in place of the mean")]
