/* listening: a socket that listens on a numeric address.
 *
 * Thread rule: none, no state but the caller's. */
#ifndef UNKTX_CLI_OUTPUT_LISTENING_H
#define UNKTX_CLI_OUTPUT_LISTENING_H

#include <stdbool.h>

#include "parser/status.h"

/* Is it a numeric address, IPv4 or IPv6? Nothing is asked of the network. */
bool listening_is_address(const char *address);

/* Listens on the address (IPv4 or IPv6) and port; *port 0 becomes the one that the system gives. *fd is the caller's to
 * close, and not blocking. STATUS_REFUSED: the address is none. STATUS_IO: the port is taken, or the like. */
enum status listening_open(const char *address, unsigned *port, int *fd, struct fault *fault) MUST_CHECK;

#endif
