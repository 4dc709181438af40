#!/bin/sh
# The house rules that a compiler does not know: the direction parser -> graph -> classify -> cli, and one owner for each
# library. Prints each breach; exit status 1 if there is one.
set -u
cd "$(dirname "$0")/.."
command_line="cli/*.[ch] cli/*/*.[ch]"
library="parser/*.[ch] graph/*.h graph/*/*.[ch] classify/*.[ch]"
breaches=$(
    # a folder includes only headers of itself and of the folders to its left
    grep -nE '#include "(graph|classify|cli|tests)/' parser/*.[ch]
    grep -nE '#include "(classify|cli|tests)/' graph/*/*.[ch]
    grep -nE '#include "(cli|tests)/' classify/*.[ch]
    grep -nE '#include "tests/' $command_line
    # one place for each library
    grep -nE '#include <lmdb\.h>' $library $command_line | grep -v '^graph/lmdb/'
    grep -nE '#include "graph/lmdb/' $library $command_line | grep -v '^graph/lmdb/' | grep -v '"graph/lmdb/kv\.h"'
    grep -nE '#include <igraph' $library $command_line | grep -v '^graph/dag/shape\.c:'
    grep -nE '#include <secp256k1' $library $command_line | grep -v '^parser/pubkey\.c:'
    grep -nE '#include <openssl/' $library $command_line | grep -v '^parser/sha256\.c:'
    grep -nE '#pragma omp|#include <omp\.h>' $library $command_line | grep -v '^parser/parallel\.c:'
    # allocation has one door; only cli/ prints or exits
    grep -nE '\b(malloc|calloc|realloc|free|strdup)\(' $library | grep -v '^parser/mem\.[ch]:' |
        grep -vE ':\s*(/?\*|//)'
    grep -nE '\b(printf|puts|exit|abort|perror)\(' $library | grep -vE ':\s*(/?\*|//)'
)
[ -z "$breaches" ] && exit 0
printf '%s\n' "$breaches"
exit 1
