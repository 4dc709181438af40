#define _GNU_SOURCE /* RTLD_NEXT */
#include "tests/support/steps.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

struct steps steps;

void steps_take(void)
{
    if (steps.counted && ++steps.made == steps.kill_at)
        _exit(STEPS_KILLED);
}

void *next_function(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);
    if (!function)
        abort();
    return function;
}
