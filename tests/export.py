"""export.py UNKTX PLACE DATADIR...: `unktx export` of each data directory, with an index and without, under each rule set:
the tables of the database equal the CSV tables cell for cell, by the types that datapackage.json tells of; its keys are those of
the schemas, and no row breaks one. Graphs of `edges` have the nodes, edges and components of tdags.csv, as networkx and igraph read
them too. Files of `neo4j` keep to the grammar of the bulk import's headers, and each relationship has both ends. Exit status 1 if
something differs."""
import collections
import csv
import importlib.util
import json
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

RULES = ["core-0.18", "core-0.19", "core-22"]
UNKTX, PLACE, DATADIRS = sys.argv[1], Path(sys.argv[2]), [Path(path) for path in sys.argv[3:]]
csv.field_size_limit(1 << 30)


def run(*words, status=(0,)):
    done = subprocess.run([UNKTX, *map(str, words)], capture_output=True, text=True)
    assert done.returncode in status, (words, done.returncode, done.stderr)
    return done


# ---- tables ----

def read_csv(path):
    """Rows of cells; a cell is None where nothing is written between the commas, "" where two quotes are."""
    text, at, rows, row = path.read_bytes().decode("utf-8"), 0, [], []
    if '"' not in text:  # most files, and most of the time that is spent here
        assert not text or text[-1] == "\n", path
        return [[cell or None for cell in line.split(",")] for line in text.split("\n")[:-1]]
    quoted, plain = re.compile('"((?:[^"]|"")*)"'), re.compile('[^",\n]*')
    while at < len(text):
        cell = (quoted if text[at] == '"' else plain).match(text, at)
        row.append(cell.group(1).replace('""', '"') if text[at] == '"' else cell.group(0) or None)
        at = cell.end()
        if text[at] == "\n":
            rows.append(row)
            row = []
        at += 1
    return rows


def value_of(cell, field):
    if cell is None or field["type"] == "string":
        return "" if cell is None and field.get("constraints") else cell
    return {"integer": int, "boolean": int, "number": float}[field["type"]](cell)


SCHEMAS = {table["name"]: table for table in json.loads(run("columns", "json").stdout)["tables"]}


def names_of(fields):
    return [field["name"] for field in fields]


def write_tables(store, folder, options):
    """What each command writes, with its schema: {name in the database: (fields, primary key, foreign keys, rows)}."""
    run("dags", "--store", store, *options, "-o", folder / "dags", status=(0, 3))
    tables = {}
    for resource in json.loads((folder / "dags" / "datapackage.json").read_text())["resources"]:
        if "schema" in resource:
            tables[resource["name"]] = folder / "dags" / resource["path"], resource["schema"]
    rules = options[options.index("--rules"):][:2]
    as_of = ["--to-height", options[options.index("--to-height") + 1]] if "--to-height" in options else []
    labels = options[options.index("--labels"):][:2] if "--labels" in options else []
    for name, words in {"outputs": ["outputs", *rules, *labels], "templates": ["templates", *rules], "stats": ["stats"],
                        "stats-by-day": ["stats", "--by", "day"], "protocols": ["stats", "--protocols"]}.items():
        path = folder / f"{name}.csv"
        run(*words, "--store", store, *as_of, "-o", path)
        tables[name] = path, SCHEMAS[name]["schema"]
    made = {}
    for name, (path, schema) in tables.items():
        header, *rows = read_csv(path)
        described = {field["name"]: field for field in schema["fields"]}
        fields = [described.get(column) or {"name": column, "type": "integer"} for column in header]  # KIND, RULES
        made[name.replace("-", "_")] = fields, schema, [tuple(map(value_of, row, fields)) for row in rows]
    return made


# ---- the database ----

SQL_TYPES = {"integer": "INTEGER", "number": "REAL", "string": "TEXT", "boolean": "BOOLEAN"}


