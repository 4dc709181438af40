"""folder.py UNKTX PLACE DATADIR...: output folders of analyze, read by their datapackage.json alone: types, primary and foreign keys
(as a database has them: what is referred to is the other table's primary key), rows, hashes. The folders are those of the given data
directories, and of a chain made here with repeated coinbases, which grows and is reorganised; there T-DAGs, their names and
changes.csv are those that this program finds in its own transactions. Exit status 1 if something differs."""
import datetime
import hashlib
import json
import random
import re
import struct
import subprocess
import sys
from pathlib import Path

RULES = ["core-0.18", "core-0.19", "core-22"]
UNKTX, PLACE, DATADIRS = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]


def run(*words, status=0):
    done = subprocess.run([UNKTX, *map(str, words)], capture_output=True, text=True)
    allowed = status if isinstance(status, tuple) else (status,)
    assert done.returncode in allowed, (words, done.returncode, done.stderr)
    return done


# ---- CSV and Table Schema ----

def read_csv(path):
    """Rows of cells; a cell is None where nothing is written between the commas, "" where two quotes are (RFC 4180)."""
    text, at, rows, row = path.read_bytes().decode("utf-8"), 0, [], []
    while at < len(text):
        if text[at] == '"':
            cell = re.compile('"((?:[^"]|"")*)"').match(text, at)
            row.append(cell.group(1).replace('""', '"'))
        else:
            cell = re.compile('[^",\n]*').match(text, at)
            row.append(cell.group(0) or None)
        at = cell.end()
        assert text[at] in ",\n", (path, at)
        if text[at] == "\n":
            rows.append(row)
            row = []
        at += 1
    assert not row, path
    return rows


def is_of_type(cell, field):
    kind = field["type"]
    if kind == "integer":
        return re.fullmatch("-?[0-9]+", cell)
    if kind == "number":
        return re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", cell)
    if kind == "boolean":
        return cell in field["trueValues"] + field["falseValues"]
    if kind == "datetime":
        return datetime.datetime.strptime(cell, "%Y-%m-%dT%H:%M:%SZ")
    assert kind == "string", kind
    return True


class Table:
    def __init__(self, folder, resource):
        self.name, self.schema = resource["name"], resource["schema"]
        header, *self.rows = read_csv(folder / resource["path"])
        fields = self.schema["fields"]
        assert header == [field["name"] for field in fields], (self.name, header)
        assert len(self.rows) == resource["rows"], self.name
        self.places = {name: i for i, name in enumerate(header)}
        assert len(self.places) == len(header), header
        for row in self.rows:
            assert len(row) == len(fields), (self.name, row)
            for cell, field in zip(row, fields):
                if cell is None:
                    assert not field.get("constraints", {}).get("required"), (self.name, field["name"], row)
                else:
                    assert is_of_type(cell, field), (self.name, field["name"], cell)

    def columns(self, names):
        places = [self.places[name] for name in ([names] if isinstance(names, str) else names)]
        return [tuple(row[place] for place in places) for row in self.rows]


def check_folder(folder):
    """All tables of the folder, by name."""
    package = json.loads((folder / "datapackage.json").read_text())
    listed = {resource["path"] for resource in package["resources"]}
    assert listed | {"datapackage.json", "store"} == {path.name for path in folder.iterdir()}, folder
    tables = {}
    for resource in package["resources"]:
        content = (folder / resource["path"]).read_bytes()
        assert len(content) == resource["bytes"]
        assert resource["hash"] == "sha256:" + hashlib.sha256(content).hexdigest()
        if "schema" in resource:
            tables[resource["name"]] = Table(folder, resource)
    for table in tables.values():
        key = table.schema.get("primaryKey")
        if key:
            cells = table.columns(key)
            assert len(set(cells)) == len(cells), (folder, table.name, key)
            assert not any(None in row for row in cells), (folder, table.name, key)
        for foreign in table.schema.get("foreignKeys", []):
            other = tables[foreign["reference"]["resource"]]
            fields = foreign["reference"]["fields"]
            assert fields == other.schema["primaryKey"], (table.name, foreign)
            # a key that is missing leads nowhere, as in SQL: an output that is in no T-DAG
            shown = {row for row in table.columns(foreign["fields"]) if not all(cell is None for cell in row)}
            lost = shown - set(other.columns(fields))
            assert not lost, (folder, table.name, foreign, list(lost)[:3])
    return tables


