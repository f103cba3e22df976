"""Forward and backward of an encoder and a decoder, on packed rows.

    source (N,) → x (N, E) → encoder layers → h (N, H), and the final state of each layer
    inputs (M,) → x (M, E) → decoder layers, which begin from these states; the first one
    may have attention to h → h (M, H) → logits (M, V) → loss

Backward, the encoder's gradients arrive by the decoder's initial states, h and c of every
layer, and by attention. Letters: N and M real tokens of sources and targets, B pairs.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from minilstm.layers import Packing, Workspace
from minilstm.layers.attention_lstm import (
    AttentionLSTMCache,
    Source,
    attention_lstm_backward,
    attention_lstm_forward,
)
from minilstm.layers.losses import output_loss
from minilstm.layers.stack import Masks, Stack, StackCache, States, dropout
from minilstm.parallel.replica import Replica

ENCODER, DECODER = "encoder.", "decoder."


class PairShard(NamedTuple):
    """Some pairs of a mini-batch, or all of them, as packed rows."""

    source: np.ndarray  # (N,) ids, in the order in which the encoder reads them
    source_packing: Packing
    inputs: np.ndarray  # (M,) ids
    targets: np.ndarray  # (M,) ids
    packing: Packing
    masks: Masks
    tokens: int  # of the whole mini-batch


class Encoded(NamedTuple):
    """What the decoder is given, and what backward needs of the encoder."""

    states: States  # of each decoder layer, (B, H) arrays
    h: np.ndarray  # (N, H), packed rows
    embedding: Any
    stack: StackCache


class Decoded(NamedTuple):
    """The decoder's output, and what backward needs of it."""

    h: np.ndarray  # (M, H), what the output layer reads
    states: States  # final states
    embedding: Any
    attention: AttentionLSTMCache | None
    stack: StackCache


class PairReplica(Replica):
    """An encoder and a decoder, each with an embedding, and an output layer."""

    @cached_property
    def encoder(self) -> Stack:
        return Stack({k: v for k, v in self.layers.items() if k.startswith(ENCODER)})

    @cached_property
    def attends(self) -> bool:
        return DECODER + "attention" in self.layers

    @cached_property
    def first(self) -> str:
        """The name of the decoder's first layer."""
        return next(name for name in self.layers if name.startswith(DECODER))

    @cached_property
    def decoder(self) -> Stack:
        """The decoder's layers, without the one that has attention."""
        names = [name for name in self.layers if name.startswith(DECODER)]
        return Stack({k: self.layers[k] for k in names[self.attends :]})

    @cached_property
    def _attention_workspace(self) -> Workspace:
        return Workspace()

    def encode(self, source: np.ndarray, packing: Packing, masks: Masks) -> Encoded:
        """Read ids (N,): the final state of each layer, and the top layer's outputs."""
        params = self._params
        x, embedded = self.layers["source.embedding"].forward(
            params["source.embedding"], source
        )
        zeros = self.encoder.zero_state(packing.B, self.parameters.flat.dtype)
        h, states, cache = self.encoder.forward(params, x, zeros, packing, masks)
        return Encoded(states, h, embedded, cache)

    def source_of(self, h: np.ndarray, packing: Packing, order: np.ndarray) -> Source:
        """The encoder's outputs as annotations (B, S, A), sequences in this order."""
        a = packing.unpack(h).transpose(1, 0, 2)[order]  # (B, S, A)
        lengths = packing.unsort(packing.lengths)[order]
        return Source(np.ascontiguousarray(a), lengths)

    def decode(
        self,
        inputs: np.ndarray,
        packing: Packing,
        states: States,
        source: Source | None,
        masks: Masks,
    ) -> Decoded:
        """Read ids (M,), from initial states, looking at a source with attention."""
        params = self._params
        x, embedded = self.layers["target.embedding"].forward(
            params["target.embedding"], inputs
        )
        attended, finals = None, []
        if source is not None:
            x = dropout(masks, self.first, x)
            x, final, attended = attention_lstm_forward(
                params[self.first], params[DECODER + "attention"], x, source,
                states[0], packing, self._attention_workspace,
            )  # fmt: skip
            finals, states = [final], states[1:]
        h, others, cache = self.decoder.forward(params, x, states, packing, masks)
        h = dropout(masks, "output", h)
        return Decoded(h, (*finals, *others), embedded, attended, cache)

    def forward(self, shard: PairShard) -> tuple[Encoded, Decoded]:
        """Encode the sources, and decode the targets by teacher forcing."""
        encoded = self.encode(shard.source, shard.source_packing, shard.masks)
        source = None
        if self.attends:
            order = shard.packing.order
            source = self.source_of(encoded.h, shard.source_packing, order)
        decoded = self.decode(
            shard.inputs, shard.packing, encoded.states, source, shard.masks
        )
        return encoded, decoded

    def logits(self, decoded: Decoded) -> np.ndarray:
        """Logits (M, V) of the decoder's output."""
        return self.layers["output"].forward(self._params["output"], decoded.h)[0]

    def loss(self, shard: PairShard) -> tuple[float, States]:
        _, decoded = self.forward(shard)
        params, work = self._params["output"], self._workspaces["output"]
        loss, _ = output_loss(
            params, decoded.h, shard.targets, None, work, shard.tokens
        )
        return loss, ()

    def loss_and_gradients(self, shard: PairShard) -> tuple[float, States, States]:
        params, grads, masks = self._params, self._grads, shard.masks
        encoded, decoded = self.forward(shard)
        work = self._workspaces["output"]
        loss, dh = output_loss(
            params["output"], decoded.h, shard.targets, grads["output"], work,
            shard.tokens,
        )  # fmt: skip
        dh = dropout(masks, "output", dh)
        dx, dstates = self.decoder.backward(params, dh, None, decoded.stack, grads)
        dsource = np.zeros_like(encoded.h)  # (N, H), dL/dh of the encoder's top layer
        if decoded.attention is not None:
            source = shard.source_packing
            zeros = tuple(np.zeros_like(part) for part in decoded.states[0])
            dx, da, dstate = attention_lstm_backward(
                params[self.first], params[DECODER + "attention"], dx, zeros,
                decoded.attention, grads[self.first], grads[DECODER + "attention"],
            )  # fmt: skip
            dx = dropout(masks, self.first, dx)
            dstates = (dstate, *dstates)
            da = da[np.argsort(shard.packing.order)]  # in the order of the mini-batch
            dsource = source.pack(np.ascontiguousarray(da.transpose(1, 0, 2)))
        self.layers["target.embedding"].backward(
            params["target.embedding"], dx, decoded.embedding, grads["target.embedding"]
        )
        dx, _ = self.encoder.backward(params, dsource, dstates, encoded.stack, grads)
        self.layers["source.embedding"].backward(
            params["source.embedding"], dx, encoded.embedding, grads["source.embedding"]
        )
        return loss, (), ()
