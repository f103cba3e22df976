"""Where the known mistakes in pooling, attention and so on are put, what must then fail, and what must name them.

Rows for ``test_mistakes.py``: the mistakes; the modules whose names are replaced; properties; a trial; a diagnosis.
"""

from functools import partial

from minilstm.reference import attention, attention_lstm, pooling
from minilstm.verify import (
    diagnose_attention,
    diagnose_bidirectional,
    diagnose_encoder_decoder,
    diagnose_pooling,
    diagnose_teacher_forcing,
)
from minilstm.verify.diagnose import mistakes_in_shapes as mistakes
from minilstm.verify.diagnose import trials_of_pairs
from minilstm.verify.diagnose import trials_of_shapes as trials
from tests.reference import (
    test_attention,
    test_attention_lstm,
    test_bidirectional,
    test_decoder,
    test_encoder_decoder,
    test_pooling,
)
from tests.reference.cells import CELLS

OURS = {kind: partial(pooling.pool_forward, kind=kind) for kind in pooling.WEIGHTS}
OUR_LAYER = trials._bidirectional(())
WITH_ATTENTION = {"attention": True}


def _of_pooling(kind):
    tests = [
        partial(test_pooling.test_it_pools_what_is_real_and_no_sequence_at_all_gives_zeros, kind=kind),
        partial(test_pooling.test_backward_is_the_complex_step_of_forward, kind=kind),
    ]
    modules = [test_pooling, pooling.WEIGHTS]
    forward = lambda mine: diagnose_pooling(mine, kind=kind)
    backward = lambda mine: diagnose_pooling(OURS[kind], mine, kind)
    return [
        (mistakes.POOLING[kind], modules, tests, partial(trials.pooling_trial, 0, kind), forward),
        (mistakes.POOLING_BACKWARD[kind], modules, tests,
         partial(trials.pooling_backward_trial, 0, OURS[kind], kind), backward),
    ]


OF_BOTH_DIRECTIONS = [
    partial(test, cell=CELLS["lstm"])
    for test in (
        test_bidirectional.test_it_is_the_naive_layer_on_each_sequence_and_zeros_at_the_padding,
        test_bidirectional.test_backward_is_the_complex_step_of_forward,
    )
]
OF_ATTENTION = [
    test_attention.test_context_scores_and_weights_are_the_naive_ones_and_the_padding_has_none,
    test_attention.test_backward_is_the_complex_step_of_forward,
]
OF_TEACHER_FORCING = [
    test_decoder.test_the_input_is_the_true_token_before_and_the_target_the_token_itself,
    test_decoder.test_of_every_length_the_target_is_the_next_input_and_then_the_end,
]
MODEL = {"both": [False], "cell": "lstm", "attention": True, "reverse_source": False}
OF_PAIRS = [
    partial(test, **MODEL)
    for test in (
        test_encoder_decoder.test_the_loss_is_the_naive_mean_whatever_stands_at_the_padding,
        test_encoder_decoder.test_every_gradient_is_the_complex_step_of_the_loss,
    )
]
_of_loss = lambda: trials_of_pairs.encoder_decoder_trials(**WITH_ATTENTION)[0]
_of_gradients = lambda: trials_of_pairs.encoder_decoder_trials(**WITH_ATTENTION)[1]
_diagnose_pairs = partial(diagnose_encoder_decoder, **WITH_ATTENTION)

ROOMS = [
    *(room for kind in pooling.WEIGHTS for room in _of_pooling(kind)),
    (mistakes.BIDIRECTIONAL, [test_bidirectional], OF_BOTH_DIRECTIONS, trials.bidirectional_trial,
     diagnose_bidirectional),
    (mistakes.BIDIRECTIONAL_BACKWARD, [test_bidirectional], OF_BOTH_DIRECTIONS,
     partial(trials.bidirectional_backward_trial, 0, OUR_LAYER), partial(diagnose_bidirectional, OUR_LAYER)),
    (mistakes.ATTENTION, [test_attention], OF_ATTENTION, trials.attention_trial, diagnose_attention),
    (mistakes.ATTENTION_BACKWARD, [test_attention], OF_ATTENTION,
     partial(trials.attention_backward_trial, 0, attention.attention_forward),
     partial(diagnose_attention, attention.attention_forward)),
    (mistakes.IN_A_DECODER_BACKWARD, [attention_lstm, test_encoder_decoder],
     [test_attention_lstm.test_backward_is_the_complex_step_of_forward, *OF_PAIRS], _of_gradients, _diagnose_pairs),
    (mistakes.TEACHER_FORCING, [test_decoder], OF_TEACHER_FORCING, trials_of_pairs.teacher_forcing_trial,
     diagnose_teacher_forcing),
    (mistakes.ENCODER_DECODER, [test_encoder_decoder], OF_PAIRS, _of_loss, _diagnose_pairs),
    (mistakes.ENCODER_DECODER_BACKWARD, [test_encoder_decoder], OF_PAIRS, _of_gradients, _diagnose_pairs),
]
