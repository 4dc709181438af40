/* stop: whether this process was asked to end. One flag, which a signal handler sets and every long loop looks at, so
 * that a first SIGINT ends any command soon. A function that finds it set returns STATUS_INTERRUPTED; what it had in
 * hand is freed, and nothing half-made is left.
 *
 * Thread rule: any thread, at any time; stop_request also in a signal handler. The flag is the process's own: a program
 * that uses the library never sets it. */
#ifndef UNKTX_PARSER_STOP_H
#define UNKTX_PARSER_STOP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "parser/status.h"

/* 0: go on. Above 0: stop. Below 0: so many more looks go on (stop_after). */
extern atomic_long stop_state;

/* Sets the flag. */
void stop_request(void);
bool stop_look(void);

/* True once the flag is set. As cheap as reading a variable, but not for each step of an inner loop: see stop_due. */
static inline bool stop_requested(void)
{
    return atomic_load_explicit(&stop_state, memory_order_relaxed) != 0 && stop_look();
}

/* The same, asked in one of 4,096 steps of a loop, which `step` counts: some microseconds of work. */
static inline bool stop_due(uint64_t step) { return step % 4096 == 0 && stop_requested(); }

/* STATUS_INTERRUPTED with its text once the flag is set. */
enum status stop_check(struct fault *fault) MUST_CHECK;

/* For tests. The flag sets itself at the look after the next `looks` ones; -1 clears it. */
void stop_after(long looks);
/* Looks since stop_after(n >= 0): with those at the flag once it is set. */
long stop_looks(void);

#endif
