#!/bin/sh
# Installs what is missing, builds everything and runs the tests (all but those labelled slow; run
# `ctest --test-dir build/tests -L slow` for those). Further words go to ctest.
set -eu
cd "$(dirname "$0")/.."
with_tests=yes
. apps/install_packages.sh

cmake -S . -B build/tests -DCMAKE_BUILD_TYPE=Release -DARBG_TESTS=ON
cmake --build build/tests -j "$jobs"
exec ctest --test-dir build/tests -LE slow --output-on-failure "$@"
