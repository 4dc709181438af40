#!/usr/bin/env python3
"""Writes the drawings of docs/model.md and docs/architecture.md into the folder of this file, or into the folder named.

Each drawing is a list of marks. The signs and colours are those of `unktx show --format svg`: a square for a root, a filled
circle for a spent unknown output, an open one for an unspent unknown output, a diamond for a known output. A rounded box is a
transaction, an angular one a block or a stage. tests/documents.sh says when a drawing here is not what this script writes.
"""
import os
import re
import sys
from math import hypot
from xml.sax.saxutils import escape

STYLE = """svg{--ink:#1b1f24;--faint:#5d6670;--spent:#0072b2;--known:#8f5a00;--paper:#fff;--box:#f3f5f7;font-family:system-ui,sans-serif}
@media(prefers-color-scheme:dark){svg{--ink:#e8ebef;--faint:#a3adb8;--spent:#56b4e9;--known:#e69f00;--paper:#14181d;--box:#242b33}}
text{fill:var(--ink);font-size:12px}.f{fill:var(--faint);font-size:11px}.b{font-weight:bold}.m{font-family:monospace}
.a{stroke:var(--faint);stroke-width:1.2;fill:none}.h{fill:var(--faint)}.r{fill:var(--ink)}.s,.t{fill:var(--spent);stroke:var(--spent)}
.u{fill:var(--paper);stroke:var(--spent);stroke-width:1.5}.k{fill:var(--paper);stroke:var(--known);stroke-width:1.5}
.x{fill:var(--box);stroke:var(--faint)}.g{fill:none;stroke:var(--faint);stroke-dasharray:4 3}.d{stroke-dasharray:4 3}"""
LIGHT = dict(re.findall(r"--([a-z]+):(#[0-9a-f]+)", STYLE.splitlines()[0]))


def with_colours(style):
    """The colour itself before each variable: what knows no variables (librsvg, Inkscape) would fill all with black."""
    return re.sub(r"(fill|stroke):var\(--([a-z]+)\)", lambda use: f"{use[1]}:{LIGHT[use[2]]};{use[0]}", style)


class Drawing:
    def __init__(self, width, height, title):
        self.width, self.height, self.title, self.marks = width, height, title, []

    def text(self, x, y, words, kind="", anchor="middle"):
        self.marks.append(f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"'
                          f'{f" class={chr(34)}{kind}{chr(34)}" if kind else ""}>{escape(words)}</text>')

    def box(self, x, y, width, height, words="", kind="x", round_by=0, word_kind=""):
        """x, y: the middle."""
        self.marks.append(f'<rect class="{kind}" x="{x - width / 2:g}" y="{y - height / 2:g}" width="{width:g}" '
                          f'height="{height:g}"{f" rx={chr(34)}{round_by}{chr(34)}" if round_by else ""}/>')
        lines = words.split("\n") if words else []
        for i, line in enumerate(lines):
            self.text(x, y + 4 + 14 * (i - (len(lines) - 1) / 2), line, word_kind)

    def tx(self, x, y, words="", width=44, height=24):
        self.box(x, y, width, height, words, round_by=7)

    def node(self, x, y, kind):
        if kind == "r":
            self.marks.append(f'<rect class="r" x="{x - 5.5:g}" y="{y - 5.5:g}" width="11" height="11"/>')
        elif kind == "k":
            self.marks.append(f'<path class="k" d="M{x:g} {y - 6.5:g}l6.5 6.5l-6.5 6.5l-6.5-6.5z"/>')
        else:
            self.marks.append(f'<circle class="{kind}" cx="{x:g}" cy="{y:g}" r="{4.5 if kind == "t" else 6}"/>')

    def arrow(self, x1, y1, x2, y2, gap=8, gap_end=None, kind=""):
        """From one place to another, `gap` short of both."""
        gap_end = gap if gap_end is None else gap_end
        length = hypot(x2 - x1, y2 - y1)
        ux, uy = (x2 - x1) / length, (y2 - y1) / length
        x1, y1, x2, y2 = x1 + ux * gap, y1 + uy * gap, x2 - ux * gap_end, y2 - uy * gap_end
        bx, by = x2 - ux * 6, y2 - uy * 6
        self.marks.append(f'<path class="a{" " + kind if kind else ""}" d="M{x1:.1f} {y1:.1f}L{bx:.1f} {by:.1f}"/>'
                          f'<path class="h" d="M{x2:.1f} {y2:.1f}L{bx - uy * 3:.1f} {by + ux * 3:.1f}'
                          f'L{bx + uy * 3:.1f} {by - ux * 3:.1f}z"/>')

    def line(self, x1, y1, x2, y2, kind=""):
        self.marks.append(f'<path class="a{" " + kind if kind else ""}" d="M{x1:g} {y1:g}L{x2:g} {y2:g}"/>')

    def svg(self):
        return (f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {self.width} {self.height}" '
                f'width="{self.width}" height="{self.height}">\n<title>{escape(self.title)}</title>\n<style>{with_colours(STYLE)}</style>\n'
                f'<rect width="100%" height="100%" style="{with_colours("fill:var(--paper)")}"/>\n' + "\n".join(self.marks) + "\n</svg>\n")


