#!/usr/bin/env python3
"""The scripts that spends of P2SH, P2WSH and P2TR outputs show, by a reading of the blk files, a curve and a Solver of its own, against
what `unktx hidden` lists and counts; and a chain with planted ones.

    hidden.py chain DATADIR              writes DATADIR/regtest/blocks, DATADIR/truth and DATADIR/planted.csv
    hidden.py check DATADIR LIST.csv TABLE.csv [RPC.csv]
                                         compares; RPC.csv: the outputs as a node's RPC tells them
    hidden.py dags DATADIR summary.json  compares what it says of the rule set hidden"""
import collections
import csv
import hashlib
import json
import os
import random
import struct
import sys

from protocols import GENESIS, block, compact, sha256d
from unlocks import has_address, operations, read_chain

P = 2**256 - 2**32 - 977
G = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)
rng = random.Random(16)
csv.field_size_limit(1 << 24)


def sha256(data):
    return hashlib.sha256(data).digest()


def hash160(data):
    return hashlib.new("ripemd160", sha256(data)).digest()


def tagged(tag, data):
    return sha256(sha256(tag.encode()) * 2 + data)


# ---- the curve, BIP 340 and 341 ----


def point_add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if a[1] != b[1]:
            return None
        slope = 3 * a[0] * a[0] * pow(2 * a[1], -1, P) % P
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P) % P
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def times(number, point):
    total = None
    while number:
        total = point_add(total, point) if number & 1 else total
        point, number = point_add(point, point), number >> 1
    return total


