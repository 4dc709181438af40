#!/bin/sh
# Each list of the program stands in full wherever a reader looks for it: commands, options, columns, rule sets, kinds, families,
# measures, networks, known scripts. CONTRIBUTING.md has a recipe for each; this says what a new entry still lacks. Tables are
# those that the program UNKTX (default: build/unktx) writes of the bundled chain, with an index and without. Prints what is
# missing where; exit status 1 then.
set -u
cd "$(dirname "$0")/.."
unktx=${UNKTX:-build/unktx}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

# the words of each man page: without roff's backslashes, and `.BI unknown_txs_ RULES` as one word
for page in cli/man/*.1; do
    name=${page##*/}
    tr -d '\\' <"$page" | sed 's/_ \([A-Z]\)/_\1/g' >"$place/${name%.1}.man"
done
lacks() { echo "$1 lacks $2"; }
# which of the sorted words of $1 the file $2, which is $3, does not have; all are looked for together, since a process costs milliseconds
not_in() { grep -owF -f "$1" "$2" | sort -u | comm -23 "$1" - | while read -r word; do lacks "$3" "$word"; done; }
# the data dictionary: of all tables where it is generated, else of the published ones
dictionary=docs/tables.md
[ -e "$dictionary" ] || dictionary=notebooks-data/README.md

"$unktx" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z]*\) .*/\1/p' >"$place/commands"

check_commands() {
    for shell in bash zsh fish; do "$unktx" completion $shell >"$place/$shell"; done
    for command in $(cat "$place/commands"); do
        [ -e "cli/man/unktx-$command.1" ] || { lacks cli/man "unktx-$command.1"; continue; }
        grep -qF ".BR $command (1)" "$place/unktx.man" || lacks "unktx(1)" "$command"
        grep -qF ".BR unktx-$command (1)" "$place/unktx.man" || lacks "unktx(1), SEE ALSO" "$command"
        grep -qF "| \`unktx $command\` |" README.md || lacks README.md "a row of $command"
        for shell in bash zsh fish; do grep -qw -- "$command" "$place/$shell" || lacks "the completion of $shell" "$command"; done
        grep -qE "\"${command}[ \"]" tests/cli/*.c || lacks tests/cli "a test of $command"
        options=$("$unktx" "$command" --help | sed -n '/^Options:/,/^$/p' | grep -oE '^ {2,6}(-[a-z], )?--[a-z-]+' | grep -oE -- '--[a-z-]+')
        echo "$options" | sort -u >"$place/options"
        sed 's/^--//' "$place/options" | sort >"$place/bare"
        not_in "$place/options" "$place/unktx-$command.man" "unktx-$command(1)"
        not_in "$place/bare" "$place/bash" "the completion of bash"
    done
    for page in cli/man/unktx-*.1; do
        command=${page##*/} command=${command%.1}
        grep -qx "${command#unktx-}" "$place/commands" || echo "$page is of no command"
    done
    sed -n 's/^| `unktx \([a-z]*\)` |.*/\1/p' README.md | while read -r command; do
        grep -qx "$command" "$place/commands" || echo "README.md has a row of $command, which is no command"
    done
}

# columns of the table on stdin: in the man page $1 and in the dictionary; $2: only in the man page
check_columns() {
    tr -cs 'A-Za-z0-9_.-' '\n' <"$place/$1.man" >"$place/words"
    grep -oE '`[^`]+`' "$dictionary" | tr -d '`' >"$place/described"
    # what there is for each kind of output or each rule set may stand there once
    head -n 1 | tr ',' '\n' | awk -v place="$place" -v page="$1(1)" -v dictionary="$dictionary" -v only_man="${2:-}" '
        function read_words(file, words) { while ((getline line <(place "/" file)) > 0) words[line] = 1 }
        function is_in(words) { return $0 in words || (kind in kinds && (kind in words || "KIND" in words)) || (rules && "unknown_txs_RULES" in words) }
        BEGIN { read_words("words", man); read_words("described", described); read_words("kinds", kinds) }
        { kind = $0; sub(/_sat$/, "", kind); rules = /^unknown_txs_/ }
        !is_in(man) { print page " lacks the column " $0 }
        !only_man && !is_in(described) { print dictionary " lacks the column " $0 }'
}

check_tables() {
    # the published tables' dictionary has no other tables
    others=
    [ "$dictionary" = docs/tables.md ] || others=others
    "$unktx" scan --quiet --datadir tests/fixtures/regtest-xor --store "$place/store" --timings "$place/timings" || return
    check_columns unktx-scan $others <"$place/timings"
    "$unktx" stats --store "$place/store" | head -n 1 | tr ',' '\n' | sed -n 's/_sat$//p' >"$place/kinds"
    for with in without with; do
        [ $with = without ] || "$unktx" index --quiet --datadir tests/fixtures/regtest-xor --store "$place/store" || return
        "$unktx" dags --store "$place/store" -o "$place/$with" >/dev/null || return
        for table in tdags classes txs arcs leaves; do check_columns unktx-dags ${others:+$([ $with = without ] || echo others)} <"$place/$with/$table.csv"; done
    done
    # what a column of tdags.csv speaks of under --compress
    for column in $(head -n 1 "$place/with/tdags.csv" | tr ',' ' '); do
        [ "$column" = dag_id ] || sed -n '/^## 8/,/^## 9/p' docs/model.md | grep -qF "\`$column\`" || lacks "docs/model.md, section 8" "the column $column"
    done
    for table in payers payees; do check_columns unktx-flows $others <"$place/with/$table.csv"; done
    "$unktx" outputs --store "$place/store" | check_columns unktx-outputs
    "$unktx" templates --store "$place/store" | check_columns unktx-templates
    "$unktx" stats --store "$place/store" | check_columns unktx-stats
    "$unktx" stats --nulldata --store "$place/store" 2>/dev/null | check_columns unktx-stats $others
    "$unktx" compare --store "$place/store" -o - | check_columns unktx-compare $others
    for more in "" --list; do "$unktx" hidden --quiet $more --store "$place/store" | check_columns unktx-hidden $others; done
    for table in blocks txs inputs outputs; do "$unktx" dump $table --store "$place/store" | check_columns unktx-dump $others; done
    txid=$(sed -n 2p "$place/with/tdags.csv" | grep -oE '[0-9a-f]{64}')
    "$unktx" find --store "$place/store" --format csv "$txid" | check_columns unktx-find $others
    echo address,label >"$place/labels.csv"
    "$unktx" dags --store "$place/store" -o "$place/labels" --labels "$place/labels.csv" >/dev/null || return
    check_columns unktx-dags $others <"$place/labels/tdags.csv"
    for table in payers payees; do check_columns unktx-flows $others <"$place/labels/$table.csv"; done
    "$unktx" travel --store "$place/store" "$txid" | check_columns unktx-travel $others
    "$unktx" blocks tests/fixtures/genesis | check_columns unktx-blocks $others
}

