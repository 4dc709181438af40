#include "cli/inputs/prefix.h"

#include "cli/inputs/opened_store.h"
#include "cli/output/message.h"

#define NAMES_TOLD 10u

bool prefix_parse(const char *word, size_t size, struct prefix *prefix)
{
    *prefix = (struct prefix){.size = size};
    if (size < PREFIX_MIN || size > HASH256_HEX_SIZE)
        return false;
    for (size_t i = 0; i < size; i++) {
        char digit = word[i] >= 'A' && word[i] <= 'F' ? (char)(word[i] - 'A' + 'a') : word[i];
        if (!(digit >= '0' && digit <= '9') && !(digit >= 'a' && digit <= 'f'))
            return false;
        prefix->digits[i] = digit;
    }
    return true;
}

bool prefix_is_of_txid(const struct prefix *prefix, const struct hash256 *txid)
{
    char hex[HASH256_HEX_SIZE];
    hash256_hex(txid, hex);
    return memcmp(hex, prefix->digits, prefix->size) == 0;
}

enum status prefix_add(struct prefix_matches *matches, const char *name)
{
    if (matches->count++ >= NAMES_TOLD)
        return STATUS_OK;
    return text_printf(&matches->names, "%s%s", matches->count > 1 ? ", " : "", name);
}

enum status prefix_require_one(struct prefix_matches *matches, const struct prefix *prefix, const char *what,
                               struct fault *fault)
{
    enum status status = STATUS_OK;
    if (matches->count == 0)
        status = fault_set(fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET, "none of the %s begins with %s", what,
                           prefix->digits);
    if (matches->count > 1) {
        message("%llu %s begin with %s: %.*s%s", ULL(matches->count), what, prefix->digits, (int)matches->names.size,
                matches->names.bytes, matches->count > NAMES_TOLD ? ", ..." : "");
        status = fault_set(fault, STATUS_REFUSED, NULL, FAULT_NO_OFFSET, "%s is not enough to tell which is meant",
                           prefix->digits);
    }
    text_free(&matches->names);
    return status;
}

/* A transaction met; one whose txid is that of the one before is no other. */
static enum status meet_txid(struct prefix_matches *matches, const struct hash256 *met, struct hash256 *txid)
{
    char hex[HASH256_HEX_SIZE + 1] = "";
    if (matches->count > 0 && hash256_equal(met, txid))
        return STATUS_OK;
    *txid = *met;
    hash256_hex(met, hex);
    return prefix_add(matches, hex);
}

enum status prefix_find_stored(const struct prefix *prefix, const struct forest *forest, struct hash256 *txid,
                               struct fault *fault)
{
    struct prefix_matches matches = {0};
    enum status status = STATUS_OK;
    /* Where there is no forest, operand_complete has an index and asks that. */
    /* cppcheck-suppress ctunullpointer */
    for (uint32_t t = 0; t < forest->txs_count && status == STATUS_OK; t++) {
        if (prefix_is_of_txid(prefix, &forest->txs[t].txid))
            status = meet_txid(&matches, &forest->txs[t].txid, txid);
    }
    enum status one = prefix_require_one(&matches, prefix, "stored txids", fault);
    return status == STATUS_OK ? one : fault_nomem(fault);
}

enum status prefix_find_indexed(const struct prefix *prefix, struct tx_index *index, struct hash256 *txid,
                                struct fault *fault)
{
    struct prefix_matches matches = {0};
    struct index_tx tx;
    uint64_t count = index_totals_of(index).txs;
    enum status status = STATUS_OK;
    for (uint64_t t = 0; t < count && status == STATUS_OK; t++) {
        status = t % 65536 == 0 ? opened_store_go_on(fault) : STATUS_OK;
        if (status == STATUS_OK)
            status = index_tx_at(index, t, &tx, fault);
        if (status == STATUS_OK && prefix_is_of_txid(prefix, &tx.txid) &&
            meet_txid(&matches, &tx.txid, txid) != STATUS_OK)
            status = fault_nomem(fault);
    }
    struct fault none = {0};
    enum status one = prefix_require_one(&matches, prefix, "txids", status == STATUS_OK ? fault : &none);
    return status == STATUS_OK ? one : status;
}
