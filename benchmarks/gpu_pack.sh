#!/usr/bin/env bash
# Measures this checkout on a machine with an NVIDIA GPU and no network, in under eight minutes:
#
#   benchmarks/gpu_pack.sh WHEELS OUT [options of facestream-bench gpu]
#
# WHEELS is a folder of wheels for what the machine's python3 lacks, with the load client in load_client/ where the
# machine can not build it (docs/engines.md tells how to fill it); OUT gets
# gpu.json, the log, and the wheels unpacked. PYTHON names another interpreter.
set -euo pipefail
if (($# < 2)); then
    echo "usage: $0 WHEELS OUT [options of facestream-bench gpu]" >&2
    exit 2
fi
wheels=$(realpath "$1")
mkdir -p "$2"
out=$(realpath "$2")
shift 2
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}

shopt -s nullglob
found=("$wheels"/*.whl)
if ((${#found[@]})); then
    "$python" -m pip install --quiet --no-index --no-deps --no-compile --no-cache-dir --upgrade \
        --target "$out/site" "${found[@]}"
fi
export PYTHONPATH="$PWD/sdk_server:$PWD/models:$PWD/benchmarks:$out/site${PYTHONPATH:+:$PYTHONPATH}"
export FACESTREAM_ENGINE_CACHE=${FACESTREAM_ENGINE_CACHE:-$out/engines} PYTHONUNBUFFERED=1
if [[ -x "$wheels/load_client/facestream-load" ]]; then
    export LOAD_CLIENT="$wheels/load_client/facestream-load"
fi
"$python" protos/build_stubs.py
"$python" -m facestream_bench.main gpu -o "$out/gpu.json" "$@" 2>&1 | tee "$out/log"
