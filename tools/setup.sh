#!/bin/sh
# setup.sh PYTHON VENV EXTRAS COMMAND...
# Makes a virtual environment with mcugrad and its extras, and sees to it that the system has
# each COMMAND, which is installed from apt (through sudo when not root) where it is missing.
set -eu
python=$1 venv=$2 extras=$3
shift 3

install() {
    echo "installing $*" >&2
    if [ "$(id -u)" -eq 0 ]; then elevate=; else elevate=sudo; fi
    $elevate apt-get update -qq
    $elevate env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

package() {
    case $1 in
        qemu-system-riscv32) echo qemu-system-misc ;;
        gcc) echo gcc libc6-dev ;;
        dtc) echo device-tree-compiler ;;
        *-gcc) echo "gcc-${1%-gcc}" ;;
        *) echo "$1" ;;
    esac
}

missing=
for command in "$@"; do
    command -v "$command" >/dev/null || missing="$missing $(package "$command")"
done
"$python" -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
# Unquoted on purpose: one word a package.
# shellcheck disable=SC2086
if [ -n "$missing" ]; then install $missing; fi

[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
"$venv/bin/python" -m pip install -q --disable-pip-version-check -e ".[$extras]"
