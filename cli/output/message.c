#include "cli/output/message.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/output/signals.h"
#include "cli/output/text.h"
#include "cli/output/wrap.h"

#define LINE_MAX_SIZE 8192u /* bytes; a path has half of it at most */

static const char *command_name;
static const char *when_interrupted = "interrupted";
static bool status_open;
static char kept[LINE_MAX_SIZE]; /* for message_answer; empty: nothing */
static bool answered, is_quiet;
static unsigned told; /* topics, a bit each */

void message_command(const char *name)
{
    command_name = name;
    kept[0] = '\0';
    answered = is_quiet = false;
    told = 0;
}

void message_set_quiet(bool quiet) { is_quiet = quiet; }

bool message_is_quiet(void) { return is_quiet; }

bool message_first(enum message_topic topic)
{
    bool first = !(told >> topic & 1);
    told |= 1u << topic;
    return first;
}

void message_status(const char *line)
{
    if (line) /* one that is wrapped could not be rewritten */
        fprintf(stderr, "\r%.*s\033[K", (int)wrap_width(STDERR_FILENO) - 1, line);
    else if (status_open)
        fputs("\r\033[K", stderr);
    status_open = line != NULL;
    fflush(stderr);
}

static void write_stderr(const char *text, size_t size)
{
    struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&ready, 1, 0) != 1 || !(ready.revents & POLLOUT))
        return;
    ssize_t written = write(STDERR_FILENO, text, size);
    (void)written; /* there is nobody else to tell */
}

/* One line of what a signal handler has to say, in one write. `path` may be NULL. */
static void write_line(const char *path, const char *text)
{
    static char line[5 * LINE_MAX_SIZE];
    char *end = line;
    const char *parts[] = {status_open ? "\r\033[K" : "", "unktx", command_name ? " " : "", command_name, ": "};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i])
            end = stpncpy(end, parts[i], 64);
    if (path) {
        end = put_quoted(end, path, strnlen(path, LINE_MAX_SIZE));
        end = stpcpy(end, ": ");
    }
    end = stpcpy(stpncpy(end, text, LINE_MAX_SIZE / 2), "\n");
    write_stderr(line, (size_t)(end - line));
}

void message_set_interrupted(const char *text) { when_interrupted = text; }

void message_interrupted(void) { write_line(NULL, when_interrupted); }

void message_lost_page(const char *path)
{
    write_line(path, path
                         ? "a page of this file could not be read: its disk failed, or the file was cut meanwhile"
                         : "a page of a mapped file could not be read: its disk failed, or the file was cut meanwhile");
}

/* Returns how many columns it takes. */
static int begin_line(void)
{
    message_status(NULL);
    return fprintf(stderr, command_name ? "unktx %s: " : "unktx: ", command_name);
}

/* A terminal gets lines of its width, with the following ones further in. */
static void put_wrapped(const char *text, size_t size, int column)
{
    unsigned spaces = (unsigned)column;
    struct wrap wrap = {stderr, wrap_width(STDERR_FILENO), 4, spaces, false};
    if (spaces + size <= wrap.width || !isatty(STDERR_FILENO))
        fwrite(text, 1, size, stderr);
    else
        wrap_words(&wrap, text, size);
}

/* The rest of the line. All of it is quoted, since any part may be text from outside: names of files above all. */
static void put_line(int column, const char *format, va_list arguments)
{
    char line[LINE_MAX_SIZE], quoted[4 * LINE_MAX_SIZE];
    int size = vsnprintf(line, sizeof line, format, arguments);
    bool cut = size >= (int)sizeof line;
    const char *end = put_quoted(quoted, line, strlen(line));
    put_wrapped(quoted, (size_t)(end - quoted), column);
    fputs(cut ? " ...\n" : "\n", stderr);
}

void message(const char *format, ...)
{
    va_list arguments;
    int column = begin_line();
    va_start(arguments, format);
    put_line(column, format, arguments);
    va_end(arguments);
}

void message_before_answer(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(kept, sizeof kept, format, arguments);
    va_end(arguments);
}

void message_answer(void)
{
    if (answered) /* several threads may come, once the first answer was given */
        return;
    answered = true;
    if (kept[0])
        message("%s", kept);
}

int message_usage(const char *format, ...)
{
    va_list arguments;
    int column = begin_line();
    va_start(arguments, format);
    put_line(column, format, arguments);
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
    case STATUS_NOMEM: return FAULT_NOMEM_TEXT;
    case STATUS_IO: return "the operating system refused";
    case STATUS_FORMAT: return "damaged data";
    case STATUS_NOT_FOUND: return "not found";
    case STATUS_REFUSED: return "refused";
    case STATUS_BUSY: return "in use by another process";
    case STATUS_INTERRUPTED: return "interrupted";
    case STATUS_LIMIT: return "larger than this program represents";
    case STATUS_RESOURCES: return "the system gives this process no more of something";
    }
    return "unexpected failure";
}

int message_result(enum status status, const struct fault *fault)
{
    if (status == STATUS_OK)
        return EXIT_DONE;
    if (status == STATUS_INTERRUPTED)
        signals_end();
    if (fault->text[0])
        message_fault(fault);
    else
        message("%s", status_text(status));
    return status == STATUS_INTERRUPTED ? EXIT_INTERRUPTED : EXIT_FAILED;
}

int message_left_out(int exit_status, bool left_out)
{
    return exit_status == EXIT_DONE && left_out ? EXIT_DAMAGED : exit_status;
}
