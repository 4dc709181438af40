#!/usr/bin/env python3
"""The schema of a folder of unktx's tables for another engine, from the folder's datapackage.json alone:

    manifest.py postgresql FOLDER | psql DATABASE       tables, \\copy of each file, keys
    manifest.py clickhouse FOLDER | sh                  tables and clickhouse-client inserts
    manifest.py bigquery FOLDER DATASET | sh            bq load with schemas
    manifest.py spark FOLDER TABLE                      the DDL that spark.read.schema() takes

As a module: tables(FOLDER), and pandas_types, polars_types and spark_schema of a table. Python's standard library is enough."""
import json
import shlex
import sys
from pathlib import Path

TYPES = {
    "postgresql": {"integer": "bigint", "number": "double precision", "string": "text", "boolean": "boolean"},
    "clickhouse": {"integer": "Int64", "number": "Float64", "string": "String", "boolean": "UInt8"},
    "bigquery": {"integer": "INT64", "number": "FLOAT64", "string": "STRING", "boolean": "BOOL"},
    "spark": {"integer": "BIGINT", "number": "DOUBLE", "string": "STRING", "boolean": "STRING"},
    "pandas": {"integer": "Int64", "number": "float64", "string": "string", "boolean": "boolean"},
}


def tables(folder):
    """The tables of the folder in the order of the manifest, by name: those that others refer to are among them."""
    package = json.loads((Path(folder) / "datapackage.json").read_text(encoding="utf-8"))
    return {resource["name"]: resource for resource in package["resources"] if "schema" in resource}


def fields(table):
    return table["schema"]["fields"]


def may_be_null(field):
    """An empty field is a missing value, two quotes are an empty text."""
    return not field.get("constraints", {}).get("required")


def pandas_types(table):
    """For pandas.read_csv(dtype=..., keep_default_na=False, na_values=[""]). It takes an empty script for a missing one."""
    return {field["name"]: TYPES["pandas"][field["type"]] for field in fields(table)}


def polars_types(table):
    """For polars.read_csv(schema=...); booleans are 1 and 0, so cast those columns to Boolean afterwards."""
    import polars
    types = {"integer": polars.Int64, "number": polars.Float64, "boolean": polars.Int8}
    return {field["name"]: types.get(field["type"], polars.String) for field in fields(table)}


def spark_schema(table):
    """For spark.read.schema(...).csv(header=True). Spark knows only true and false, so booleans stay 1 and 0."""
    return ", ".join(f"`{field['name']}` {TYPES['spark'][field['type']]}" for field in fields(table))


def quoted(names):
    return ", ".join(f'"{name}"' for name in names)


def postgresql(folder):
    """PostgreSQL reads an empty field as NULL and two quotes as an empty text, as they are meant."""
    print("\\set ON_ERROR_STOP 1\nBEGIN;")
    made = tables(folder)
    for name, table in made.items():
        columns = [f'  "{field["name"]}" {TYPES["postgresql"][field["type"]]}{"" if may_be_null(field) else " NOT NULL"}'
                   for field in fields(table)]
        print(f'CREATE TABLE "{name}" (\n' + ",\n".join(columns) + "\n);")
        path = str((Path(folder) / table["path"]).resolve()).replace("'", "''")
        print(f"\\copy \"{name}\" FROM '{path}' WITH (FORMAT csv, HEADER true)")
    for name, table in made.items():
        if "primaryKey" in table["schema"]:
            print(f'ALTER TABLE "{name}" ADD PRIMARY KEY ({quoted(table["schema"]["primaryKey"])});')
    for name, table in made.items():
        for key in table["schema"].get("foreignKeys", []):
            other = key["reference"]
            print(f'ALTER TABLE "{name}" ADD FOREIGN KEY ({quoted(key["fields"])}) '
                  f'REFERENCES "{other["resource"]}" ({quoted(other["fields"])});')
            print(f'CREATE INDEX ON "{name}" ({quoted(key["fields"])});')
        for field in fields(table):
            if field["name"] in ("txid", "from_txid", "to_txid", "spender_txid", "address", "key", "hash"):
                print(f'CREATE INDEX ON "{name}" ("{field["name"]}");')
            comment = field["description"].replace("'", "''")
            print(f"COMMENT ON COLUMN \"{name}\".\"{field['name']}\" IS '{comment}';")
    print("COMMIT;\nANALYZE;")


def clickhouse(folder):
    """An order is asked for: the primary key, else none."""
    for name, table in tables(folder).items():
        columns = ", ".join(
            f"`{field['name']}` " + (f"Nullable({TYPES['clickhouse'][field['type']]})" if may_be_null(field)
                                     else TYPES["clickhouse"][field["type"]]) for field in fields(table))
        order = ", ".join(f"`{column}`" for column in table["schema"].get("primaryKey", []))
        create = f"CREATE TABLE `{name}` ({columns}) ENGINE = MergeTree ORDER BY tuple({order})"
        print("clickhouse-client --query", shlex.quote(create))
        print("clickhouse-client --query", shlex.quote(f"INSERT INTO `{name}` FORMAT CSVWithNames"), "<",
              shlex.quote(str(Path(folder) / table["path"])))


def bigquery(folder, dataset):
    for name, table in tables(folder).items():
        schema = [{"name": field["name"], "type": TYPES["bigquery"][field["type"]],
                   "mode": "NULLABLE" if may_be_null(field) else "REQUIRED", "description": field["description"][:1024]}
                  for field in fields(table)]
        where = f"{name.replace('-', '_')}.schema.json"
        print(f"cat >{where} <<'END'\n{json.dumps(schema, indent=1)}\nEND")
        print(f"bq load --source_format=CSV --skip_leading_rows=1 --schema={where}",
              shlex.quote(f"{dataset}.{name.replace('-', '_')}"), shlex.quote(str(Path(folder) / table["path"])))


def main(engine, folder, *more):
    if engine == "spark":
        print(spark_schema(tables(folder)[more[0]]))
    else:
        {"postgresql": postgresql, "clickhouse": clickhouse, "bigquery": bigquery}[engine](folder, *more)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
