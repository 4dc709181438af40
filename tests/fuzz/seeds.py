#!/usr/bin/env python3
"""Writes the seed corpus of the fuzz targets (kept for the record; not needed to build or test).

    seeds.py UNKTX CHAINGEN     (the two programs)

Blocks come from the bundled fixture and from small generated chains, batches from the store that a scan of these makes."""
import csv, hashlib, os, re, struct, subprocess, sys, tempfile

unktx, chaingen = sys.argv[1:3]
here = os.path.dirname(os.path.abspath(__file__))
fixtures = os.path.join(here, "..", "fixtures")


def write(target, name, data):
    folder = os.path.join(here, "corpus", target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as f:
        f.write(data)


def plain(folder, name):
    with open(os.path.join(folder, "xor.dat"), "rb") as f:
        key = f.read()
    with open(os.path.join(folder, name), "rb") as f:
        raw = f.read()
    return bytes(b ^ key[i % 8] for i, b in enumerate(raw))


def records(data):
    at, magic = 0, data[:4]
    while data[at:at + 4] == magic:
        size = struct.unpack_from("<I", data, at + 4)[0]
        yield data[at:at + 8 + size]
        at += 8 + size


def under_key(first, data):
    """As fuzz_scan reads it: a byte of options, then the bytes under a key made from it."""
    key = [(first + 37 * i) % 256 for i in range(8)] if first & 1 else [0] * 8
    return bytes([first]) + bytes(b ^ key[i % 8] for i, b in enumerate(data))


def batches(path, magic=b"uXTB"):
    with open(path, "rb") as f:
        data = f.read()
    at = data.find(magic)
    while at >= 0:
        size = struct.unpack_from("<I", data, at + 4)[0]
        batch = data[at:at + size]
        if len(batch) == size and hashlib.sha256(batch[16:]).digest()[:8] == batch[8:16]:
            yield batch
        at = data.find(magic, at + 1)


with open(os.path.join(here, "..", "parser", "protocol_vectors.h")) as f:
    for name, text in re.findall(r"#define TX_(\w+)((?:\s*\\\n?\s*\"[0-9a-f]+\")+)", f.read()):
        write("protocol", name.lower(), bytes.fromhex("".join(re.findall(r'"([0-9a-f]+)"', text))))

with tempfile.TemporaryDirectory() as temporary:
    chains = []
    for seed, how in enumerate((["--tdags", "4", "--blocks", "2"], ["--blocks", "4"], ["--tdags", "8"]), 1):
        data = os.path.join(temporary, str(seed))
        subprocess.run([chaingen, *how, "--block-bytes", "1200", "--planted", "5000", "--seed", str(seed), data],
                       check=True, stdout=subprocess.DEVNULL)
        blocks = list(records(plain(os.path.join(data, "regtest", "blocks"), "blk00000.dat")))
        chains.append(blocks)
        store = os.path.join(temporary, "store%d" % seed)
        subprocess.run([unktx, "scan", "--quiet", "--datadir", data, "--store", store, "--nulldata", "store"], check=True)
        for i, batch in enumerate(batches(os.path.join(store, "data.mdb"))):
            write("record", "chain%d-%d" % (seed, i), batch)
        partial = os.path.join(temporary, "partial%d" % seed)
        subprocess.run([unktx, "scan", "--quiet", "--datadir", data, "--store", partial, "--nulldata", "store", "--partial",
                        "--from-height", "1"], check=True)
        for i, batch in enumerate(batches(os.path.join(partial, "data.mdb"), b"uXTD")):
            write("record", "partial%d-%d" % (seed, i), batch)
    fixture = list(records(plain(os.path.join(fixtures, "regtest-xor", "regtest", "blocks"), "blk00000.dat")))
    small = [b for b in fixture if len(b) < 1500]
    for i, block in enumerate(small[:4] + small[-4:] + [b for c in chains for b in c[1:4]]):
        write("block", "block%02d" % i, block[8:])
    whole = b"".join(chains[0])
    genesis = chains[0][0]
    scans = {
        "empty": b"", "genesis": genesis, "chain": whole, "twice": genesis + genesis,
        "padded": whole[:3000] + bytes(400) + whole, "torn": whole[:-100], "gap": genesis + b"\xfa\xbf\xb5\xda" * 9 + whole,
        "backwards": b"".join(reversed(chains[1][:5])), "two": b"".join(chains[1][:4]) + b"".join(chains[2][1:4]),
    }
    for name, data in scans.items():
        write("scan", name, under_key(0, data))
        write("scan", name + "-xor", under_key(3, data))
    for i, blocks in enumerate(chains):
        write("whole", "chain%d" % i, bytes([0]) + b"".join(blocks))
        write("whole", "chain%d-options" % i, bytes([0x1f << i & 0xff]) + b"".join(blocks))
    write("whole", "fixture", bytes([4]) + b"".join(fixture[:30]))

# changes to the store that fuzz_store makes: page, offset, what to do (set a byte, add, set 8 bytes, copy a page, set 2 bytes,
# fill a page, cut the file, flip a bit), number
changes = {"none": [], "magic": [(0, 16, 0, 1)], "page-size": [(0, 40, 2, 4096 * 2), (1, 40, 2, 4096 * 2)],
           "last-page": [(0, 136, 2, 5), (1, 136, 2, 5)], "roots": [(0, 128, 2, 3), (1, 128, 2, 3)],
           "depth": [(0, 94, 4, 3), (1, 94, 4, 3)], "cut": [(0, 0, 6, 9000)], "copied": [(20, 0, 3, 21)], "filled": [(9, 0, 5, 0xff)],
           "two": [(5, 12, 1, 2), (6, 16, 4, 4000)]}
for page in range(2, 60, 3):
    changes["node%d" % page] = [(page, 16 + 2 * (page % 5), 1, 2)]
    changes["key%d" % page] = [(page, 4000 + page, 7, page)]
for name, list_ in changes.items():
    write("store", name, b"".join(struct.pack("<HHHH", *c) for c in list_))

seen = set()
with open(os.path.join(fixtures, "regtest-xor", "truth", "outputs.csv"), newline="") as f:
    for row in csv.DictReader(f):
        script = bytes.fromhex(row["script_hex"])
        shape = (row["type"], len(script))
        if script and len(script) < 400 and shape not in seen:
            seen.add(shape)
            write("script", "%s-%d" % shape, script)
