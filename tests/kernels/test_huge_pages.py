"""Arrays in huge pages behave like other arrays and never overlap."""

import mmap
import threading

import numpy as np
import pytest

from minilstm.kernels import huge_pages


@pytest.fixture(autouse=True)
def nothing_left_over(monkeypatch):
    monkeypatch.setattr(huge_pages, "_rest", np.empty(0, np.uint8))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128, np.int64])
@pytest.mark.parametrize("size", [0, 1, 5_000, 99_999, 700_000])
def test_an_array_has_its_size_and_keeps_its_values(size, dtype):
    array = huge_pages.zeros(size, dtype)
    assert array.shape == (size,) and array.dtype == dtype and not array.any()
    array[:] = np.arange(size)
    assert np.array_equal(array, np.arange(size, dtype=dtype)) and array.flags.c_contiguous and array.flags.writeable


def test_arrays_never_share_memory_and_begin_at_a_cache_line():
    sizes = np.random.default_rng(0).integers(1, 800_000, 60)
    arrays = [huge_pages.empty(size, np.float32) for size in sizes]
    for k, array in enumerate(arrays):
        array[:] = k
    assert all((array == k).all() for k, array in enumerate(arrays))
    # none of them is allocated by NumPy
    large = [array for array in arrays if array.nbytes >= huge_pages.SMALL]
    assert len(large) > 30 and all(array.ctypes.data % huge_pages.LINE == 0 for array in large)


def test_small_and_very_large_arrays_are_left_to_numpy(monkeypatch):
    monkeypatch.setattr(huge_pages, "pages", lambda least: pytest.fail("a page was taken"))
    assert huge_pages.empty(huge_pages.SMALL // 4 - 1, np.float32).flags.owndata
    assert huge_pages.empty(huge_pages.LARGE // 4, np.float32).flags.owndata


def test_an_impossible_size_raises_a_memory_error():
    with pytest.raises(MemoryError):
        huge_pages.empty(2**60, np.float32)


def test_arrays_share_pages(monkeypatch):
    taken, whole = [], huge_pages.pages
    monkeypatch.setattr(huge_pages, "pages", lambda least: (taken.append(least), whole(least))[1])
    # 1¼ pages each: three fit into four pages, the fourth begins new ones
    for _ in range(8):
        huge_pages.empty(huge_pages.PAGE * 5 // 16, np.float32)
    assert len(taken) == 3


def test_memory_is_whole_pages_and_begins_at_a_page():
    page, together = huge_pages.PAGE, huge_pages.TOGETHER
    for least, pages in ((page + 1, together), (together * page + 1, together + 1)):
        there = huge_pages.pages(least)
        assert there.size == pages * huge_pages.PAGE and there.ctypes.data % huge_pages.PAGE == 0


def test_without_huge_pages_arrays_work_as_usual(monkeypatch):
    monkeypatch.delattr(mmap, "MADV_HUGEPAGE", raising=False)
    array = huge_pages.zeros(100_000, np.float64)
    array += 1
    assert array.sum() == 100_000 and array.ctypes.data % huge_pages.PAGE == 0


def test_an_operating_system_that_refuses_huge_pages_causes_no_error(monkeypatch):
    class Refusing(mmap.mmap):
        def madvise(self, *arguments):
            raise OSError(22, "Invalid argument")

    monkeypatch.setattr(mmap, "MADV_HUGEPAGE", getattr(mmap, "MADV_HUGEPAGE", 14), raising=False)
    monkeypatch.setattr(mmap, "mmap", Refusing)
    assert huge_pages.zeros(100_000, np.float64).sum() == 0


def test_threads_get_arrays_of_their_own():
    found = [[] for _ in range(4)]

    def take(mine):
        mine += [huge_pages.empty(50_000, np.float64) for _ in range(50)]

    threads = [threading.Thread(target=take, args=(mine,)) for mine in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    arrays = [array for mine in found for array in mine]
    for k, array in enumerate(arrays):
        array[:] = k
    assert len(arrays) == 200 and all((array == k).all() for k, array in enumerate(arrays))