def lift_x(key):
    x = int.from_bytes(key, "big")
    y = pow(x**3 + 7, (P + 1) // 4, P)
    if x >= P or (y * y - x**3 - 7) % P:
        return None
    return x, y if y % 2 == 0 else P - y


def output_key(internal, root):
    """x of the output key, and the parity of y."""
    point = lift_x(internal)
    if point is None:
        return None, 0
    x, y = point_add(point, times(int.from_bytes(tagged("TapTweak", internal + root), "big"), G))
    return x.to_bytes(32, "big"), y & 1


def text(data):
    size = len(data)
    return (bytes([size]) if size < 253 else b"\xfd" + struct.pack("<H", size) if size < 65536 else b"\xfe" + struct.pack("<I", size)) + data


def tree_root(leaf_version, script, path):
    node = tagged("TapLeaf", bytes([leaf_version]) + text(script))
    for other in path:
        node = tagged("TapBranch", min(node, other) + max(node, other))
    return node


# ---- what a spend shows ----


def solver(script):
    """The kinds that occur here."""
    n, ops = len(script), list(operations(script))
    if n == 23 and script[:2] == b"\xa9\x14" and script[22] == 0x87:
        return "scripthash"
    if n in (22, 34) and script[:2] == bytes([0, n - 2]):
        return "witness_v0_keyhash" if n == 22 else "witness_v0_scripthash"
    if n == 34 and script[:2] == b"\x51\x20":
        return "witness_v1_taproot"
    if n == 25 and script[:3] == b"\x76\xa9\x14" and script[23:] == b"\x88\xac":
        return "pubkeyhash"
    fits = lambda key: key and len(key) == {2: 33, 3: 33, 4: 65, 6: 65, 7: 65}.get(key[0])
    if len(ops) == 2 and ops[1][0] == 0xAC and ops[0][0] in (33, 65) and fits(ops[0][1]):
        return "pubkey"
    if len(ops) > 3 and ops[-1][0] == 0xAE and 0x51 <= ops[0][0] <= 0x60 and ops[-2][0] is not None and ops[-2][0] - 0x50 == len(ops) - 3:
        if all(fits(data) for _, data in ops[1:-2]) and ops[0][0] <= ops[-2][0]:
            return "multisig"
    return "nonstandard"


def pushed(script):
    """The items of a scriptSig; None if it has anything but pushes."""
    items = []
    for code, data in operations(script):
        if data is None and code in range(0x51, 0x61):
            data = bytes([code - 0x50])
        elif data is None and code == 0x4F:
            data = b"\x81"
        if data is None:
            return None
        items.append(data)
    return items


def shown(spent, input):
    """The rows of one input, and the way of `unktx hidden` for it."""
    way, rows, witness = "not-proven", [], list(input.witness)
    if len(spent) == 23:
        items = pushed(input.script)
        if items and hash160(items[-1]) == spent[2:22]:
            script = items[-1]
            rows.append(("p2sh", "", 0, script))
            if solver(script) != "witness_v0_scripthash":
                way = "script"
            elif len(items) == 1 and witness and sha256(witness[-1]) == script[2:]:
                rows.append(("p2sh-p2wsh", "", 0, witness[-1]))
                way = "script"
    elif spent[0] == 0:
        if witness and not input.script and sha256(witness[-1]) == spent[2:]:
            rows.append(("p2wsh", "", 0, witness[-1]))
            way = "script"
    elif witness and not input.script:
        annex = len(witness) > 1 and witness[-1][:1] == b"\x50"
        witness = witness[:-1] if annex else witness
        if len(witness) == 1:
            way = "key-path"
        else:
            script, control = witness[-2:]
            steps, rest = divmod(len(control) - 33, 32)
            if rest == 0 and 0 <= steps <= 128:
                path = [control[33 + 32 * i : 65 + 32 * i] for i in range(steps)]
                root = tree_root(control[0] & 0xFE, script, path)
                if output_key(control[1:33], root) == (spent[2:], control[0] & 1):
                    rows.append(("p2tr", "%02x" % (control[0] & 0xFE), int(annex), script))
                    way = "script"
    return rows, way


def hides(script):
    return solver(script) in ("scripthash", "witness_v0_scripthash", "witness_v1_taproot")


def read_again(folder):
    """Rows as those of `unktx hidden --list`, and inputs by way."""
    outputs, rows, ways = {}, [], collections.Counter()
    for height, txs in enumerate(read_chain(folder)):
        for index, tx in enumerate(txs):
            for vin, input in enumerate(tx.inputs):
                value, spent = outputs.pop(input.prevout, (0, b""))
                if not hides(spent):
                    continue
                found, way = shown(spent, input)
                ways[way] += 1
                for place, leaf, annex, script in found:
                    kind = solver(script) if leaf in ("", "c0") else "nonstandard"
                    rows.append((str(height), str(index), tx.txid[::-1].hex(), str(vin), input.prevout[0][::-1].hex(),
                                 str(input.prevout[1]), str(value), place, kind, leaf, str(annex), script.hex()))
            for vout, output in enumerate(tx.outputs):
                outputs[tx.txid, vout] = output
    return rows, ways, outputs


COLUMNS = "height tx_index txid vin spent_txid spent_vout value_sat hidden_in kind leaf_version annex script_hex".split()


def read(path):
    with open(path, newline="") as f:
        return list(csv.DictReader(f))


def check(folder, listed, table, rpc=None):
    rows, ways, _ = read_again(folder)
    listed, table = read(listed), read(table)
    told = [tuple(row[c] for c in COLUMNS) for row in listed]
    assert told == rows, next((a, b) for a, b in zip(told + [None], rows + [None]) if a != b)
    # the table counts the rows of the list
    counted = collections.Counter()
    for row in listed:
        counted[row["hidden_in"], row["kind"], row["template"], row["leaf_version"]] += 1
    assert counted == {(r["hidden_in"], r["kind"], r["template"], r["leaf_version"]): int(r["spends"]) for r in table if r["shown"] == "script"}
    for way in "key-path", "not-proven":
        assert sum(int(row["spends"]) for row in table if row["shown"] == way) == ways[way], way
    # names that were planted
    planted = os.path.join(folder, "planted.csv")
    names = {r["script_hex"]: (r["name"], r["not_in"]) for r in read(planted)} if os.path.exists(planted) else {}
    missing = set(names)
    for row in listed:
        name, not_in = names.get(row["script_hex"], ("", ""))
        missing.discard(row["script_hex"])
        if name:
            assert (name in row["scripts"].split()) == (row["hidden_in"] not in not_in.split()), (name, row)
    assert not missing, missing
    if rpc:
        told = {(r["spent_txid"], r["spent_vout"]): r for r in listed}
        types = {"p2sh": "scripthash", "p2sh-p2wsh": "scripthash", "p2wsh": "witness_v0_scripthash", "p2tr": "witness_v1_taproot"}
        seen = 0
        for row in read(rpc):
            mine = told.get((row["txid"], row["vout"]))
            if mine and row["spent_by_txid"] == mine["txid"]:
                script, address = bytes.fromhex(mine["script_hex"]), bytes.fromhex(row["script_hex"])
                assert row["type"] == types[mine["hidden_in"]] and row["value_sat"] == mine["value_sat"], mine
                assert mine["hidden_in"] not in ("p2sh", "p2wsh") or {23: hash160, 34: sha256}[len(address)](script) in address, mine
                seen += 1
        assert seen == len(told), (seen, len(told))
    assert len(rows) > 100 and ways["script"] > 100, len(rows)


def count_dags(folder):
    """What summary.json says of the rule set hidden, by the formulas of docs/model.md, section 5."""
    rows, _, _ = read_again(folder)
    hidden = {(bytes.fromhex(row[4])[::-1], int(row[5])) for row in rows if row[8] == "nonstandard"}
    unknown, parent, txs, arcs = {}, {}, [], []

    def top(one):
        while parent[one] != one:
            parent[one] = one = parent[parent[one]]
        return one

    for block_ in read_chain(folder):
        for place, tx in enumerate(block_):
            number = len(txs)
            parent[number] = number
            spent = [unknown.pop(input.prevout) for input in tx.inputs if input.prevout in unknown]
            arcs += [(number, one) for one in spent]
            outs = [vout for vout, (_, script_) in enumerate(tx.outputs) if not has_address(script_) or (tx.txid, vout) in hidden]
            root = bool(outs) and (place == 0 or len(spent) < len(tx.inputs))
            txs.append((root, len(tx.outputs), len(spent), bool(outs)))
            unknown.update({(tx.txid, vout): number for vout in outs})
    for a, b in arcs:
        parent[top(a)] = top(b)
    dags = {top(a) for a, _ in arcs}
    members = [tx for number, tx in enumerate(txs) if top(number) in dags]
    return {
        "unknown_txs": sum(tx[3] for tx in txs),
        "roots": sum(tx[0] for tx in txs),
        "tdags": len(dags),
        "nodes": sum(root + outputs for root, outputs, _, _ in members),
        "edges": sum(outputs * (spent + root) for root, outputs, spent, _ in members),
    }


def check_dags(folder, summary):
    with open(summary) as f:
        told = json.load(f)
    mine = count_dags(folder)
    assert {name: told["hidden"][name] for name in mine} == mine, (told["hidden"], mine)
    assert told["options"]["rules"] == "hidden" and told["hidden"]["edges"] != told["core-22"]["edges"], told


# ---- planted scripts ----


def push(data):
    size = len(data)
    if size < 76:
        return bytes([size]) + data
    return b"\x4c" + bytes([size]) + data if size < 256 else b"\x4d" + struct.pack("<H", size) + data


def random_bytes(size):
    return rng.getrandbits(8 * size).to_bytes(size, "little")


def key():
    return bytes([rng.choice((2, 3))]) + random_bytes(32)


CODES = dict(IF=0x63, NOTIF=0x64, ELSE=0x67, ENDIF=0x68, IFDUP=0x73, DROP=0x75, DUP=0x76, SWAP=0x7C, SIZE=0x82, EQUAL=0x87,
             EQUALVERIFY=0x88, SHA256=0xA8, HASH160=0xA9, CHECKSIG=0xAC, CHECKSIGVERIFY=0xAD, CHECKMULTISIG=0xAE, CLTV=0xB1, CSV=0xB2,
             CHECKSIGADD=0xBA, NUMEQUAL=0x9C)


def script(words):
    """K: a key of 33 bytes, X: of 32, H: 20 bytes, D: 32; numbers are pushed."""
    out = b""
    for word in words.split():
        if word in CODES:
            out += bytes([CODES[word]])
        elif word in ("K", "X", "H", "D"):
            out += push({"K": key, "X": lambda: random_bytes(32), "H": lambda: random_bytes(20), "D": lambda: random_bytes(32)}[word]())
        elif 1 <= int(word) <= 16:
            out += bytes([0x50 + int(word)])
        elif int(word) == 0:
            out += b"\0"
        else:
            out += push(int(word).to_bytes(int(word).bit_length() // 8 + 1, "little"))
    return out


HTLC = "DUP HASH160 H EQUAL IF CHECKSIG ELSE K SWAP SIZE 32 EQUAL "
OFFERED = HTLC + "NOTIF DROP 2 SWAP K 2 CHECKMULTISIG ELSE HASH160 H EQUALVERIFY CHECKSIG ENDIF "
RECEIVED = HTLC + "IF HASH160 H EQUALVERIFY 2 SWAP K 2 CHECKMULTISIG ELSE DROP 700000 CLTV DROP CHECKSIG ENDIF "
BY_NAME = [  # name, script, and where it is not a name
    ("lightning-funding", "2 K K 2 CHECKMULTISIG", "p2sh"),
    ("lightning-to-local", "IF K ELSE 144 CSV DROP K ENDIF CHECKSIG", "p2sh"),
    ("lightning-to-local", "IF K ELSE 6 CSV DROP K ENDIF CHECKSIG", "p2sh"),
    ("lightning-to-remote", "K CHECKSIGVERIFY 1 CSV", "p2sh"),
    ("lightning-anchor", "K CHECKSIG IFDUP NOTIF 16 CSV ENDIF", "p2sh"),
    ("lightning-offered-htlc", OFFERED + "ENDIF", "p2sh"),
    ("lightning-offered-htlc", OFFERED + "1 CSV DROP ENDIF", "p2sh"),
    ("lightning-received-htlc", RECEIVED + "ENDIF", "p2sh"),
    ("lightning-received-htlc", RECEIVED + "1 CSV DROP ENDIF", "p2sh"),
    ("htlc-key-hashes", "IF SHA256 D EQUALVERIFY DUP HASH160 H ELSE 500000 CLTV DROP DUP HASH160 H ENDIF EQUALVERIFY CHECKSIG", ""),
    ("htlc-key-hashes", "IF SIZE 32 EQUALVERIFY SHA256 D EQUALVERIFY DUP HASH160 H ELSE 1600000000 CLTV DROP DUP HASH160 H ENDIF EQUALVERIFY CHECKSIG", ""),
    ("swap-submarine", "HASH160 H EQUAL IF K ELSE 800000 CLTV DROP K ENDIF CHECKSIG", ""),
    ("swap-submarine", "HASH160 H EQUAL IF K ELSE 6 CLTV DROP K ENDIF CHECKSIG", ""),
    ("swap-reverse", "SIZE 32 EQUAL IF HASH160 H EQUALVERIFY K ELSE DROP 800000 CLTV DROP K ENDIF CHECKSIG", ""),
    ("swap-loop", "K CHECKSIG NOTIF DUP HASH160 H EQUALVERIFY CHECKSIGVERIFY 800000 CLTV ELSE SIZE 32 EQUALVERIFY HASH160 H EQUALVERIFY 1 CSV ENDIF", ""),
    ("multisig-from-time", "400000 CLTV DROP 2 K K K 3 CHECKMULTISIG", ""),
    ("multisig-or-time", "IF 2 K K K 3 CHECKMULTISIG ELSE 4032 CSV DROP K CHECKSIG ENDIF", ""),
    ("multisig-or-time", "NOTIF 5 K K K K K K K K K 9 ELSE 52560 CSV DROP 2 K K K 3 ENDIF CHECKMULTISIG", ""),
    ("multisig-or-time", "2 K K 2 CHECKMULTISIG IFDUP NOTIF DUP HASH160 H EQUALVERIFY CHECKSIGVERIFY 12960 CSV ENDIF", ""),
    ("key-or-time", "K CHECKSIG IFDUP NOTIF DUP HASH160 H EQUALVERIFY CHECKSIGVERIFY 52560 CSV ENDIF", ""),
    ("hashlock-signature", "HASH160 H EQUALVERIFY K CHECKSIG", ""),
    ("puzzle-sha256", "SHA256 D EQUAL", ""),
    ("anyone-can-spend", "1", ""),
]
TAP = [
    ("tap-key", "X CHECKSIG"),
    ("tap-multisig", "X CHECKSIG X CHECKSIGADD X CHECKSIGADD 2 NUMEQUAL"),
    ("tap-key-and-time", "X CHECKSIGVERIFY 144 CSV"),
    ("tap-key-and-time", "X CHECKSIG 144 CSV DROP"),
    ("hashlock-signature", "SIZE 32 EQUALVERIFY HASH160 H EQUALVERIFY X CHECKSIG"),
    ("inscription", "X CHECKSIG 0 IF 6582895 1 D 0 D ENDIF"),
]


def p2sh(redeem):
    return b"\xa9\x14" + hash160(redeem) + b"\x87"


def p2wsh(inner):
    return b"\0\x20" + sha256(inner)


class Tap:
    def __init__(self, leaf_script, depth=0, leaf_version=0xC0):
        internal = times(rng.getrandbits(250) | 1, G)[0].to_bytes(32, "big")
        path = [random_bytes(32) for _ in range(depth)]
        key_, parity = output_key(internal, tree_root(leaf_version, leaf_script, path))
        self.output = b"\x51\x20" + key_
        self.control = bytes([leaf_version | parity]) + internal + b"".join(path)


def planted():
    """(scriptPubKey, scriptSig, witness) of each, and names."""
    names, spends = {}, []
    for name, words, not_in in BY_NAME:
        one = script(words)
        names[one.hex()] = name, not_in
        spends += [(p2sh(one), push(random_bytes(71)) + push(one), []), (p2wsh(one), b"", [b"", random_bytes(72), one]),
                   (p2sh(p2wsh(one)), push(p2wsh(one)), [b"\1", one])]
    for i, (name, words) in enumerate(TAP):
        one = script(words)
        names[one.hex()] = name, ""
        for depth, annex in ((0, False), (1, False), (1 + i, True)):
            tap = Tap(one, depth)
            spends.append((tap.output, b"", [random_bytes(64), one, tap.control] + ([b"\x50abc"] if annex else [])))
    good = script("K CHECKSIG")
    # P2SH: every way to push, and what is no push
    for push_ in (b"\x4c" + bytes([len(good)]), b"\x4d" + struct.pack("<H", len(good)), b"\x4e" + struct.pack("<I", len(good))):
        spends.append((p2sh(good), push_ + good, []))
    for redeem, code in ((b"", b"\0"), (b"\1", b"\x51"), (b"\x10", b"\x60"), (b"\x81", b"\x4f")):
        spends.append((p2sh(redeem), push(b"x") + code, []))
    for sig in (b"", b"\x76" + push(good), push(good) + b"\x76", push(good) + b"\x61", b"\x21", push(good)[:-1], push(good + b"\0"),
                push(good) + push(b""), b"\x50" + push(good), b"\x4e\xff\xff\xff\xff" + good):
        spends.append((p2sh(good), sig, []))
    inner = p2wsh(good)
    spends += [(p2sh(inner), push(inner), []), (p2sh(inner), push(b"") + push(inner), [b"", good]), (p2sh(inner), push(inner), [good + b"\0"]),
               (p2sh(inner), push(inner), [good])]
    # P2WSH
    for witness in ([], [b""], [good + b"\0"], [good, b""], [b""] * 30000 + [good], [good]):
        spends.append((p2wsh(good), b"", witness))
    long = b"\x51" + (push(random_bytes(75)) + b"\x75") * 900
    spends += [(p2wsh(good), push(b"x"), [good]), (p2wsh(b""), b"", [b"\1", b""]), (p2wsh(long), b"", [long])]
    # P2TR
    for leaf_version in (0xC2, 0x66, 0xFE, 0x50, 0x00):
        tap = Tap(good, 2, leaf_version)
        spends.append((tap.output, b"", [good, tap.control]))
    for depth in (127, 128, 129):
        tap = Tap(good, depth)
        spends.append((tap.output, b"", [good, tap.control]))
    large = random_bytes(70000)
    tap = Tap(large, 3)
    spends.append((tap.output, b"", [large, tap.control]))
    tap = Tap(good, 1)
    wrong = bytes([tap.control[0] ^ 1]) + tap.control[1:]
    for witness in ([], [b""], [random_bytes(64)], [random_bytes(64), b"\x50"], [b"\x50", b"\x50"], [good, b""], [good, tap.control[:32]],
                    [good, tap.control[:33]], [good, tap.control + b"\0"], [good, tap.control[:-1]], [good, wrong], [b"", tap.control],
                    [good + b"\0", tap.control], [tap.control, good], [good, tap.control, b""], [good, tap.control, b"\x51"],
                    [good, tap.control, b"\x50"], [b"\x50"], [good, b"\xc0" + b"\xff" * 32]):
        spends.append((tap.output, b"", witness))
    spends.append((tap.output, push(b"x"), [good, tap.control]))
    return names, spends


def transaction(inputs, outputs):
    """(outpoint, scriptSig, witness), (value, script)."""
    segwit = any(witness for _, _, witness in inputs)
    ins = compact(len(inputs)) + b"".join(p + text(sig) + b"\xff" * 4 for p, sig, _ in inputs)
    outs = compact(len(outputs)) + b"".join(struct.pack("<Q", value) + text(spk) for value, spk in outputs)
    body = struct.pack("<I", 2) + ins + outs + b"\0" * 4
    witnesses = b"".join(compact(len(w)) + b"".join(map(text, w)) for _, _, w in inputs)
    return sha256d(body), struct.pack("<I", 2) + b"\0\1" + ins + outs + witnesses + b"\0" * 4 if segwit else body


def write_chain(folder):
    names, spends = planted()
    blocks, hashes = [block(bytes(32), 1296688602, [GENESIS], 2)], []
    purse = None

    def add(txs):
        height = len(blocks)
        coinbase = transaction([(bytes(32) + b"\xff" * 4, struct.pack("<BI", 4, height), [])], [(50 * 10**8, b"\x51")])
        blocks.append(block(sha256d(blocks[-1][:80]), 1296688602 + 86400 * height, [coinbase[1]] + [raw for _, raw in txs]))
        return coinbase[0]

    purse, waiting = add([]), []
    for at in range(0, len(spends), 10):
        some = spends[at : at + 10]
        fund = transaction([(purse + struct.pack("<I", 0), b"", [])], [(1000 + i, spk) for i, (spk, _, _) in enumerate(some)])
        inputs = [(fund[0] + struct.pack("<I", i), sig, witness) for i, (_, sig, witness) in enumerate(some)]
        rng.shuffle(inputs)
        # some in the block that makes the outputs, some much later; some inputs of one transaction, some alone
        now = [transaction(inputs[:3], [(0, b"\x51")]), transaction(inputs[3:5], [(0, b"\x51")])] if len(inputs) > 4 else []
        waiting += [transaction([one], [(0, b"\x6a")]) for one in (inputs[5:] if now else inputs)]
        purse = add([fund] + now)
    rng.shuffle(waiting)
    for at in range(0, len(waiting), 20):
        add(waiting[at : at + 20])
    os.makedirs(os.path.join(folder, "regtest", "blocks"))
    os.makedirs(os.path.join(folder, "truth"))
    with open(os.path.join(folder, "regtest", "blocks", "xor.dat"), "wb") as f:
        f.write(bytes(8))
    with open(os.path.join(folder, "regtest", "blocks", "blk00000.dat"), "wb") as f:
        for one in blocks:
            hashes.append(sha256d(one[:80])[::-1].hex())
            f.write(bytes.fromhex("fabfb5da") + struct.pack("<I", len(one)) + one)
    with open(os.path.join(folder, "truth", "blocks.csv"), "w", newline="") as f:
        csv.writer(f).writerows([["hash"]] + [[one] for one in hashes])
    with open(os.path.join(folder, "planted.csv"), "w", newline="") as f:
        csv.writer(f).writerows([["script_hex", "name", "not_in"]] + [[hex_, *told] for hex_, told in names.items()])


if __name__ == "__main__":
    if sys.argv[1] == "chain":
        write_chain(sys.argv[2])
    elif sys.argv[1] == "dags":
        check_dags(*sys.argv[2:])
    else:
        check(*sys.argv[2:])
