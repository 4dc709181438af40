"""Public keys, hash locks, preimages and what they tie together, against a parser, elliptic curve and address codecs of its own: reads
the blk files of the bundled chain itself and compares with what `unktx keys`, `unktx keys --hashes` and `unktx ties` wrote, all with
--rules core-22. The files that it reads are those of tests/unlocks.py.
Then ties by payers and payees, against the tables of `unktx flows`.
Usage: keys.py CHAIN KEYS.csv HASHES.csv TIES-FOLDER PAYERS-FOLDER; CHAIN is a folder with regtest/blocks and truth/blocks.csv."""
import csv
import os
import sys
from collections import Counter, defaultdict

from unlocks import has_address, operations, read_chain, ripemd160, sha256
import hashlib

P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)
HASHES = {0xA6: ("OP_RIPEMD160", 20), 0xA7: ("OP_SHA1", 20), 0xA8: ("OP_SHA256", 32), 0xA9: ("OP_HASH160", 20), 0xAA: ("OP_HASH256", 32)}


def hash_by(code, data):
    return {0xA6: ripemd160, 0xA7: lambda d: hashlib.sha1(d).digest(), 0xA8: sha256, 0xA9: lambda d: ripemd160(sha256(d)),
            0xAA: lambda d: sha256(sha256(d))}[code](data)


# ---- the curve y^2 = x^3 + 7


def lift_x(x, odd):
    square = (x**3 + 7) % P
    y = pow(square, (P + 1) // 4, P)
    if x >= P or y * y % P != square:
        return None
    return x, y if y % 2 == odd else P - y


def point_of(key):
    x = int.from_bytes(key[1:33], "big")
    if len(key) == 33:
        return lift_x(x, key[0] & 1)
    y = int.from_bytes(key[33:], "big")
    if x >= P or y >= P or (y * y - x**3 - 7) % P or (key[0] in (6, 7) and (y & 1) != (key[0] & 1)):
        return None
    return x, y


def add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0] and (a[1] + b[1]) % P == 0:
        return None
    if a == b:
        slope = 3 * a[0] * a[0] * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiply(point, factor):
    result = None
    while factor:
        if factor & 1:
            result = add(result, point)
        point, factor = add(point, point), factor >> 1
    return result


def taproot(key):
    """BIP 86: the output key without a script path."""
    x = key[1:33]
    tag = sha256(b"TapTweak")
    point = add(lift_x(int.from_bytes(x, "big"), 0), multiply(G, int.from_bytes(sha256(tag + tag + x), "big") % N))
    return point[0].to_bytes(32, "big")


# ---- addresses of regtest


def base58check(version, payload):
    data = bytes([version]) + payload
    data += sha256(sha256(data))[:4]
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        text = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[rest] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def segwit_address(version, program, prefix="bcrt"):
    bits = "".join(format(byte, "08b") for byte in program)
    bits += "0" * (-len(bits) % 5)
    values = [version] + [int(bits[i : i + 5], 2) for i in range(0, len(bits), 5)]
    constant = 0x2BC830A3 if version else 1

    def polymod(values):
        check = 1
        for value in values:
            top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
            for i, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
                check ^= generator if top >> i & 1 else 0
        return check

    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    check = polymod(expanded + values + [0] * 6) ^ constant
    values += [check >> 5 * (5 - i) & 31 for i in range(6)]
    return prefix + "1" + "".join("qpzry9x8gf2tvdw0s3jn54khce6mua7l"[v] for v in values)


def addresses(key):
    if point_of(key) is None:
        return {"p2pkh": "", "p2sh_p2wpkh": "", "p2wpkh": "", "p2tr": ""}
    digest = ripemd160(sha256(key))
    found = {"p2pkh": base58check(111, digest), "p2sh_p2wpkh": "", "p2wpkh": "", "p2tr": ""}
    if len(key) == 33:
        found["p2sh_p2wpkh"] = base58check(196, ripemd160(sha256(b"\0\x14" + digest)))
        found["p2wpkh"] = segwit_address(0, digest)
        found["p2tr"] = segwit_address(1, taproot(key))
    return found


