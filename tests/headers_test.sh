#!/bin/sh
# Each header compiles by itself. Most are the first include of the .cpp of the same name, so the build has shown it; the
# others are compiled alone here. Usage: headers_test.sh COMPILER ROOT. Prints what fails, fails if anything does.
set -u
cd "$2" || exit 1
alone=$(find tensor autograd nn md metrics sampling apps -name '*.h' | sort | while read -r header; do
  source=${header%.h}.cpp
  first=$(grep -m 1 '^#include' "$source" 2>/dev/null)
  [ "$first" = "#include \"$header\"" ] || echo "$header"
done)
[ -n "$alone" ] || { echo "no headers found in $2"; exit 1; }
echo "$alone" | xargs -P 2 -I HEADER sh -c \
  '"$0" -std=c++20 -fsyntax-only -I. -include HEADER -x c++ /dev/null || { echo "FAILED: HEADER"; exit 1; }' "$1"
