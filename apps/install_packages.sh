# Sourced by apps/quickstart.sh and tests/run.sh: installs what the build needs from Debian's packages.
# Says what it installs; does nothing where everything is there; uses sudo only when not root.

set -eu

missing=""
command -v c++ >/dev/null 2>&1 || missing="$missing g++"
command -v cmake >/dev/null 2>&1 || missing="$missing cmake"
command -v make >/dev/null 2>&1 || missing="$missing make"
[ -e /usr/include/eigen3/Eigen/Dense ] || [ -e /usr/local/include/eigen3/Eigen/Dense ] || missing="$missing libeigen3-dev"
if [ "${with_tests:-no}" = yes ]; then
  [ -e /usr/include/doctest/doctest.h ] || [ -e /usr/local/include/doctest/doctest.h ] || missing="$missing doctest-dev"
fi

if [ -n "$missing" ]; then
  if ! command -v apt-get >/dev/null 2>&1; then
    echo "Missing:$missing. This script knows only Debian's apt-get; install them with your system's package manager." >&2
    exit 1
  fi
  sudo=""
  [ "$(id -u)" = 0 ] || sudo="sudo"
  echo "Installing from Debian's packages:$missing"
  $sudo apt-get update -qq
  # shellcheck disable=SC2086 # the list is meant to be split
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi

jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
