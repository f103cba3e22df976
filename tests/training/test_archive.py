"""Archives that are too large or misdescribe their contents are not unpacked."""

import io
import json
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest

from minilstm import Adam, CharTokenizer, CheckpointError, LanguageModel
from minilstm.training import archive, checkpoint
from minilstm.training.archive import Archive
from minilstm.training.checkpoint import Checkpoint, load, save
from minilstm.training.loop import Training

MEGABYTE = 2**20
BIAS = "parameters/lstm0.b"


@pytest.fixture
def path(tmp_path):
    tokenizer = CharTokenizer.fit(["abc"])
    model = LanguageModel(tokenizer.vocab_size, hidden=4)
    save(tmp_path / "model.npz", Checkpoint(Training.begin(model, Adam(), np.random.default_rng(0)), tokenizer, {}))
    return tmp_path / "model.npz"


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def header(shape, descr="<f4"):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": descr, "fortran_order": False, "shape": shape})
    return file.getvalue()


def packed_zeros(megabytes, before=b""):
    """Some bytes, then megabytes of zeros, packed to a thousandth of their size."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    beginning = packer.compress(before) + packer.flush(zlib.Z_FULL_FLUSH)
    repeated = packer.compress(bytes(MEGABYTE)) + packer.flush(zlib.Z_FULL_FLUSH)
    return beginning + megabytes * repeated + packer.flush()


def with_entry(path, name, data, claimed=None):
    """Replace an entry of an archive.

    ``claimed`` is the unpacked size in the directory, for data that are already packed.
    """
    with zipfile.ZipFile(path) as old:
        entries = {entry.filename: old.read(entry) for entry in old.infolist()}
    with zipfile.ZipFile(path, "w") as new:
        for filename, content in (entries | {f"{name}.npy": data}).items():
            new.writestr(filename, content)
        if claimed is not None:
            (entry,) = [entry for entry in new.infolist() if entry.filename == f"{name}.npy"]
            entry.file_size, entry.compress_type = claimed, zipfile.ZIP_DEFLATED


def refusal(path):
    """The error that refuses a file; asserts that memory does not grow."""
    tracemalloc.start()
    try:
        with pytest.raises(CheckpointError) as refused:
            load(path)
        assert tracemalloc.get_traced_memory()[1] < 4 * MEGABYTE
    finally:
        tracemalloc.stop()
    assert str(refused.value).startswith(str(path)) and "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("name", [BIAS, "configuration", "another"])
def test_an_archive_that_would_unpack_to_a_gigabyte_is_not_unpacked(path, name):
    data = packed_zeros(1024, header((2**28,)))
    with_entry(path, name, data, len(header((2**28,))) + 2**30)
    assert path.stat().st_size < 2 * MEGABYTE
    assert "claims to unpack from" in refusal(path)


@pytest.mark.parametrize("name, descr, shape", [(BIAS, "<f4", (16,)), ("configuration", "|u1", (64,))])
def test_no_more_is_read_than_the_directory_of_the_archive_claims(path, name, descr, shape):
    data = packed_zeros(1024, header(shape, descr))
    with_entry(path, name, data, len(header(shape, descr)) + 64)
    assert "is damaged (BadZipFile: Bad CRC-32" in refusal(path)


def test_a_directory_that_claims_too_much_is_refused(path):
    beginning = header((16,))
    with_entry(path, BIAS, packed_zeros(0, beginning + bytes(20)), len(beginning) + 64)
    assert "is damaged" in refusal(path)


@pytest.mark.parametrize("shape", [(10**15,), (2**40, 2**40), (0, 2**70), (-1,)])
@pytest.mark.parametrize("name, descr", [(BIAS, "<f4"), ("configuration", "|u1")])
def test_a_header_with_an_impossible_shape_is_refused(path, name, descr, shape):
    with_entry(path, name, header(shape, descr) + bytes(64))
    refusal(path)
    with open(path, "rb") as file, pytest.raises(CheckpointError, match="is damaged"):
        Archive(file).read(name)


@pytest.mark.parametrize("data", [b"", b"\x93NUMPY", b"\x93NUMPY\x02\x00\xff\xff\xff\xff", b"\x93NUMPY\x09\x00", b"x" * 100,
                                  npy(np.zeros(16, np.float32)) + b"more", npy(np.zeros(16, np.float32))[:-1]])
def test_an_array_that_is_cut_or_missing_is_reported_as_damaged(path, data):
    with_entry(path, BIAS, data)
    assert "is damaged" in refusal(path)


def test_no_array_is_unpacked_before_all_headers_are_checked(path, monkeypatch):
    unpacked = []
    read = Archive.read
    monkeypatch.setattr(Archive, "read", lambda self, name: (unpacked.append(name), read(self, name))[1])
    load(path)
    assert len(unpacked) > 5
    unpacked.clear()
    with_entry(path, "optimizer/v", npy(np.zeros(3, np.float32)))
    assert "optimizer/v as float32 (3,)" in refusal(path)
    assert unpacked == ["configuration"]


def test_two_entries_of_one_name_are_refused(path):
    with zipfile.ZipFile(path, "a") as file, pytest.warns(UserWarning, match="Duplicate"):
        file.writestr(f"{BIAS}.npy", npy(np.zeros(16, np.float32)))
    assert "two of its arrays have the same name" in refusal(path)


def test_a_long_configuration_is_accepted_only_in_a_long_file(path, monkeypatch):
    with np.load(path) as arrays:
        configuration = arrays["configuration"].tobytes()
    longer = configuration + 4000 * b" "
    monkeypatch.setattr(checkpoint, "LONGEST_CONFIGURATION", 4000)
    with_entry(path, "configuration", npy(np.frombuffer(longer, np.uint8)))
    load(path)  # stored without compression
    repack(path)
    assert f"configuration that cannot be read ({len(longer) + 128:,} bytes" in refusal(path)


def repack(path):
    with np.load(path) as arrays:
        held = dict(arrays)
    np.savez_compressed(path, **held)


def test_a_model_that_was_packed_again_or_transposed_is_still_read(path):
    before = load(path).training.model
    repack(path)
    np.testing.assert_array_equal(load(path).training.model.parameters.flat, before.parameters.flat)
    with_entry(path, "parameters/lstm0.Wh", npy(np.asfortranarray(before.parameters["lstm0.Wh"])))
    np.testing.assert_array_equal(load(path).training.model.parameters.flat, before.parameters.flat)


def test_large_arrays_are_unpacked_in_chunks(path, monkeypatch):
    before = load(path).training.model.parameters.flat
    monkeypatch.setattr(archive, "CHUNK", 7)
    np.testing.assert_array_equal(load(path).training.model.parameters.flat, before)


@pytest.mark.parametrize("number, words", [(5, "cannot be read (Input/output error)"), (22, "is damaged (OSError")])
def test_a_failing_disk_is_not_reported_as_a_damaged_file(path, monkeypatch, number, words):
    def fail(stream):
        raise OSError(number, "Input/output error")

    monkeypatch.setattr(archive, "_header", fail)
    assert words in refusal(path)


def test_a_lack_of_memory_is_reported_as_such(path, monkeypatch):
    def fail(stream):
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(archive, "_header", fail)
    with pytest.raises(MemoryError):
        load(path)


def test_a_configuration_that_is_not_json_has_an_error_of_its_own(path):
    with_entry(path, "configuration", npy(np.frombuffer(json.dumps([1])[:-1].encode(), np.uint8)))
    assert "has a configuration that cannot be read (Expecting" in refusal(path)
