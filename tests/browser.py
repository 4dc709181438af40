#!/usr/bin/env python3
"""The pages of `unktx explore` in a headless Chromium, driven through its DevTools protocol over a pipe.

    browser.py CHROMIUM ADDRESS [FOLDER]     (ADDRESS as explore prints it; pictures go to FOLDER)
    browser.py CHROMIUM file://PAGE [FOLDER] (a page of `unktx report`: also its search, charts, links and ids)

Looks at each page at 1400 and at 390 pixels, light and dark: no message on the console, no request to anywhere else, no page
wider than its window, every stop of the keyboard in sight and marked; then without JavaScript: the same links; and with axe-core,
where the environment's AXE names its file: no violation. Prints what is wrong; exit status 1 then. Standard library only."""
import base64, html, json, os, re, subprocess, sys, tempfile, time, urllib.error, urllib.request

chromium, address = sys.argv[1:3]
address = address.rstrip("/")
pictures = sys.argv[3] if len(sys.argv) > 3 else None
wrong = []


def place_pipes(to_browser, from_browser):
    """In the browser's process: it reads from descriptor 3 and writes to 4."""
    for fd, at in ((to_browser, 60), (from_browser, 61), (60, 3), (61, 4)):
        os.dup2(fd, at)
    for fd in (60, 61):
        os.close(fd)


