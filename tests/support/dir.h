/* dir: the one folder in which the tests of a program work. */
#ifndef UNKTX_TESTS_SUPPORT_DIR_H
#define UNKTX_TESTS_SUPPORT_DIR_H

/* A set-up makes it, by temp_dir. */
extern char *dir;
/* A set-up that does no more than that, and the tear-down: it takes the folder away with all that is in it. */
int make_dir(void **state);
int remove_dir(void **state);

#endif
