#!/bin/sh
# The README's transcript is real: runs each of its commands with the program UNKTX (default: build/unktx); every other line of
# it but [...] must be a line of what they print. The README has at most 120 lines. Prints what is wrong; exit status 1 then.
set -u
cd "$(dirname "$0")/.."
root=$PWD
program=${UNKTX:-build/unktx}
case $program in /*) ;; *) program=$root/$program ;; esac
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
lines=$(wc -l <README.md)
[ "$lines" -le 120 ] || { echo "README.md: $lines lines, at most 120"; exit 1; }
ln -s "$root/tests" "$place/tests"
mkdir "$place/bin"
ln -s "$program" "$place/bin/unktx"
# the fenced block whose first line is a command after a prompt
awk '/^```/ { inside = !inside; first = inside; next } inside && first { real = /^\$ /; first = 0 } inside && real' README.md |
    grep -vxF '[...]' >"$place/transcript"
grep '^\$ ' "$place/transcript" | sed 's/^\$ //' >"$place/commands"
(cd "$place" && PATH=$place/bin:$PATH sh -e commands >printed 2>&1) || { cat "$place/printed"; exit 1; }
untrue=$(grep -v '^\$ ' "$place/transcript" | grep -vxFf "$place/printed")
[ -s "$place/commands" ] && [ -z "$untrue" ] && exit 0
printf 'README.md: not printed any more:\n%s\n' "$untrue"
exit 1
