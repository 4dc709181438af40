/* message: everything that unktx says on stderr, each line begun with the program's and the command's name. */
#ifndef UNKTX_CLI_OUTPUT_MESSAGE_H
#define UNKTX_CLI_OUTPUT_MESSAGE_H

#include <stdbool.h>

#include "parser/status.h"

/* How unktx ends. */
enum exit_status {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_DAMAGED = 3, /* done, but some input was damaged and skipped */
    EXIT_INTERRUPTED = 130,
};

/* The command's name for later messages; NULL for none. */
void message_command(const char *name);

/* Of the running command's --quiet: what it made is not said. message_command takes it back. */
void message_set_quiet(bool quiet);
bool message_is_quiet(void);

/* One line, with the names in front; what a terminal would obey instead of showing it, line breaks too, as \xHH
 * (put_quoted). On a terminal it is wrapped at the terminal's width (wrap.h). Clears a progress line first. */
void message(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Keeps a line for message_answer(), in place of one kept before: what the answer of this command is of. It is said
 * once, and not where no answer follows. */
void message_before_answer(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Says what is kept, as message() does. For whatever writes an answer, before its first byte; also where the answer is
 * that there is nothing. */
void message_answer(void);

/* The fault as `path: at byte N: text`. */
void message_fault(const struct fault *fault);

/* The exit status for how a command ended; prints the fault unless that is STATUS_OK. */
int message_result(enum status status, const struct fault *fault);
/* EXIT_DAMAGED in place of EXIT_DONE where some of the input was `left_out`, which was said before. */
int message_left_out(int exit_status, bool left_out);

/* Prints what is wrong with the command line and where help is. Returns EXIT_USAGE. */
int message_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What the steps of one command (analyze) would each say again. */
enum message_topic { MESSAGE_PASSED_OVER, MESSAGE_OTHER_ADDRESSES, MESSAGE_INDEX_LAGS };
/* Is this the first time that the command asks for the topic? */
bool message_first(enum message_topic topic);

/* Shows `line` as the terminal's last line until the next message, or takes it away when NULL. */
void message_status(const char *line);

/* The line that says so, written as a signal handler may write: left out where it would have to wait for a reader. */
void message_interrupted(void);
/* What that line says from now on: a text that stays, of at most 200 bytes. At first it is "interrupted". */
void message_set_interrupted(const char *text);
/* The same for a page of a mapped file that could not be read; `path` may be NULL. */
void message_lost_page(const char *path);

#endif
