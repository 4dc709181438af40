#include "graph/scan/findings.h"

#include <stdio.h>

#include "parser/mem.h"

static struct finding *add(struct findings *findings, uint32_t file, enum finding_type type)
{
    if (mem_reserve(&findings->list, &findings->capacity, findings->count + 1, sizeof *findings->list))
        return NULL;
    struct finding *added = &findings->list[findings->count++];
    *added = (struct finding){.file = file, .type = type};
    return added;
}

enum status findings_add_gap(struct findings *findings, uint32_t file, const struct blk_gap *gap,
                             uint64_t last_repeated, struct fault *fault)
{
    struct finding *added = add(findings, file, FINDING_GAP);
    if (!added)
        return fault_nomem(fault);
    added->gap = *gap;
    added->left_by_crash = gap->offset < last_repeated;
    return STATUS_OK;
}

enum status findings_add_unreadable(struct findings *findings, uint32_t file, const struct fault *what,
                                    struct fault *fault)
{
    size_t n = findings->faults_count;
    struct finding *added = NULL;
    if (mem_reserve(&findings->faults, &findings->faults_capacity, n + 1, sizeof *findings->faults) == STATUS_OK)
        added = add(findings, file, FINDING_UNREADABLE);
    if (!added)
        return fault_nomem(fault);
    findings->faults[findings->faults_count++] = *what;
    added->fault = n;
    return STATUS_OK;
}

static enum status add_key(struct findings *findings, uint32_t file, const uint8_t key[XOR_KEY_SIZE],
                           struct fault *fault)
{
    struct finding *added = add(findings, file, FINDING_OTHER_KEY);
    if (!added)
        return fault_nomem(fault);
    memcpy(added->key, key, XOR_KEY_SIZE);
    return STATUS_OK;
}

enum status findings_add_scan(struct findings *findings, uint32_t file, const struct blk_scan *scan,
                              uint64_t last_repeated, struct fault *fault)
{
    enum status status = STATUS_OK;
    if (scan->other_key)
        status = add_key(findings, file, scan->key, fault);
    for (size_t i = 0; i < scan->count; i++)
        findings->forked += scan->records[i].fork;
    for (size_t i = 0; i < scan->gaps_count && status == STATUS_OK; i++)
        status = findings_add_gap(findings, file, &scan->gaps[i], last_repeated, fault);
    return status;
}

void findings_clear(struct findings *findings) { findings->count = findings->faults_count = findings->forked = 0; }

void findings_free(struct findings *findings)
{
    mem_free(findings->list);
    mem_free(findings->faults);
    *findings = (struct findings){0};
}

/* A record cut short at the end of the last file is a node still writing. */
static bool is_under_way(const struct finding *found, const struct blkdir *dir)
{
    return found->gap.reason == BLK_GAP_TORN && (size_t)found->file + 1 == dir->count;
}

bool findings_any_gap(const struct findings *findings, const struct blkdir *dir)
{
    bool any = false;
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *found = &findings->list[i];
        any |= found->type == FINDING_UNREADABLE ||
               (found->type == FINDING_GAP && !found->left_by_crash && !is_under_way(found, dir));
    }
    return any;
}

/* ---- telling ---- */

/* Each gap counts, and the first few of a file are told one by one: a file of small gaps is one piece of news, not
 * 100,000. */
#define GAPS_TOLD 10u

/* The gaps of one file so far. */
struct gaps_told {
    uint64_t told;
    uint64_t more;
    uint64_t bytes; /* of those not told */
};

struct teller {
    const struct blkdir *dir;
    const struct ingest_options *options;
    uint64_t *damages;
    struct gaps_told lost;          /* of the file in hand */
    struct gaps_told left_by_crash; /* likewise: no block is lost by them */
};

static void tell(const struct teller *teller, const struct fault *what)
{
    ++*teller->damages;
    if (teller->options->damage)
        teller->options->damage(teller->options->context, what);
}

static void tell_message(const struct teller *teller, const char *text)
{
    if (teller->options->message)
        teller->options->message(teller->options->context, text);
}

/* False where it is one of those that are told as a sum. */
static bool is_told(struct gaps_told *gaps, const struct blk_gap *gap)
{
    if (gaps->told < GAPS_TOLD) {
        gaps->told++;
        return true;
    }
    gaps->more++;
    gaps->bytes += gap->size;
    return false;
}

static void tell_gap(struct teller *teller, const struct finding *found)
{
    static const char *const reasons[] = {[BLK_GAP_GARBAGE] = "bytes that are no block record",
                                          [BLK_GAP_BAD_LENGTH] = "a block record with a wrong length",
                                          [BLK_GAP_TORN] = "a torn block record",
                                          [BLK_GAP_UNREADABLE] = "bytes that the disk does not give"};
    const struct blk_gap *gap = &found->gap;
    bool lost = gap->reason == BLK_GAP_UNREADABLE || !found->left_by_crash;
    struct fault what = {0};
    if (is_under_way(found, teller->dir))
        return;
    if (!is_told(lost ? &teller->lost : &teller->left_by_crash, gap)) {
        *teller->damages += lost;
        return;
    }
    (void)fault_set(&what, STATUS_FORMAT, teller->dir->files[found->file].path, gap->offset, "skipped %llu byte%s: %s",
                    (unsigned long long)gap->size, gap->size == 1 ? "" : "s",
                    reasons[gap->reason <= BLK_GAP_UNREADABLE ? gap->reason : BLK_GAP_GARBAGE]);
    if (lost) {
        tell(teller, &what);
        return;
    }
    char text[sizeof what.path + sizeof what.text + 128];
    snprintf(text, sizeof text, "%s: at byte %llu: %s, left by a crash of the node; no block is lost", what.path,
             (unsigned long long)what.offset, what.text);
    tell_message(teller, text);
}

