#include "cli/output/message.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/output/text.h"

#define LINE_MAX_SIZE 8192u /* bytes; a path has half of it at most */

atomic_int message_stop;

static const char *command_name;
static bool status_open;

/* Whoever asks again after a moment does not want to wait for a commit. Not at once: timeout(1) sends its signal to the
 * program and to its group. Any thread may be the one that the system interrupts. */
static void on_signal(int number)
{
    static atomic_int first_s;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (message_stop && (int)now.tv_sec - first_s > 1) {
        signal(number, SIG_DFL);
        raise(number);
    }
    if (!message_stop)
        first_s = (int)now.tv_sec;
    message_stop = 1;
}

void message_catch_signals(void)
{
    /* No SA_RESTART is needed either way: files and disks do not return EINTR, and a terminal or pipe is written in a
     * loop that tries again. */
    struct sigaction stop = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigemptyset(&stop.sa_mask);
    sigemptyset(&ignore.sa_mask);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
}

void message_command(const char *name) { command_name = name; }

void message_status(const char *line)
{
    if (line)
        fprintf(stderr, "\r%s\033[K", line);
    else if (status_open)
        fputs("\r\033[K", stderr);
    status_open = line != NULL;
    fflush(stderr);
}

static void begin_line(void)
{
    message_status(NULL);
    fprintf(stderr, command_name ? "unktx %s: " : "unktx: ", command_name);
}

/* The rest of the line. All of it is quoted, since any part may be text from outside: names of files above all. */
static void put_line(const char *format, va_list arguments)
{
    char line[LINE_MAX_SIZE], quoted[4 * LINE_MAX_SIZE];
    int size = vsnprintf(line, sizeof line, format, arguments);
    bool cut = size >= (int)sizeof line;
    const char *end = put_quoted(quoted, line, strlen(line));
    fwrite(quoted, 1, (size_t)(end - quoted), stderr);
    fputs(cut ? " ...\n" : "\n", stderr);
}

void message(const char *format, ...)
{
    va_list arguments;
    begin_line();
    va_start(arguments, format);
    put_line(format, arguments);
    va_end(arguments);
}

int message_usage(const char *format, ...)
{
    va_list arguments;
    begin_line();
    va_start(arguments, format);
    put_line(format, arguments);
    va_end(arguments);
    fprintf(stderr, "Try 'unktx %s%s--help'.\n", command_name ? command_name : "", command_name ? " " : "");
    return EXIT_USAGE;
}

void message_fault(const struct fault *fault)
{
    if (!fault->path[0])
        message("%s", fault->text);
    else if (fault->offset == FAULT_NO_OFFSET)
        message("%s: %s", fault->path, fault->text);
    else
        message("%s: at byte %llu: %s", fault->path, (unsigned long long)fault->offset, fault->text);
}

static const char *status_text(enum status status)
{
    switch (status) {
    case STATUS_OK: return "unexpected failure";
    case STATUS_NOMEM: return "out of memory";
    case STATUS_IO: return "the operating system refused";
    case STATUS_FORMAT: return "damaged data";
    case STATUS_NOT_FOUND: return "not found";
    case STATUS_REFUSED: return "refused";
    case STATUS_BUSY: return "in use by another process";
    case STATUS_INTERRUPTED: return "interrupted";
    case STATUS_LIMIT: return "larger than this program represents";
    }
    return "unexpected failure";
}

int message_result(enum status status, const struct fault *fault)
{
    if (status == STATUS_OK)
        return EXIT_DONE;
    if (fault->text[0])
        message_fault(fault);
    else
        message("%s", status_text(status));
    return status == STATUS_INTERRUPTED ? EXIT_INTERRUPTED : EXIT_FAILED;
}
