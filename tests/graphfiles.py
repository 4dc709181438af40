"""graphfiles.py TOOL UNKTX STORE TABLES: the T-DAGs of a store as GraphML, GEXF and DOT, read by TOOL (igraph, networkx, gexf, which
is networkx too, or pydot, which reads the DOT for networkx), against TABLES/txs.csv and TABLES/arcs.csv; of GraphML class and family
too, and with --ends what is in TABLES/payers.csv and TABLES/payees.csv. Exit status 77 where the tool is not here."""
import csv
import importlib
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

NODE = ["txid", "height", "tx_index", "is_root", "value_out_sat"]
EDGE = ["from_txid", "vout", "to_txid", "vin", "value_sat", "kind"]


def plain(value):
    """As the tables write it: igraph makes doubles of numbers, pydot leaves quotes, booleans are 0 or 1 there."""
    if isinstance(value, (bool, float)):
        value = int(value)
    return str(value).strip('"')


def by_igraph(path):
    import igraph
    graph = igraph.Graph.Read_GraphML(str(path))
    assert graph.is_directed()
    nodes = [[vertex[name] for name in NODE] for vertex in graph.vs]
    edges = [[graph.vs[edge.source]["txid"], edge["vout"], graph.vs[edge.target]["txid"], edge["vin"], edge["value_sat"],
              edge["kind"]] for edge in graph.es]
    assert all(vertex["label"] == vertex["txid"][:8] for vertex in graph.vs)
    assert all(vertex["time"] == int(vertex["time"]) for vertex in graph.vs)
    return nodes, edges


def ends_by_igraph(path):
    import igraph
    graph = igraph.Graph.Read_GraphML(str(path))
    names = graph.vs["id"]
    return {vertex["id"]: vertex.attributes() for vertex in graph.vs}, [
        (names[edge.source], names[edge.target], edge.attributes()) for edge in graph.es], {name: graph[name] for name in ("class_id", "family")}


def ends_by_networkx(path):
    import networkx
    graph = networkx.read_graphml(path)
    return dict(graph.nodes(data=True)), list(graph.edges(data=True)), graph.graph


def check_ends(read, path, dag_id, tables):
    """Each payer and payee once: as an output with what the tables say of it, and an edge the right way."""
    nodes, edges, told = read(path)
    tdag = next(row for row in tables["tdags"] if row["dag_id"] == dag_id)
    assert (told["class_id"], told["family"]) == (tdag["class_id"], tdag["family"]), told
    times = {row["txid"]: row["time"] for row in tables["txs"] if row["dag_id"] == dag_id}
    expected_edges, expected_nodes = [], {}
    for table, output, tx in (("payers", ("from_txid", "from_vout"), "in"), ("payees", ("txid", "vout"), "out")):
        for row in tables[table]:
            if row["dag_id"] == dag_id:
                name = row[output[0]] + ":" + row[output[1]]
                expected_nodes[name] = [row["value_sat"], row["kind"], row["address"]]
                ends = (name, row["txid"]) if tx == "in" else (row["txid"], name)
                expected_edges.append([*ends, tx, row["value_sat"], row.get("vin", "")])
    for txid, time in times.items():
        assert plain(nodes[txid]["time"]) == time, txid
    shown = {name: [plain(data["value_sat"]), data["kind"], data.get("address") or ""] for name, data in nodes.items() if ":" in name}
    assert shown == expected_nodes, dag_id
    shown = [[a, b, data["pays"], plain(data["value_sat"]), plain(data["vin"]) if data["pays"] == "in" else ""]
             for a, b, data in edges if data.get("pays")]
    assert sorted(shown) == sorted(expected_edges), dag_id
    return len(expected_nodes)


def of_networkx(graph):
    assert graph.is_directed()
    nodes = [[data[name] for name in NODE] for _, data in graph.nodes(data=True)]
    edges = [[graph.nodes[source]["txid"].strip('"'), data["vout"], graph.nodes[target]["txid"].strip('"'), data["vin"],
              data["value_sat"], data["kind"]] for source, target, data in graph.edges(data=True)]
    return nodes, edges


