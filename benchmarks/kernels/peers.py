"""What peers take for the same layers, in instructions per product.

Forward / weight gradient / input gradient, without padding and packing where the peer leaves
them to its caller. RV32 is RV32IMFC, M7 a Cortex-M7 with single-precision floating point.
"""

from __future__ import annotations

from benchmarks.kernels.layers import Types

_CONV, _WIDE, _DEEP = (
    "conv 3x3 16->16, 16x16",
    "conv 1x1 32->64, 16x16",
    "conv 1x1 64->64, 8x8",
)
_DEPTHWISE, _CONNECTED = "depthwise 3x3 64, 16x16", "fully connected 256->10"

PEERS: dict[tuple[str, Types], str] = {
    (_CONV, Types.F32): (
        "PULP-TrainLib RV32 2.49 / 2.49 / 4.29, M7 2.17 / 2.22 / 3.70; "
        "AIfES RV32 28.2 / 21.7 / 56.0"
    ),
    (_CONV, Types.F16): "PULP-TrainLib Xfvec, sums in half, 2.19 / 2.21 / 3.37",
    (_WIDE, Types.F16): "PULP-TrainLib Xfvec, sums in half, 1.58 / 1.46 / 1.56",
    (_WIDE, Types.F32): (
        "PULP-TrainLib RV32 1.96 / 2.14 / wrong, M7 1.78 / 1.64 / wrong; "
        "AIfES RV32 58.1 / 24.2 / 90.8"
    ),
    (_DEPTHWISE, Types.F32): "PULP-TrainLib RV32 9.87 / 6.55 / 15.92, M7 9.37 / 5.65 / 20.6",
    (_CONNECTED, Types.F32): (
        "PULP-TrainLib RV32 4.00 / 5.47 / 2.84; AIfES RV32 6.07 / 30.3 / 7.62"
    ),
    (_WIDE, Types.INT8_F32): "Tiny Training Engine M7 2.31 / 4.09 / 3.64",
    (_DEEP, Types.INT8_F32): "Tiny Training Engine M7 1.96 / - / -",
    (_DEPTHWISE, Types.INT8_F32): "Tiny Training Engine M7 6.59 / none / 3.15",
}
