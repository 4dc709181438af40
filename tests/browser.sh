#!/bin/sh
# The page of `unktx report` in a headless Chromium: no message on the console, all sections, and table heads turned into buttons
# that sort. Then the pages of `unktx explore` (browser.py). Says so and passes where there is no Chromium. From the environment:
# UNKTX (default: build/unktx); AXE, the file axe.min.js of npm's axe-core, without which pages are not looked at with it.
set -u
cd "$(dirname "$0")/.."
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || {
    echo "no Chromium: the page is not looked at in a browser"; exit 0; }
unktx=${UNKTX:-build/unktx}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
wrong() { echo "browser: $*"; exit 1; }
"$unktx" scan --quiet --datadir tests/fixtures/regtest-xor --store "$place/store" &&
    "$unktx" report --store "$place/store" -o "$place/report.html" || wrong "no page"
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

# the pages of explore, with an index
python=$(sh tests/python.sh) || { echo "no python3: the pages of explore are not looked at in a browser"; exit 0; }
"$unktx" index --quiet --datadir tests/fixtures/regtest-xor --store "$place/store" || wrong "no index"
"$unktx" report --store "$place/store" --rules core-22 -o "$place/linked.html" || wrong "no page"
"$python" tests/browser.py "$browser" "file://$place/linked.html" || exit 1
"$unktx" explore --store "$place/store" --port 0 >"$place/address" 2>"$place/explore.log" &
server=$!
trap 'kill "$server" 2>/dev/null; rm -rf "$place"' EXIT
waited=0
until [ -s "$place/address" ] || [ $((waited += 1)) -gt 120 ]; do sleep 1; done
[ -s "$place/address" ] || wrong "explore: $(cat "$place/explore.log")"
"$python" tests/browser.py "$browser" "$(cat "$place/address")" || exit 1
