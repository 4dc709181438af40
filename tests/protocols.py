#!/usr/bin/env python3
"""Plants outputs of every protocol in a chain, with encoders of its own, and compares what unktx says of each.

    protocols.py chain DATADIR TRUTH.csv     writes DATADIR/regtest/blocks/blk00000.dat, and what is in it
    protocols.py check TRUTH.csv FOLDER      compares FOLDER/outputs.csv, templates.csv and protocols.csv with that

Whole transactions of mainnet (tests/parser/protocol_vectors.h) are in the chain too. The formats are those of the protocols'
programs, see parser/protocol.h; RC4, Base58Check and the curve are written anew here."""
import collections, csv, hashlib, os, random, re, struct, sys

P = 2**256 - 2**32 - 977
BURNS = [bytes([first]) + bytes([rest]) * 32 for first, rest in ((2, 2), (2, 0x22), (3, 3), (3, 0x33), (2, 0xff), (3, 0))]
EXODUS = [(bytes.fromhex("946cb2e08075bcbaf157e47bcb67eb2b2339d242"), 0, 5),
          (bytes.fromhex("5ab93563a289b74c355a9b9258b86f12bb84affb"), 0x6f, 0xc4)]
rng = random.Random(13)


def sha256(data):
    return hashlib.sha256(data).digest()


def sha256d(data):
    return sha256(sha256(data))


def rc4(key, data):
    s, j = list(range(256)), 0
    for i in range(256):
        j = (j + s[i] + key[i % len(key)]) % 256
        s[i], s[j] = s[j], s[i]
    out, i, j = bytearray(), 0, 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + s[i]) % 256
        s[i], s[j] = s[j], s[i]
        out.append(byte ^ s[(s[i] + s[j]) % 256])
    return bytes(out)


def hash160(data):
    return hashlib.new("ripemd160", sha256(data)).digest()


