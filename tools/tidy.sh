#!/bin/sh
# tidy.sh BIN: clang-tidy over the C that runs on devices, with the checks in .clang-tidy.
set -eu
git ls-files 'runtime/*.c' firmware/main.c firmware/libc.c firmware/start/common.c |
    xargs -P 2 -n 8 sh -c '
        "$0" --quiet --warnings-as-errors="*" "$@" -- -std=c11 -ffreestanding -Iruntime/include \
            -Iruntime/core -Iruntime/kernels/portable -Ifirmware -Itests/devices/model
    ' "$1/clang-tidy"
