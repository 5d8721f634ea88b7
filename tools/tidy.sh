#!/bin/sh
# tidy.sh BIN: clang-tidy over the C that runs on devices, with the checks in .clang-tidy.
set -eu
bin=$1
git ls-files 'runtime/*.c' 'firmware/main.c' 'firmware/stack.c' |
    xargs -P 2 -n 8 "$bin/clang-tidy" --quiet --warnings-as-errors='*' \
        -- -std=c11 -ffreestanding -Iruntime/include -Iruntime/core -Iruntime/kernels/portable \
        -Ifirmware
