/* signals: what asks the program to end, and that it then ends soon.
 *
 * The first SIGINT or SIGTERM sets the flag of parser/stop.h, at which the long loops look. What does not come to one
 * within SIGNALS_PATIENCE_MS, since it is code of a library (a regular expression, a layout, a sort), is cut off there:
 * temporary files are removed and the process exits with 130; so does a scan whose disk takes longer for what is in
 * hand, or an index beyond its walk. Nothing is half-written: files appear whole (outfile.h), a store is as after its
 * last commit, and an index goes on from its last checkpoint.
 *
 * SIGBUS, by which the system says that a page of a mapped file cannot be read (the disk failed, or somebody cut the
 * file), ends it with 1 and the name of the file.
 *
 * Thread rule: signals_catch before the first thread; files are remembered and forgotten by one thread at a time; the
 * others from any thread. A signal may come to any thread meanwhile. */
#ifndef UNKTX_CLI_OUTPUT_SIGNALS_H
#define UNKTX_CLI_OUTPUT_SIGNALS_H

#define SIGNALS_PATIENCE_MS 50

/* Installs the handlers, without SA_RESTART. Another signal after a second or two ends the program at once. SIGPIPE and
 * SIGXFSZ are ignored: EPIPE and EFBIG tell of them. */
void signals_catch(void);
/* Waits for the first of them. */
void signals_wait(void);

/* Between these two the process is not cut off: what is under way ends by itself as soon as it can (several files that
 * appear together). They may be nested. */
void signals_hold(void);
void signals_release(void);

/* Before the command itself says that it was interrupted: from then on it is not cut off, so that this is said once and
 * in a line of its own. The command then ends as soon as it can. */
void signals_end(void);

/* The file of that name, or the folder if it is empty, goes if the process is cut off, until it is forgotten. At most
 * 64 at a time; of more, the others stay. */
void signals_remember_file(const char *path);
void signals_forget_file(const char *path);

#endif