# ---- a chain ----

MAGIC = bytes.fromhex("fabfb5da")
NULL = (bytes(32), 0xFFFFFFFF)
KEY = bytes([0x21, 2]) + bytes(range(32))
# script, and the rule sets that call it unknown (docs/model.md, section 3)
SCRIPTS = {
    b"": RULES, b"\x51": RULES, b"\x52\x93": RULES, b"\x6a\x02\x12\x34": RULES, KEY + b"\xac": RULES[1:],
    b"\x51" + KEY + b"\x51\xae": RULES[2:], b"\x76\xa9\x14" + bytes(20) + b"\x88\xac": [], b"\x00\x14" + bytes(20): [],
}
NULLDATA = b"\x6a\x02\x12\x34"


def double_sha(data):
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def count(number):
    return bytes([number]) if number < 0xFD else b"\xfd" + struct.pack("<H", number)


class Tx:
    def __init__(self, inputs, outputs, tag=b""):
        """Inputs are outpoints, outputs are (value, script); `tag` is in the first input's script."""
        self.inputs, self.outputs = inputs, outputs
        self.bytes = struct.pack("<I", 1) + count(len(inputs))
        for i, (txid, vout) in enumerate(inputs):
            script = tag if i == 0 else b""
            self.bytes += txid + struct.pack("<I", vout) + count(len(script)) + script + b"\xff" * 4
        self.bytes += count(len(outputs))
        for value, script in outputs:
            self.bytes += struct.pack("<Q", value) + count(len(script)) + script
        self.bytes += bytes(4)
        self.hash = double_sha(self.bytes)
        self.txid = self.hash[::-1].hex()


def make_block(parent, txs, time):
    level = [tx.hash for tx in txs]
    while len(level) > 1:
        level += level[-1:] * (len(level) % 2)
        level = [double_sha(level[i] + level[i + 1]) for i in range(0, len(level), 2)]
    for nonce in range(1 << 32):
        header = struct.pack("<I", 4) + parent + level[0] + struct.pack("<III", time, 0x207FFFFF, nonce)
        if double_sha(header)[31] < 0x80:
            return double_sha(header), header + count(len(txs)) + b"".join(tx.bytes for tx in txs)


