#!/usr/bin/env python3
"""The pages of `unktx explore` in a headless Chromium (devtools.py).

    browser.py CHROMIUM ADDRESS [FOLDER]     (ADDRESS as explore prints it; pictures go to FOLDER)

Kinds of pages, as far as the store has them, at 1400 and at 390 pixels, light and dark, and without JavaScript: the same links.
With the keyboard alone: a search, a filter, the zoom of a drawing, what is folded. BROWSER=all: every kind of page, all of its controls
and not only the first, and every link of the start, by Enter. Prints what is wrong; exit status 1 then."""
import html, json, os, re, time, urllib.error, urllib.request

from devtools import CONTROLS, run

ALL = os.environ.get("BROWSER") == "all"
STOPS = 2000 if ALL else 20
# without BROWSER=all: pages that are like others are left out, and few are looked at without JavaScript
LEFT_OUT = ("tdag-opened", "class-of-3", "start", "none", "search-nothing", "output", "search-one", "hash")
PLAIN = ("start-core-22", "tdags", "tdag-large", "tx")
SHRUNK = 48 * 16  # pixels: what is wider is shrunk to this, or to the page, where no script zooms
WHOLE_DRAWING = 'a[href="#drawing-box"]'


class Pages:
    """Addresses of the pages of a server, found as a reader finds them."""

    def __init__(self, home):
        self.home, self.found = home, {}

    def get(self, path):
        """The page, once what it is made of is loaded, and its drawing is there; nothing where there is none."""
        for _ in range(240):
            try:
                page = urllib.request.urlopen(self.home + path).read().decode()
                if 'class="loading"' not in page:
                    return page
            except urllib.error.HTTPError as error:
                if error.code == 404:
                    return ""
                if error.code != 503:
                    raise
            time.sleep(0.5)
        raise TimeoutError(path)

    def add(self, name, path):
        if path:
            self.found.setdefault(name, path)
        return path

    def first(self, name, pattern, path):
        """The first link of that page that looks so."""
        link = re.search(pattern, self.get(path)) if path else None
        return self.add(name, html.unescape(link.group(1))) if link else None


def find_pages(home):
    pages = Pages(home)
    for rules in ("core-0.18", "core-22"):
        tdag, sizes = '"(/%s/tdag/[0-9a-f]+)"' % rules, "/%s/tdags?sort=nodes&nodes=" % rules
        small = pages.first("tdag-3", tdag, sizes + "3")
        pages.first("tdag-300", tdag, sizes + "200..300")
        large = pages.first("tdag-large", tdag, sizes + "301..")
        pages.first("tdag-opened", r'"(\?open=\d+)#drawing"', large)
        tx = pages.first("tx", '"(/%s/tx/[0-9a-f]{64})"' % rules, small)
        pages.add("output", tx and tx + ":0")
        pages.add("search-one", tx and "/%s/search?q=%s" % (rules, tx[-64:-60]))
        pages.first("class", '"(/%s/class/[0-9a-f]+)"' % rules, large)
        pages.first("class-of-3", '"(/%s/class/[0-9a-f]+)"' % rules, small)
    if "tdag-opened" in pages.found:
        pages.found["tdag-opened"] = pages.found["tdag-large"] + pages.found["tdag-opened"]
    for name, path in (("start", "/core-0.18/"), ("start-core-22", "/core-22/"), ("tdags", "/core-22/tdags"),
                       ("filtered", "/core-22/tdags?sort=moved_value_sat&nodes=5..60"), ("none", "/core-22/tdags?nodes=999999999.."),
                       ("block", "/core-22/block/1"), ("classes", "/core-22/classes"), ("scripts", "/core-0.18/scripts"),
                       ("templates", "/core-22/templates"), ("protocols", "/core-22/protocols"), ("groups", "/core-22/groups"),
                       ("search", "/core-22/search?q=chec"), ("search-nothing", "/core-22/search?q=nothing-at-all"),
                       ("missing", "/core-0.18/tdag/zz")):
        pages.add(name, path)
    for name in ("labels", "changes"):
        if pages.get("/core-22/" + name):
            pages.add(name, "/core-22/" + name)
    pages.first("template", '"(/core-22/template[?][^"]+)"', "/core-22/templates")
    pages.first("protocol", '"(/core-22/protocol/[a-z-]+)"', "/core-22/protocols")
    group = pages.first("group", '"(/core-22/group/[0-9a-f]+)"', "/core-22/groups")
    for kind in ("key", "hash", "preimage"):
        thing = pages.first(kind, '"(/core-22/%s/[0-9a-f]+)"' % kind, group)
        pages.add("outputs", thing and "/core-22/outputs?with=" + thing.rsplit("/", 1)[1])
    return pages


