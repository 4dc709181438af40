/* explore_ties: what pages of groups, of keys and hashes, and of T-DAGs say of what is shared. */
#ifndef UNKTX_CLI_VIEWS_EXPLORE_TIES_H
#define UNKTX_CLI_VIEWS_EXPLORE_TIES_H

#include "cli/views/explore_things.h"

#define EXPLORE_ADDRESS_SIZE (EXPLORE_THING_SIZE + 16)

/* "key/HEX": the address of a thing after the rule set; false for one that is longer than an address may be. */
bool explore_thing_address(const struct explore_shown *shown, uint32_t thing, char out[EXPLORE_ADDRESS_SIZE]);
/* Rows of a table with the heads EXPLORE_THING_HEADS. */
#define EXPLORE_THING_HEADS "what|shared by|T-DAGs|first block|last block"
void explore_put_things(struct explore_request *request, const struct explore_shown *shown, const uint32_t *things,
                        uint64_t count);
/* Has the group a name that no other one has? Several that begin with outputs of one transaction have none. */
static inline bool explore_group_is_named(const struct explore_shown *shown, uint32_t group)
{
    return shown->groups.names.names[group - 1].digits < HASH256_HEX_SIZE;
}
/* "group/NAME", or its number where the name is not its own: the address after the rule set. */
#define EXPLORE_GROUP_SIZE 80u
const char *explore_group_address(const struct explore_request *request, const struct explore_shown *shown,
                                  uint32_t group, char out[EXPLORE_GROUP_SIZE]);
/* A sentence on what spenders showed that is not known; nothing where all of it is. */
void explore_put_left_out(struct explore_request *request, const struct explore_shown *shown);
/* The group of that number, as a link. */
void explore_put_group(struct explore_request *request, const struct explore_shown *shown, uint32_t group);

/* The sections of a T-DAG's page: how its outputs were unlocked, and what ties it to others. */
void explore_put_shown(struct explore_request *request, uint32_t dag);

#endif
