#!/bin/sh
# From nothing to a report: installs what is missing, builds, and runs the demo on alanine dipeptide.
# Further words go to `arbg demo`: sh apps/quickstart.sh --coordinates cartesian
set -eu
cd "$(dirname "$0")/.."
. apps/install_packages.sh

echo "Building (about two minutes on two cores) ..."
cmake -S . -B build/release -DCMAKE_BUILD_TYPE=Release -DARBG_TESTS=OFF >/dev/null
cmake --build build/release --target arbg -j "$jobs" | grep -E "warning|error|Built target arbg" || true
[ -x build/release/apps/arbg ] || { echo "The build failed; run: cmake --build build/release" >&2; exit 1; }

echo "Running the demo (at most ten minutes on two cores) ..."
exec build/release/apps/arbg demo --output runs/demo "$@"
