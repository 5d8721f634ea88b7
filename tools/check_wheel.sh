#!/bin/sh
# check_wheel.sh PYTHON: builds wheel and sdist, installs the wheel into an empty virtual
# environment, and from an unrelated folder compiles the example model and runs it in an emulator.
set -eu
python=$1
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$python" -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check build
"$work/venv/bin/python" -m build --outdir "$work/dist" "$root" >"$work/build.log" 2>&1 ||
    { cat "$work/build.log" >&2; exit 1; }
"$python" -m venv --clear "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "$work"/dist/*.whl

cp "$root/examples/digits/digits_int8.tflite" "$work/model.tflite"
mkdir "$work/elsewhere"
cd "$work/elsewhere"
mcugrad="$work/venv/bin/mcugrad"
# A cache of its own, so that nothing of the checkout's is used.
XDG_CACHE_HOME=$work/cache
export XDG_CACHE_HOME
"$mcugrad" compile ../model.tflite --target cortex-m4 --update last:2 --sram 256K -o out
"$mcugrad" emulate out
"$mcugrad" profile out
"$mcugrad" parity out --on emulator
"$mcugrad" parity out --on host
tar -tzf "$work"/dist/*.tar.gz | grep -q '/runtime/kernels/portable/conv2d_f32_fwd.c$'
tar -tzf "$work"/dist/*.tar.gz | grep -q '/firmware/main.c$'
tar -tzf "$work"/dist/*.tar.gz | grep -q '/targets/cortex-m4/target.toml$'
echo "the wheel and the sdist are complete"
