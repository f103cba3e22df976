"""Where the known mistakes of a GRU and of a simple RNN are put, what must then fail, and what must name them.

Rows for ``test_mistakes.py``, as in ``shapes.py``.
"""

from functools import partial

from minilstm import reference
from minilstm.verify import cells, diagnose, diagnose_sequence, diagnose_step
from minilstm.verify.diagnose import mistakes, trials
from tests.helpers.recurrent import CELLS
from tests.layers import test_properties
from tests.reference import cells as of_reference
from tests.reference import test_sequence

OF_A_STEP = [
    test_properties.test_a_complex_step_through_a_time_step_of_any_cell_equals_its_backward,
    test_properties.test_a_time_step_equals_the_oracle_forward_and_backward,
    test_properties.test_step_backward_gives_the_same_twice_and_changes_nothing,
]
OF_A_SEQUENCE = [
    test_sequence.test_a_sequence_equals_the_oracle_up_to_its_length,
    test_sequence.test_backward_equals_the_complex_step_of_forward,
]


def _rooms(cell):
    name, of = cell.name, trials.CATALOGUES[cell]
    in_steps = [partial(test, cell=CELLS[name]) for test in OF_A_STEP]
    in_time = [partial(test, cell=of_reference.CELLS[name]) for test in OF_A_SEQUENCE]
    own = [mistake for mistake in of.sequence_backward if mistake not in mistakes.SEQUENCE_BACKWARD]
    forward = lambda mine: diagnose_sequence(lambda *a: None, mine, cell=name)
    return [
        (of.step, reference, in_steps, partial(trials.step_trial, cell=cell), partial(diagnose_step, cell=name)),
        (of.step_backward, reference, in_steps, partial(trials.step_backward_trial, cell=cell), partial(diagnose, cell=name)),
        (of.sequence, reference, in_time, partial(trials.sequence_trial, cell=cell), forward),
        (own, reference, in_time, partial(trials.sequence_backward_trial, cell=cell), partial(diagnose_sequence, cell=name)),
    ]


ROOMS = [*_rooms(cells.GRU), *_rooms(cells.RNN)]
