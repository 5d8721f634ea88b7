"""The arithmetic of the packed-half instructions as Spike's extension has it, on its own.

The judge is exact: fractions, rounded to what NumPy has on either side.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from enum import IntEnum
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from mcugrad.devices import spike
from mcugrad.errors import MissingToolError
from mcugrad.targets import find_target
from tests.devices.hand_made import require_emulator

Half = np.float16
Real = np.float16 | np.float32


class Mode(IntEnum):
    """How RISC-V's frm rounds."""

    NEAREST = 0
    TO_ZERO = 1
    DOWN = 2
    UP = 3
    NEAREST_AWAY = 4


INEXACT, OVERFLOW, INVALID = 1, 4, 16

#: 31..25, 14..12 of the instructions: pulp-platform/riscv-opcodes, opcodes-sflt_CUSTOM.
ADD, SUB, MUL, MIN, MAX, MAC = (
    0x82002033,
    0x84002033,
    0x86002033,
    0x8A002033,
    0x8C002033,
    0x90002033,
)
SGNJ, SGNJN, SGNJX, PACK, DOT = 0x9A002033, 0x9C002033, 0x9E002033, 0xB0002033, 0x96000033
REPLICATED = 1 << 14

SPECIAL = [0x0000, 0x8000, 0x0001, 0x83FF, 0x0400, 0x3C00, 0xBC01, 0x7BFF, 0xFBFF, 0x7C00, 0xFC00]
NANS = [0x7E00, 0x7D01, 0xFE01]

Compute = Callable[..., tuple[int, int]]


@pytest.fixture(scope="module")
def compute() -> Compute:
    """(instruction, rd, rs1, rs2, mode) -> what rd becomes, and the flags raised."""
    require_emulator("rv32-xfvec")
    installed = spike.installation()
    tool = find_target("rv32-xfvec").emulator
    assert installed is not None
    assert tool is not None
    (source,) = tool.extensions
    try:
        path = spike.extension(source).built()
    except MissingToolError as error:
        pytest.skip(str(error))
    ctypes.CDLL(str(installed.library), mode=ctypes.RTLD_GLOBAL)  # softfloat
    function = ctypes.CDLL(str(path)).mg_xfvec
    function.restype = ctypes.c_uint32

    def call(instruction: int, d: int, a: int, b: int, mode: int = 0) -> tuple[int, int]:
        flags = ctypes.c_uint32()
        arguments = map(ctypes.c_uint32, (instruction, d, a, b, mode))
        return function(*arguments, ctypes.byref(flags)), flags.value

    return call


def rounded(exact: Fraction, kind: type[Real], mode: Mode) -> Real:
    """A number other than zero in a type of NumPy's."""
    with np.errstate(over="ignore"):
        near = kind(float(exact))  # within a step, even if rounded twice
        around = [np.nextafter(near, kind(-np.inf)), near, np.nextafter(near, kind(np.inf))]
    finite = [fraction(x) for x in around if np.isfinite(x)]
    largest = kind(np.finfo(kind).max)
    beyond = 2 * fraction(largest) - fraction(np.nextafter(largest, kind(0)))
    low = max((x for x in finite if x <= exact), default=-beyond)
    high = min((x for x in finite if x >= exact), default=beyond)
    if mode is Mode.TO_ZERO:
        chosen = low if exact > 0 else high
    elif mode is Mode.DOWN:
        chosen = low
    elif mode is Mode.UP:
        chosen = high
    elif low == high or exact - low != high - exact:
        chosen = low if exact - low < high - exact else high
    elif mode is Mode.NEAREST_AWAY:
        chosen = high if exact > 0 else low
    else:
        chosen = next(v for v in (low, high) if is_even(v, kind, beyond))
    if abs(chosen) >= beyond:
        return kind(np.inf if chosen > 0 else -np.inf)
    return kind(np.copysign(float(chosen), 1 if exact > 0 else -1))