check_rules_and_kinds() {
    for rules in $("$unktx" dags --help | grep -oE 'core-[0-9.]+(\|core-[0-9.]+)+' | tr '|' ' '); do
        grep -qF ".B $rules" "$place/unktx.man" || lacks "unktx(1)" "the rule set $rules"
        grep -qF "| \`$rules\`" README.md || lacks README.md "a row of $rules"
        grep -qF "| \`$rules\`" docs/model.md || lacks docs/model.md "a row of $rules"
        "$unktx" completion bash | grep -qF -- "$rules" || lacks "the completion of bash" "$rules"
        "$unktx" stats --store "$place/store" | head -n 1 | grep -qF "unknown_txs_$rules" || lacks "unktx stats" "$rules"
        grep -qF "\"$rules\"" "$place/without/summary.json" || lacks summary.json "$rules"
    done
    "$unktx" blocks tests/fixtures/genesis | head -n 1 >"$place/blocks"
    while read -r kind; do
        grep -qw "$kind" "$place/unktx.man" || lacks "unktx(1)" "the kind $kind"
        grep -qF "\`$kind\`" docs/model.md || lacks docs/model.md "the kind $kind"
        grep -qF "\"$kind\"" "$place/without/summary.json" || lacks summary.json "$kind"
        grep -qw "$kind" "$place/blocks" || lacks "unktx blocks" "$kind"
    done <"$place/kinds"
}

check_families_and_measures() {
    families=$(sed -n '/family_name/,/^}/p' classify/family.c | grep -oE '"[a-z-]+"' | tr -d '"')
    [ "$(echo "$families" | wc -w)" -eq "$(sed -n 's/^#define FAMILIES //p' classify/family.h)" ] || echo "classify/family.c: not as many names as FAMILIES"
    for family in $families; do
        grep -qw -e "$family" "$place/unktx-dags.man" || lacks "unktx-dags(1)" "the family $family"
        grep -qF "| ![](pictures/family-$family.svg) | \`$family\` |" docs/model.md || lacks docs/model.md "a row of $family"
        grep -qF "$family" "$dictionary" || lacks "$dictionary" "the family $family"
        grep -qw "FAMILY_$(echo "$family" | tr 'a-z-' 'A-Z_')" tests/classify/test_family.c || lacks tests/classify/test_family.c "$family"
    done
    for measure in $(sed -n '/^struct measures_row/,/^}/s/^ *double \([a-z_]*\);.*/\1/p' classify/measures.h); do
        head -n 1 "$place/without/tdags.csv" | tr ',' '\n' | grep -qx "$measure" || lacks tdags.csv "the measure $measure"
        grep -qF "| \`$measure\` |" docs/measures.md || lacks docs/measures.md "a row of $measure"
        grep -qF "\`$measure\`" docs/model.md || lacks "docs/model.md, section 8" "the measure $measure"
        grep -qw "$measure" tests/classify/test_measures*.c || lacks tests/classify "a test of $measure"
    done
}

check_networks_and_scripts() {
    for network in $("$unktx" scan --help | grep -oE 'main(\|[a-z0-9]+)+' | tr '|' ' '); do
        grep -qF "{\"$network\"" parser/network.c || lacks parser/network.c "$network"
        grep -qw "$network" "$place/unktx-scan.man" || lacks "unktx-scan(1)" "the network $network"
        grep -qF "\"$network\"" tests/parser/test_network.c || lacks tests/parser/test_network.c "$network"
        [ "$network" = main ] || grep -qF "\`$network\`" docs/model.md || lacks docs/model.md "the network $network"
    done
    sed -n 's/^    {"\([a-z0-9]*\)".*/\1/p' parser/network.c | while read -r network; do
        "$unktx" scan --help | grep -qw "$network" || lacks "unktx scan --help" "the network $network"
    done
    cat tests/graph/*.c | tr '" ' '\n\n' | sort -u >"$place/words"
    grep -v '^#' graph/scripts/known-scripts.tsv | cut -sf 1 | sort -u | comm -23 - "$place/words" | while read -r name; do
        lacks tests/graph "a test of the known script $name"
    done
}

missing=$(check_commands; check_tables; check_rules_and_kinds; check_families_and_measures; check_networks_and_scripts)
[ -z "$missing" ] && exit 0
printf '%s\n' "$missing" | sort -u
exit 1