DRAWINGS = {}


def drawing(width, height, title):
    def add(draw):
        d = Drawing(width, height, title)
        draw(d)
        DRAWINGS[draw.__name__.replace("_", "-")] = d
        return draw
    return add


# ---- the model ----

@drawing(620, 190, "Records of two block files, in the order of the files, and the chain that their headers make")
def chain(d):
    d.text(14, 24, "in the files", "b", "start")
    for file, (x, records) in enumerate([(14, ["0", "1", "3", "2", "2'"]), (330, ["5", "4", "torn"])]):
        d.text(x, 48, f"blk0000{file}.dat", "f", "start")
        for i, name in enumerate(records):
            d.box(x + 26 + 54 * i, 70, 50, 26, name, "g" if name == "torn" else "x")
    d.box(546, 70, 96, 26, "zeros", "g", word_kind="f")
    d.text(14, 116, "linked by the hash of the parent", "b", "start")
    at = {"0": (40, 140), "1": (120, 140), "2": (200, 140), "2'": (200, 172), "3": (280, 140), "4": (360, 140), "5": (440, 140)}
    for a, b in [("0", "1"), ("1", "2"), ("1", "2'"), ("2", "3"), ("3", "4"), ("4", "5")]:
        d.arrow(*at[a], *at[b], gap=26, gap_end=26)
    for name, (x, y) in at.items():
        d.box(x, y, 40, 24, name, "g" if name == "2'" else "x")
    d.text(474, 136, "most work:", "f", "start")
    d.text(474, 150, "the best chain", "f", "start")
    d.text(232, 176, "stale", "f", "start")


@drawing(860, 130, "The tests of a script, in order; the first that fits gives the kind")
def kinds(d):
    steps = [("OP_HASH160\n<20> OP_EQUAL", "scripthash"), ("version,\n<program>", "witness_v0_..., anchor,\nwitness_v1_taproot, ..."),
             ("OP_RETURN,\npushes only", "nulldata"), ("<key>\nOP_CHECKSIG", "pubkey"), ("OP_DUP\nOP_HASH160 ...", "pubkeyhash"),
             ("m keys n\n... MULTISIG", "multisig"), ("anything", "nonstandard")]
    for i, (test, kind) in enumerate(steps):
        x = 64 + 122 * i
        d.box(x, 34, 106, 42, test, word_kind="f")
        d.arrow(x, 55, x, 88, gap=1, gap_end=2)
        for j, line in enumerate(kind.split("\n")):
            d.text(x, 102 + 14 * j, line, "b" if "," not in line else "f")
        if i + 1 < len(steps):
            d.arrow(x + 53, 34, x + 69, 34, gap=0, gap_end=1)