/* After the last finding of a file: how many of its gaps were not told, which the count of damages has already. */
static void tell_more_gaps(struct teller *teller, uint32_t file)
{
    const struct gaps_told *lost = &teller->lost, *left = &teller->left_by_crash;
    const char *path = teller->dir->files[file].path;
    struct fault what = {0};
    char text[sizeof what.path + 160];
    if (lost->more > 0) {
        (void)fault_set(&what, STATUS_FORMAT, path, FAULT_NO_OFFSET,
                        "and %llu more place%s, %llu byte%s in all, skipped likewise", (unsigned long long)lost->more,
                        lost->more == 1 ? "" : "s", (unsigned long long)lost->bytes, lost->bytes == 1 ? "" : "s");
        if (teller->options->damage)
            teller->options->damage(teller->options->context, &what);
    }
    if (left->more > 0) {
        snprintf(text, sizeof text,
                 "%.*s: and %llu more place%s, %llu byte%s in all, left by a crash of the node; no block is lost",
                 (int)sizeof what.path, path, (unsigned long long)left->more, left->more == 1 ? "" : "s",
                 (unsigned long long)left->bytes, left->bytes == 1 ? "" : "s");
        tell_message(teller, text);
    }
    teller->lost = teller->left_by_crash = (struct gaps_told){0};
}

/* Tells of a file under another key, and of those after it that have the same; returns how many. */
static size_t tell_key(const struct teller *teller, const struct finding *found, size_t left)
{
    const struct blkdir *dir = teller->dir;
    size_t same = 1;
    for (; same < left && found[same].type == FINDING_OTHER_KEY && found[same].file == found->file + same; same++)
        if (memcmp(found[same].key, found->key, XOR_KEY_SIZE) != 0)
            break;
    char key[BLK_KEY_TEXT], folder_key[BLK_KEY_TEXT], to[32] = "";
    struct fault what = {0};
    if (same > 1)
        snprintf(to, sizeof to, "to blk%05u.dat: ", (unsigned)dir->files[found->file + same - 1].number);
    (void)fault_set(
        &what, STATUS_OK, dir->files[found->file].path, FAULT_NO_OFFSET,
        "%sXORed with the key %s, not with the folder's %s; read with that key, so that nothing is lost. %s", to,
        blk_key_text(found->key, key), blk_key_text(dir->key, folder_key),
        dir->staged > 0 ? "A change of the key was interrupted: start the node again, which finishes it"
                        : "The node itself cannot read it: it is from another node, or a change of the key was "
                          "interrupted; put back the node's own copy, or run the node with -reindex");
    tell(teller, &what);
    return same;
}

static void tell_folder(const struct teller *teller, uint32_t forked)
{
    const struct blkdir *dir = teller->dir;
    struct fault what = {0};
    for (size_t i = 0; i < dir->misfits_count; i++) {
        (void)fault_set(&what, STATUS_NOT_FOUND, dir->misfits[i].path, FAULT_NO_OFFSET,
                        "it has the name of a blk file and is %s: its blocks are left out; restore the file",
                        dir->misfits[i].what);
        tell(teller, &what);
    }
    if (dir->staged > 0) {
        (void)fault_set(&what, STATUS_OK, dir->path, FAULT_NO_OFFSET,
                        "%u blk file%s under a name that ends in .reobfuscated: a change of the XOR key was "
                        "interrupted; start the node again, which finishes it",
                        (unsigned)dir->staged, dir->staged == 1 ? " is" : "s are");
        tell(teller, &what);
    }
    char text[128];
    snprintf(text, sizeof text, "%u block%s of the BLAKE2b fork (Bitcoin Knots 29.4), not followed", (unsigned)forked,
             forked == 1 ? "" : "s");
    if (forked > 0)
        tell_message(teller, text);
}

void findings_report(const struct findings *findings, const struct blkdir *dir, const struct ingest_options *options,
                     uint64_t *damages)
{
    struct teller teller = {.dir = dir, .options = options, .damages = damages};
    for (size_t i = 0; i < findings->count;) {
        const struct finding *found = &findings->list[i];
        size_t told = 1;
        if (found->type == FINDING_OTHER_KEY)
            told = tell_key(&teller, found, findings->count - i);
        else if (found->type == FINDING_UNREADABLE)
            tell(&teller, &findings->faults[found->fault]);
        else
            tell_gap(&teller, found);
        i += told;
        if (i == findings->count || findings->list[i].file != found->file)
            tell_more_gaps(&teller, found->file);
    }
    tell_folder(&teller, findings->forked);
}
