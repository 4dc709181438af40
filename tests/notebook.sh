#!/bin/sh
# Whether the notebook is current: executed again with Debian's Jupyter it must say what the committed one says. Where that is
# missing, only whether cells and tables are those of its last execution. Says what it skips.
set -u
cd "$(dirname "$0")/.."
python=/usr/bin/python3 # which has Debian's packages
[ -x $python ] || python=$(command -v python3) || { echo "no python3: the notebook is not checked"; exit 0; }
"$python" -B notebooks-data/notebook.py check