@drawing(560, 120, "Three rule sets, each with all unknown kinds of the one before")
def rules(d):
    d.box(280, 62, 540, 104, kind="x", round_by=10)
    d.box(220, 62, 400, 84, kind="x", round_by=10)
    d.box(150, 62, 240, 64, kind="x", round_by=10)
    d.text(150, 52, "core-0.18", "b")
    d.text(150, 70, "nonstandard, nulldata,", "f")
    d.text(150, 84, "multisig of 17 to 20 keys", "f")
    d.text(344, 58, "core-0.19", "b")
    d.text(344, 76, "+ pubkey", "f")
    d.text(484, 58, "core-22", "b")
    d.text(484, 76, "+ every multisig", "f")


@drawing(560, 130, "A transaction, its inputs and its outputs; the spent output is named by (txid, vout)")
def identity(d):
    d.tx(150, 65, "txid A", 90, 80)
    d.tx(410, 65, "txid B", 90, 80)
    for i, kind in enumerate("usk"):
        d.node(206, 40 + 25 * i, kind)
        d.text(218, 44 + 25 * i, f"A:{i}", "f", "start")
    d.arrow(244, 65, 364, 65, gap=0, gap_end=0)
    d.text(304, 58, "input B/0", "f")
    d.text(80, 118, "outputs are (txid, vout)", "f", "start")
    d.text(340, 118, "inputs are (txid, vin)", "f", "start")
    d.node(466, 65, "u")
    d.text(478, 69, "B:0", "f", "start")
    d.arrow(44, 65, 104, 65, gap=0, gap_end=0)
    d.text(70, 58, "A/0", "f")


@drawing(620, 290, "Three transactions, and the T-DAG that they make")
def tdag(d):
    d.text(14, 22, "transactions", "b", "start")
    d.text(330, 22, "the T-DAG", "b", "start")
    t = {"T1": (70, 78), "T2": (210, 78), "T3": (140, 180)}
    outs = {"T1": "sk", "T2": "sk", "T3": "uk"}
    for name, (x, y) in t.items():
        d.tx(x, y, name, 70, 26)
        for i, kind in enumerate(outs[name]):
            d.node(x - 14 + 28 * i, y + 22, kind)
        if name != "T3":
            d.arrow(x, y - 34, x, y - 13, gap=0, gap_end=0)
            d.text(x + 8, y - 20, "spends known", "f", "start")
    d.arrow(56, 100, 128, 167, gap=8, gap_end=0)
    d.arrow(196, 100, 152, 167, gap=8, gap_end=0)
    nodes = {"r1": (370, 60, "r"), "r2": (480, 60, "r"), "a": (356, 130, "s"), "b": (392, 130, "k"), "c": (466, 130, "s"), "e": (502, 130, "k"),
             "f": (400, 210, "u"), "g": (450, 210, "k")}
    for a, b in ["r1 a".split(), "r1 b".split(), "r2 c".split(), "r2 e".split(), "a f".split(), "a g".split(), "c f".split(), "c g".split()]:
        d.arrow(*nodes[a][:2], *nodes[b][:2])
    for x, y, kind in nodes.values():
        d.node(x, y, kind)
    for y, words in [(64, "depth 0"), (134, "depth 1"), (214, "depth 2")]:
        d.text(534, y, words, "f", "start")
    for i, (kind, words) in enumerate([("r", "root"), ("s", "unknown, spent"), ("u", "unknown, unspent (leaf)"), ("k", "known (leaf)")]):
        x = [20, 80, 200, 362][i]
        d.node(x, 266, kind)
        d.text(x + 12, 270, words, "f", "start")


