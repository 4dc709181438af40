"""A headless Chromium, driven through its DevTools protocol over a pipe, and what every page is looked at for: no message on the
console, no request to anywhere but where it came from, no page wider than its window, every control in reach of the keyboard, in
sight and marked; with axe-core, where the environment's AXE names its file, no violation. Standard library only."""
import base64, json, os, subprocess, sys, tempfile, time

KEYS = {"Tab": 9, "Enter": 13, "End": 35, "Home": 36, "ArrowLeft": 37, "ArrowRight": 39}


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

    def begin(self, method, **params):
        """Sends it; the answer is for wait_for."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write_end, json.dumps(message).encode() + b"\0")
        return self.number

    def wait_for(self, number):
        while True:
            answer = self.receive()
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(answer["error"]["message"])
                return answer["result"]
            self.events.append(answer)

    def ask(self, method, **params):
        return self.wait_for(self.begin(method, **params))

    def evaluate(self, expression):
        result = self.ask("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(json.dumps(result["exceptionDetails"])[:500])
        return result["result"].get("value")

    def wait_for_page(self):
        """The next one that is loaded."""
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self.receive())

    def go(self, url):
        self.events = []
        self.ask("Page.navigate", url=url)
        self.wait_for_page()

    def press(self, key):
        text = {"text": "\r"} if key == "Enter" else {}
        self.begin("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", key=key, code=key,
                   windowsVirtualKeyCode=KEYS[key], **text)
        self.ask("Input.dispatchKeyEvent", type="keyUp", key=key, code=key, windowsVirtualKeyCode=KEYS[key])

    def press_to_go(self, key):
        """A key that leads to another page."""
        self.events = []
        self.press(key)
        self.wait_for_page()

    def write(self, text):
        self.ask("Input.insertText", text=text)

    def address(self):
        history = self.ask("Page.getNavigationHistory")
        return history["entries"][history["currentIndex"]]["url"]

    def show_as(self, width, scheme):
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 500)
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def scripts(self, may_run):
        self.ask("Emulation.setScriptExecutionDisabled", value=not may_run)

    def find(self, selector):
        """The nodes, also where no script may run."""
        root = self.ask("DOM.getDocument", depth=-1)["root"]["nodeId"]
        return self.ask("DOM.querySelectorAll", nodeId=root, selector=selector)["nodeIds"]

    def close(self):
        try:
            self.ask("Browser.close")
        except (EOFError, OSError, RuntimeError):
            pass
        self.process.wait(120)


# what can be stopped at: window.stops has all of it that is shown
CONTROLS = """(function(){
  window.stops=Array.from(document.querySelectorAll('a[href],button,input:not([type=hidden]),select,summary,[tabindex="0"]'))
    .filter(function(e){return e.checkVisibility({visibilityProperty:true,contentVisibilityAuto:true})&&!e.disabled});
  return window.stops.length;
})()"""

# a stop of the Tab key: which one, can it be seen, and is it marked
STOP = """(function(){
  var element=document.activeElement;
  if(!element||element===document.body)return null;
  var box=element.getBoundingClientRect(),style=getComputedStyle(element);
  return{number:window.stops.indexOf(element),
    name:element.tagName+' '+(element.textContent||element.name||element.getAttribute('aria-label')||'').trim().slice(0,40),
    seen:box.bottom>0&&box.top<innerHeight&&box.right>0&&box.left<innerWidth,
    marked:style.outlineStyle!=='none'&&parseFloat(style.outlineWidth)>=1};
})()"""

# where the keyboard led is left
FROM_THE_TOP = """(function(){
  document.activeElement.blur();window.scrollTo(0,0);
  document.querySelectorAll('.wide').forEach(function(box){box.scrollTop=box.scrollLeft=0});
})()"""

# the first of these scrolled to its beginning or its end: what is beyond its right and its lower edge, and the middle of a strip beside
# each, wider than the 4 pixels of it over which the scroll bar of a telephone lies
EDGES = """(function(){
  var box=document.querySelector(%s),far=%s;
  box.scrollIntoView({block:'center'});box.scrollTo(far,far);
  var at=box.getBoundingClientRect(),left=at.left+box.clientLeft+scrollX,top=at.top+box.clientTop+scrollY,
    wide=box.clientWidth,high=box.clientHeight;
  return JSON.stringify([
    ['right',box.scrollWidth-wide-box.scrollLeft,{x:left+wide-9,y:top+high/3,width:9,height:high/3,scale:1}],
    ['lower',box.scrollHeight-high-box.scrollTop,{x:left+wide/3,y:top+high-9,width:wide/3,height:9,scale:1}]]);
})()"""

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


class Looker:
    """Collects what is wrong with pages below one address."""

    def __init__(self, browser, home, pictures=None):
        self.browser, self.home, self.pictures, self.wrong = browser, home, pictures, []
        name = os.environ.get("AXE")
        self.axe = open(name, encoding="utf-8").read() if name else None

    def complain(self, where, what):
        self.wrong.append("%s: %s" % (where, what))

    def messages(self, where):
        for event in self.browser.events:
            method, params = event.get("method"), event.get("params", {})
            if method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
                self.complain(where, "on the console: " + json.dumps(params)[:300])
            if method == "Network.requestWillBeSent":
                url = params["request"]["url"]
                own = url.startswith(self.home + "/") or url.split("#")[0] == self.home
                if not own and not url.startswith(("about:", "data:")):
                    self.complain(where, "a request to " + url)

    def keyboard(self, where, most):
        """Every control is a stop of the Tab key, as far as that many presses lead; each stop can be seen."""
        count, reached = self.browser.evaluate(CONTROLS), set()
        for _ in range(min(count + 4, most)):
            self.browser.press("Tab")
            stop = self.browser.evaluate(STOP)
            if stop is None or stop["number"] in reached:
                break
            reached.add(stop["number"])
            if not stop["seen"] or not stop["marked"]:
                self.complain(where, "a stop of the keyboard that is not %s: %s" % ("marked" if stop["seen"] else "in sight", stop["name"]))
        if len(reached) < min(count, most):
            missed = min(set(range(count)) - reached)
            name = self.browser.evaluate("window.stops[%d].outerHTML.slice(0,120)" % missed)
            self.complain(where, "the keyboard stops at %d of %d controls, not at %s" % (len(reached), count, name))

    def picture(self, name, width):
        if not self.pictures:
            return
        size = self.browser.ask("Page.getLayoutMetrics")["cssContentSize"]
        picture = self.browser.ask("Page.captureScreenshot", captureBeyondViewport=True,
                                   clip={"x": 0, "y": 0, "width": width, "height": min(size["height"], 3000), "scale": 1})
        with open(os.path.join(self.pictures, name + ".png"), "wb") as file:
            file.write(base64.b64decode(picture["data"]))

    def accessible(self, where):
        if not self.axe:
            return
        self.browser.evaluate(self.axe + ";0")
        found = self.browser.evaluate(
            "axe.run({runOnly:%s}).then(function(r){return r.violations.map(function(v){return v.id+': '+v.nodes.length+' '"
            "+v.nodes[0].html.slice(0,150)+' '+(v.nodes[0].failureSummary||'').slice(0,200)})})" % json.dumps(RULES))
        for violation in found:
            self.complain(where, "axe-core: " + violation)

    def fits(self, where, width):
        # not innerWidth: where a phone is emulated that grows with what does not fit
        if self.browser.ask("Page.getLayoutMetrics")["cssContentSize"]["width"] > width:
            self.complain(where, "wider than its window")

    def shades(self, where, selector):
        """An edge of the first of these has a shade where more than its width is beyond it, and none where nothing is."""
        browser, name = self.browser, json.dumps(selector)
        for far in (0, 99999):
            for edge, beyond, strip in json.loads(browser.evaluate(EDGES % (name, far))):
                pictures = []
                for background in ("", "none"):
                    browser.evaluate("document.querySelector(%s).style.background='%s'" % (name, background))
                    pictures.append(browser.ask("Page.captureScreenshot", clip=strip)["data"])
                browser.evaluate("document.querySelector(%s).style.background=''" % name)
                shaded = pictures[0] != pictures[1]
                if shaded != (beyond >= 1) and (shaded or beyond > 28):
                    self.complain(where, "%s, %d pixels beyond its %s edge: %s shade" % (selector, beyond, edge, "a" if shaded else "no"))

    def go(self, path):
        """To a page that has all it shows: one that is still being made says so, and asks again by itself."""
        for _ in range(240):
            self.browser.go(self.home + path)
            if not self.browser.evaluate("!!document.querySelector('.loading')"):
                return
            time.sleep(0.5)
        self.complain(path, "is not whole after two minutes")

    def look(self, name, path, stops=25):
        """At both widths and in both schemes, with the keyboard at each width. A page that is not there is told on the console."""
        for width in (1400, 390):
            for scheme in ("light", "dark"):
                where = "%s (%d, %s)" % (path or self.home, width, scheme)
                self.browser.show_as(width, scheme)
                if scheme == "light":
                    self.go(path)
                else:
                    self.browser.evaluate(FROM_THE_TOP)
                self.fits(where, width)
                self.picture("%s-%d-%s" % (name, width, scheme), width)
                self.accessible(where)
                if scheme == "light":
                    self.keyboard(where, stops)
            if name != "missing":
                self.messages(where)


def run(look):
    """look(looker) with what the command line names: CHROMIUM ADDRESS [FOLDER for pictures]. Prints what is wrong."""
    program, home = sys.argv[1:3]
    if not os.environ.get("AXE"):
        print("no axe-core (AXE names its axe.min.js): accessibility is looked at by keyboard alone")
    # the browser's last process may still write to it
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        try:
            browser = Browser(program, profile)
        except (EOFError, OSError):
            print("the browser does not run here: the pages are not looked at")
            return
        looker = Looker(browser, home.rstrip("/"), sys.argv[3] if len(sys.argv) > 3 else None)
        look(looker)
        browser.close()
    for line in looker.wrong:
        print("browser: " + line)
    sys.exit(1 if looker.wrong else 0)
