"""Each row of a matrix in an order of its own."""

import keras
from keras import ops


def order_rows(keys: keras.KerasTensor, last: keras.KerasTensor) -> keras.KerasTensor:
    """Columns that sort each row: by key, and of equal keys those marked `last` last.

    Args:
        keys: (n, n) float32.
        last: (n, n) bool.

    Returns:
        (n, n) int32. Columns equal in both keep their order.
    """
    by_mark = _part(last)
    return take(by_mark, ops.argsort(take(keys, by_mark), axis=1))  # every backend's sort is stable


def take(rows: keras.KerasTensor, columns: keras.KerasTensor) -> keras.KerasTensor:
    """Of each row these columns: (n, n) and (n, m) to (n, m)."""
    return ops.take_along_axis(rows, columns, axis=1)


def put(values: keras.KerasTensor, columns: keras.KerasTensor) -> keras.KerasTensor:
    """Each value into the column of its row that is named, adding up: (n, n) and (n, n) to (n, n).

    `put(take(rows, order), order)` is `rows`.
    """
    count = values.shape[0]
    cells = ops.arange(count, dtype="int32")[:, None] * count + ops.cast(columns, "int32")
    sums = ops.segment_sum(ops.reshape(values, (-1,)), ops.reshape(cells, (-1,)), count * count)
    return ops.reshape(sums, (count, count))


def _part(last: keras.KerasTensor) -> keras.KerasTensor:
    """Columns of each row, the marked ones last: a sort of two values, by counting."""
    later = ops.cast(last, "int32")
    earlier = 1 - later
    among_earlier = ops.cumsum(earlier, axis=1) - 1
    among_later = ops.sum(earlier, axis=1, keepdims=True) + ops.cumsum(later, axis=1) - 1
    columns = ops.arange(last.shape[1], dtype="int32")[None, :] + ops.zeros_like(later)
    return put(columns, ops.where(last, among_later, among_earlier))
