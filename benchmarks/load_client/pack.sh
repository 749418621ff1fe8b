#!/usr/bin/env bash
# The compiled client with the libraries it needs, for a machine without compiler, gRPC and network:
#
#   benchmarks/load_client/pack.sh FOLDER
#
# There, LOAD_CLIENT=FOLDER/facestream-load is used in place of building one (gpu_pack.sh finds it in its folder of
# wheels). It needs the C library of this machine or a later one.
set -euo pipefail
if (($# != 1)); then
    echo "usage: $0 FOLDER" >&2
    exit 2
fi
mkdir -p "$1/lib"
folder=$(realpath "$1")
cd "$(dirname "$0")"
cmake -S . -B build >/dev/null
cmake --build build >/dev/null
cp build/facestream-load "$folder/"
# all but the C library's own: those belong to the machine
ldd build/facestream-load | awk '$3 ~ "^/" { print $3 }' | grep -vE '/lib(c|m|dl|rt|pthread|resolv)\.so' | xargs cp -Lt "$folder/lib"