def by_networkx(path):
    import networkx
    return of_networkx(networkx.read_graphml(path))


def by_gexf(path):
    """networkx 2 knows GEXF up to 1.2draft, which differs in what is used here by its namespaces alone."""
    import networkx
    try:
        graph = networkx.read_gexf(path, version="1.3")
    except networkx.NetworkXError:
        text = path.read_text(encoding="ascii").replace("http://gexf.net/1.3", "http://www.gexf.net/1.2draft")
        path.write_text(text.replace('version="1.3"', 'version="1.2"'), encoding="ascii")
        graph = networkx.read_gexf(path, version="1.2draft")
    places = {(data["viz"]["position"]["x"], data["viz"]["position"]["y"]) for _, data in graph.nodes(data=True)}
    assert len(places) == len(graph), "two nodes in one place"
    assert all(data["viz"]["size"] > 0 for _, data in graph.nodes(data=True))
    for source, target, data in graph.edges(data=True):  # downwards, and spent when the spender is there
        assert graph.nodes[source]["viz"]["position"]["y"] > graph.nodes[target]["viz"]["position"]["y"]
        assert data["start"] == graph.nodes[target]["start"]
    nodes, edges = of_networkx(graph)
    times = {data["txid"]: int(data["start"]) for _, data in graph.nodes(data=True)}
    return [node + [times[node[0]]] for node in nodes], edges


def by_pydot(path):
    import networkx
    import pydot
    graph = networkx.nx_pydot.from_pydot(pydot.graph_from_dot_file(str(path))[0])
    graph.remove_nodes_from([node for node in graph if "\\n" in node])  # pydot takes the end of the file for a node
    return of_networkx(graph)


def rows_of(path, names):
    rows = defaultdict(list)
    with open(path, newline="", encoding="ascii") as file:
        for row in csv.DictReader(file):
            rows[row["dag_id"]].append([row[name] for name in names])
    return rows


def main(tool, unktx, store, tables):
    try:
        importlib.import_module("networkx" if tool == "gexf" else tool)
        importlib.import_module("igraph" if tool == "igraph" else "networkx")
    except ImportError:
        return 77
    read, form, step = {"igraph": (by_igraph, "graphml", 6), "networkx": (by_networkx, "graphml", 6),
                        "gexf": (by_gexf, "gexf", 4), "pydot": (by_pydot, "dot", 20)}[tool]
    all_rows = {name: list(csv.DictReader(open(Path(tables) / f"{name}.csv", newline="", encoding="ascii")))
                for name in ("tdags", "txs", "payers", "payees")}
    ends = {"igraph": ends_by_igraph, "networkx": ends_by_networkx}.get(tool)
    ends_seen = 0
    txs = rows_of(Path(tables) / "txs.csv", NODE + (["time"] if tool == "gexf" else []))
    arcs = rows_of(Path(tables) / "arcs.csv", ["from_txid", "from_vout", "to_txid", "to_vin", "value_sat", "kind"])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("dag." + form)
        for dag_id in list(txs)[::step]:
            subprocess.run([unktx, "show", "--store", store, "--dag", dag_id, "--format", form, "-o", path], check=True)
            nodes, edges = read(path)
            for what, found, expected in (("nodes", nodes, txs[dag_id]), ("edges", edges, arcs[dag_id])):
                if sorted([plain(value) for value in row] for row in found) != sorted(expected):
                    print(f"{tool}: the {what} of T-DAG {dag_id} as {form} are not those of the tables")
                    return 1
            if ends:
                subprocess.run([unktx, "show", "--store", store, "--dag", dag_id, "--format", form, "--ends", "-o", path], check=True)
                ends_seen += check_ends(ends, path, dag_id, all_rows)
    assert not ends or ends_seen > 10
    return 0


sys.exit(main(*sys.argv[1:]))
