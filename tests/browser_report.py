#!/usr/bin/env python3
"""The page of `unktx report` in a headless Chromium (devtools.py): also its search, charts, links and ids.

    browser_report.py CHROMIUM file://PAGE [FOLDER]     (pictures go to FOLDER)

Prints what is wrong; exit status 1 then."""
import json, re

from devtools import run

# what a press of a key, the mouse and a finger do to the first chart with points: what is read off
READ = "document.querySelector('svg.chart[tabindex]').parentNode.querySelector('.read').textContent"


def read_off(looker, where):
    browser = looker.browser
    browser.evaluate("(function(){var c=document.querySelector('svg.chart[tabindex]');c.scrollIntoView({block:'center'});c.focus()})()")
    points = json.loads(browser.evaluate("JSON.stringify(Array.from(document.querySelector('svg.chart[tabindex]').querySelectorAll("
        "'.b,.t')).map(function(p){var b=p.getBoundingClientRect();return[p.querySelector('title').textContent,b.left+b.width/2,"
        "b.top+b.height/2]}))"))
    for key, point in (("Home", points[0]), ("ArrowRight", points[1]), ("End", points[-1])):
        browser.press(key)
        if browser.evaluate(READ) != point[0]:
            looker.complain(where, "%s reads off %r, not %r" % (key, browser.evaluate(READ), point[0]))
    browser.ask("Input.dispatchMouseEvent", type="mouseMoved", x=points[0][1], y=points[0][2])
    if browser.evaluate(READ) != points[0][0]:
        looker.complain(where, "the mouse reads off %r" % browser.evaluate(READ))
    browser.ask("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": points[-1][1], "y": points[-1][2]}])
    browser.ask("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    if browser.evaluate(READ) != points[-1][0]:
        looker.complain(where, "a touch reads off %r" % browser.evaluate(READ))


SEARCH = "(function(){var i=document.querySelector('.search input');i.value='%s';i.dispatchEvent(new Event('input'))})()"


def search(looker, where):
    """A txid that only an article's closed table has is found, and the link opens what it leads to."""
    browser = looker.browser
    txid = browser.evaluate("document.querySelector('article details[id$=\"-txs\"] td .hash').textContent")
    browser.evaluate(SEARCH % txid)
    found = browser.evaluate("Array.from(document.querySelectorAll('.search li a')).map(function(a){return a.hash}).join(' ')").split()
    if not found or not all(link.startswith("#tdag-") for link in found):
        looker.complain(where, "a search for %s finds %s" % (txid, found))
    told = browser.evaluate("document.querySelector('.search li a').textContent")
    if not re.search("; (transaction|first transaction|by|txid|output)[a-z ]*: " + txid[:16], told):
        looker.complain(where, "a hit without the head of its column: %r" % told)
    browser.evaluate("location.hash=document.querySelector('article details[id$=\"-txs\"]').id")
    browser.evaluate("new Promise(function(done){setTimeout(done,200)})")
    if not browser.evaluate("document.querySelector('article details[id$=\"-txs\"]').open"):
        looker.complain(where, "a link into a closed part does not open it")
    browser.evaluate(SEARCH % "")


def searches_fit(looker, where, width):
    """Whatever is found: ids, addresses and scripts are longer than a small window is wide."""
    for word in ("26", "4b35", "bcrt1p", "mgt8"):
        looker.browser.evaluate(SEARCH % word)
        if looker.browser.evaluate("document.querySelectorAll('.search li').length") == 0:
            looker.complain(where, "a search for %s finds nothing" % word)
        looker.fits("%s, a search for %s" % (where, word), width)
    looker.browser.evaluate(SEARCH % "")


def select_id(looker, where):
    """A click on an id selects the whole of it."""
    browser = looker.browser
    box = json.loads(browser.evaluate("(function(){var h=document.querySelector('#scanned .hash');h.scrollIntoView({block:'center'});"
        "var b=h.getClientRects()[0];return JSON.stringify([b.left+20,b.top+5,h.textContent])})()"))
    for kind in ("mousePressed", "mouseReleased"):
        browser.ask("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)
    selected = browser.evaluate("getSelection().toString().trim()")
    if selected != box[2]:
        looker.complain(where, "a click on an id selects %r" % selected)


STICKY = """(function(){
  var box=document.querySelector('#classes .wide'),head=box.querySelector('th');
  box.scrollIntoView();box.scrollTop=box.scrollHeight/2;
  return Math.abs(head.getBoundingClientRect().top-box.getBoundingClientRect().top)<3;
})()"""

EMPTIED = """(function(){
  var body=document.querySelector('#classes tbody'),before=getComputedStyle(body,'::after').content;
  body.replaceChildren();
  return before==='none'&&getComputedStyle(body,'::after').content==='"none"'&&body.getBoundingClientRect().height>20;
})()"""


def look_at_report(looker):
    browser = looker.browser
    for width in (1400, 390):
        for scheme in ("light", "dark"):
            where = "%s (%d, %s)" % (looker.home, width, scheme)
            browser.show_as(width, scheme)
            browser.go(looker.home)
            looker.fits(where, width)
            looker.picture("report-%d-%s" % (width, scheme), width)
            looker.accessible(where)
            if scheme == "light":
                looker.keyboard(where, 25)
            read_off(looker, where)
            search(looker, where)
            searches_fit(looker, where, width)
            for table in ("#scanned .wide", "#classes .wide", "#largest .wide"):
                looker.shades(where, table)
            select_id(looker, where)
            if not browser.evaluate(STICKY):
                looker.complain(where, "the heads of the table of classes do not stay")
            looker.messages(where)
            if not browser.evaluate(EMPTIED):
                looker.complain(where, "a table without rows does not say so")
    # what the script adds is no link
    browser.go(looker.home)
    links = len(browser.find("a[href]"))
    browser.scripts(False)
    browser.go(looker.home)
    plain = len(browser.find("a[href]"))
    if plain != links or plain < 100:
        looker.complain(looker.home, "%d links without JavaScript, %d with it" % (plain, links))


if __name__ == "__main__":
    run(look_at_report)