# ---- without JavaScript ----

def without_script(looker, path):
    """The same links, no page wider than its window."""
    browser = looker.browser
    links = len(browser.find("a[href]"))
    browser.scripts(False)
    for width in (1400, 390) if ALL else (390,):
        browser.show_as(width, "light")
        browser.go(looker.home + path)
        looker.fits("%s (%d, without JavaScript)" % (path, width), width)
    plain = len(browser.find("a[href]"))
    if plain != links:
        looker.complain(path, "%d links without JavaScript, %d with it" % (plain, links))
    browser.scripts(True)


def width_of(browser, selector):
    quad = browser.ask("DOM.getBoxModel", nodeId=browser.find(selector)[0])["model"]["content"]
    return quad[2] - quad[0]


def press_on(browser, selector, key="Enter"):
    """Enter on the first of these leads on, also where no script may run."""
    browser.ask("DOM.focus", nodeId=browser.find(selector)[0])
    browser.press(key)


def enlarge_without_script(looker, path):
    """A link shows a wide drawing in its own size, within a box that scrolls; it is found and works without scripts."""
    browser = looker.browser
    browser.show_as(390, "light")
    browser.scripts(False)
    browser.go(looker.home + path)
    before = width_of(browser, ".drawing svg")
    press_on(browser, WHOLE_DRAWING)
    after = width_of(browser, ".drawing svg")
    drawn = browser.ask("DOM.getAttributes", nodeId=browser.find(".drawing svg")[0])["attributes"]
    own = float(drawn[drawn.index("width") + 1])
    if (own > SHRUNK and before >= own) or after < own - 1:
        looker.complain(path, "without JavaScript the drawing is %d wide, then %d, of its own %d" % (before, after, own))
    looker.fits(path + " (390, drawing in full)", 390)
    looker.picture("tdag-large-full-390-without-script", 390)
    browser.scripts(True)


def search_without_script(looker):
    browser = looker.browser
    browser.scripts(False)
    browser.go(looker.home + "/core-22/")
    browser.ask("DOM.focus", nodeId=browser.find("#q")[0])
    browser.write("nothing at all")
    browser.press_to_go("Enter")
    if not browser.address().endswith("/core-22/search?q=nothing+at+all"):
        looker.complain("search", "without JavaScript it leads to " + browser.address())
    browser.scripts(True)


def hint_fits(looker, width):
    """What the field of the search says while it is empty is seen as a whole."""
    browser = looker.browser
    browser.show_as(width, "light")
    browser.go(looker.home + "/core-22/")
    room, text = browser.evaluate(
        "(function(){var q=document.querySelector('#q'),s=getComputedStyle(q),h=getComputedStyle(q,'::placeholder'),"
        "c=document.createElement('canvas').getContext('2d');c.font=h.fontSize+' '+h.fontFamily;"
        "return (q.clientWidth-parseFloat(s.paddingLeft)-parseFloat(s.paddingRight))+' '+c.measureText(q.placeholder).width})()").split()
    if not 0 < float(text) <= float(room):
        looker.complain("search (%d)" % width, "its hint takes %s pixels of %s" % (text, room))


# ---- with the keyboard ----

def search(looker, word, leads_to):
    looker.browser.go(looker.home + "/core-22/")
    looker.browser.evaluate("document.querySelector('#q').focus()")
    looker.browser.write(word)
    looker.browser.press_to_go("Enter")
    if leads_to not in looker.browser.address():
        looker.complain("search for " + word, "leads to " + looker.browser.address())
    looker.messages("search for " + word)


def tables_go_on(looker):
    """Where rows or columns lie beyond what is in sight, the edge shows it."""
    for width in (1280, 390):
        looker.browser.show_as(width, "light")
        for path in ("/core-22/tdags", "/core-22/classes", "/core-0.18/scripts"):
            looker.browser.go(looker.home + path)
            looker.shades("%s (%d)" % (path, width), "main .wide")


def filter_tdags(looker):
    browser = looker.browser
    browser.go(looker.home + "/core-22/tdags")
    browser.evaluate("document.querySelector('input[name=nodes]').focus()")
    browser.write("3..4")
    browser.press_to_go("Enter")
    if "nodes=3..4" not in browser.address():
        looker.complain("filter", "leads to " + browser.address())
    rows = browser.evaluate("document.querySelector('main tbody').rows.length")
    browser.evaluate("document.querySelector('.narrow input').focus()")
    browser.write("no row has this")
    if rows == 0 or browser.evaluate("Array.from(document.querySelector('main tbody').rows).some(function(r){return !r.hidden})"):
        looker.complain("filter", "rows are not filtered as one types")
    looker.messages("filter")


