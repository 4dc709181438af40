#!/bin/sh
# The house rules that a compiler does not know: the direction parser -> graph -> classify -> cli, and one owner for each
# library; and structs with one member a line. Prints each breach; exit status 1 if there is one.
set -u
cd "$(dirname "$0")/.."
command_line="cli/*.[ch] cli/*/*.[ch]"
library="parser/*.[ch] graph/*.h graph/*/*.[ch] classify/*.[ch]"
breaches=$(
    # a folder includes only headers of itself and of the folders to its left, all named from the top
    grep -nE '#include "(\.|[^"]*/\.\.?/)' $library $command_line
    grep -nE '#include "(graph|classify|cli|tests)/' parser/*.[ch]
    grep -nE '#include "(classify|cli|tests)/' graph/*/*.[ch]
    grep -nE '#include "(cli|tests)/' classify/*.[ch]
    grep -nE '#include "tests/' $command_line
    # within cli/: commands -> views -> inputs -> output -> options; main.c and commands.c stand before all of them
    grep -nE '#include "cli/' cli/options.[ch] | grep -vE '"cli/options\.h"'
    grep -nE '#include "cli/' cli/output/*.[ch] | grep -vE '"cli/(output/|options\.h)'
    grep -nE '#include "cli/' cli/inputs/*.[ch] | grep -vE '"cli/(inputs/|output/|options\.h)'
    grep -nE '#include "cli/' cli/views/*.[ch] | grep -vE '"cli/(views/|inputs/|output/|options\.h)'
    grep -nE '#include "cli/' cli/commands/*.[ch] cli/command.h |
        grep -vE '"cli/((commands|views|inputs|output)/|(command|options)\.h)'
    # kv.h is the only door of graph/lmdb/
    grep -nE '#include "graph/lmdb/' $library $command_line | grep -vE '^graph/lmdb/|"graph/lmdb/kv\.h"'
    # one place for each library
    grep -nE '#include <lmdb\.h>' $library $command_line | grep -v '^graph/lmdb/'
    grep -nE '#include "graph/lmdb/' $library $command_line | grep -v '^graph/lmdb/' | grep -v '"graph/lmdb/kv\.h"'
    grep -nE '#include <igraph' $library $command_line | grep -v '^graph/dag/shape\.c:'
    grep -nE '#include <secp256k1' $library $command_line | grep -v '^parser/pubkey\.c:'
    grep -nE '#include <microhttpd\.h>' $library $command_line | grep -v '^cli/output/http_library\.h:'
    grep -n '#include "cli/output/http_library\.h"' $library $command_line | grep -vE '^cli/output/http(_library)?\.c:'
    grep -nE '#include <sqlite3\.h>' $library $command_line | grep -v '^cli/output/sqlite_library\.h:'
    grep -n '#include "cli/output/sqlite_library\.h"' $library $command_line | grep -vE '^cli/output/sqlite(_library)?\.c:'
    grep -nE '#include <zstd\.h>' $library $command_line | grep -v '^cli/output/zstd\.c:'
    grep -nE '#include <nettle/' $library $command_line | grep -vE '^parser/(rc4|sha256)\.c:'
    grep -nE '#include <yaml\.h>' $library $command_line | grep -v '^cli/inputs/tagpack\.c:'
    grep -nE '#pragma omp|#include <omp\.h>' $library $command_line | grep -v '^parser/parallel\.c:'
    # allocation has one door; only cli/output/ and main.c print, the rest of cli/ through them
    grep -nE '\b(malloc|calloc|realloc|free|strdup)\(' $library | grep -v '^parser/mem\.[ch]:' |
        grep -vE ':\s*(/?\*|//)'
    grep -nE '\b(v?f?printf|dprintf|f?put[sc]|putchar|fwrite|perror|exit|abort)\(' $library $command_line |
        grep -vE '^cli/(output/|main\.c:)' | grep -vE ':\s*(/?\*|//)'
    # one member a line, also in tests (a struct that stands in one line whole is none of these)
    awk '
        /^ ?\*|^\/\*/ { next }
        {
            text = $0
            gsub(/\/\*[^\/]*\*\//, "", text)
            gsub(/"[^"]*"/, "", text)
            if (FNR == 1) depth = 0
            if (in_struct[depth] && text !~ /[{}(]/ && text ~ /^ +[a-zA-Z_][^;]*,[^;]*; *$/) print FILENAME ":" FNR ":" $0
            if (text ~ /^ *}/ && depth) depth--
            if (text ~ /\{ *$/) in_struct[++depth] = text ~ /(struct|union)[ a-z_0-9]*\{ *$/
        }' $library $command_line tests/*/*.[ch]
)
[ -z "$breaches" ] && exit 0
printf '%s\n' "$breaches"
exit 1
