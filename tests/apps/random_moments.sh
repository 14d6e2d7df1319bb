# Random moments from a fixed seed, for tests that stop commands. Sourced.

milliseconds() { echo $(($(date +%s%N) / 1000000)); }

# draw N: the next whole number below N in $drawn.
drawn=0
state=20
draw() {
  state=$(((state * 1103515245 + 12345) % 2147483648))
  drawn=$((state / 65536 % $1))
}

# sleep_ms N: that many milliseconds.
sleep_ms() { sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))"; }
