#!/bin/sh
# Runs one entry of `make check`: program:NAME, corpus:NOUN or script:NAME. Several run at the same time, so what one prints (also what
# it skips) is kept until it ends, and then printed in one piece. A failure is noted in BUILD/failed; the exit status is 0 all the same.
# Lines that say what was skipped are in BUILD/skipped too: each begins or ends with "skipped", or says what is not here.
# What takes longer than CHECK_SECONDS (half an hour; an emulated processor needs more) hangs: it is ended, and has failed.
# From the environment: BUILD, and what the entries take (UNKTX, CHAINGEN, CC, MAKE).
set -u
cd "$(dirname "$0")/.."
kind=${1%%:*} name=${1#*:}
printed=$(mktemp)
trap 'rm -f "$printed" "$printed.times"' EXIT
limited() { timeout --foreground -k 10 "${CHECK_SECONDS:-1800}" "$@"; }
run() {
    case $kind in
    program) limited "$BUILD/$name" ;;
    corpus) limited "$BUILD/tests/fuzz/replay_$name" "tests/fuzz/corpus/$name" >/dev/null ;;
    script) limited sh "tests/$name.sh" ;;
    *) echo "no such kind: $kind"; return 1 ;;
    esac
}
begin=$(date +%s)
run >"$printed" 2>&1
status=$?
seconds=$(($(date +%s) - begin))
[ $status != 124 ] || echo "ended after $seconds s: it hangs" >>"$printed"
times >"$printed.times"
{
    flock 9
    echo "== $name ($seconds s; $(tail -n 1 "$printed.times") of user and system time)"
    cat "$printed"
    grep -aE '^skipped: |: skipped$|^no [A-Za-z0-9]+: | is not here|does not run here' "$printed" | sed "s|^|$name: |" >>"$BUILD/skipped"
    [ $status = 0 ] || echo "$kind $name: exit status $status" >>"$BUILD/failed"
} 9>"$BUILD/check.lock"
