/* protocols: unknown outputs counted by the protocol that wrote them: the second table of `unktx stats`. */
#ifndef UNKTX_CLI_VIEWS_PROTOCOLS_H
#define UNKTX_CLI_VIEWS_PROTOCOLS_H

#include "cli/options.h"
#include "parser/status.h"

enum status protocols_write(const struct settings *settings, struct fault *fault) MUST_CHECK;

#endif
