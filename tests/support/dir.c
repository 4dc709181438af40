#include "tests/support/dir.h"

#include <stdlib.h>

#include "tests/support/run.h"

char *dir;

int make_dir(void **state)
{
    (void)state;
    dir = temp_dir();
    return 0;
}

int remove_dir(void **state)
{
    (void)state;
    remove_tree(dir);
    free(dir);
    return 0;
}