def zoom(looker, path):
    """The buttons beside a drawing by Enter, and the keys within it."""
    browser = looker.browser
    browser.show_as(390, "light")
    browser.go(looker.home + path)
    width = "document.querySelector('.drawing svg').getBoundingClientRect().width"
    widths = [browser.evaluate(width)]
    for label in ("larger", "all of it", "larger", "1:1"):
        browser.evaluate("document.querySelector('.zoom [aria-label=\"%s\"]').focus()" % label)
        browser.press("Enter")
        widths.append(browser.evaluate(width))
    if not (widths[0] < widths[1] and widths[2] < widths[1] and widths[2] < widths[3]):
        looker.complain(path, "buttons zoom to %s" % widths)
    scrolled = "document.querySelector('.drawing').scrollLeft"
    browser.evaluate("document.querySelector('.drawing').focus()")
    before = browser.evaluate(scrolled)
    for _ in range(3):
        browser.press("ArrowRight")
    browser.evaluate("new Promise(function(done){setTimeout(done,500)})")
    if browser.evaluate(scrolled) <= before:
        looker.complain(path, "arrow keys do not move the drawing")
    looker.messages(path)


# ---- with the mouse and with fingers ----

# where a chart is, and what of it is between the ends of its axis
CHART = """(function(){
  var svg=document.querySelector('svg.brush');svg.scrollIntoView({block:'center'});
  var box=svg.getBoundingClientRect(),scale=box.width/svg.viewBox.baseVal.width,data=svg.dataset;
  return JSON.stringify({left:box.left+data.left*scale,right:box.left+data.right*scale,top:box.top+box.height*.25,
    first:Number(data.first),last:Number(data.last)});
})()"""
POINT = """(function(){
  var link=document.querySelectorAll('%s a')[%d],mark=link.querySelector('.b');mark.scrollIntoView({block:'center'});
  var box=mark.getBoundingClientRect();
  return JSON.stringify([link.getAttribute('href'),box.left+box.width/2,box.top+box.height/2]);
})()"""


def drag(browser, points, by_touch, end="touchEnd"):
    """From the first of the points over the others to the last one."""
    for number, (x, y) in enumerate(points):
        if by_touch:
            browser.ask("Input.dispatchTouchEvent", type="touchMove" if number else "touchStart", touchPoints=[{"x": x, "y": y}])
        else:
            browser.ask("Input.dispatchMouseEvent", type="mouseMoved" if number else "mousePressed", x=x, y=y, button="left",
                        buttons=1, clickCount=1)
    if by_touch:
        browser.begin("Input.dispatchTouchEvent", type=end, touchPoints=[])
    else:
        browser.begin("Input.dispatchMouseEvent", type="mouseReleased", x=points[-1][0], y=points[-1][1], button="left", clickCount=1)


def brush(looker, width, by_touch, parts):
    """What is drawn over, these parts of the time line, is the filter first_time, and all that the table then has."""
    browser, where = looker.browser, "brush (%d, %s)" % (width, "touch" if by_touch else "mouse")
    browser.show_as(width, "light")
    browser.go(looker.home + "/core-22/tdags?page=2")
    chart = json.loads(browser.evaluate(CHART))
    browser.events = []
    wide, top = chart["right"] - chart["left"], chart["top"]
    drag(browser, [(chart["left"] + wide * part, top) for part in (parts[0], sum(parts) / 2, parts[1])], by_touch)
    browser.wait_for_page()
    asked = re.search(r"tdags[?]first_time=(\d+)[.][.](\d+)$", browser.address())
    if not asked:
        looker.complain(where, "leads to " + browser.address())
        return
    span = chart["last"] - chart["first"]
    for part, time_s in zip(sorted(parts), asked.groups()):
        if abs(chart["first"] + span * part - int(time_s)) > span / 100 + 2:
            looker.complain(where, "%s where %d is drawn over" % (time_s, chart["first"] + span * part))
    if browser.evaluate("document.querySelector('input[name=first_time]').value") != "..".join(asked.groups()):
        looker.complain(where, "the form does not have the filter")
    looker.messages(where)