# ---- scripts


def is_key(data):
    return data is not None and (len(data), data[:1]) in ((33, b"\2"), (33, b"\3"), (65, b"\4"), (65, b"\6"), (65, b"\7"))


def is_nulldata(script):
    return script[:1] == b"\x6a" and all(code is not None and code <= 0x60 for code, _ in operations(script[1:]))


def role_of(script):
    ops = list(operations(script))
    if len(ops) == 2 and is_key(ops[0][1]) and script == bytes([len(ops[0][1])]) + ops[0][1] + b"\xac":
        return "pubkey"

    def count(code, data):
        if code is not None and 0x51 <= code <= 0x60:
            return code - 0x50
        return data[0] if code == 1 and 17 <= data[0] <= 20 else 0

    if len(ops) >= 4 and ops[-1][0] == 0xAE and all(is_key(data) for _, data in ops[1:-2]):
        m, n = count(*ops[0]), count(*ops[-2])
        if 1 <= m <= n == len(ops) - 3:
            return "multisig"
    return "script"


def locks_of(script):
    ops = list(operations(script))
    for i in range(len(ops) - 2):
        name, size = HASHES.get(ops[i][0], ("", 0))
        data = ops[i + 1][1]
        if size and data is not None and len(data) == size and ops[i + 2][0] in (0x87, 0x88):
            yield ops[i][0], data, ops[i][0] == 0xA9 and i > 0 and ops[i - 1][0] == 0x76


def same_key(key):
    point = point_of(key)
    return bytes([2 + (point[1] & 1)]) + point[0].to_bytes(32, "big") if point else key


def is_marker(data):
    return len(set(data[1:])) == 1


# ---- the chain


class Sets:
    def __init__(self):
        self.parent = {}

    def find(self, a):
        self.parent.setdefault(a, a)
        while self.parent[a] != a:
            self.parent[a] = self.parent[self.parent[a]]
            a = self.parent[a]
        return a

    def join(self, a, b):
        self.parent[self.find(a)] = self.find(b)


def read(chain):
    """Pieces (kind, thing, height, outpoint, details), and the member of each outpoint: a T-DAG or the outpoint itself."""
    outputs, pieces, dags, place = {}, [], Sets(), {}
    for height, block in enumerate(read_chain(chain)):
        for index, tx in enumerate(block):
            for vin, one in enumerate(tx.inputs):
                script = outputs.get(one.prevout)
                if script is None:
                    continue
                dags.join(one.prevout[0], tx.txid)
                shown = [data for _, data in operations(one.script) if data is not None]
                for number, key in enumerate(filter(is_key, shown), 1):
                    pieces.append(("key", key, height, one.prevout, ("scriptSig", number, "", tx.txid[::-1].hex(), str(vin))))
                for data in shown:
                    for code, lock, of_key in locks_of(script):
                        if hash_by(code, data) == lock:
                            pieces.append(("hash", lock, height, one.prevout, None))
                            pieces.append(("preimage", data, height, one.prevout, (lock, tx.txid[::-1].hex(), str(vin))))
            for vout, (_, script) in enumerate(tx.outputs):
                if has_address(script) or is_nulldata(script):
                    continue
                outpoint = (tx.txid, vout)
                outputs[outpoint], place[outpoint] = script, (height, index)
                role = role_of(script)
                keys = [data for _, data in operations(script) if is_key(data)]
                for number, key in enumerate(keys, 1):
                    of = str(len(keys)) if role == "multisig" else ""
                    pieces.append(("key", key, height, outpoint, (role, number, of, "", "")))
                for number, (code, lock, of_key) in enumerate(locks_of(script), 1):
                    pieces.append(("hash", lock, height, outpoint, (role, number, HASHES[code][0], of_key)))
    joined = set(dags.parent)
    members = {o: ("dag", dags.find(o[0])) if o[0] in joined else ("output",) + o for o in place}
    return pieces, members, place


