#!/bin/sh
# From nothing to a report: installs what is missing, builds, and runs the demo on alanine dipeptide.
# Further words go to `arbg demo`: sh apps/quickstart.sh --system AAA
set -eu
cd "$(dirname "$0")/.."
. apps/install_packages.sh

echo "Building (a few minutes on two cores; some twenty with a CUDA Toolkit) ..."
mkdir -p build
cmake -S . -B build/release -DCMAKE_BUILD_TYPE=Release -DARBG_TESTS=OFF >build/release.log
if ! cmake --build build/release --target arbg -j "$jobs" >>build/release.log 2>&1; then
  tail -n 30 build/release.log >&2
  echo "The build failed; the whole output is in build/release.log" >&2
  exit 1
fi

echo "Running the demo ..."
exec build/release/apps/arbg demo "$@"
