#!/bin/sh
# install.sh PYTHON ENV REQUIREMENTS: a virtual environment with pinned requirements, no CUDA in it.
set -eu
python=$1
env=$2
requirements=$3

say() { printf '%s\n' "$*" >&2; }
stop() { say "$@"; exit 1; }

if [ ! -x "$env/bin/python" ]; then
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
        stop "Doorstep needs Python 3.11 or newer; call make with PYTHON=/path/to/python3.11."
    command -v c++ >/dev/null || command -v g++ >/dev/null ||
        stop "Doorstep compiles llama.cpp and needs a C and C++ compiler (Debian, Ubuntu: apt-get install build-essential)."
    say "Making a virtual environment in $env ..."
    "$python" -m venv "$env" || {
        rm -rf "$env"
        stop "Python has no venv module (Debian, Ubuntu: apt-get install python3-venv)."
    }
fi
pip="$env/bin/python -m pip --disable-pip-version-check"

# The default torch wheel for Linux brings gigabytes of CUDA; the CPU build does all that we need.
torch=$(sed -n 's/^\(torch==[0-9.]*\).*/\1/p' requirements.txt)
if [ -n "$torch" ] && ! "$env/bin/python" -c 'import importlib.metadata as m; m.version("torch")' 2>/dev/null; then
    if $pip install --quiet --dry-run --report - "$torch" 2>/dev/null | grep -qi '"name": *"nvidia'; then
        say "Installing $torch (CPU build, from PyTorch's own index) ..."
        $pip install --quiet --index-url https://download.pytorch.org/whl/cpu "$torch"
    else
        say "Installing $torch ..."
        $pip install --quiet "$torch"
    fi
fi

if ! "$env/bin/python" -c 'import importlib.metadata as m; m.version("llama-cpp-python")' 2>/dev/null; then
    say "Installing the requirements. llama-cpp-python is compiled: about 4 minutes on 2 cores, once."
else
    say "Installing $requirements ..."
fi
CMAKE_BUILD_PARALLEL_LEVEL=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc 2>/dev/null || echo 2)} \
    $pip install --quiet --requirement "$requirements"

if "$env/bin/python" -m pip list --format freeze --disable-pip-version-check | grep -qi '^nvidia'; then
    stop "CUDA packages came along with the requirements; remove $env and report this."
fi
