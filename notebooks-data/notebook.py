"""Executes unknown-transactions.ipynb, or says whether what is committed is current.

    /usr/bin/python3 notebooks-data/notebook.py         execute it, write it back
    /usr/bin/python3 notebooks-data/notebook.py check   execute it, compare; without Jupyter compare the digest of its sources

Needs Debian's python3-nbclient, python3-ipykernel, python3-pandas and python3-matplotlib. What it writes depends on nothing but
these and the tables: no times, no counters of the session. The check compares what is printed and said of the pictures, since
their bytes change from one matplotlib to the next; where it could compare the digest only, it says so.
"""
import hashlib
import json
import os
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
NOTEBOOK = FOLDER / "unknown-transactions.ipynb"


def read():
    return json.loads(NOTEBOOK.read_text(encoding="utf-8"))


def digest(notebook):
    """Of what the output follows from: the cells' sources and the tables."""
    sha = hashlib.sha256()
    for cell in notebook["cells"]:
        sha.update("".join(cell["source"]).encode() + b"\0")
    for path in sorted([*FOLDER.rglob("*.csv"), *FOLDER.rglob("*.json")]):
        sha.update(path.relative_to(FOLDER).as_posix().encode() + b"\0" + path.read_bytes())
    return sha.hexdigest()


def joined(outputs):
    """What is printed in one go may come in any number of pieces."""
    done = []
    for output in outputs:
        if done and output.output_type == "stream" == done[-1].output_type and output.name == done[-1].name:
            done[-1].text += output.text
        else:
            done.append(output)
    return done


def execute(notebook):
    """A copy with the output of every cell, without what changes from run to run."""
    import nbclient
    import nbformat

    with tempfile.TemporaryDirectory() as settings:
        for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR"):
            os.environ[name] = settings
        os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # a word of ipykernel's debugger less
        copy = nbformat.reads(json.dumps(notebook), as_version=4)
        resources = {"metadata": {"path": str(FOLDER)}}
        nbclient.NotebookClient(copy, timeout=600, kernel_name="python3", record_timing=False, resources=resources).execute()
    copy.metadata = {"kernelspec": notebook["metadata"]["kernelspec"], "language_info": {"name": "python"},
                     "unktx": {"digest": digest(notebook)}}
    for cell in copy.cells:
        cell.metadata = {}
        if cell.cell_type == "code":
            cell.outputs = joined(cell.outputs)
    return json.loads(nbformat.writes(copy, version=4))


def said(notebook):
    """The text of each cell's output."""
    texts = []
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            text = output.get("text") or output.get("data", {}).get("text/plain") or output.get("traceback", "")
            texts.append((cell["id"], "".join(text)))
    return texts


def check():
    committed = read()
    if committed["metadata"].get("unktx", {}).get("digest") != digest(committed):
        sys.exit("notebook: its cells or tables have changed since it was executed: make notebook")
    try:
        import ipykernel, matplotlib, nbclient, pandas  # noqa: E401, F401
    except ImportError as missing:
        print(f"notebook: {missing.name} is not here: not executed; its cells and tables are those of its last run")
        return
    now, then = said(execute(committed)), said(committed)
    for new, old in zip(now, then):
        if new != old:
            sys.exit(f"notebook: cell {new[0]} now says\n{new[1]}\nand the committed one\n{old[1]}\nmake notebook")
    if len(now) != len(then):
        sys.exit("notebook: not as many outputs as committed: make notebook")


if sys.argv[1:] == ["check"]:
    check()
else:
    done = execute(read())
    NOTEBOOK.write_text(json.dumps(done, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