def is_even(value: Fraction, kind: type[Real], beyond: Fraction) -> bool:
    """Whether the last bit is 0; the number behind the largest one is even."""
    bits = np.array(float(value), kind) if abs(value) < beyond else np.array(0, kind)
    return int(bits.view(np.uint16 if kind is Half else np.uint32)) % 2 == 0


def half(bits: int) -> Half:
    return np.uint16(bits & 0xFFFF).view(np.float16)


def single(bits: int) -> np.float32:
    return np.uint32(bits).view(np.float32)


def halves(word: int) -> tuple[Half, Half]:
    return half(word), half(word >> 16)


def operands(seed: int, count: int) -> Iterator[tuple[int, int, int]]:
    """Words of d, a and b: those of special halves, then random ones of all magnitudes."""
    for x, y in product(SPECIAL, repeat=2):
        yield (x << 16 | y), (y << 16 | x), (x << 16 | x)
    random = np.random.default_rng(seed)
    for _ in range(count):
        words = random.integers(0, 1 << 32, 3, dtype=np.uint64).tolist()
        finite = [w & ~(0x4000_4000 if random.random() < 0.8 else 0x0400_0400) for w in words]
        if all(np.isfinite(h) for w in finite for h in halves(w)):
            yield finite[0], finite[1], finite[2]


def fraction(x: Real) -> Fraction:
    return Fraction(float(x))


EXACT: dict[int, Callable[[Fraction, Fraction, Fraction], Fraction]] = {
    ADD: lambda _, a, b: a + b,
    SUB: lambda _, a, b: a - b,
    MUL: lambda _, a, b: a * b,
    MAC: lambda d, a, b: d + a * b,
}

#: The same in NumPy, whose halves round to nearest.
IN_NUMPY: dict[int, Callable[[Half, Half], Half]] = {
    ADD: np.add,
    SUB: np.subtract,
    MUL: np.multiply,
}


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("instruction", EXACT, ids=["add", "sub", "mul", "mac"])
def test_both_halves_are_rounded_as_told(compute: Compute, instruction: int, mode: Mode) -> None:
    for d, a, b in operands(1, 300):
        for replicated in (0, REPLICATED):
            result, _ = compute(instruction | replicated, d, a, b, mode)
            lanes = zip(halves(d), halves(a), halves(b), halves(result), strict=True)
            for z, x, y, got in lanes:
                second = half(b) if replicated else y
                if not all(np.isfinite(v) for v in (z, x, second)):
                    continue
                exact = EXACT[instruction](fraction(z), fraction(x), fraction(second))
                if exact != 0:
                    assert got == rounded(exact, Half, mode), (z, x, second)
                else:
                    assert got == 0


@pytest.mark.parametrize("instruction", IN_NUMPY, ids=["add", "sub", "mul"])
def test_every_special_half_as_in_numpy(compute: Compute, instruction: int) -> None:
    """Infinities, zeros and their signs, NaN; each result that is no number is the canonical."""
    for x, y in product(SPECIAL + NANS, repeat=2):
        result, flags = compute(instruction, 0, x | x << 16, y | y << 16)
        with np.errstate(all="ignore"):
            wanted = IN_NUMPY[instruction](half(x), half(y))
        assert result & 0xFFFF == result >> 16
        if np.isnan(wanted):
            signals = {x, y} & {0x7D01}
            quiet = {x, y} & set(NANS)
            assert result & 0xFFFF == 0x7E00
            assert bool(flags & INVALID) is (bool(signals) or not quiet)
        else:
            assert result & 0xFFFF == int(wanted.view(np.uint16)), (half(x), half(y))


def test_the_smaller_and_the_larger(compute: Compute) -> None:
    for x, y in product(SPECIAL + NANS, repeat=2):
        for instruction, choose in ((MIN, np.fmin), (MAX, np.fmax)):
            result = halves(compute(instruction, 0, x | y << 16, y | x << 16)[0])
            assert result[0].view(np.uint16) == result[1].view(np.uint16)
            if x & 0x7FFF or y & 0x7FFF:
                np.testing.assert_equal(result[0], choose(half(x), half(y)))
            else:  # zeros are in order
                assert np.signbit(result[0]) == ({MIN: max, MAX: min}[instruction](x, y) != 0)


