"""How outputs were unlocked, against a parser and an interpreter of its own: reads the blk files of the bundled chain itself, follows
every spend of an output that has no address (Bitcoin Core 22), and compares with the rows of `unktx unlocks --rules core-22`.
Then transactions as `unktx tx --scripts` and `unktx show --scripts` have them.
Usage: unlocks.py CHAIN UNLOCKS.csv [TXS.json...]; CHAIN is a folder with regtest/blocks and truth/blocks.csv."""
import csv
import hashlib
import json
import os
import struct
import sys
from collections import namedtuple

Input = namedtuple("Input", "prevout script sequence witness")
Tx = namedtuple("Tx", "version inputs outputs locktime txid")
HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


def sha256(data):
    return hashlib.sha256(data).digest()


def ripemd160(data):
    return hashlib.new("ripemd160", data).digest()


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        assert self.at + size <= len(self.data)
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size):
        return int.from_bytes(self.take(size), "little")

    def compact(self):
        first = self.number(1)
        return first if first < 253 else self.number({253: 2, 254: 4, 255: 8}[first])

    def text(self):
        return self.take(self.compact())


def read_tx(r):
    start = r.at
    version = struct.unpack("<i", r.take(4))[0]
    segwit = r.data[r.at] == 0
    if segwit:
        r.take(2)
    body = r.at
    inputs = []
    for _ in range(r.compact()):
        txid, vout = r.take(32), r.number(4)
        inputs.append([(txid, vout), r.text(), r.number(4), []])
    outputs = [(r.number(8), r.text()) for _ in range(r.compact())]
    body_end = r.at
    if segwit:
        for one in inputs:
            one[3] = [r.text() for _ in range(r.compact())]
    locktime = r.number(4)
    plain = r.data[start : start + 4] + r.data[body:body_end] + r.data[r.at - 4 : r.at]
    return Tx(version, [Input(*one) for one in inputs], outputs, locktime, sha256(sha256(plain)))


