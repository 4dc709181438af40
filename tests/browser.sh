#!/bin/sh
# The page of `unktx report` in a headless Chromium: no message on the console, all sections, and table heads turned into buttons
# that sort. Then the report's page and those of `unktx explore` (browser_report.py, browser.py). Says so and passes where there is no
# Chromium. From the environment: UNKTX (default: build/unktx); AXE, the file axe.min.js of npm's axe-core, without which pages are not
# looked at with it; BROWSER=all: every link of the start, every control, and T-DAGs of 3, 300 and 100,000 nodes, by CHAINGEN.
# PICTURES: a folder for pictures of all pages.
set -u
cd "$(dirname "$0")/.."
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || {
    echo "no Chromium: the page is not looked at in a browser"; exit 0; }
unktx=${UNKTX:-build/unktx}
chain=tests/fixtures/regtest-xor
place=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$place"' EXIT
wrong() { echo "browser: $*"; exit 1; }
# two runs, so that there are changes
"$unktx" analyze --quiet --datadir "$chain" --rules core-22 --to-height 200 -o "$place/results" >/dev/null &&
    "$unktx" analyze --quiet --datadir "$chain" --rules core-22 -o "$place/results" >/dev/null &&
    "$unktx" report --quiet --store "$place/results" --rules core-0.18 -o "$place/report.html" || wrong "no page"
# what a reader does: sort the classes by height, twice; the script that does it is none of the page's, so without the page's policy
sed 's|<meta http-equiv="Content-Security-Policy"[^>]*>||; s|^</body></html>|<script>\
var head=Array.from(document.querySelectorAll("#classes thead button")).find(function(b){return b.textContent==="height"});\
head.click();var cell=function(){return document.querySelector("#classes tbody tr").cells[2].textContent};\
document.title="high "+cell();head.click();document.title+=" low "+cell()+" sort "+head.parentNode.getAttribute("aria-sort");\
</script></body></html>|' "$place/report.html" >"$place/sorted.html"
for page in report sorted; do
    timeout 120 "$browser" --headless --no-sandbox --disable-gpu --disable-background-networking --user-data-dir="$place/$page" \
        --enable-logging=stderr --dump-dom "file://$place/$page.html" >"$place/$page.dom" 2>"$place/$page.log"
    [ -s "$place/$page.dom" ] || { echo "the browser does not run here: the page is not looked at"; exit 0; }
    grep CONSOLE "$place/$page.log" && wrong "messages on the console of $page"
done
for section in scanned kinds sizes classes ordered highest largest moved tdags groups unlocks rules files; do
    grep -q "<section id=\"$section\"" "$place/report.dom" || wrong "no section $section"
done
heads=$(grep -o '<th scope="col"><button type="button">' "$place/report.dom" | wc -l)
[ "$heads" -ge 20 ] || wrong "$heads buttons in table heads"
grep -q '<title>high 38 low 2 sort ascending</title>' "$place/sorted.dom" || wrong "sorting: $(grep -o '<title>high[^<]*' "$place/sorted.dom")"

# $1: a name; the rest: options of explore. Its pages, then its end
look() {
    name=$1
    shift
    "$unktx" explore "$@" --port 0 >"$place/address" 2>"$place/explore.log" &
    server=$!
    waited=0
    until [ -s "$place/address" ] || [ $((waited += 1)) -gt 600 ]; do sleep 0.2; done
    [ -s "$place/address" ] || wrong "explore: $(cat "$place/explore.log")"
    [ -z "${PICTURES:-}" ] || mkdir -p "$PICTURES/$name"
    "$python" tests/browser.py "$browser" "$(cat "$place/address")" ${PICTURES:+"$PICTURES/$name"} || exit 1
    kill "$server"
    wait "$server"
    server=
    : >"$place/address"
}

# the report's page with an index, and the pages of explore
export PYTHONDONTWRITEBYTECODE=1
python=$(sh tests/python.sh) || { echo "no python3: the pages are not looked at in a browser"; exit 0; }
"$unktx" index --quiet --datadir "$chain" --store "$place/results" || wrong "no index"
"$unktx" report --quiet --store "$place/results" --rules core-22 -o "$place/linked.html" || wrong "no page"
"$python" tests/browser_report.py "$browser" "file://$place/linked.html" ${PICTURES:+"$PICTURES"} || exit 1
look bundled --store "$place/results" --labels notebooks-data/labels.csv
[ "${BROWSER:-}" = all ] || exit 0
[ -x "${CHAINGEN:-}" ] || { echo "no CHAINGEN: T-DAGs of 300 and 100,000 nodes are not looked at"; exit 0; }
"$CHAINGEN" --giants 4 --random 118 --tdags 60 --spends "$place/giants" >/dev/null || wrong "no chain"
"$unktx" scan --quiet --datadir "$place/giants" --store "$place/store" &&
    "$unktx" index --quiet --datadir "$place/giants" --store "$place/store" || wrong "no store of it"
look giants --store "$place/store"
