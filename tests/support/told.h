/* What a scan or an index build tells while it works, as one text that another's is compared with. */
#ifndef UNKTX_TESTS_SUPPORT_TOLD_H
#define UNKTX_TESTS_SUPPORT_TOLD_H

#include <stdio.h>

#include "parser/status.h"

/* Begin with told_begin; `text` is whole once `out` is closed, and to free. */
struct told {
    char *text;
    size_t size;
    FILE *out;
};

void told_begin(struct told *told);
/* The callbacks of the options, whose context is a struct told. */
void told_damage(void *context, const struct fault *what);
void told_message(void *context, const char *text);

#endif