@drawing(520, 220, "Compression takes out a spent output that anyone can spend and joins its parents to its children")
def compression(d):
    d.text(100, 22, "before", "b")
    d.text(380, 22, "after --compress", "b")
    before = {"r": (100, 50, "r"), "a": (70, 100, "s"), "b": (130, 100, "k"), "c": (50, 150, "u"), "e": (90, 150, "k")}
    for a, b in ["ra", "rb", "ac", "ae"]:
        d.arrow(*before[a][:2], *before[b][:2])
    for x, y, kind in before.values():
        d.node(x, y, kind)
    d.text(6, 104, "OP_TRUE", "f", "start")
    d.text(100, 196, "height 2", "f")
    d.arrow(200, 100, 280, 100, gap=0, gap_end=0)
    after = {"r": (380, 50, "r"), "b": (430, 100, "k"), "c": (340, 100, "u"), "e": (385, 100, "k")}
    for b in "bce":
        d.arrow(*after["r"][:2], *after[b][:2])
    for x, y, kind in after.values():
        d.node(x, y, kind)
    d.text(380, 196, "height 1: no T-DAG any more", "f")


def pair(d, left, splits, words, reach=False):
    """One transaction of four outputs and two spenders of two, on the level of transactions and of nodes."""
    root = (left + 110, 54)
    outs = [(left + 35 + 50 * i, 110) for i in range(4)]
    kids = [[(left + 20 + 40 * i, 178) for i in range(2)], [(left + 160 + 40 * i, 178) for i in range(2)]]
    for out in outs:
        d.arrow(*root, *out)
    for group, members in enumerate(splits):
        for member in members:
            for kid in kids[group]:
                d.arrow(*outs[member], *kid)
    d.node(*root, "r")
    for out in outs:
        d.node(*out, "s")
    for kid in kids[0] + kids[1]:
        d.node(*kid, "k")
    for (x, y), count in [(root, 8)] + [(out, 2) for out in outs] + [(kid, 0) for kid in kids[0] + kids[1]] if reach else []:
        d.text(x + 10, y + 4, str(count), "f", "start")
    d.text(left + 110, 210, words, "f")


@drawing(540, 230, "Two T-DAGs that a labelling by levels takes for equal and that are not isomorphic")
def classes(d):
    d.text(130, 26, "spent {1,2} and {3,4}", "b")
    d.text(400, 26, "spent {1} and {2,3,4}", "b")
    pair(d, 20, [[0, 1], [2, 3]], "each leaf has two parents")
    pair(d, 290, [[0], [1, 2, 3]], "leaves have one parent, or three")


FAMILIES = {
    "chain": ([(50, 12), (50, 37), (50, 62), (50, 87)], "01 12 23"),
    "fan-out": ([(50, 25), (14, 75), (38, 75), (62, 75), (86, 75)], "01 02 03 04"),
    "fan-in": ([(14, 25), (38, 25), (62, 25), (86, 25), (50, 75)], "04 14 24 34"),
    "peeling-chain": ([(26, 12), (38, 37), (50, 62), (62, 87), (10, 37), (22, 62), (34, 87)], "01 12 23 04 15 26"),
    "out-tree": ([(50, 15), (28, 50), (72, 50), (14, 85), (40, 85), (60, 85), (86, 85)], "01 02 13 14 25 26"),
    "in-tree": ([(50, 85), (28, 50), (72, 50), (14, 15), (40, 15), (60, 15), (86, 15)], "10 20 31 41 52 62"),
    "gather-scatter": ([(20, 15), (50, 15), (80, 15), (50, 50), (20, 85), (50, 85), (80, 85)], "03 13 23 34 35 36"),
    "polytree": ([(25, 15), (70, 15), (45, 50), (86, 50), (45, 85)], "02 12 13 24"),
    "scatter-gather": ([(50, 12), (20, 50), (50, 50), (80, 50), (50, 88)], "01 02 03 14 24 34"),
    "bipartite": ([(20, 25), (50, 25), (80, 25), (35, 75), (65, 75)], "03 04 13 14 24"),
    "series-parallel": ([(50, 12), (28, 37), (28, 62), (74, 50), (50, 88)], "01 12 24 03 34"),
    "stack": ([(30, 15), (70, 15), (30, 50), (70, 50), (30, 85), (70, 85)], "02 03 12 13 24 34 35"),
    "general": ([(30, 15), (75, 15), (50, 50), (30, 85)], "02 12 23 03"),
}


