"""A folder of `unktx analyze` in pandas: pandas_tables.py FOLDER. Types are those of datapackage.json."""
import sys
from pathlib import Path

import pandas

import manifest


def read(folder, name):
    """Nullable types, since satoshis and heights that may be missing must not become floats. An empty script reads as missing: pandas
    does not tell two quotes from nothing."""
    table = manifest.tables(folder)[name]
    return pandas.read_csv(Path(folder) / table["path"], dtype=manifest.pandas_types(table), keep_default_na=False, na_values=[""])


def main(folder):
    tdags, classes, arcs = (read(folder, name) for name in ("tdags", "classes", "arcs"))
    print(classes.sort_values(["tdags", "class_id"], ascending=[False, True]).head(10)[["tdags", "height", "nodes", "edges", "roots"]]
          .to_string(index=False))
    moved = arcs.groupby("dag_id")["value_sat"].sum()
    joined = tdags.set_index("dag_id")["moved_value_sat"]
    print("T-DAGs", len(tdags), "arcs", len(arcs), "values agree", bool((moved.reindex(joined.index) == joined).all()))


if __name__ == "__main__":
    main(sys.argv[1])