def scroll_by_touch(looker):
    """A finger that scrolls the page over the time line chooses nothing, then or later."""
    browser = looker.browser
    browser.show_as(390, "light")
    browser.go(looker.home + "/core-22/tdags")
    chart, before = json.loads(browser.evaluate(CHART)), browser.address()
    middle = (chart["left"] + chart["right"]) / 2
    drag(browser, [(middle + 3 * step, chart["top"] + 20 * step) for step in range(5)], True, "touchCancel")
    browser.evaluate("new Promise(function(done){setTimeout(done,200)})")
    drag(browser, [(2, 20), (2, 20)], True)  # in the margin, where no link is
    browser.evaluate("new Promise(function(done){setTimeout(done,500)})")
    if browser.address() != before or browser.find("svg.brush .chosen"):
        looker.complain("brush", "a finger that scrolls chooses a part of the time line")


def points_lead_on(looker, chart, name):
    """A click, a touch and Enter on a point lead to where its link does."""
    browser = looker.browser
    for width, how in ((1400, "click"), (390, "touch"), (1400, "Enter")):
        browser.show_as(width, "light")
        browser.go(looker.home + "/core-22/tdags")
        count = browser.evaluate("document.querySelectorAll('%s a').length" % chart)
        link, x, y = json.loads(browser.evaluate(POINT % (chart, count // 2)))
        browser.events = []
        if how == "Enter":
            browser.evaluate("document.querySelectorAll('%s a')[%d].focus()" % (chart, count // 2))
            browser.press_to_go("Enter")
        elif how == "touch":
            browser.ask("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
            browser.begin("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
            browser.wait_for_page()
        else:
            drag(browser, [(x, y)], False)
            browser.wait_for_page()
        if not browser.address().endswith(link):
            looker.complain(name, "%s on a point leads to %s, not to %s" % (how, browser.address(), link))
        looker.messages(name)


def unfold(looker, path):
    """What is folded opens by Enter."""
    browser = looker.browser
    browser.go(looker.home + path)
    for number in range(browser.evaluate("document.querySelectorAll('summary').length")):
        browser.evaluate("document.querySelectorAll('summary')[%d].focus()" % number)
        browser.press("Enter")
    if not browser.evaluate("Array.from(document.querySelectorAll('details')).every(function(d){return d.open})"):
        looker.complain(path, "Enter does not open all that is folded")
    looker.messages(path)


def follow_all(looker, path):
    """Every link of the page by Enter: where it leads to there is a page, without a message."""
    browser = looker.browser
    browser.show_as(1400, "light")
    browser.go(looker.home + path)
    links = browser.evaluate("Array.from(new Set(Array.from(document.querySelectorAll('a[href]')).map(function(a){return a.getAttribute('href')})))")
    for number, link in enumerate(links):
        browser.go(looker.home + path)
        browser.evaluate("document.querySelectorAll('details').forEach(function(d){d.open=true});Array.from(document.querySelectorAll("
                         "'a[href]')).find(function(a){return a.getAttribute('href')===%s}).focus()" % json.dumps(link))
        if link.startswith("#"):
            browser.press("Enter")
            if not browser.address().endswith(link) or not browser.find(link):
                looker.complain(path, "a link within the page leads nowhere: " + link)
        else:
            browser.press_to_go("Enter")
            if not browser.address().endswith(link):
                looker.complain(path, "the link %s leads to %s" % (link, browser.address()))
            if not browser.evaluate("!!document.querySelector('h1')"):
                looker.complain(path, "the link %s leads to no page" % link)
        looker.messages(link)
    return len(links)


def look_at_explore(looker):
    browser, pages = looker.browser, find_pages(looker.home)
    if not ALL:
        pages.found = {name: path for name, path in pages.found.items() if name not in LEFT_OUT}
    for name, path in pages.found.items():
        browser.show_as(1400, "light")
        looker.look(name, path, STOPS)
        if ALL or name in PLAIN:
            without_script(looker, path)
    print("looked at", ", ".join(pages.found))
    search(looker, pages.found["tx"][-64:] + ":0", pages.found["tx"][-68:] + ":0")
    search(looker, "nothing at all", "search?q=")
    search_without_script(looker)
    for width in (1400, 1280, 390):
        hint_fits(looker, width)
    tables_go_on(looker)
    filter_tdags(looker)
    brush(looker, 1400, False, (0.2, 0.6))
    brush(looker, 390, True, (0.9, 0.3))
    scroll_by_touch(looker)
    points_lead_on(looker, "svg.brush", "time line")
    points_lead_on(looker, "svg.chart:not(.brush)", "values over heights")
    unfold(looker, "/core-22/")
    if "tdag-large" in pages.found:
        zoom(looker, pages.found["tdag-large"])
        enlarge_without_script(looker, pages.found["tdag-large"])
    if ALL:
        print("followed", follow_all(looker, "/core-22/"), "links of the start")


if __name__ == "__main__":
    run(look_at_explore)
