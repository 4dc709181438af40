/* trouble: what the tests of kills, small disks and other processes share. Where something cannot be had, the running
 * test fails. */
#ifndef UNKTX_TESTS_SUPPORT_TROUBLE_H
#define UNKTX_TESTS_SUPPORT_TROUBLE_H

#include <stdbool.h>
#include <sys/types.h>

/* True in a build with ASan or TSan, which need terabytes of address space. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SANITIZED 1
#elif defined __has_feature
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define SANITIZED 0
#endif

/* Of a clock that nobody sets. */
double now_s(void);

/* Waits for the child: its exit status, or 128 + the signal that ended it. */
int wait_status(pid_t child);

/* Runs a line of the shell: the exit status, and a part of stderr (NULL: it is empty). */
void expect_shell(int status, const char *text, const char *line);

/* What stands before a command for a user who may not do everything, in `folder` of temp_dir. Root may: then another
 * user, if the machine can do that; else the running test is skipped. */
const char *as_a_user(const char *folder);

/* Runs unktx as often as it says to run it again (exit status 1; `also` is another text that means so, or NULL) until
 * it ends well: how often it said so. 500 times are too often. */
unsigned run_until_done(const char *line, const char *also);

void assert_folder_is_empty(const char *folder);

/* A tmpfs of so many KiB in `folder`, which is made; skips the running test where this process may not mount. */
void mount_small(const char *folder, unsigned kib);
void resize_small(const char *folder, unsigned kib, bool read_only);

#endif
