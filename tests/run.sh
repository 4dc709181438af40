#!/bin/sh
# Runs one entry of `make check`: program:NAME, corpus:NOUN or script:NAME. Several run at the same time, so what one prints (also what
# it skips) is kept until it ends, and then printed in one piece. A failure is noted in BUILD/failed; the exit status is 0 all the same.
# Lines that say what was skipped are in BUILD/skipped too: each begins or ends with "skipped", or says what is not here.
# From the environment: BUILD, and what the entries take (UNKTX, CHAINGEN, CC, MAKE).
set -u
cd "$(dirname "$0")/.."
kind=${1%%:*} name=${1#*:}
printed=$(mktemp)
trap 'rm -f "$printed" "$printed.times"' EXIT
run() {
    case $kind in
    program) "$BUILD/$name" ;;
    corpus) "$BUILD/tests/fuzz/replay_$name" "tests/fuzz/corpus/$name" >/dev/null ;;
    script) sh "tests/$name.sh" ;;
    *) echo "no such kind: $kind"; return 1 ;;
    esac
}
run >"$printed" 2>&1
status=$?
times >"$printed.times"
{
    flock 9
    echo "== $name ($(tail -n 1 "$printed.times") of user and system time)"
    cat "$printed"
    grep -aE '^skipped: |: skipped$|^no [A-Za-z0-9]+: | is not here|does not run here' "$printed" | sed "s|^|$name: |" >>"$BUILD/skipped"
    [ $status = 0 ] || echo "$kind $name: exit status $status" >>"$BUILD/failed"
} 9>"$BUILD/check.lock"
