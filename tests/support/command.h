/* command: commands of unktx inside this process, where a test can make allocations fail or a fuzzer see the code. */
#ifndef UNKTX_TESTS_SUPPORT_COMMAND_H
#define UNKTX_TESTS_SUPPORT_COMMAND_H

#include <stdint.h>

#include "tests/support/run.h"

/* Runs a command line of words parted by single spaces, printf-style, as unktx() of run.h does; returns the exit
 * status. What it prints goes where this process prints. The command's own allocations only may fail. */
int command_exit(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same with stdout and stderr kept; run_free at the end. */
struct run command_run(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same in a fork of this process, without the time that a program takes to start, and on one processor, which is
 * one thread: OpenMP's threads of this process are not there in a fork of it, which would wait for them without end. */
struct run command_run_apart(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Bytes that this process has asked the system to read; 0 where there is no /proc that says it. */
uint64_t bytes_read(void);

#endif