class Browser:
    session = None

    def __init__(self, program, profile):
        to_browser, self.write_end = os.pipe()
        self.read_end, from_browser = os.pipe()
        self.process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
             "--user-data-dir=" + profile, "--remote-debugging-pipe", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=False,
            preexec_fn=lambda: place_pipes(to_browser, from_browser))
        os.close(to_browser)
        os.close(from_browser)
        self.held, self.number, self.events = b"", 0, []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(domain + ".enable")

    def receive(self):
        while b"\0" not in self.held:
            part = os.read(self.read_end, 1 << 20)
            if not part:
                raise EOFError("the browser has gone")
            self.held += part
        message, self.held = self.held.split(b"\0", 1)
        return json.loads(message)

    def ask(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write_end, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(method + ": " + answer["error"]["message"])
                return answer["result"]
            self.events.append(answer)

    def evaluate(self, expression):
        result = self.ask("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(json.dumps(result["exceptionDetails"])[:500])
        return result["result"].get("value")

    def go(self, url):
        self.events = []
        self.ask("Page.navigate", url=url)
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self.receive())

    def close(self):
        try:
            self.ask("Browser.close")
        except (EOFError, OSError, RuntimeError):
            pass
        self.process.wait(120)


def complain(where, what):
    wrong.append("%s: %s" % (where, what))


def messages(browser, where):
    for event in browser.events:
        method, params = event.get("method"), event.get("params", {})
        if method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
            complain(where, "on the console: " + json.dumps(params)[:300])
        if method == "Network.requestWillBeSent":
            url = params["request"]["url"]
            if not url.startswith(address + "/") and not url.startswith(("about:", "data:")) and url.split("#")[0] != address:
                complain(where, "a request to " + url)


# every stop of the Tab key: can it be seen, and is it marked
STOPS = """(function(){
  var element=document.activeElement;
  if(!element||element===document.body)return null;
  var box=element.getBoundingClientRect(),style=getComputedStyle(element);
  return{name:element.tagName+' '+(element.textContent||element.name||element.getAttribute('aria-label')||'').trim().slice(0,40),
    seen:box.bottom>0&&box.top<innerHeight&&box.right>0&&box.left<innerWidth,
    marked:style.outlineStyle!=='none'&&parseFloat(style.outlineWidth)>=1};
})()"""


def keyboard(browser, where, most):
    stops = 0
    for _ in range(most):
        for kind in ("rawKeyDown", "keyUp"):
            browser.ask("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
        stop = browser.evaluate(STOPS)
        if stop is None:
            break
        stops += 1
        if not stop["seen"] or not stop["marked"]:
            complain(where, "a stop of the keyboard that is not %s: %s" % ("marked" if stop["seen"] else "in sight", stop["name"]))
    if stops < 8:
        complain(where, "only %d stops of the keyboard" % stops)


LINKS = "document.querySelectorAll('a[href]').length"


def ready(path):
    """The page, once what it is made of is loaded."""
    for _ in range(120):
        try:
            return urllib.request.urlopen(address + path).read().decode()
        except urllib.error.HTTPError as error:
            if error.code != 503:
                raise
            time.sleep(0.5)
    raise TimeoutError(path)


def pages():
    """Start, lists, a small T-DAG and the largest one, a transaction, a block, classes, a search."""
    get = ready
    small = re.search(r"/core-0.18/tdag/[0-9a-f]+", get("/core-0.18/tdags?sort=nodes&order=asc")).group()
    large = re.search(r"/core-22/tdag/[0-9a-f]+", get("/core-22/tdags?sort=nodes")).group()
    middle = re.search(r"/core-22/tdag/[0-9a-f]+", get("/core-22/tdags?sort=nodes&nodes=60..400&order=asc")).group()
    tx = re.search(r"/core-0.18/tx/[0-9a-f]{64}", get(small)).group()
    template = html.unescape(re.search(r'/core-22/template\?[^"]+', get("/core-22/templates")).group())
    protocol = re.search(r"/core-22/protocol/[a-z-]+", get("/core-22/protocols")).group()
    shape = re.search(r"/core-0.18/class/[0-9a-f]+", get(small)).group()
    group = re.search(r"/core-22/group/[0-9a-f]+", get("/core-22/groups")).group()
    key = re.search(r"/core-22/key/[0-9a-f]+", get(group)).group()
    return [("start", "/core-0.18/"), ("tdags", "/core-22/tdags"), ("filtered", "/core-22/tdags?sort=moved_value_sat&nodes=5..60"),
            ("tdag-small", small), ("tdag-middle", middle), ("tdag-large", large), ("tx", tx), ("output", tx + ":0"),
            ("block", "/core-0.18/block/200"), ("classes", "/core-22/classes"), ("class", shape), ("scripts", "/core-0.18/scripts"),
            ("templates", "/core-22/templates"), ("template", template), ("protocols", "/core-22/protocols"), ("protocol", protocol),
            ("groups", "/core-22/groups"), ("group", group), ("key", key),
            ("search", "/core-0.18/search?q=" + tx[-64:-60]), ("missing", "/core-0.18/tdag/zz")]


def look(browser, name, path, width, scheme, axe):
    where = "%s (%d, %s)" % (path, width, scheme)
    browser.ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 500)
    browser.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    browser.go(address + path)
    # not innerWidth: where a phone is emulated that grows with what does not fit
    if browser.evaluate("document.documentElement.scrollWidth") > width:
        complain(where, "wider than its window")
    if pictures:
        size = browser.ask("Page.getLayoutMetrics")["cssContentSize"]
        picture = browser.ask("Page.captureScreenshot", captureBeyondViewport=True,
                              clip={"x": 0, "y": 0, "width": width, "height": min(size["height"], 3000), "scale": 1})
        with open(os.path.join(pictures, "%s-%d-%s.png" % (name, width, scheme)), "wb") as file:
            file.write(base64.b64decode(picture["data"]))
    if axe:
        browser.evaluate(axe + ";0")
        found = browser.evaluate("axe.run({runOnly:['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22aa','best-practice']})"
                                 ".then(function(r){return r.violations.map(function(v){return v.id+': '+v.nodes.length+' '+v.nodes[0].html.slice(0,150)"
                                 "+' '+(v.nodes[0].failureSummary||'').slice(0,200)})})")
        for violation in found:
            complain(where, "axe-core: " + violation)
    if scheme == "light":
        keyboard(browser, where, 25)
    if name != "missing":
        messages(browser, where)


def without_script(browser, path):
    links = browser.evaluate(LINKS)
    browser.ask("Emulation.setScriptExecutionDisabled", value=True)
    browser.go(address + path)
    root = browser.ask("DOM.getDocument", depth=-1)["root"]["nodeId"]
    plain = len(browser.ask("DOM.querySelectorAll", nodeId=root, selector="a[href]")["nodeIds"])
    browser.ask("Emulation.setScriptExecutionDisabled", value=False)
    if plain != links:
        complain(path, "%d links without JavaScript, %d with it" % (plain, links))


# what a press of a key, the mouse and a finger do to the first chart with points: what is read off
READ = "document.querySelector('svg.chart[tabindex]').parentNode.querySelector('.read').textContent"


def press(browser, key):
    code = {"ArrowRight": 39, "ArrowLeft": 37, "End": 35, "Home": 36}[key]
    for kind in ("rawKeyDown", "keyUp"):
        browser.ask("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)


def read_off(browser, where):
    browser.evaluate("(function(){var c=document.querySelector('svg.chart[tabindex]');c.scrollIntoView({block:'center'});c.focus()})()")
    points = json.loads(browser.evaluate("JSON.stringify(Array.from(document.querySelector('svg.chart[tabindex]').querySelectorAll("
        "'.b,.t')).map(function(p){var b=p.getBoundingClientRect();return[p.querySelector('title').textContent,b.left+b.width/2,"
        "b.top+b.height/2]}))"))
    for key, point in (("Home", points[0]), ("ArrowRight", points[1]), ("End", points[-1])):
        press(browser, key)
        if browser.evaluate(READ) != point[0]:
            complain(where, "%s reads off %r, not %r" % (key, browser.evaluate(READ), point[0]))
    browser.ask("Input.dispatchMouseEvent", type="mouseMoved", x=points[0][1], y=points[0][2])
    if browser.evaluate(READ) != points[0][0]:
        complain(where, "the mouse reads off %r" % browser.evaluate(READ))
    browser.ask("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": points[-1][1], "y": points[-1][2]}])
    browser.ask("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    if browser.evaluate(READ) != points[-1][0]:
        complain(where, "a touch reads off %r" % browser.evaluate(READ))


def search(browser, where):
    """A txid that only an article's closed table has is found, and the link opens what it leads to."""
    txid = browser.evaluate("document.querySelector('article details[id$=\"-txs\"] td .hash').textContent")
    browser.evaluate("(function(){var i=document.querySelector('.search input');i.value='%s';i.dispatchEvent(new Event('input'))})()" % txid)
    found = browser.evaluate("Array.from(document.querySelectorAll('.search li a')).map(function(a){return a.hash}).join(' ')").split()
    if not found or not all(link.startswith("#tdag-") for link in found):
        complain(where, "a search for %s finds %s" % (txid, found))
    told = browser.evaluate("document.querySelector('.search li a').textContent")
    if not re.search("; (transaction|first transaction|by|txid|output)[a-z ]*: " + txid[:16], told):
        complain(where, "a hit without the head of its column: %r" % told)
    browser.evaluate("location.hash=document.querySelector('article details[id$=\"-txs\"]').id")
    browser.evaluate("new Promise(function(done){setTimeout(done,200)})")
    if not browser.evaluate("document.querySelector('article details[id$=\"-txs\"]').open"):
        complain(where, "a link into a closed part does not open it")
    browser.evaluate("(function(){var i=document.querySelector('.search input');i.value='';i.dispatchEvent(new Event('input'))})()")


def select_id(browser, where):
    """A click on an id selects the whole of it."""
    box = json.loads(browser.evaluate("(function(){var h=document.querySelector('#scanned .hash');h.scrollIntoView({block:'center'});"
        "var b=h.getClientRects()[0];return JSON.stringify([b.left+20,b.top+5,h.textContent])})()"))
    for kind in ("mousePressed", "mouseReleased"):
        browser.ask("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)
    selected = browser.evaluate("getSelection().toString().trim()")
    if selected != box[2]:
        complain(where, "a click on an id selects %r" % selected)


STICKY = """(function(){
  var box=document.querySelector('#classes .wide'),head=box.querySelector('th');
  box.scrollIntoView();box.scrollTop=box.scrollHeight/2;
  return Math.abs(head.getBoundingClientRect().top-box.getBoundingClientRect().top)<3;
})()"""


def look_at_report(browser, axe):
    for width in (1400, 390):
        for scheme in ("light", "dark"):
            where = "%s (%d, %s)" % (address, width, scheme)
            look(browser, "report", "", width, scheme, axe)
            read_off(browser, where)
            search(browser, where)
            select_id(browser, where)
            if not browser.evaluate(STICKY):
                complain(where, "the heads of the table of classes do not stay")
            messages(browser, where)
    # what the script adds is no link
    browser.go(address)
    links = browser.evaluate(LINKS)
    browser.ask("Emulation.setScriptExecutionDisabled", value=True)
    browser.go(address)
    root = browser.ask("DOM.getDocument", depth=-1)["root"]["nodeId"]
    plain = len(browser.ask("DOM.querySelectorAll", nodeId=root, selector="a[href]")["nodeIds"])
    if plain != links or plain < 100:
        complain(address, "%d links without JavaScript, %d with it" % (plain, links))


def main():
    axe = open(os.environ["AXE"], encoding="utf-8").read() if os.environ.get("AXE") else None
    if not axe:
        print("no axe-core (AXE names its axe.min.js): accessibility is looked at by keyboard alone")
    with tempfile.TemporaryDirectory() as profile:
        try:
            browser = Browser(chromium, profile)
        except (EOFError, OSError):
            print("the browser does not run here: the pages of explore are not looked at")
            return
        if address.startswith("file:"):
            look_at_report(browser, axe)
        for name, path in pages() if not address.startswith("file:") else []:
            for width in (1400, 390):
                for scheme in ("light", "dark"):
                    look(browser, name, path, width, scheme, axe)
            without_script(browser, path)
        browser.close()
    for line in wrong:
        print("browser: " + line)
    sys.exit(1 if wrong else 0)


main()