def check_table(base, name, fields, schema, rows):
    shown = base.execute(f'SELECT * FROM "{name}" ORDER BY rowid').fetchall()
    assert len(shown) == len(rows), (name, len(shown), len(rows))
    for a, b in zip(shown, rows):
        assert a == b and list(map(type, a)) == list(map(type, b)), (name, a, b)
    columns = base.execute(f"PRAGMA table_info('{name}')").fetchall()
    assert [column[1] for column in columns] == names_of(fields), name
    for (_, column, kind, not_null, _, _), field in zip(columns, fields):
        assert kind == SQL_TYPES[field["type"]], (name, column, kind)
        assert "constraints" not in field or not_null == field["constraints"]["required"], (name, column)
    key = [column[1] for column in sorted(columns, key=lambda column: column[5]) if column[5]]
    assert key == schema.get("primaryKey", []), (name, key)
    foreign = collections.defaultdict(list)
    for number, _, other, mine, theirs, *_ in base.execute(f"PRAGMA foreign_key_list('{name}')"):
        foreign[number].append((other, mine, theirs))
    asked = [[(key["reference"]["resource"], *pair) for pair in zip(key["fields"], key["reference"]["fields"])]
             for key in schema.get("foreignKeys", [])]
    assert sorted(foreign.values()) == sorted(asked), (name, foreign, asked)
    told = base.execute("SELECT column_name, type, unit, meaning FROM unktx_columns WHERE table_name = ? ORDER BY rowid", (name,)).fetchall()
    assert [row[:2] for row in told] == [(field["name"], field["type"]) for field in fields], name
    for row, field in zip(told, fields):
        assert "description" not in field or row[2:] == (field.get("unit"), field["description"]), (name, row)