def read_blocks(folder):
    """Every block of the files by its hash, in the order in which RPC prints it."""
    key = open(os.path.join(folder, "xor.dat"), "rb").read()
    blocks = {}
    for name in sorted(os.listdir(folder)):
        if not (name.startswith("blk") and name.endswith(".dat")):
            continue
        raw = open(os.path.join(folder, name), "rb").read()
        if any(key):
            pad = (key * (len(raw) // 8 + 1))[: len(raw)]
            raw = (int.from_bytes(raw, "little") ^ int.from_bytes(pad, "little")).to_bytes(len(raw), "little")
        magic, at = bytes.fromhex("fabfb5da"), 0
        while (at := raw.find(magic, at)) >= 0:
            size = int.from_bytes(raw[at + 4 : at + 8], "little")
            block = raw[at + 8 : at + 8 + size]
            blocks.setdefault(sha256(sha256(block[:80]))[::-1].hex(), block)
            at += 8 + size if len(block) == size else 4
    return blocks


def operations(script):
    """(code, data or None) of each operation; ends with (None, None) where a push is cut short."""
    at = 0
    while at < len(script):
        code, at = script[at], at + 1
        if code > 78:
            yield code, None
            continue
        size = code
        if code >= 76:
            width = {76: 1, 77: 2, 78: 4}[code]
            size = int.from_bytes(script[at : at + width], "little") if at + width <= len(script) else 1 << 40
            at += width
        if at + size > len(script):
            yield None, None
            return
        yield code, script[at : at + size]
        at += size


def has_address(script):
    n = len(script)
    return (
        (n == 25 and script[:3] == b"\x76\xa9\x14" and script[23:] == b"\x88\xac")
        or (n == 23 and script[:2] == b"\xa9\x14" and script[22] == 0x87)
        or (n in (22, 34) and script[:2] == bytes([0, n - 2]))
        or (4 <= n <= 42 and 0x51 <= script[0] <= 0x60 and script[1] == n - 2)
    )


def encode(number):
    if number == 0:
        return b""
    size = (abs(number).bit_length() + 8) // 8
    out = bytearray(abs(number).to_bytes(size, "little"))
    out[-1] |= 0x80 if number < 0 else 0
    return bytes(out)


def decode(data):
    if not data:
        return 0
    value = int.from_bytes(data[:-1] + bytes([data[-1] & 0x7F]), "little")
    return -value if data[-1] & 0x80 else value


def truth(data):
    return any(data[:-1]) or bool(data and data[-1] & 0x7F)


class Bytes(bytes):
    """Bytes that know where they come from."""

    origin = None  # ("shown", item), ("script",), ("hash", item, of_key)


def tagged(data, *origin):
    value = Bytes(data)
    value.origin = origin
    return value


HASHES = {
    0xA6: ripemd160,
    0xA7: lambda d: hashlib.sha1(d).digest(),
    0xA8: sha256,
    0xA9: lambda d: ripemd160(sha256(d)),
    0xAA: lambda d: sha256(sha256(d)),
}


class Run:
    def __init__(self):
        self.stack, self.alt, self.ways = [], [], []
        self.branch, self.preimages, self.keys = "", set(), set()
        self.single = self.multi = self.time = 0
        self.items = 0

    def number(self):
        return decode(self.stack.pop())

    def take_key(self):
        origin = getattr(self.stack.pop(), "origin", None) or ("",)
        if origin[0] == "shown":
            self.keys.add(origin[1])

    def verify(self):
        if not truth(self.stack.pop()):
            raise ValueError

    def run(self, script, shown):
        before = None
        for code, data in operations(script):
            active = all(self.ways)
            if code is None:
                raise ValueError
            if 0x63 <= code <= 0x68:
                self.flow(code, active, shown)
            elif active:
                self.step(code, data, shown, before)
            if shown and (data is not None or 0x51 <= code <= 0x60 or code == 0x4F):
                self.items += 1
            before = code
        if self.ways:
            raise ValueError

    def flow(self, code, active, shown):
        if code in (0x63, 0x64):
            way = True
            if active:
                way = truth(self.stack.pop()) == (code == 0x63)
                self.branch += "" if shown else "01"[way]
            self.ways.append(way)
        elif code == 0x67:
            self.ways[-1] = not self.ways[-1]
        elif code == 0x68:
            self.ways.pop()
        else:
            raise ValueError

    def step(self, code, data, shown, before):
        s = self.stack
        tag = ("shown", self.items) if shown else ("script",)
        if data is not None:
            s.append(tagged(data, *tag))
        elif code == 0x4F or 0x51 <= code <= 0x60:
            s.append(tagged(encode(code - 0x50), *tag))
        elif code in HASHES:
            top = s.pop()
            origin = getattr(top, "origin", None) or ("",)
            item = origin[1] if origin[0] in ("shown", "hash") else None
            of_key = (origin[0] == "hash" and origin[2]) or (code == 0xA9 and before == 0x76)
            s.append(tagged(HASHES[code](top), "hash", item, of_key))
        elif code in (0x87, 0x88):
            b, a = s.pop(), s.pop()
            for x, y in ((a, b), (b, a)):
                hashed, asked = getattr(x, "origin", None) or ("",), getattr(y, "origin", None) or ("",)
                if a == b and hashed[0] == "hash" and hashed[1] is not None and not hashed[2] and asked[0] == "script":
                    self.preimages.add(hashed[1])
            s.append(encode(int(a == b)))
            if code == 0x88:
                self.verify()
        elif code in (0xAC, 0xAD):
            self.take_key()
            good = len(s.pop()) > 0
            self.single += good
            s.append(encode(int(good)))
            if code == 0xAD:
                self.verify()
        elif code in (0xAE, 0xAF):
            for _ in range(self.number()):
                self.take_key()
            sigs = [s.pop() for _ in range(self.number())]
            s.pop()
            good = all(sigs)
            self.multi += len(sigs) if good else 0
            s.append(encode(int(good)))
            if code == 0xAF:
                self.verify()
        elif code in (0xB1, 0xB2):
            self.time += not shown
        else:
            self.plain(code)

    def plain(self, code):
        s = self.stack
        moves = {0x6D: (2, []), 0x6E: (2, [0, 1, 0, 1]), 0x6F: (3, [0, 1, 2] * 2), 0x70: (4, [0, 1, 2, 3, 0, 1]),
                 0x71: (6, [2, 3, 4, 5, 0, 1]), 0x72: (4, [2, 3, 0, 1]), 0x75: (1, []), 0x76: (1, [0, 0]),
                 0x77: (2, [1]), 0x78: (2, [0, 1, 0]), 0x7B: (3, [1, 2, 0]), 0x7C: (2, [1, 0]), 0x7D: (2, [1, 0, 1])}
        one = {0x8B: lambda x: x + 1, 0x8C: lambda x: x - 1, 0x8F: lambda x: -x, 0x90: abs,
               0x91: lambda x: int(x == 0), 0x92: lambda x: int(x != 0)}
        two = {0x93: lambda x, y: x + y, 0x94: lambda x, y: x - y, 0x9A: lambda x, y: x != 0 and y != 0,
               0x9B: lambda x, y: x != 0 or y != 0, 0x9C: int.__eq__, 0x9D: int.__eq__, 0x9E: int.__ne__,
               0x9F: int.__lt__, 0xA0: int.__gt__, 0xA1: int.__le__, 0xA2: int.__ge__, 0xA3: min, 0xA4: max}
        if code in moves:
            takes, leaves = moves[code]
            if len(s) < takes:
                raise ValueError
            taken = s[len(s) - takes :]
            del s[len(s) - takes :]
            s.extend(taken[i] for i in leaves)
        elif code in one:
            s.append(encode(int(one[code](self.number()))))
        elif code in two:
            y, x = self.number(), self.number()
            s.append(encode(int(two[code](x, y))))
            if code == 0x9D:
                self.verify()
        elif code == 0xA5:
            high, low, x = self.number(), self.number(), self.number()
            s.append(encode(int(low <= x < high)))
        elif code == 0x69:
            self.verify()
        elif code == 0x6B:
            self.alt.append(s.pop())
        elif code == 0x6C:
            s.append(self.alt.pop())
        elif code == 0x73:
            if truth(s[-1]):
                s.append(s[-1])
        elif code == 0x74:
            s.append(encode(len(s)))
        elif code in (0x79, 0x7A):
            n = self.number()
            value = s[-1 - n]
            if code == 0x7A:
                del s[-1 - n]
            s.append(value)
        elif code == 0x82:
            s.append(encode(len(s[-1])))
        elif code in (0x61, 0xAB, 0xB0) or 0xB3 <= code <= 0xB9:
            pass
        else:
            raise ValueError


def signature(item):
    """(strict, low s) of a signature in DER, else None. The chain has no signature that only a loose reader takes."""
    if not 9 <= len(item) <= 73 or item[0] != 0x30 or item[1] != len(item) - 3 or item[2] != 2:
        return None
    r = item[3]
    if r == 0 or item[4 + r] != 2 or 6 + r + item[5 + r] + 1 != len(item):
        return None
    return True, int.from_bytes(item[6 + r : -1], "big") <= HALF_ORDER


def is_key(item):
    return (len(item) == 33 and item[0] in (2, 3)) or (len(item) == 65 and item[0] in (4, 6, 7))


def expected(script, shown):
    run, told = Run(), True
    try:
        run.run(shown, True)
        run.run(script, False)
        told = truth(run.stack.pop())
        run.preimages -= run.keys
    except (ValueError, IndexError):
        told = False
    row = dict.fromkeys("signatures keys preimages numbers empty data operations strict_der low_s".split(), 0)
    sighashes, number = set(), 0
    for code, data in operations(shown):
        if data is None and not (0x51 <= code <= 0x60 or code == 0x4F):
            row["operations"] += 1
            continue
        item = data if data is not None else encode(code - 0x50)
        if number in run.preimages:
            row["preimages"] += 1
        elif not item:
            row["empty"] += 1
        elif len(item) <= 4:
            row["numbers"] += 1
        elif is_key(item):
            row["keys"] += 1
        elif signature(item):
            row["signatures"] += 1
            row["strict_der"] += 1
            row["low_s"] += signature(item)[1]
            sighashes.add(item[-1])
        else:
            row["data"] += 1
        number += 1
    names = {1: "ALL", 2: "NONE", 3: "SINGLE", 0x81: "ALL|ANYONECANPAY", 0x82: "NONE|ANYONECANPAY",
             0x83: "SINGLE|ANYONECANPAY"}
    row["sighashes"] = " ".join(names.get(b, "0x%02x" % b) for b in sorted(sighashes))
    row["branch"] = run.branch
    row["time"] = int(run.time > 0)
    if run.preimages:
        row["unlock"] = "signature+preimage" if run.single + run.multi else "preimage"
    elif run.multi or run.single > 1:
        row["unlock"] = "multisig"
    elif run.single:
        row["unlock"] = "signature"
    elif run.time:
        row["unlock"] = "time"
    else:
        row["unlock"] = "nothing" if not shown else "nothing or other"
    return told, {name: str(value) for name, value in row.items()}


def template_of_pushes(script):
    tokens = []
    for code, data in operations(script):
        if code == 0:
            tokens.append("0")
        elif data is not None:
            tokens.append("<%d>" % len(data))
        elif 0x51 <= code <= 0x60 or code == 0x4F:
            tokens.append(str(code - 0x50))
        else:
            return None
    return " ".join(tokens)


def check_unlocks(txs, path):
    rows = {(r["spender_txid"], r["spender_vin"]): r for r in csv.DictReader(open(path, newline=""))}
    outputs, spends, followed = {}, 0, 0
    for tx in txs:
        for vin, one in enumerate(tx.inputs):
            script = outputs.get(one.prevout)
            if script is None or has_address(script):
                continue
            spends += 1
            row = rows.pop((tx.txid[::-1].hex(), str(vin)))
            assert (row["txid"], row["vout"]) == (one.prevout[0][::-1].hex(), str(one.prevout[1])), row
            told, want = expected(script, one.script)
            assert told or row["branch"].endswith("?") or not row["branch"], row
            if template_of_pushes(one.script) is not None:
                assert row["script_sig_template"] == template_of_pushes(one.script), (row, one.script.hex())
            if not told:
                continue
            followed += 1
            if want["unlock"] == "nothing or other":
                assert row["unlock"] in ("nothing", "other"), row
                want["unlock"] = row["unlock"]
            for name, value in want.items():
                assert row[name] == value, (name, value, row, script.hex(), one.script.hex())
        for vout, (_, script) in enumerate(tx.outputs):
            outputs[(tx.txid, vout)] = script
    assert not rows, next(iter(rows.values()))
    assert spends > 2000 and followed > spends * 0.99, (spends, followed)


def documents(path):
    """Several documents of JSON, one after the other."""
    text, at, decoder = open(path).read(), 0, json.JSONDecoder()
    while at < len(text):
        document, at = decoder.raw_decode(text, at)
        at += len(text[at:]) - len(text[at:].lstrip())
        yield document


def check_txs(by_txid, path):
    """The file is what `unktx tx` or `unktx show`, with --scripts and as JSON, printed of transactions."""
    seen = 0
    for told in (tx for document in documents(path) for tx in document):
        tx = by_txid[told["txid"]]
        assert (told["version"], told["locktime"]) == (tx.version, tx.locktime), told["txid"]
        for one, input in zip(tx.inputs, told["inputs"], strict=True):
            assert input["script_sig_hex"] == one.script.hex(), told["txid"]
            assert input["sequence"] == one.sequence, told["txid"]
            assert input["witness"] == [item.hex() for item in one.witness], told["txid"]
            if "prev_txid" in input:
                assert one.prevout == (bytes.fromhex(input["prev_txid"])[::-1], input["prev_vout"]), told["txid"]
        for (value, script), output in zip(tx.outputs, told["outputs"], strict=True):
            assert (output["value_sat"], output["script_hex"]) == (value, script.hex()), told["txid"]
            assert (output["address"] is not None) == has_address(script), told["txid"]
        seen += 1
    assert seen > 100, (path, seen)


def read_chain(chain):
    """The transactions of each block of the best chain."""
    blocks = read_blocks(os.path.join(chain, "regtest/blocks"))
    for row in csv.DictReader(open(os.path.join(chain, "truth/blocks.csv"), newline="")):
        r = Reader(blocks[row["hash"]])
        r.take(80)
        yield [read_tx(r) for _ in range(r.compact())]


def main():
    chain, unlocks, *jsons = sys.argv[1:]
    txs = [tx for block in read_chain(chain) for tx in block]
    check_unlocks(txs, unlocks)
    for path in jsons:
        check_txs({tx.txid[::-1].hex(): tx for tx in txs}, path)


if __name__ == "__main__":
    main()