def address(version, hash_):
    payload = bytes([version]) + hash_
    payload += sha256d(payload)[:4]
    number, text = int.from_bytes(payload, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[digit] + text
    return "1" * (len(payload) - len(payload.lstrip(b"\0"))) + text


def on_curve(key):
    x = int.from_bytes(key[1:33], "big")
    square = (x**3 + 7) % P
    if len(key) == 33:
        return key[0] in (2, 3) and x < P and pow(square, (P - 1) // 2, P) == 1
    return len(key) == 65 and key[0] == 4 and x < P and pow(int.from_bytes(key[33:], "big"), 2, P) == square


def random_bytes(size):
    return bytes(rng.randrange(256) for _ in range(size))


def any_key(wanted=True):
    """A key on the curve, or one that is not."""
    while True:
        key = bytes([rng.choice((2, 3))]) + random_bytes(32)
        if on_curve(key) == wanted:
            return key


def push(data):
    assert len(data) < 256
    return (bytes([len(data)]) if len(data) < 76 else bytes([0x4c, len(data)])) + data


def multisig(required, keys):
    return bytes([0x50 + required]) + b"".join(push(key) for key in keys) + bytes([0x50 + len(keys), 0xae])


def compact(number):
    return bytes([number]) if number < 0xfd else b"\xfd" + struct.pack("<H", number)


def p2pkh(hash_):
    return b"\x76\xa9\x14" + hash_ + b"\x88\xac"


class Tx:
    def __init__(self):
        self.inputs = [(random_bytes(32), rng.randrange(4), b"") for _ in range(rng.choice((1, 1, 2, 3)))]
        self.outputs = []  # script, protocol, spendable_reason; None: known

    def first_txid(self):
        return self.inputs[0][0][::-1]

    def add(self, script, protocol=None, reason=None):
        self.outputs.append((script, protocol, reason))

    def serialise(self):
        out = struct.pack("<I", 1) + compact(len(self.inputs))
        for txid, vout, script in self.inputs:
            out += txid + struct.pack("<I", vout) + compact(len(script)) + script + b"\xff" * 4
        out += compact(len(self.outputs))
        for script, _, _ in self.outputs:
            out += struct.pack("<Q", 546 + rng.randrange(1000)) + compact(len(script)) + script
        return out + b"\0" * 4


def known():
    return p2pkh(random_bytes(20))


def data_keys(data):
    """Bytes in keys of 31 each."""
    return [bytes([rng.choice((2, 3))]) + data[i:i + 31] + random_bytes(1) for i in range(0, len(data), 31)]


def counterparty(message, keys=3, required=1, last=None, protocol="counterparty", reason="enough-keys", txid=None):
    tx = Tx()
    tx.add(known())
    room = 31 * (keys - 1) - 9
    for at in range(0, max(len(message), 1), room):
        part = b"CNTRPRTY" + message[at:at + room]
        chunk = (bytes([len(part)]) + part).ljust(31 * (keys - 1), b"\0")
        chunk = rc4(txid or tx.first_txid(), chunk)
        tx.add(multisig(required, data_keys(chunk) + [last or any_key()]), protocol, reason)
    tx.add(known())
    return tx


def plain(mark, message, protocol):
    tx = Tx()
    tx.add(known())
    data = mark + message
    for at in range(0, len(data), 32):
        part = data[at:at + 32]
        tx.add(multisig(1, [any_key(), bytes([len(part)]) + part.ljust(32, b"\0")]), protocol, "enough-keys")
    return tx


def stamps(text, txid=None):
    tx = Tx()
    tx.add(known())
    data = struct.pack(">H", len(text)) + text
    data = rc4(txid or tx.first_txid(), data.ljust((len(data) + 61) // 62 * 62, b"\0"))
    keys = data_keys(data)
    for i in range(0, len(keys), 2):
        burn = rng.choice(BURNS)
        tx.add(multisig(1, keys[i:i + 2] + [burn]), *(("stamps", "burnt-keys") if not txid else ("key-burn", None)))
    return tx


def omni(payload, exodus, by_key=True, paid=True, lie=False, redeem=None):
    tx = Tx()
    secret = any_key()
    redeem = redeem or multisig(1, [secret, any_key()])
    sender = (address(exodus[1], hash160(secret)) if by_key else address(exodus[2], hash160(redeem))).encode()
    script = push(random_bytes(71)) + push(any_key() if lie else secret if by_key else redeem)
    at = rng.randrange(len(tx.inputs))
    tx.inputs[at] = (tx.inputs[at][0], 0, script)
    keys, number, mask = [], 0, sender
    for i in range(0, len(payload), 30):
        number, mask = number + 1, sha256(mask)
        packet = (bytes([number]) + payload[i:i + 30]).ljust(31, b"\0")
        keys.append(bytes([2]) + bytes(a ^ b for a, b in zip(packet, mask)) + random_bytes(1))
        mask = mask.hex().upper().encode()
    if paid:
        tx.add(p2pkh(exodus[0]))
    for i in range(0, len(keys), 2):
        mine = keys[i:i + 2]
        name = "omni" if paid and not lie else "data-keys" if not all(map(on_curve, mine)) else ""
        tx.add(multisig(1, [secret] + mine), name, "enough-keys")
    return tx


def omni_payload(size):
    return b"\0\0\0" + bytes([rng.choice((0, 3, 20, 50, 51))]) + random_bytes(size)


def alone():
    """Outputs whose scripts tell all."""
    tx = Tx()
    burn, good, off = rng.choice(BURNS), any_key(), any_key(False)
    tx.add(multisig(1, [good, burn]), "key-burn", "enough-keys")
    tx.add(multisig(2, [good, burn]), "key-burn", "burnt-keys")
    tx.add(multisig(2, [burn, off, good]), "key-burn", "keys-off-curve")
    tx.add(multisig(1, [good, off]), "data-keys", "enough-keys")
    tx.add(multisig(1, [off, any_key(False), any_key(False)]), "data-keys", "keys-off-curve")
    tx.add(multisig(2, [good, any_key(), any_key()]), "", "enough-keys")
    tx.add(multisig(1, [random_bytes(1) + b"\x77" * 64] * 3), "key-burn", "burnt-keys")
    tx.add(multisig(1, [b"%PDF-1.4" + random_bytes(57)] * 3), "data-keys", "keys-off-curve")
    tx.add(push(good) + b"\xac", "", "enough-keys")
    tx.add(push(off) + b"\xac", "data-keys", "keys-off-curve")
    tx.add(push(burn) + b"\xac", "key-burn", "burnt-keys")
    tx.add(b"RSKBLOCK:" + random_bytes(32), "rsk", "always-fails")
    mark = bytes.fromhex("0320a0de360cc2ae8672db7d557086a4e7c8eca062c0a5a4ba9922dee0aacf3e12")
    tx.add(multisig(1, [good, mark, random_bytes(33)]), "ppk", "enough-keys")
    tx.add(multisig(1, [off, mark]), "ppk", "keys-off-curve")
    tx.add(b"\x76\xa9\x00\x88\xac", "", "always-fails")
    tx.add(b"\xa8\x20" + random_bytes(32) + b"\x87", "", "undecided")
    tx.add(b"", "", "anyone-can-spend")
    tx.add(known())
    rng.shuffle(tx.outputs)
    return tx


def planted():
    for _ in range(40):
        size = rng.randrange(1, 300)
        yield counterparty(random_bytes(size).replace(b":", b";"))
        yield counterparty(random_bytes(size).replace(b":", b";"), keys=2)
        yield counterparty(random_bytes(size).replace(b":", b";"), required=2, reason="data-keys")
        yield counterparty(random_bytes(size).replace(b":", b";"), last=any_key(False), reason="keys-off-curve")
        yield counterparty(random_bytes(size) + b"STAMP:" + random_bytes(size), protocol="stamps")
        yield counterparty(random_bytes(size), last=rng.choice(BURNS), protocol="stamps", reason="burnt-keys")
        yield plain(b"CNTRPRTY", random_bytes(size), "counterparty")
        yield plain(b"CHANCECO", random_bytes(size), "chancecoin")
        yield stamps(b'stamp:{"p":"src-20","op":"mint","tick":"' + random_bytes(size).hex().encode() + b'"}')
        yield omni(omni_payload(size), rng.choice(EXODUS), by_key=rng.random() < 0.7)
        # a redeem script of 33 bytes that is a key by its first one: it pushes two bytes, and 29 and a number after them
        yield omni(omni_payload(size), rng.choice(EXODUS), by_key=False, redeem=b"\x02" + random_bytes(2) + push(random_bytes(28)) + b"\x51")
        yield alone()
        # what only looks alike: another key, no output to the Exodus address, a sender who is not there
        yield stamps(b"stamp:" + random_bytes(size), txid=random_bytes(32))
        yield omni(omni_payload(26), EXODUS[0], paid=False)
        yield omni(omni_payload(26), EXODUS[1], lie=True)


REAL = {"SRC20": "stamps", "COUNTERPARTY": "counterparty", "CHANCECOIN": "chancecoin", "OMNI": "omni", "PPK": "ppk", "MULTISIG": ""}
RETARGET, TARGET = 0x207fffff, 0x7fffff << 232


def real():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "parser", "protocol_vectors.h")
    with open(path) as f:
        for name, text in re.findall(r"#define TX_(\w+)((?:\s*\\\n?\s*\"[0-9a-f]+\")+)", f.read()):
            yield REAL[name.split("_")[0]], bytes.fromhex("".join(re.findall(r'"([0-9a-f]+)"', text)))


def without_witness(raw):
    """The bytes that a txid is the hash of, of a transaction with few small fields."""
    if raw[4:6] != b"\0\1":
        return raw
    at = 7
    for _ in range(raw[6]):
        at += 36 + 1 + raw[at + 36] + 4
    count, at = raw[at], at + 1
    for _ in range(count):
        at += 8 + 1 + raw[at + 8]
    return raw[:4] + raw[6:at] + raw[-4:]


def merkle(hashes):
    while len(hashes) > 1:
        hashes = hashes + hashes[-1:] * (len(hashes) % 2)
        hashes = [sha256d(hashes[i] + hashes[i + 1]) for i in range(0, len(hashes), 2)]
    return hashes[0]


def block(parent, time, txs, nonce=0):
    head = struct.pack("<I", 1) + parent + merkle([sha256d(tx) for tx in txs])
    while True:
        header = head + struct.pack("<III", time, RETARGET, nonce)
        if int.from_bytes(sha256d(header), "little") <= TARGET:
            return header + compact(len(txs)) + b"".join(txs)
        nonce += 1


GENESIS = bytes.fromhex(
    "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff001d0104455468652054696d65732030332f"
    "4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2"
    "052a01000000434104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d"
    "578a4c702b6bf11d5fac00000000")


def write_chain(folder, truth):
    rows = [(sha256d(GENESIS)[::-1].hex(), 0, "", "enough-keys")]
    txs = []
    for protocol, raw in real():
        txs.append(without_witness(raw))
        rows.append((sha256d(txs[-1])[::-1].hex(), "", protocol, ""))
    for tx in planted():
        raw = tx.serialise()
        txs.append(raw)
        for vout, (_, protocol, reason) in enumerate(tx.outputs):
            if protocol is not None:
                rows.append((sha256d(raw)[::-1].hex(), vout, protocol, reason or ""))
    blocks = [block(bytes(32), 1296688602, [GENESIS], 2)]
    assert sha256d(blocks[0][:80])[::-1].hex() == "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"
    for height, begin in enumerate(range(0, len(txs), 50), 1):
        coinbase = Tx()
        coinbase.inputs = [(bytes(32), 2**32 - 1, struct.pack("<BI", 4, height))]
        coinbase.add(known())
        blocks.append(block(sha256d(blocks[-1][:80]), 1296688602 + 600 * height, [coinbase.serialise()] + txs[begin:begin + 50]))
    os.makedirs(os.path.join(folder, "regtest", "blocks"))
    with open(os.path.join(folder, "regtest", "blocks", "blk00000.dat"), "wb") as f:
        for bytes_ in blocks:
            f.write(bytes.fromhex("fabfb5da") + struct.pack("<I", len(bytes_)) + bytes_)
    with open(truth, "w", newline="") as f:
        csv.writer(f).writerows(rows)


def read(path):
    with open(path, newline="") as f:
        return list(csv.DictReader(f))


SPENDABLE = {"spent": "yes", "anyone-can-spend": "yes", "enough-keys": "yes", "undecided": "unknown"}


def check(truth, folder):
    wanted, whole = {}, {}
    with open(truth, newline="") as f:
        for txid, vout, protocol, reason in csv.reader(f):
            if vout:
                wanted[txid, vout] = protocol, reason
            else:
                whole[txid] = protocol
    outputs, found, wrong = read(os.path.join(folder, "outputs.csv")), collections.Counter(), 0
    for row in outputs:
        place = row["txid"], row["vout"]
        protocol, reason = wanted.pop(place, (whole.get(row["txid"]), ""))
        right = row["protocol"] == protocol and (not reason or row["spendable_reason"] == reason) and \
            row["spendable"] == SPENDABLE.get(row["spendable_reason"], "no")
        if not right:
            print("protocols: %s:%s is %s, %s; planted: %s, %s" %
                  (*place, row["protocol"], row["spendable_reason"], protocol, reason))
        wrong += not right
        found[row["protocol"] or "other", row["kind"], row["spendable_reason"]] += 1
    wrong += len(wanted)
    for place in wanted:
        print("protocols: %s:%s is missing" % place)
    counted = {(row["protocol"], row["kind"], row["spendable_reason"]): int(row["outputs"])
               for row in read(os.path.join(folder, "protocols.csv")) if row["kind"] != "nulldata"}
    if counted != dict(found):
        print("protocols: stats --protocols counts other outputs than outputs.csv has")
        wrong += 1
    compared = 0
    for row in read(os.path.join(folder, "templates.csv")):
        mine = [o for o in outputs if o["kind"] == row["kind"] and template(bytes.fromhex(o["script_hex"])) == row["template"]]
        if len(mine) != int(row["outputs"]):
            continue  # a template that is cut, or has operations that are not written here
        compared += 1
        for column in "protocol", "spendable", "spendable_reason":
            if row[column].split() != sorted({o[column] for o in mine} - {""}):
                print("protocols: templates.csv has %s '%s' for %s" % (column, row[column], row["template"]))
                wrong += 1
    if compared < 5:
        print("protocols: only %d rows of templates.csv are compared" % compared)
        wrong += 1
    if len(outputs) < 1000 or len(found) < 20:
        print("protocols: only %d outputs of %d sorts" % (len(outputs), len(found)))
        wrong += 1
    return wrong


def template(script):
    """Of m of n keys and of one key; None for others."""
    words, at = [], 0
    while at < len(script):
        code, at = script[at], at + 1
        if 0x51 <= code <= 0x60:
            words.append(str(code - 0x50))
        elif 1 < code < 76 or code == 0x4c:
            if code == 0x4c:
                code, at = script[at], at + 1
            words.append("<%d>" % code)
            at += code
        elif code in (0xac, 0xae):
            words.append({0xac: "OP_CHECKSIG", 0xae: "OP_CHECKMULTISIG"}[code])
        else:
            return None
    return " ".join(words)


if __name__ == "__main__":
    if sys.argv[1] == "chain":
        write_chain(sys.argv[2], sys.argv[3])
    else:
        sys.exit(1 if check(sys.argv[2], sys.argv[3]) else 0)
