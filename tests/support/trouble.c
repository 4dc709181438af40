#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/trouble.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/run.h"

double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int wait_status(pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void expect_shell(int status, const char *text, const char *line)
{
    struct run run = shell("%s", line);
    if (run.exit_status != status || (text ? !strstr(run.err, text) : run.err[0] != '\0'))
        fail_msg("%s: exit status %d, not %d with \"%s\": %s", line, run.exit_status, status, text ? text : "",
                 run.err);
    run_free(&run);
}

const char *as_a_user(const char *folder)
{
    if (geteuid() != 0)
        return "";
    struct run can = shell("setpriv --reuid=65534 --clear-groups $UNKTX --version");
    bool able = can.exit_status == 0;
    run_free(&can);
    if (!able) {
        print_message("skipped: root, and no other user can run the program here\n");
        skip();
    }
    assert_int_equal(chmod(folder, 0777), 0);
    /* the leak finder cannot look into a process of another user */
    return "ASAN_OPTIONS=detect_leaks=0 setpriv --reuid=65534 --clear-groups ";
}

unsigned run_until_done(const char *line, const char *also)
{
    for (unsigned again = 0;; again++) {
        struct run run = unktx("%s", line);
        bool is_done = run.exit_status == 0;
        bool is_told = strstr(run.err, "run the command again") || (also && strstr(run.err, also));
        if (!is_done && (run.exit_status != 1 || !is_told || again == 500))
            fail_msg("%s: exit status %d: %s", line, run.exit_status, run.err);
        run_free(&run);
        if (is_done)
            return again;
    }
}

void assert_folder_is_empty(const char *folder)
{
    glob_t found = {0};
    if (glob(path_of("%s/*", folder), 0, NULL, &found) != GLOB_NOMATCH)
        fail_msg("left behind: %s", found.gl_pathv[0]);
    globfree(&found);
}

void mount_small(const char *folder, unsigned kib)
{
    char size[32];
    make_dirs(folder);
    snprintf(size, sizeof size, "size=%uk", kib);
    if (mount("tmpfs", folder, "tmpfs", 0, size) == 0)
        return;
    print_message("skipped: mounting a small tmpfs takes root\n");
    skip();
}

void resize_small(const char *folder, unsigned kib, bool read_only)
{
    char size[32];
    snprintf(size, sizeof size, "size=%uk", kib);
    assert_int_equal(mount("tmpfs", folder, "tmpfs", MS_REMOUNT | (read_only ? MS_RDONLY : 0), size), 0);
}
