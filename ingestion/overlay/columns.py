"""Columns of a Parquet file from integers: dictionaries instead of strings, digits and cents without a loop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Array = np.ndarray

_HEX_PAIRS = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), dtype=np.uint8).reshape(256, 2)
# Four digits as one 32-bit word, so that a text of twelve digits is three words.
_WORDS = np.frombuffer("".join(f"{number:04d}" for number in range(10_000)).encode(), dtype=np.uint32)
_OCTETS = pa.array([str(number) for number in range(256)])
FEW = 500  # texts that are not worth the search for those that occur
# Multiplied by an odd number, folded, twice: every number becomes another one of 48 bits, none twice.
COOKIE_STEPS, COOKIE_BITS = (1_099_511_629, 32_749), 48
# Multiplied in a prime field, or by what shares no factor with the capacity: the same for decimal ids.
CART_STEP, CART_CAPACITY, FIRST_CART = 2_147_483_629, 99_999_999_977, 100_000_000_000
VISIT_STEP, VISIT_CAPACITY, FIRST_VISIT = 48_271_231, 90_000_000, 10_000_000


def digits(numbers: Array) -> pa.Array:
    """Twelve decimal digits for each of `numbers`, which are below 10**12."""
    high, low = np.divmod(numbers, 10_000)
    return joined_digits(high, np.arange(len(numbers)), low)


def joined_digits(high: Array, row: Array, low: Array) -> pa.Array:
    """Twelve digits for each row: eight of `high[row]`, which many rows share, and four of `low`."""
    text = np.empty((len(row), 3), dtype=np.uint32)
    text[:, 0] = _WORDS[high // 10_000][row]
    text[:, 1] = _WORDS[high % 10_000][row]
    text[:, 2] = _WORDS[low]
    return _fixed_width(text.view(np.uint8))


def cookie_texts(numbers: Array) -> pa.Array:
    """The anonymous_id of each cookie: twelve hexadecimal digits, no two alike, in no visible order."""
    mixed = numbers.astype(np.uint64)
    for step in COOKIE_STEPS:
        mixed = (mixed * np.uint64(step)) & np.uint64((1 << COOKIE_BITS) - 1)
        mixed ^= mixed >> np.uint64(COOKIE_BITS // 2)
    octets = mixed.astype(">u8").view(np.uint8).reshape(-1, 8)[:, 2:]
    return _fixed_width(_HEX_PAIRS[octets].reshape(len(numbers), 12))


def cookie_text_sql(number: str) -> str:
    """SQL: the same for one cookie."""
    mixed = f"cast({number} as bigint)"
    for step in COOKIE_STEPS:
        mixed = f"(({mixed} * {step}) & {(1 << COOKIE_BITS) - 1})"
        mixed = f"xor({mixed}, {mixed} >> {COOKIE_BITS // 2})"
    return f"format('{{:012x}}', {mixed})"


def cart_numbers(numbers: Array) -> Array:
    """The cart_id of each cart, as a number of twelve digits; `numbers` below 4 * 10**9."""
    carts: Array = FIRST_CART + (numbers * CART_STEP) % CART_CAPACITY
    return carts


def cart_text_sql(number: str) -> str:
    """SQL: the same for one cart, as text."""
    return f"cast({FIRST_CART} + (cast({number} as bigint) * {CART_STEP}) % {CART_CAPACITY} as varchar)"


def visit_numbers(numbers: Array) -> Array:
    """The eight digits that the event ids of each visit begin with; `numbers` below VISIT_CAPACITY."""
    visits: Array = FIRST_VISIT + (numbers * VISIT_STEP) % VISIT_CAPACITY
    return visits


def dotted(numbers: Array) -> pa.Array:
    """IPv4 addresses as text."""
    parts = [_OCTETS.take(pa.array((numbers >> shift) & 255)) for shift in (24, 16, 8, 0)]
    return pc.binary_join_element_wise(*parts, ".")


def _fixed_width(text: Array) -> pa.Array:
    """Rows of bytes as strings."""
    rows, width = text.shape
    offsets = np.arange(0, (rows + 1) * width, width, dtype=np.int32)
    return pa.Array.from_buffers(
        pa.string(), rows, [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(text))]
    )


def coded(codes: Array, values: pa.Array, absent: Array | None = None) -> pa.Array:
    """`values[codes]` as a dictionary; null where `absent`."""
    indices = np.ascontiguousarray(codes, dtype=np.int32)
    valid = None if absent is None else _bitmap(absent)
    array = pa.Array.from_buffers(pa.int32(), len(indices), [valid, pa.py_buffer(indices)])
    return pa.DictionaryArray.from_arrays(array, values)


def integers(numbers: Array, absent: Array) -> pa.Array:
    """32-bit integers; null where `absent`."""
    values = np.ascontiguousarray(numbers, dtype=np.int32)
    return pa.Array.from_buffers(pa.int32(), len(values), [_bitmap(absent), pa.py_buffer(values)])


def _bitmap(absent: Array) -> pa.Buffer:
    return pa.py_buffer(np.packbits(~absent, bitorder="little"))


@dataclass(frozen=True)
class Vocabulary:
    """Texts by number, each held once: a Parquet dictionary with a text twice is given up for plain text.

    Attributes
    ----------
    texts
        Every different text.
    code
        Number to place in `texts`; -1 is null.
    """

    texts: pa.Array
    code: Array

    @classmethod
    def of(cls, texts: pa.Array) -> Vocabulary:
        """From the text of number 0, 1, 2 …"""
        encoded = texts.dictionary_encode()
        return cls(encoded.dictionary, encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False))

    def column(self, numbers: Array, absent: Array | None = None) -> pa.Array:
        """The texts of `numbers`; null where `absent`, or where the number has none."""
        codes = self.code[numbers]
        missing = codes < 0 if absent is None else absent | (codes < 0)
        return coded(codes, self.texts, missing) if len(self.texts) < FEW else used(codes, self.texts, missing)


def used(codes: Array, values: pa.Array, absent: Array | None = None) -> pa.Array:
    """The same as `coded`, with only those values that occur: a dictionary is written in full."""
    present = np.zeros(len(values), dtype=bool)
    present[codes if absent is None else codes[~absent]] = True
    kept = np.flatnonzero(present)
    place = np.zeros(len(values), dtype=np.int32)
    place[kept] = np.arange(len(kept), dtype=np.int32)
    return coded(place[codes], values.take(pa.array(kept)), absent)


def cents(amounts: Array, kind: pa.DataType, absent: Array) -> pa.Array:
    """Non-negative cents as a decimal with two places."""
    words = np.zeros((len(amounts), 2), dtype=np.int64)
    words[:, 0] = amounts
    return pa.Array.from_buffers(kind, len(amounts), [_bitmap(absent), pa.py_buffer(words)])


def instants(milliseconds: Array) -> pa.Array:
    """Milliseconds since 1970 as timestamps."""
    return pa.Array.from_buffers(pa.timestamp("us"), len(milliseconds), [None, pa.py_buffer(milliseconds * 1000)])
