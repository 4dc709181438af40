/* Tests that stand before functions of the C library: the one that a function of the same name here hides, and a
 * process that ends at one of its steps, as if it were killed there. */
#ifndef UNKTX_TESTS_SUPPORT_STEPS_H
#define UNKTX_TESTS_SUPPORT_STEPS_H

#include <stdbool.h>

#define STEPS_KILLED 9 /* the exit status of a process that ended so */

/* steps_take() ends the process at the one of number kill_at, from 1, of those made while they are counted. */
struct steps {
    bool counted;
    long made;
    long kill_at;
};

extern struct steps steps;

void steps_take(void);

/* The function that comes next in the order of the libraries; ends the program if there is none. */
void *next_function(const char *name);

#endif
