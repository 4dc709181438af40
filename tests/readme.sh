#!/bin/sh
# The README's transcript is real: runs each of its commands with the program UNKTX (default: build/unktx); every other line of
# it but [...] must be a line of what they print. Prints those that are not; exit status 1 if there is one.
set -u
cd "$(dirname "$0")/.."
root=$PWD
program=${UNKTX:-build/unktx}
case $program in /*) ;; *) program=$root/$program ;; esac
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
ln -s "$root/tests" "$place/tests"
mkdir "$place/bin"
ln -s "$program" "$place/bin/unktx"
# the first fenced block
sed -n '/^```$/,/^```$/p; /^## /q' README.md | grep -v '^```$' | grep -vxF '[...]' >"$place/transcript"
grep '^\$ ' "$place/transcript" | sed 's/^\$ //' >"$place/commands"
(cd "$place" && PATH=$place/bin:$PATH sh -e commands >printed 2>&1) || { cat "$place/printed"; exit 1; }
untrue=$(grep -v '^\$ ' "$place/transcript" | grep -vxFf "$place/printed")
[ -s "$place/commands" ] && [ -z "$untrue" ] && exit 0
printf 'README.md: not printed any more:\n%s\n' "$untrue"
exit 1
