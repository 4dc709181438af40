#include "tests/support/told.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

void told_begin(struct told *told)
{
    *told = (struct told){0};
    told->out = open_memstream(&told->text, &told->size);
    assert_non_null(told->out);
}

void told_damage(void *context, const struct fault *what)
{
    const struct told *told = context;
    fprintf(told->out, "damage %d %s %llu %s\n", (int)what->status, what->path, (unsigned long long)what->offset,
            what->text);
}

void told_message(void *context, const char *text)
{
    const struct told *told = context;
    fprintf(told->out, "message %s\n", text);
}
