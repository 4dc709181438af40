"""A folder of `unktx analyze` in polars: polars_tables.py FOLDER. Types are those of datapackage.json."""
import sys
from pathlib import Path

import polars

import manifest


def read(folder, name):
    """Two quotes stay an empty text, nothing at all is null. Booleans are 1 and 0 in the files."""
    table = manifest.tables(folder)[name]
    frame = polars.read_csv(Path(folder) / table["path"], schema=manifest.polars_types(table), missing_utf8_is_empty_string=False)
    booleans = [field["name"] for field in manifest.fields(table) if field["type"] == "boolean"]
    return frame.with_columns(polars.col(booleans).cast(polars.Boolean)) if booleans else frame


def main(folder):
    tdags, classes, arcs = (read(folder, name) for name in ("tdags", "classes", "arcs"))
    print(classes.sort(["tdags", "class_id"], descending=[True, False]).head(10).select("tdags", "height", "nodes", "edges", "roots"))
    moved = arcs.group_by("dag_id").agg(polars.col("value_sat").sum())
    agree = tdags.join(moved, on="dag_id").select((polars.col("value_sat") == polars.col("moved_value_sat")).all()).item()
    print("T-DAGs", len(tdags), "arcs", len(arcs), "values agree", agree)


if __name__ == "__main__":
    main(sys.argv[1])