def things_of(pieces, members):
    """By kind and thing: heights and members."""
    things = defaultdict(lambda: ([], []))
    for kind, data, height, outpoint, _ in pieces:
        thing = (kind, same_key(data) if kind == "key" else data)
        things[thing][0].append(height)
        things[thing][1].append(members[outpoint])
    return things


def check_shared(row, things, thing):
    heights, members = things[thing]
    assert (row["first_height"], row["last_height"]) == (str(min(heights)), str(max(heights))), row
    assert int(row["members"]) == len(set(members)), row
    assert int(row["dags"]) == len({m for m in set(members) if m[0] == "dag"}), row


def check_place(row, outpoint, members, place, names):
    assert (row["txid"], row["vout"]) == (outpoint[0][::-1].hex(), str(outpoint[1])), row
    assert (int(row["height"]), int(row["tx_index"])) == place[outpoint], row
    member = members[outpoint]
    assert (row["dag"] == "") == (row["dag_id"] == "") == (member[0] != "dag"), row
    if member[0] == "dag":
        assert names.setdefault(row["dag"], member) == member, row


def check_keys(path, pieces, members, place, things, names):
    rows = list(csv.DictReader(open(path, newline="")))
    wanted = [piece for piece in pieces if piece[0] == "key"]
    assert len(rows) == len(wanted) > 3000, (len(rows), len(wanted))
    cache, roles = {}, Counter()
    for i, (row, (_, key, _, outpoint, (role, number, of, txid, vin))) in enumerate(zip(rows, wanted)):
        check_place(row, outpoint, members, place, names)
        assert row["key"] == key.hex(), row
        assert (row["role"], row["number"], row["of"]) == (role, str(number), of), row
        assert (row["spender_txid"], row["spender_vin"]) == (txid, vin), row
        assert (row["compressed"], row["marker"]) == (str(int(len(key) == 33)), str(int(is_marker(key)))), row
        assert row["on_curve"] == str(int(point_of(key) is not None)), row
        check_shared(row, things, ("key", same_key(key)))
        roles[role] += 1
        if i % 3 == 0 or len(key) == 65:  # a point times a number takes some milliseconds
            cache.setdefault(key, None)
            cache[key] = cache[key] or addresses(key)
            for name, address in cache[key].items():
                assert row[name] == address, (name, address, row)
    assert len(roles) == 4 and len(cache) > 200, (roles, len(cache))


def check_hashes(path, pieces, members, place, things, names):
    rows = list(csv.DictReader(open(path, newline="")))
    wanted = [piece for piece in pieces if piece[0] == "hash" and piece[4]]
    opened = {}
    for kind, data, _, _, details in pieces:
        if kind == "preimage":
            opened.setdefault(details[0], (data.hex() or '""', details[1], details[2]))
    assert len(rows) == len(wanted) > 300, (len(rows), len(wanted))
    shown = 0
    for row, (_, lock, _, outpoint, (role, number, name, of_key)) in zip(rows, wanted):
        check_place(row, outpoint, members, place, names)
        assert (row["hash"], row["operation"], row["of_key"]) == (lock.hex(), name, str(int(of_key))), row
        assert (row["role"], row["number"], row["marker"]) == (role, str(number), str(int(is_marker(lock)))), row
        preimage, txid, vin = opened.get(lock, ("", "", ""))
        assert (row["preimage"] or '""' * bool(txid), row["preimage_txid"], row["preimage_vin"]) == (preimage, txid, vin), row
        check_shared(row, things, ("hash", lock))
        shown += bool(txid)
    assert shown > 50, shown


