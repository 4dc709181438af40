#define _GNU_SOURCE
#include "tests/support/command.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/command.h"

enum { WORDS = 64 };

static void need(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "command: %s\n", what);
    abort();
}

static const struct command *command_of(const char *name)
{
    for (const struct command *const *c = commands; *c; c++)
        if (strcmp((*c)->name, name) == 0)
            return *c;
    need(false, name);
    return NULL;
}

static int run_line(const char *format, va_list arguments)
{
    char line[8192];
    char *words[WORDS];
    unktx_starts_anew();
    vsnprintf(line, sizeof line, format, arguments);
    int count = 0;
    for (char *rest, *word = strtok_r(line, " ", &rest); word && count + 1 < WORDS; word = strtok_r(NULL, " ", &rest))
        words[count++] = word;
    need(count > 0, "no command");
    words[count] = NULL;
    return commands_run(command_of(words[0]), count - 1, words + 1);
}

int command_exit(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int status = run_line(format, arguments);
    va_end(arguments);
    return status;
}

static char *take_text(int file, size_t *size)
{
    off_t end = lseek(file, 0, SEEK_END);
    char *text = malloc((size_t)end + 1);
    need(text && pread(file, text, (size_t)end, 0) == end, "cannot read back what was printed");
    text[end] = '\0';
    *size = (size_t)end;
    close(file);
    return text;
}

/* Empty, for stdout and stderr. */
static void make_files(int files[2])
{
    for (int i = 0; i < 2; i++) {
        files[i] = memfd_create("printed", 0);
        need(files[i] >= 0, "cannot make a file in memory");
    }
    fflush(stdout);
    fflush(stderr);
}

static void take_texts(const int files[2], struct run *run)
{
    size_t err_size;
    run->out = take_text(files[0], &run->out_size);
    run->err = take_text(files[1], &err_size);
}

struct run command_run(const char *format, ...)
{
    struct run run = {0};
    int files[2], saved[2];
    make_files(files);
    for (int i = 0; i < 2; i++) {
        saved[i] = dup(i + 1);
        need(saved[i] >= 0 && dup2(files[i], i + 1) == i + 1, "cannot redirect");
    }
    va_list arguments;
    va_start(arguments, format);
    run.exit_status = run_line(format, arguments);
    va_end(arguments);
    fflush(stdout);
    fflush(stderr);
    for (int i = 0; i < 2; i++) {
        need(dup2(saved[i], i + 1) == i + 1, "cannot go back");
        close(saved[i]);
    }
    take_texts(files, &run);
    return run;
}

struct run command_run_apart(const char *format, ...)
{
    struct run run = {0};
    int files[2], status;
    make_files(files);
    pid_t child = fork();
    need(child >= 0, "cannot fork");
    if (child == 0) {
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET((size_t)sched_getcpu(), &one);
        need(sched_setaffinity(0, sizeof one, &one) == 0, "cannot keep to one processor");
        need(dup2(files[0], 1) == 1 && dup2(files[1], 2) == 2, "cannot redirect");
        va_list arguments;
        va_start(arguments, format);
        run.exit_status = run_line(format, arguments);
        va_end(arguments);
        fflush(stdout);
        fflush(stderr);
        _exit(run.exit_status);
    }
    need(waitpid(child, &status, 0) == child, "cannot wait");
    run.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    take_texts(files, &run);
    return run;
}

uint64_t bytes_read(void)
{
    unsigned long long count = 0;
    FILE *file = fopen("/proc/self/io", "r");
    if (!file || fscanf(file, "rchar: %llu", &count) != 1)
        count = 0;
    if (file)
        fclose(file);
    return count;
}
