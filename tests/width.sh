#!/bin/sh
# Lines of at most 120 columns in C sources, but for texts that are as wide by themselves. Prints each breach; exit status 1
# if there is one.
set -u
cd "$(dirname "$0")/.."
awk 'length > 120 && !/^ *[.a-z= ]*"/ { print FILENAME ":" FNR ": over 120 columns"; wide = 1 } END { exit wide }' \
    */*.[ch] */*/*.[ch]