class Chain:
    """Active blocks, and the file that all blocks ever added are appended to."""

    def __init__(self, datadir, genesis):
        self.random = random.Random(20111)
        self.path = datadir / "regtest" / "blocks" / "blk00000.dat"
        self.path.parent.mkdir(parents=True)
        size = struct.unpack("<I", genesis[4:8])[0]
        self.path.write_bytes(genesis[:8 + size])
        self.blocks = [(double_sha(genesis[8:88]), [])]  # hash, transactions; that of genesis is in no T-DAG
        self.branch = 0

    def coins(self):
        """Unspent outputs of the active chain: outpoint to (value, script). A second copy takes the place of the first."""
        coins = {}
        for _, txs in self.blocks:
            for tx in txs:
                for outpoint in tx.inputs:
                    coins.pop(outpoint, None)
                for vout, output in enumerate(tx.outputs):
                    coins[tx.hash, vout] = output
        return {outpoint: output for outpoint, output in coins.items() if output[1] != NULLDATA}

    def add(self, *txs, coinbase=None):
        height = len(self.blocks)
        coinbase = coinbase or Tx([NULL], [(50 * 10**8, b"\x00\x14" + bytes(20))], struct.pack("<II", height, self.branch))
        block_hash, block = make_block(self.blocks[-1][0], [coinbase, *txs], 1600000000 + 60 * height)
        with self.path.open("ab") as file:
            file.write(MAGIC + struct.pack("<I", len(block)) + block)
        self.blocks.append((block_hash, [coinbase, *txs]))

    def spend(self, coins, outpoints, outputs=None):
        value = sum(coins.pop(outpoint)[0] for outpoint in outpoints)
        scripts = outputs or [self.random.choice(list(SCRIPTS)) for _ in range(self.random.randint(1, 3))]
        tx = Tx(outpoints, [(value // len(scripts), script) for script in scripts])
        coins.update({(tx.hash, vout): output for vout, output in enumerate(tx.outputs) if output[1] != NULLDATA})
        return tx

    def grow(self, blocks, again=()):
        """Blocks of random transactions; those of `again` that still can be come first."""
        for _ in range(blocks):
            coins, txs = self.coins(), []
            for tx in again:
                if all(outpoint in coins for outpoint in tx.inputs):
                    txs.append(self.spend(coins, tx.inputs, [script for _, script in tx.outputs]))
            again = ()
            for _ in range(self.random.randint(0, 4)):
                many = min(len(coins), self.random.choice([1, 1, 1, 2, 3]))
                if many:
                    txs.append(self.spend(coins, self.random.sample(sorted(coins), many)))
            self.add(*txs)

    def fork(self, height):
        """Back to that height; returns the transactions of every second block that is left."""
        left = [tx for _, txs in self.blocks[height + 1::2] for tx in txs[1:]]
        del self.blocks[height + 1:]
        self.branch += 1
        return left


def repeat_coinbases(chain):
    """Two copies of each of two coinbases: of one both are spent, and joined later; of the other each is in a T-DAG of its own, and
    the spenders are two copies too."""
    one = Tx([NULL], [(10**9, b"\x51"), (10**9, b""), (10**9, b"\x51")], b"one")
    two = Tx([NULL], [(10**9, b"\x52\x93")], b"two")
    chain.add(coinbase=one)
    chain.add(coinbase=two)
    first = Tx([(one.hash, 0)], [(10**9, b"\x51")])
    alike = Tx([(two.hash, 0)], [(10**9, b"\x00\x14" + bytes(20))])
    chain.add(first, alike)
    chain.add(coinbase=one)
    chain.add(coinbase=two)
    second = Tx([(one.hash, 1)], [(10**9, b"\x51")])
    chain.add(second, alike)
    return Tx([(first.hash, 0), (second.hash, 0)], [(10**9, b"\x51"), (10**9, b"\x00\x14" + bytes(20))])


# ---- T-DAGs, read a second time ----

class TDag:
    def __init__(self):
        self.places, self.arcs, self.leaves, self.nodes, self.moved = [], [], [], 0, 0


def find_tdags(blocks, rules):
    """T-DAGs in order of their first transaction: connected by spends of unknown outputs, with one spend at least. A transaction is
    (height, index in the block, txid)."""
    created, parent, spends, roots, all_txs = {}, {}, [], set(), {}

    def top(place):
        while parent[place] != place:
            place = parent[place]
        return place

    for height, (_, txs) in enumerate(blocks):
        for index, tx in enumerate(txs):
            place = (height, index, tx.txid)
            parent[place], all_txs[place] = place, tx
            known_inputs = 0
            for vin, outpoint in enumerate(tx.inputs):
                origin = created.get(outpoint)
                if origin is None or rules not in SCRIPTS[all_txs[origin].outputs[outpoint[1]][1]]:
                    known_inputs += 1
                    continue
                spends.append((origin, outpoint[1], place, vin))
                a, b = top(origin), top(place)
                parent[max(a, b)] = min(a, b)
            if known_inputs and any(rules in SCRIPTS[script] for _, script in tx.outputs):
                roots.add(place)
            for vout in range(len(tx.outputs)):
                created[tx.hash, vout] = place
    tdags = {}
    for spend in spends:
        tdags.setdefault(top(spend[0]), TDag()).arcs.append(spend)
    spent = {spend[:2] for spend in spends}
    for place, tx in all_txs.items():
        tdag = tdags.get(top(place))
        if tdag:
            tdag.places.append(place)
            tdag.nodes += len(tx.outputs) + (place in roots)
            tdag.moved += sum(value for vout, (value, _) in enumerate(tx.outputs) if (place, vout) in spent)
            tdag.leaves += [(place, vout) for vout in range(len(tx.outputs)) if (place, vout) not in spent]
    tdags = [tdags[place] for place in sorted(tdags)]
    firsts = [tdag.places[0][2] for tdag in tdags]
    for tdag, first in zip(tdags, firsts):
        others = list(firsts)
        others.remove(first)
        size = 16
        while size < 64 and any(other.startswith(first[:size]) for other in others):
            size += 1
        tdag.name_size_at_least, tdag.first = size, first
    return tdags


def check_tdags(tables, tdags, blocks, rules):
    """Names are told apart by as many digits as it takes; a program may take more."""
    rows = tables["tdags"].columns(["dag_id", "first_txid", "dag", "txs", "nodes", "moved_value_sat"])
    assert len(rows) == len(tdags), (rules, len(rows), len(tdags))
    for number, (row, tdag) in enumerate(zip(rows, tdags), 1):
        assert row[2] == tdag.first[:len(row[2])] and tdag.name_size_at_least <= len(row[2]) <= tdag.name_size_at_least + 1, row
        tdag.name = row[2]
        assert row == (str(number), tdag.first, row[2], str(len(tdag.places)), str(tdag.nodes), str(tdag.moved)), row

    def text(place):
        return (str(place[0]), str(place[1]))

    def expect(name, columns, found):
        got = sorted(tables[name].columns(columns))
        assert got == sorted(found), (rules, name, set(got) ^ set(found))

    numbered = [(str(number), tdag) for number, tdag in enumerate(tdags, 1)]
    expect("txs", ["dag_id", "dag", "height", "tx_index", "txid"],
           [(number, tdag.name, *text(place), place[2]) for number, tdag in numbered for place in tdag.places])
    expect("arcs", ["dag_id", "from_height", "from_tx_index", "from_vout", "to_height", "to_tx_index", "to_vin"],
           [(number, *text(origin), str(vout), *text(place), str(vin))
            for number, tdag in numbered for origin, vout, place, vin in tdag.arcs])
    expect("leaves", ["dag", "height", "tx_index", "txid", "vout"],
           [(tdag.name, *text(place), place[2], str(vout)) for _, tdag in numbered for place, vout in tdag.leaves])
    names = {place: tdag.name for _, tdag in numbered for place in tdag.places}
    found = []
    for height, (_, txs) in enumerate(blocks):
        for index, tx in enumerate(txs):
            for vout, (_, script) in enumerate(tx.outputs):
                if rules in SCRIPTS[script] and script != NULLDATA:
                    found.append((str(height), str(index), str(vout), script.hex(), names.get((height, index, tx.txid))))
    got = [row for row in tables["outputs"].columns(["height", "tx_index", "vout", "script_hex", "dag"]) if row[0] != "0"]
    assert sorted(got, key=str) == sorted(found, key=str), (rules, "outputs", set(got) ^ set(found))


def check_templates(blocks, rules, out):
    """The empty script has a template, which is not a missing one."""
    wanted = {"": b"", "1": b"\x51", "2 OP_ADD": b"\x52\x93"}
    run("templates", "--store", out, "-o", PLACE / "templates.csv")
    header, *rows = read_csv(PLACE / "templates.csv")
    outputs = {row[header.index("template")]: row[header.index("outputs")] for row in rows}
    assert None not in outputs
    scripts = [script for _, txs in blocks for tx in txs for _, script in tx.outputs]
    for template, script in wanted.items():
        assert outputs[template] == str(scripts.count(script)), (rules, template, outputs)


def find_changes(before, after):
    """Rows of changes.csv, see its description."""
    owner = {place[2]: number for number, tdag in enumerate(after) for place in tdag.places}
    owner.update({place[::2]: number for number, tdag in enumerate(after) for place in tdag.places})
    common = {}
    for was, tdag in enumerate(before):
        for place in tdag.places:
            now = owner.get(place[::2], owner.get(place[2]))
            if now is not None:
                common.setdefault(now, {}).setdefault(was, []).append(place)

    def cells(old, new):
        return [str(value) if value is not None else None for what in (lambda t: len(t.places), lambda t: t.nodes, lambda t: t.moved)
                for value in (what(old) if old else None, what(new) if new else None)]

    rows, kept = [], set()
    for now, tdag in enumerate(after):
        parts = common.get(now, {})
        kept |= set(parts)
        same = [was for was in sorted(parts) if before[was].first == tdag.first]
        main = (same or sorted(parts) or [None])[0]
        old = before[main] if main is not None else None
        if not parts:
            what = "new"
        elif len(parts) > 1:
            what = "merged"
        elif len(parts[main]) < len(old.places):
            what = "shrunk"
        elif (len(old.places), old.nodes, old.moved) != (len(tdag.places), tdag.nodes, tdag.moved):
            what = "grown"
        elif old.name != tdag.name:
            what = "renamed"
        else:
            continue
        joined = " ".join(before[was].name for was in sorted(parts) if before[was].name != tdag.name) or None
        rows.append((tdag.name, what, *cells(old, tdag), joined))
    rows += [(tdag.name, "gone", *cells(tdag, None), None) for was, tdag in enumerate(before) if was not in kept]
    return rows


def check_runs(genesis):
    data = PLACE / "chain"
    chain = Chain(data, genesis)
    before, counts = {}, {}

    def analyze():
        for rules in RULES:
            out = PLACE / f"out-{rules}"
            run("analyze", "--quiet", "--index", "--datadir", data, "--rules", rules, "-o", out)
            tables, tdags = check_folder(out), find_tdags(chain.blocks, rules)
            check_tdags(tables, tdags, chain.blocks, rules)
            check_templates(chain.blocks, rules, out)
            if rules in before:
                rows = find_changes(before[rules], tdags)
                got = [tuple(row) for row in tables["changes"].rows]
                assert got == rows, (rules, set(got) ^ set(rows))
                for row in rows:
                    counts[row[1]] = counts.get(row[1], 0) + 1
            before[rules] = tdags

    chain.grow(3)
    joins = repeat_coinbases(chain)
    chain.grow(30)
    analyze()
    analyze()  # nothing has changed
    assert not counts, counts
    if all(outpoint in chain.coins() for outpoint in joins.inputs):
        chain.add(joins)
    chain.grow(25)
    analyze()
    again = chain.fork(len(chain.blocks) - 18)
    chain.grow(24, again)
    analyze()
    print("changes:", counts)
    assert set(counts) - {"renamed"} == {"new", "grown", "merged", "shrunk", "gone"}, counts


def main():
    folders = 0
    for number, datadir in enumerate(DATADIRS):
        for rules in RULES:
            for more in ([], ["--compress", "--index"]):
                out = PLACE / f"{number}-{rules}-{len(more)}"
                run("analyze", "--quiet", "--nulldata", "store", "--datadir", datadir, "--rules", rules, "-o", out, *more, status=(0, 3))
                check_folder(out)
                folders += 1
    genesis = next(Path(datadir) for datadir in DATADIRS if Path(datadir).name == "genesis") / "regtest" / "blocks"
    key, content = (genesis / "xor.dat").read_bytes(), (genesis / "blk00000.dat").read_bytes()[:400]
    check_runs(bytes(byte ^ key[i % 8] for i, byte in enumerate(content)))
    print(f"{folders} folders of {len(DATADIRS)} chains and those of a growing one are as their datapackage.json says")


main()
