#!/bin/sh
# Prints the path of a python3 that has the whole standard library, which Debian's python3-minimal has not; 1 where there is none.
# Debian's own first: it has the packages of Debian.
for python in /usr/bin/python3 "$(command -v python3)"; do
    if [ -x "$python" ] && "$python" -c 'import csv, json, sqlite3' 2>/dev/null; then
        echo "$python"
        exit 0
    fi
done
exit 1