def test_signs(compute: Compute) -> None:
    for x, y in product(SPECIAL + NANS, repeat=2):
        a, b = x | 0x3C00 << 16, y | 0x8000 << 16
        for instruction, sign in (
            (SGNJ, y),
            (SGNJN, ~y),
            (SGNJX, x ^ y),
        ):
            assert compute(instruction, 0, a, b)[0] & 0xFFFF == (x & 0x7FFF) | (sign & 0x8000)
        assert compute(SGNJ, 0, a, b)[0] >> 16 == 0xBC00
        assert compute(SGNJ | REPLICATED, 0, a, b)[0] >> 16 == 0x3C00 | (y & 0x8000)


@pytest.mark.parametrize("mode", Mode)
def test_two_singles_are_packed(compute: Compute, mode: Mode) -> None:
    random = np.random.default_rng(2)
    for _ in range(500):
        scale = float(2.0 ** random.integers(-28, 18))
        values = (random.normal(size=2) * scale).astype(np.float32)
        a, b = values.view(np.uint32).tolist()
        wanted = [rounded(fraction(v), Half, mode) for v in values]
        assert list(halves(compute(PACK, 0, a, b, mode)[0])) == wanted
    nan, flags = compute(PACK, 0, 0x7FC00000, 0xFF800000, mode)
    assert (nan, flags) == (0xFC007E00, 0)


@pytest.mark.parametrize("mode", Mode)
def test_the_dot_product_rounds_once(compute: Compute, mode: Mode) -> None:
    random = np.random.default_rng(3)
    for _, a, b in operands(4, 600):
        for replicated in (0, REPLICATED):
            xs, ys = halves(a), halves(b) if not replicated else (half(b), half(b))
            if not all(np.isfinite(v) for v in (*xs, *ys)):
                continue
            products = [fraction(x) * fraction(y) for x, y in zip(xs, ys, strict=True)]
            near = float(sum(products)) * float(2.0 ** random.integers(-30, 30))
            for start in (0.0, 1.0, near, -float(sum(products)), 1e-42, -3e38):
                d = np.float32(start)
                exact = fraction(d) + sum(products)
                word = int(d.view(np.uint32))
                result, flags = compute(DOT | replicated, word, a, b, mode)
                got = single(result)
                if exact == 0:
                    assert got == 0
                    continue
                assert got == rounded(exact, np.float32, mode), (d, xs, ys)
                if np.isfinite(got):
                    assert bool(flags & INEXACT) is (fraction(got) != exact)
                else:
                    assert flags & OVERFLOW


def test_the_dot_product_of_what_is_no_number(compute: Compute) -> None:
    one = 0x3C003C00
    infinite, minus = 0x3C007C00, 0x3C00FC00
    canonical = 0x7FC00000
    assert compute(DOT, 0, infinite, one) == (0x7F800000, 0)
    assert compute(DOT, 0xFF800000, infinite, one) == (canonical, INVALID)
    assert compute(DOT, 0, infinite, 0) == (canonical, INVALID)
    assert compute(DOT, 0, (infinite & 0xFFFF) | (minus & 0xFFFF) << 16, one) == (
        canonical,
        INVALID,
    )
    assert compute(DOT, canonical, one, one) == (canonical, 0)
    for nan in NANS:
        result, flags = compute(DOT, 0, nan, one)
        assert (result, flags) == (canonical, INVALID if nan == 0x7D01 else 0)


def test_zero_has_the_sign_that_the_mode_gives(compute: Compute) -> None:
    minus_one = int(np.float32(-1).view(np.uint32))
    for mode in Mode:
        result, flags = compute(DOT, minus_one, 0x3C00, 0x3C00, mode)
        assert (result, flags) == (0x80000000 if mode is Mode.DOWN else 0, 0)