def check_database(path, tables, rules):
    base = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    assert base.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert base.execute("PRAGMA foreign_key_check").fetchall() == []
    names = {name for name, in base.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    assert names == {*tables, "unktx_columns", "unktx_provenance"}, names ^ {*tables}
    for name, table in tables.items():
        check_table(base, name, *table)
    told = dict(base.execute("SELECT * FROM unktx_provenance"))
    assert told["rules"] == rules and told["network"] == "regtest", told
    check_views(base, tables)
    base.close()


def check_views(base, tables):
    """Against the rows of the tables, put together by hand."""
    def rows_of(name):
        fields, _, rows = tables[name]
        return [dict(zip(names_of(fields), row)) for row in rows]
    base.row_factory = sqlite3.Row
    tdags, classes, txs = rows_of("tdags"), {row["class_id"]: row for row in rows_of("classes")}, rows_of("txs")
    shown = base.execute("SELECT * FROM v_tdag ORDER BY dag_id").fetchall()
    assert [row["dag_id"] for row in shown] == [row["dag_id"] for row in tdags]
    for row, tdag in zip(shown, tdags):
        assert row["class_tdags"] == classes[tdag["class_id"]]["tdags"], tdag
        assert row["span_blocks"] == tdag["last_height"] - tdag["first_height"]
        assert abs(row["moved_value_btc"] * 1e8 - tdag["moved_value_sat"]) < 1 and row["first_date"][:2] == "20"
    shown = base.execute("SELECT * FROM v_tx ORDER BY height, tx_index").fetchall()
    family = {row["dag_id"]: row["family"] for row in tdags}
    assert [(row["txid"], row["family"]) for row in shown] == [(row["txid"], family[row["dag_id"]]) for row in txs]
    table3 = [tuple(row) for row in base.execute("SELECT part, tdags, height, nodes, edges, roots, class_id FROM v_table3")]
    pick = ["tdags", "height", "nodes", "edges", "roots", "class_id"]
    common = sorted(classes.values(), key=lambda row: (-row["tdags"], row["class_id"]))[:10]
    high = sorted(classes.values(), key=lambda row: (-row["height"], -row["nodes"], row["class_id"]))[:5]
    assert table3 == [("common", *map(row.get, pick)) for row in common] + [("highest", *map(row.get, pick)) for row in high]
    assert len(base.execute("SELECT * FROM v_measures").fetchall()) == len(tdags)


# ---- edges ----

def read_dicts(path):
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    assert all(len(row) == len(header) for row in rows), path
    return [dict(zip(header, row)) for row in rows]


def components(nodes, edges):
    root = {node["id"]: node["id"] for node in nodes}

    def find(a):
        while root[a] != a:
            root[a] = root[root[a]]
            a = root[a]
        return a
    for edge in edges:
        root[find(edge["source"])] = find(edge["target"])
    return len({find(node["id"]) for node in nodes})


def others_count(folder):
    """(nodes, edges, components) as networkx and igraph see them, as far as they are installed."""
    counts = {}
    if importlib.util.find_spec("networkx"):
        import networkx
        graph = networkx.MultiDiGraph()
        graph.add_nodes_from(int(row["id"]) for row in read_dicts(folder / "nodes.csv"))
        lines = (line.split(",")[0] + " " + line.split(",")[1] for line in (folder / "edges.csv").read_text().splitlines()[1:])
        graph = networkx.parse_edgelist(lines, nodetype=int, create_using=graph)
        counts["networkx"] = len(graph), graph.size(), networkx.number_weakly_connected_components(graph)
    if importlib.util.find_spec("igraph"):
        import igraph
        nodes = read_dicts(folder / "nodes.csv")
        pairs = [(int(row["source"]), int(row["target"])) for row in read_dicts(folder / "edges.csv")]
        graph = igraph.Graph(len(nodes), pairs, directed=True)
        counts["igraph"] = graph.vcount(), graph.ecount(), len(graph.connected_components(mode="weak"))
    return counts


def check_edges(folder, tables, of_txs, compressed):
    package = json.loads((folder / "datapackage.json").read_text())
    assert [resource["name"] for resource in package["resources"]] == ["nodes", "edges"]
    nodes, edges = read_dicts(folder / "nodes.csv"), read_dicts(folder / "edges.csv")
    assert [int(node["id"]) for node in nodes] == list(range(len(nodes)))
    for resource, rows in zip(package["resources"], (nodes, edges)):
        assert resource["rows"] == len(rows)
        assert not rows or list(rows[0]) == names_of(resource["schema"]["fields"])
    by_id = {node["id"]: node for node in nodes}
    for edge in edges:
        a, b = by_id[edge["source"]], by_id[edge["target"]]
        assert a["dag_id"] == b["dag_id"] == edge["dag_id"]
        assert (int(a["height"]), int(a["tx_index"])) <= (int(b["height"]), int(b["tx_index"]))
    fields, _, rows = tables["tdags"]
    tdags = [dict(zip(names_of(fields), row)) for row in rows]
    assert components(nodes, edges) == len(tdags)
    node_counts = collections.Counter(int(node["dag_id"]) for node in nodes)
    edge_counts = collections.Counter(int(edge["dag_id"]) for edge in edges)
    root_counts = collections.Counter(int(node["dag_id"]) for node in nodes if node["type"] == "root")
    for tdag in tdags:
        if of_txs:
            assert node_counts[tdag["dag_id"]] == tdag["txs"], tdag
        if compressed:  # what compression leaves is counted there, and the whole graph is written
            continue
        if of_txs:
            assert edge_counts[tdag["dag_id"]] == tdag["spent_unknown"], tdag
        else:
            assert node_counts[tdag["dag_id"]] == tdag["nodes"], tdag
            assert edge_counts[tdag["dag_id"]] == tdag["edges"], tdag
            assert root_counts[tdag["dag_id"]] == tdag["roots"], tdag
    for reader, counts in others_count(folder).items():
        assert counts == (len(nodes), len(edges), len(tdags)), (reader, counts)


# ---- neo4j ----

# The header of neo4j-admin database import, as its manual describes it: NAME:TYPE, with :ID, :LABEL, :START_ID, :END_ID, :TYPE and
# :IGNORE as types of their own; ids may have a space in brackets; types may be lists.
FIELD = re.compile(r"(?P<name>[A-Za-z_][A-Za-z_0-9]*)?:(?:(?P<id>ID|START_ID|END_ID)(?:\((?P<space>[A-Za-z-]+)\))?"
                   r"|(?P<word>LABEL|TYPE|IGNORE)"
                   r"|(?P<type>int|long|float|double|boolean|byte|short|char|string|point|date|localtime|time|localdatetime"
                   r"|datetime|duration)(?P<list>\[\])?)")
VALUES = {"long": re.compile("-?[0-9]{1,19}"), "double": re.compile(r"-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?"),
          "boolean": re.compile("true|false"), "string": re.compile("(?s).*")}


def parse_header(words):
    fields = []
    for word in words:
        match = FIELD.fullmatch(word)
        assert match, word
        assert match["id"] or match["word"] or match["name"], word
        fields.append(match)
    names = [field["name"] for field in fields if field["name"]]
    assert len(set(names)) == len(names), words
    return fields


def check_neo4j(folder, tables):
    ids, files, named = {}, {}, {}
    package = json.loads((folder / "datapackage.json").read_text())
    listed = {resource["path"] for resource in package["resources"]}
    assert listed | {"datapackage.json"} == {path.name for path in folder.iterdir()}
    for path in sorted(folder.glob("*.csv")):  # nodes come before relationships
        words, *rows = read_csv(path)
        fields = parse_header(words)
        kinds = [field["id"] or field["word"] for field in fields if field["id"] or field["word"]]
        is_node = path.name.startswith("nodes-")
        assert kinds == (["ID", "LABEL"] if is_node else ["START_ID", "END_ID", "TYPE"]), (path.name, kinds)
        assert {len(row) for row in rows} <= {len(fields)}, path.name
        for field, cells in zip(fields, map(set, zip(*rows))):  # each value once: most columns have few
            if field["type"]:
                wrong = [cell for cell in cells if cell is not None and not VALUES[field["type"]].fullmatch(cell)]
            else:
                wrong = [cell for cell in cells if not cell]
            assert not wrong, (path.name, field.group(0), wrong[:5])
        if is_node:
            space = fields[0]["space"]
            ids[space] = {row[0] for row in rows}
            named[space] = {row[-1] for row in rows}
            assert len(ids[space]) == len(rows), path.name
            assert named[space] <= {space}, named
        else:
            start, end = fields[0]["space"], fields[1]["space"]
            for place, space in enumerate((start, end)):
                ends = {row[place] for row in rows}
                assert ends <= ids[space], (path.name, ends - ids[space])
            assert {row[-1] for row in rows} <= {"SPENDS", "CREATES", "IN", "SHARES", "PAYS"}
        files[path.stem] = [words, rows]
    check_relationships(files, tables)


def check_relationships(files, tables):
    def count(name):
        return len(files[name][1])

    def column(table, name, where=lambda value: value is not None):
        fields, _, rows = tables.get(table, ([], None, []))
        place = names_of(fields).index(name) if fields else None
        return [row[place] for row in rows if where(row[place])]
    assert count("nodes-tdags") == len(tables["tdags"][2]) == count("relationships-tdag-in-class")
    assert count("nodes-classes") == len(tables["classes"][2])
    assert count("relationships-tx-in-tdag") == len(tables["txs"][2])
    assert count("nodes-keys") == len(set(column("keys", "key")))
    assert count("relationships-output-shares-key") == len(column("keys", "key"))
    assert count("relationships-output-shares-output") == len(column("ties", "kind"))
    assert count("relationships-tdag-shares-tdag") == sum(
        a is not None and b is not None for a, b in zip(column("ties", "dag_id", lambda _: True), column("ties", "tied_dag_id", lambda _: True)))
    assert count("relationships-address-pays-tdag") == len(column("payers", "address"))
    assert count("relationships-tdag-pays-address") == len(column("payees", "address"))
    assert count("nodes-addresses") == len({*column("payers", "address"), *column("payees", "address")})
    # each output with a spender is spent once: unknown ones, known ones of T-DAGs, and those that were paid in
    txid, vout = (files["nodes-outputs"][0].index(word) for word in ("txid:string", "vout:long"))
    outpoint = {row[0]: (row[txid], int(row[vout])) for row in files["nodes-outputs"][1]}
    spent = {outpoint[row[1]] for row in files["relationships-spends"][1]}
    expected = {pair for pair, spender in zip(zip(column("outputs", "txid"), column("outputs", "vout")), column("outputs", "spender_txid", lambda _: True)) if spender}
    if "payers" in tables:
        expected |= set(zip(column("payers", "from_txid"), column("payers", "from_vout")))
        expected |= {pair for pair, spender in zip(zip(column("payees", "txid"), column("payees", "vout")), column("payees", "spender_txid", lambda _: True)) if spender}
    assert spent == expected, len(spent ^ expected)
    # of a txid that is there twice both outputs can be spent, in different blocks
    spends = {(*place, height) for *place, height in zip(column("outputs", "txid"), column("outputs", "vout"),
                                                         column("outputs", "spender_height", lambda _: True)) if height is not None}
    if "payers" in tables:
        spends |= set(zip(column("payers", "from_txid"), column("payers", "from_vout"), column("payers", "height")))
        spends |= {(*place, height) for *place, height in zip(column("payees", "txid"), column("payees", "vout"),
                                                             column("payees", "spender_height", lambda _: True)) if height is not None}
    assert count("relationships-spends") == len(spends)
    created = {row[1] for row in files["relationships-creates"][1]}
    height = files["nodes-outputs"][0].index("height:long")
    assert created == {row[0] for row in files["nodes-outputs"][1] if row[height] is not None}
    # what is empty, as the man page says it: values of transactions outside of T-DAGs, and where an output was made that is of none
    header, rows = files["nodes-transactions"]
    at = {word.split(":")[0]: place for place, word in enumerate(header)}
    creates = {(str(place), name) for place, name in zip(column("outputs", "height"), column("outputs", "txid"))}
    for row in rows:
        outside = row[at["dag_id"]] is None
        assert all((row[at[name]] is None) == outside for name in ("value_out_sat", "is_root", "depth")), row
        only_spends = outside and (row[at["height"]], row[at["txid"]]) not in creates
        assert all((row[at[name]] is None) == only_spends for name in ("tx_index", "time")), row
    held = {pair for table in ("outputs", "leaves") for pair in zip(column(table, "txid"), column(table, "vout"))}
    for row in files["nodes-outputs"][1]:
        assert (row[height] is None) == ((row[txid], int(row[vout])) not in held), row


def check_neo4j_labels(folder, tables, path):
    entries = read_csv(path)[1:]
    def columns(table, *names):
        fields, _, rows = tables.get(table, ([], None, []))
        return [tuple(row[names_of(fields).index(name)] for name in names) for row in rows]
    ends = columns("payers", "dag_id", "address") + columns("payees", "dag_id", "address")
    of_address = {(address, label) for address, label in entries if address in {end[1] for end in ends}}
    of_tdag = {(str(dag_id), label) for dag_id, address in ends for of, label in entries if of == address}
    of_tdag |= {(str(dag_id), label) for dag_id, txid in columns("txs", "dag_id", "txid")
                for of, label in entries if re.fullmatch("[0-9a-f]{16,64}", of) and txid.startswith(of)}
    for name, expected in (("address-in-label", of_address), ("tdag-in-label", of_tdag)):
        assert {tuple(row[:2]) for row in read_csv(folder / f"relationships-{name}.csv")[1:]} == expected, name
    assert len(of_address) > 40 and len(of_tdag) > len(of_address)


# ---- all ----

def check_exports(store, place, options):
    tables = write_tables(store, place, options)
    base = place / "tables.sqlite"
    for threads in (1, 4):
        run("export", "sqlite", "--store", store, "--threads", threads, *options, "-o", base, status=(0, 3))
        content = base.read_bytes()
        assert threads == 1 or content == before, "not the same bytes"
        before = content
    check_database(base, tables, options[options.index("--rules") + 1])
    for nodes in ("outputs", "txs"):
        folder = place / f"edges-{nodes}"
        run("export", "edges", "--nodes", nodes, "--store", store, *options, "-o", folder, status=(0, 3))
        check_edges(folder, tables, nodes == "txs", "--compress" in options)
    run("export", "neo4j", "--store", store, *options, "-o", place / "neo4j", status=(0, 3))
    check_neo4j(place / "neo4j", tables)
    if "--labels" in options:
        check_neo4j_labels(place / "neo4j", tables, options[options.index("--labels") + 1])
    left = {path.name for path in place.iterdir() if path.name.startswith(".unktx")}
    assert not left, left


def label_some(store, place):
    """A file of labels for addresses that are paid, a name of a T-DAG and a txid: more than a field shows, with commas and quotes."""
    run("flows", "--store", store, "-o", place / "flows")
    header, *rows = read_csv(place / "flows" / "payees.csv")
    addresses = sorted({row[header.index("address")] for row in rows} - {None})[:9]
    lines = [f'{address},"shop ""{i % 3}"", no. {i % 2}"' for i, address in enumerate(addresses)]
    lines += [f"{address},exchange" for address in addresses[:4]] + [f"{addresses[0]},many {i}" for i in range(40)]
    lines += [f"{rows[0][header.index('dag')]},this; and that", f"{rows[-1][header.index('txid')]},by txid"]
    path = place / "labels.csv"
    path.write_text("address,label\n" + "\n".join(lines) + "\n")
    return path


def main():
    for number, datadir in enumerate(DATADIRS):
        place = PLACE / datadir.name
        store = place / "store"
        place.mkdir()
        run("scan", "--quiet", "--datadir", datadir, "--store", store, status=(0, 3))
        for indexed in (False, True):
            if indexed:
                run("index", "--quiet", "--datadir", datadir, "--store", store, status=(0, 3))
            for rules in RULES if number == 0 else RULES[2:]:
                options = ["--rules", rules]
                check = place / f"{rules}-{indexed}"
                check.mkdir()
                check_exports(store, check, options)
        for case, more in enumerate((["--compress"], ["--no-unlocks", "--to-height", "150"], ["--labels", None])):
            check = place / f"more-{case}"
            check.mkdir()
            more = [word or label_some(store, check) for word in more]
            check_exports(store, check, ["--rules", "core-22", *more])
    for name in ("networkx", "igraph"):
        if not importlib.util.find_spec(name):
            print(f"python3-{name} is not here: edges are not read by it")


main()