def family_drawings():
    for name, (places, arcs) in FAMILIES.items():
        d = Drawing(100, 100, f"{name}: transactions, arcs lead down")
        for arc in arcs.split():
            d.arrow(*places[int(arc[0])], *places[int(arc[1])], gap=5, gap_end=6)
        for place in places:
            d.node(*place, "t")
        DRAWINGS[f"family-{name}"] = d


family_drawings()


@drawing(560, 150, "A chain read as of height H, and one known from height H on")
def part_of_a_chain(d):
    for row, (y, words) in enumerate([(40, "as of H"), (110, "from H on")]):
        d.text(14, y + 4, words, "b", "start")
        for i in range(8):
            unknown = i > 4 if row == 0 else i < 3
            d.box(120 + 52 * i, y, 44, 24, "H" if i == (4 if row == 0 else 3) else "", "g" if unknown else "x")
            if i < 7:
                d.line(142 + 52 * i, y, 150 + 52 * i, y)
    d.text(404, 70, "what is above does not exist", "f")
    d.text(172, 140, "outputs made here look known", "f")


@drawing(540, 230, "The same two T-DAGs with how many nodes each node reaches: the paper's order finds no difference")
def equality(d):
    pair(d, 20, [[0, 1], [2, 3]], "", reach=True)
    pair(d, 290, [[0], [1, 2, 3]], "", reach=True)
    d.text(265, 216, "beside each node: how many it can reach", "f")


@drawing(540, 160, "Three T-DAGs: the first two show one key, the last two one preimage")
def ties(d):
    for x in [70, 260, 450]:
        d.node(x, 40, "r")
        d.node(x - 20, 90, "s")
        d.node(x + 20, 90, "k")
        d.arrow(x, 40, x - 20, 90)
        d.arrow(x, 40, x + 20, 90)
        d.box(x, 66, 130, 90, kind="g", round_by=10)
    d.line(135, 66, 195, 66, "d")
    d.line(325, 66, 385, 66, "d")
    d.text(165, 56, "key", "f")
    d.text(355, 56, "preimage", "f")
    d.text(260, 144, "one group: every two are joined by a path of ties", "f")


# ---- the architecture ----

def stages(d, y, names, top=None):
    """Boxes from left to right with an arrow between two; `top` says what is drawn above each."""
    step = (d.width - 20) / len(names)
    for i, (name, below) in enumerate(names):
        x = 10 + step * (i + 0.5)
        d.box(x, y, step - 22, 38, name, word_kind="b")
        for j, line in enumerate(below.split("\n")):
            d.text(x, y + 38 + 14 * j, line, "f m")
        if i + 1 < len(names):
            d.arrow(x + step / 2 - 11, y, x + step / 2 + 11, y, gap=0, gap_end=1)


@drawing(860, 130, "The way of a block")
def way_of_a_block(d):
    stages(d, 36, [("file", "blkdir_open\nfilemap_load"), ("record", "blk_scan_file"), ("chain", "chain_add\nchain_link"),
                   ("walk", "pipeline_run\nblock_walk"), ("look-up", "outpoints_probe\noutpoints_find"), ("store", "store_begin_block\nstore_commit")])


@drawing(860, 130, "The way of a T-DAG")
def way_of_a_tdag(d):
    stages(d, 36, [("store", "store_open\nstore_batch"), ("forest", "forest_load\ntdags_find"), ("shape", "metrics_of\nquotient_plain"),
                   ("class", "canon_run\nfamily_of"), ("measures", "measures_all"), ("table", "tables_write\nsummary_write")])


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    for name, d in DRAWINGS.items():
        with open(os.path.join(folder, f"{name}.svg"), "w", encoding="utf-8") as out:
            out.write(d.svg())


main()
