"""The transactions of tests/fixtures/mainnet-pair, parsed on their own (tests/unlocks.py), against what unktx says of them.
Usage: pair.py chain DATADIR    writes a chain of regtest with them, and prints their txids
       pair.py check FOLDER     compares FOLDER/unlocks-RULES.csv and FOLDER/txs.json with what the bytes say"""
import csv
import os
import struct
import sys

from unlocks import Reader, documents, expected, has_address, read_blocks, read_tx, sha256, template_of_pushes

PAIR = "tests/fixtures/mainnet-pair"
CREATOR = "db3f14e43fecc80eb3e0827cecce85b3499654694d12272bf91b1b2b8c33b5cb"
SPENDER = "8ebe1df6ebf008f7ec42ccd022478c9afaec3ca0444322243b745aa2e317c272"


def raw(txid):
    return bytes.fromhex("".join(open(os.path.join(PAIR, txid + ".hex")).read().split()))


def twice(data):
    return sha256(sha256(data))


def record(block):
    return bytes.fromhex("fabfb5da") + struct.pack("<I", len(block)) + block


def make_chain(place):
    """The genesis block and one with both; what its other inputs spend is not in it, as on a chain that was cut."""
    (genesis,) = read_blocks("tests/fixtures/genesis/regtest/blocks").values()
    coinbase = (bytes.fromhex("0100000001" + "00" * 32 + "ffffffff025151ffffffff01") + struct.pack("<Q", 50 * 10**8)
                + bytes.fromhex("01510000" + "0000"))
    head = struct.pack("<I", 1) + twice(genesis[:80]) + bytes(32) + struct.pack("<II", 1600000000, 0x207FFFFF)
    nonce = 0
    while twice(head + struct.pack("<I", nonce))[31] >= 0x7F:
        nonce += 1
    folder = os.path.join(place, "regtest/blocks")
    os.makedirs(folder)
    with open(os.path.join(folder, "blk00000.dat"), "wb") as file:
        file.write(record(genesis))
        file.write(record(head + struct.pack("<I", nonce) + b"\x03" + coinbase + raw(CREATOR) + raw(SPENDER)))
    print(CREATOR, SPENDER, sep="\n")


def check_unlocks(path, txs, is_unknown):
    """A row for each input that spends an unknown output, and for no other."""
    outputs = {(tx.txid, vout): script for tx in txs for vout, (_, script) in enumerate(tx.outputs)}
    rows = list(csv.DictReader(open(path, newline="")))
    wanted = [
        (tx, vin, one) for tx in txs for vin, one in enumerate(tx.inputs)
        if one.prevout in outputs and is_unknown(outputs[one.prevout])
    ]
    assert len(rows) == len(wanted) == 1, (len(rows), len(wanted))
    for row, (tx, vin, one) in zip(rows, wanted):
        assert (row["spender_txid"], row["spender_vin"]) == (tx.txid[::-1].hex(), str(vin)), row
        assert (row["txid"], row["vout"]) == (one.prevout[0][::-1].hex(), str(one.prevout[1])), row
        told, want = expected(outputs[one.prevout], one.script)
        assert told
        for name, value in want.items():
            assert row[name] == value, (name, value, row)
        assert row["script_sig_template"] == template_of_pushes(one.script), row


def check_txs(path, txs):
    told = [tx for document in documents(path) for tx in document]
    assert [tx["txid"] for tx in told] == [tx.txid[::-1].hex() for tx in txs]
    for tx, json in zip(txs, told, strict=True):
        assert (json["version"], json["locktime"]) == (tx.version, tx.locktime)
        for one, input in zip(tx.inputs, json["inputs"], strict=True):
            assert (input["prev_txid"], input["prev_vout"]) == (one.prevout[0][::-1].hex(), one.prevout[1])
            assert (input["script_sig_hex"], input["sequence"]) == (one.script.hex(), one.sequence)
        for (value, script), output in zip(tx.outputs, json["outputs"], strict=True):
            assert (output["value_sat"], output["script_hex"]) == (value, script.hex())
            assert (output["address"] is None) == (not has_address(script))


def main():
    what, place = sys.argv[1:]
    if what == "chain":
        return make_chain(place)
    txs = []
    for txid in (CREATOR, SPENDER):
        reader = Reader(raw(txid))
        txs.append(read_tx(reader))
        assert reader.at == len(reader.data) and txs[-1].txid[::-1].hex() == txid
    creator, spender = txs
    assert (len(creator.inputs), len(creator.outputs), len(spender.inputs), len(spender.outputs)) == (2, 3, 117, 2)
    for rules in ("core-0.18", "core-0.19", "core-22"):
        check_unlocks(os.path.join(place, "unlocks-%s.csv" % rules), txs, lambda script: not has_address(script))
    check_txs(os.path.join(place, "txs.json"), txs)


if __name__ == "__main__":
    main()