def check_ties(folder, pieces, members, things):
    rows = list(csv.DictReader(open(os.path.join(folder, "ties.csv"), newline="")))
    groups = {r["group_id"]: r for r in csv.DictReader(open(os.path.join(folder, "groups.csv"), newline=""))}
    outpoints = {(o[0][::-1].hex(), str(o[1])): m for o, m in members.items()}
    at = defaultdict(set)
    for kind, data, _, outpoint, _ in pieces:
        at[(outpoint[0][::-1].hex(), str(outpoint[1]))].add((kind, same_key(data) if kind == "key" else data))
    want, tied = Sets(), Counter()
    for thing, (_, sharers) in things.items():
        sharers = list(dict.fromkeys(sharers))
        if thing[0] in ("key", "hash") and is_marker(thing[1]) or thing[0] == "key" and point_of(thing[1]) is None:
            continue
        tied[thing] = len(sharers) - 1
        for other in sharers[1:]:
            want.join(sharers[0], other)
    found, sums = Sets(), Counter()
    for row in rows:
        thing = (row["kind"], bytes.fromhex(row["value"].strip('"')))
        ends = (row["txid"], row["vout"]), (row["tied_txid"], row["tied_vout"])
        assert all(thing in at[end] for end in ends), row
        a, b = (outpoints[end] for end in ends)
        assert a != b and int(row["members"]) == tied[thing] + 1, row
        found.join(a, b)
        found.join(a, ("group", row["group_id"]))
        sums[thing] += 1
        sums[row["group_id"], row["kind"]] += 1
        assert row["group"] == groups[row["group_id"]]["group"], row
    assert all(sums[thing] == count for thing, count in tied.items())
    ids = {found.find(("group", g)): g for g in groups}
    assert len(ids) == len(groups) == len({want.find(m) for m in want.parent})
    for group in groups.values():
        for kind in ("key", "hash", "preimage"):
            assert int(group[kind + "_ties"]) == sums[group["group_id"], kind], group
    counts = Counter((ids[found.find(m)], m[0]) for m in want.parent)
    for group in groups.values():
        assert int(group["dags"]) == counts[group["group_id"], "dag"], group
        assert int(group["outputs"]) == counts[group["group_id"], "output"], group
    assert len(rows) > 1000, len(rows)


def check_payers(folder):
    """ties.csv of --payers --max-degree 8 in the folder, against payers.csv and payees.csv there."""
    read = lambda name: list(csv.DictReader(open(os.path.join(folder, name), newline="")))
    things = defaultdict(lambda: defaultdict(set))  # thing, T-DAG: outpoints with the role
    for row in read("payers.csv"):
        end = (row["from_txid"], row["from_vout"], "payer")
        things["transaction", row["from_txid"]][row["dag_id"]].add(end)
        things["address", row["address"]][row["dag_id"]].add(end)
    for row in read("payees.csv"):
        end = (row["txid"], row["vout"], "payee")
        things["transaction", row["txid"]][row["dag_id"]].add(end)
        things["address", row["address"]][row["dag_id"]].add(end)
    things.pop(("address", ""), None)
    tied = defaultdict(lambda: defaultdict(set))
    for row in read("ties.csv"):
        if row["kind"] in ("address", "transaction"):
            thing = things[row["kind"], row["value"]]
            assert (row["txid"], row["vout"], row["role"]) in thing[row["dag_id"]], row
            assert (row["tied_txid"], row["tied_vout"], row["tied_role"]) in thing[row["tied_dag_id"]], row
            assert row["members"] == str(len(thing)) and row["dag_id"] != row["tied_dag_id"], row
            tied[row["kind"], row["value"]][row["dag_id"]].add(row["tied_dag_id"])
    shared = {thing: set(dags) for thing, dags in things.items() if 1 < len(dags) <= 8}
    assert set(tied) == set(shared) and len(shared) > 50, (len(tied), len(shared))
    for thing, dags in shared.items():
        ((first, others),) = tied[thing].items()
        assert others | {first} == dags, thing
    assert any(len(dags) > 8 for dags in things.values())


def main():
    chain, keys, hashes, ties, payers = sys.argv[1:]
    check_payers(payers)
    pieces, members, place = read(chain)
    things, names = things_of(pieces, members), {}
    check_keys(keys, pieces, members, place, things, names)
    check_hashes(hashes, pieces, members, place, things, names)
    check_ties(ties, pieces, members, things)


main()
