#!/bin/sh
# Whether the notebook is current: executed again with Debian's Jupyter it must say what the committed one says. Where that is
# missing, only whether cells and tables are those of its last execution. Says what it skips.
set -u
cd "$(dirname "$0")/.."
python=$(sh tests/python.sh) || { echo "no python3: the notebook is not checked"; exit 0; }
"$python" -B notebooks-data/notebook.py check
