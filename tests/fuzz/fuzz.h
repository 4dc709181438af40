/* fuzz: what a fuzz target is. tests/fuzz/fuzz_NOUN.c defines these two functions as libFuzzer wants them (`make
 * fuzz`); without libFuzzer, tests/fuzz/replay.c feeds it the files of tests/fuzz/corpus/NOUN (`make check`).
 *
 * A target checks what must be true of any input, beyond that nothing crashes. Test support: what must not be false
 * ends the program. */
#ifndef UNKTX_TESTS_FUZZ_FUZZ_H
#define UNKTX_TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void must(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "not true: %s\n", what);
    abort();
}

#endif
