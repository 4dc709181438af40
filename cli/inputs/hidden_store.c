#define _GNU_SOURCE /* renameat2 */
#include "cli/inputs/hidden_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/inputs/hidden_marks.h"
#include "cli/inputs/node_blocks.h"
#include "cli/inputs/spend_links.h"
#include "cli/output/message.h"
#include "cli/output/outfile.h"
#include "cli/output/temporary.h"
#include "graph/scan/ingest.h"
#include "graph/store/store.h"
#include "parser/file.h"
#include "parser/mem.h"

#define FOLDER "hidden"
#define FOLDER_NEW "hidden.new"
#define FOLDER_OLD "hidden.old" /* while another one takes its place, on some file systems */

/* The names in a store of the rule set hidden (docs/store-format.md), and that which its file of marks has before it is
 * whole; nothing else is removed. */
static bool is_of_store(int folder, const char *name)
{
    static const char *const names[] = {"data.mdb", "lock.mdb", "writer.lock", "forms", "forms.new", STORE_MARKS};
    struct stat info;
    bool is = temporary_is_name(name);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        is = is || strcmp(name, names[i]) == 0;
    return is && fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode);
}

static bool is_entry(const char *name) { return strcmp(name, ".") != 0 && strcmp(name, "..") != 0; }

/* A folder that holds a store and nothing else, or nothing; *dir is NULL where there is none. A link is not followed:
 * what it leads to is not this command's. */
static enum status open_own(const char *path, DIR **dir, struct fault *fault)
{
    struct dirent *entry;
    int fd = file_open_again(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!*dir) {
        int code = errno;
        if (fd >= 0)
            close(fd);
        if (code == ENOENT)
            return STATUS_OK;
        if (code == ENOTDIR || code == ELOOP)
            return fault_set(fault, STATUS_REFUSED, path, FAULT_NO_OFFSET,
                             "is in the way, and no folder that this command made: move it");
        errno = code;
        return fault_errno(fault, path, FAULT_NO_OFFSET, "cannot be opened");
    }
    while ((entry = readdir(*dir)) != NULL)
        if (is_entry(entry->d_name) && !is_of_store(fd, entry->d_name)) {
            enum status status = fault_set(fault, STATUS_REFUSED, path, FAULT_NO_OFFSET,
                                           "holds '%.100s', which is no file of a store: the folder is not replaced",
                                           entry->d_name);
            closedir(*dir);
            *dir = NULL;
            return status;
        }
    return STATUS_OK;
}

/* Refuses what remove_folder would. */
static enum status check_folder(const char *path, struct fault *fault)
{
    DIR *dir;
    enum status status = open_own(path, &dir, fault);
    if (dir)
        closedir(dir);
    return status;
}

/* Removes what a folder of a store has in it, if it is there. */
static enum status empty_folder(const char *path, struct fault *fault)
{
    DIR *dir;
    struct dirent *entry;
    enum status status = open_own(path, &dir, fault);
    if (!dir)
        return status;
    rewinddir(dir);
    while ((entry = readdir(dir)) != NULL)
        if (is_entry(entry->d_name))
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    return STATUS_OK;
}

/* And the folder. */
static enum status remove_folder(const char *path, struct fault *fault)
{
    enum status status = empty_folder(path, fault);
    if (status != STATUS_OK || rmdir(path) == 0 || errno == ENOENT)
        return status;
    return fault_errno(fault, path, FAULT_NO_OFFSET, "cannot be removed");
}

static void on_progress(void *context, const struct ingest_progress *progress)
{
    static const char *const names[] = {
        [INGEST_HEADERS] = "headers", [INGEST_FILES] = "files", [INGEST_BLOCKS] = "store"};
    progress_show(context, names[progress->stage], progress->done, progress->total,
                  progress->stage == INGEST_HEADERS ? PROGRESS_NO_HEIGHT : progress->height);
}

/* As the store beside it does. */
static bool stores_nulldata(const char *path)
{
    struct store *store = NULL;
    bool is = store_open(path, STORE_READ, NULL, &store, NULL) == STATUS_OK &&
              store_identity_of(store)->nulldata_stored;
    store_close(store);
    return is;
}

static enum status scan(const struct settings *settings, const struct blkdir *dir, const struct output_marks *marks,
                        const char *folder, struct fault *fault)
{
    struct progress progress;
    struct ingest_result result = {0};
    struct ingest_options options = {.datadir = dir->path,
                                     .xor_key = dir->key_given ? dir->key : NULL,
                                     .store = folder,
                                     .threads = (unsigned)settings->threads,
                                     .to_height = marks->blocks - 1,
                                     .tip = &marks->tip,
                                     .marks = marks,
                                     .order = INGEST_AS_SUITED,
                                     .nulldata_stored = stores_nulldata(settings->store),
                                     .progress = on_progress,
                                     .context = &progress};
    progress_begin(&progress, settings->quiet);
    enum status status = ingest_run(&options, &result, fault);
    progress_end(&progress);
    if (status == STATUS_OK && (result.blocks != marks->blocks || !hash256_equal(&result.tip, &marks->tip)))
        return fault_set(fault, STATUS_FORMAT, dir->path, FAULT_NO_OFFSET,
                         "the blk files do not hold the index's chain to height %u any more: run 'unktx index' again",
                         (unsigned)marks->blocks - 1);
    return status;
}

/* Is the folder of that name still the open one? Another run may have put it in place, and a third made a new one. */
static bool is_at(int folder, const char *path)
{
    struct stat open_one, named;
    return fstat(folder, &open_one) == 0 && lstat(path, &named) == 0 && open_one.st_dev == named.st_dev &&
           open_one.st_ino == named.st_ino;
}

/* False where another process has it; some file systems have no locks. */
static bool lock_open(int folder) { return flock(folder, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK; }

/* Makes the new folder and locks it, which the end of the process undoes. */
static enum status lock_folder(const char *new, int *lock, struct fault *fault)
{
    if (mkdir(new, 0777) != 0 && errno != EEXIST)
        return fault_errno(fault, new, FAULT_NO_OFFSET, "cannot be made");
    enum status status = check_folder(new, fault);
    if (status != STATUS_OK)
        return status;
    *lock = file_open_again(new, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (*lock < 0)
        return fault_errno(fault, new, FAULT_NO_OFFSET, "cannot be opened");
    if (lock_open(*lock) && is_at(*lock, new))
        return STATUS_OK;
    close(*lock);
    *lock = -1;
    return fault_set(fault, STATUS_REFUSED, new, FAULT_NO_OFFSET, "another 'unktx hidden --dags' is writing here");
}

/* ---- in place of the one before ---- */

/* The paths that a store of the rule set hidden has, one at a time. */
struct names {
    char *folder;
    char *new;
    char *old;
};

static enum status names_of(const char *store, struct names *names, struct fault *fault)
{
    *names = (struct names){outfile_join(store, FOLDER), outfile_join(store, FOLDER_NEW),
                            outfile_join(store, FOLDER_OLD)};
    return names->folder && names->new && names->old ? STATUS_OK : fault_nomem(fault);
}

static void names_free(struct names *names)
{
    mem_free(names->folder);
    mem_free(names->new);
    mem_free(names->old);
}

/* The one that waits to be replaced takes its name again, if the process that was replacing it has ended before. */
static enum status take_back(const struct names *names, struct fault *fault)
{
    struct stat info;
    if (lstat(names->folder, &info) == 0)
        return STATUS_OK;
    enum status status = check_folder(names->old, fault);
    if (status != STATUS_OK || rename(names->old, names->folder) == 0 || errno == ENOENT)
        return status;
    return fault_errno(fault, names->old, FAULT_NO_OFFSET, "cannot be given its name");
}

/* At every moment the one or the other is there: their names are exchanged, or, where the file system cannot do that,
 * the one before waits under a third name, which hidden_store_find looks for too. *left is what is not needed then. */
static enum status exchange(const struct names *names, const char **left, struct fault *fault)
{
    *left = names->new;
    if (renameat2(AT_FDCWD, names->new, AT_FDCWD, names->folder, RENAME_EXCHANGE) == 0)
        return STATUS_OK;
    *left = names->old;
    enum status status = errno == ENOENT ? STATUS_OK : remove_folder(names->old, fault);
    if (status != STATUS_OK)
        return status;
    if ((rename(names->folder, names->old) == 0 || errno == ENOENT) && rename(names->new, names->folder) == 0)
        return STATUS_OK;
    status = fault_errno(fault, names->folder, FAULT_NO_OFFSET, "cannot be put in place");
    (void)take_back(names, NULL);
    return status;
}

/* The lock of the one before keeps others from the name that it has last. That it cannot be removed is no failure: the
 * next run does. */
static enum status replace(const struct names *names, struct fault *fault)
{
    const char *left = NULL;
    int before = file_open_again(names->folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    enum status status = STATUS_OK;
    if (before >= 0 && !lock_open(before))
        status = fault_set(fault, STATUS_REFUSED, names->folder, FAULT_NO_OFFSET,
                           "another 'unktx hidden --dags' is writing here");
    if (status == STATUS_OK)
        status = exchange(names, &left, fault);
    if (status == STATUS_OK)
        (void)!remove_folder(left, NULL);
    if (before >= 0)
        close(before);
    return status;
}

enum status hidden_store_begin(const char *store, int *lock, struct fault *fault)
{
    struct names names;
    enum status status = names_of(store, &names, fault);
    *lock = -1;
    if (status == STATUS_OK)
        status = check_folder(names.folder, fault);
    if (status == STATUS_OK)
        status = lock_folder(names.new, lock, fault);
    if (status == STATUS_OK)
        status = take_back(&names, fault);
    if (status != STATUS_OK && *lock >= 0) {
        hidden_store_end(store, *lock);
        *lock = -1;
    }
    names_free(&names);
    return status;
}

void hidden_store_end(const char *store, int lock)
{
    char *new = outfile_join(store, FOLDER_NEW);
    if (new &&lock >= 0 && is_at(lock, new))
        (void)remove_folder(new, NULL);
    if (lock >= 0)
        close(lock);
    mem_free(new);
}

enum status hidden_store_make(const struct settings *settings, const struct blkdir *dir,
                              const struct output_marks *marks, struct fault *fault)
{
    struct names names;
    enum status status = names_of(settings->store, &names, fault);
    if (status == STATUS_OK)
        status = check_folder(names.folder, fault);
    if (status == STATUS_OK)
        status = empty_folder(names.new, fault);
    if (status == STATUS_OK)
        status = scan(settings, dir, marks, names.new, fault);
    if (status == STATUS_OK)
        status = hidden_marks_write(names.new, fault);
    if (status == STATUS_OK)
        status = replace(&names, fault);
    names_free(&names);
    return status;
}

/* ---- the store that is there ---- */

/* Under its name, or that under which it waits to be replaced. */
static enum status find_folder(const char *store, char **hidden, struct fault *fault)
{
    static const char *const names[] = {FOLDER, FOLDER_OLD};
    struct stat info;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        mem_free(*hidden);
        *hidden = outfile_join(store, names[i]);
        if (!*hidden)
            return fault_nomem(fault);
        if (stat(*hidden, &info) == 0 && S_ISDIR(info.st_mode))
            return STATUS_OK;
    }
    if (hidden_marks_are_in(store))
        return fault_set(fault, STATUS_REFUSED, store, FAULT_NO_OFFSET,
                         "is the store of the rule set hidden itself: name the store that it lies in with --store");
    enum status status = fault_set(
        fault, STATUS_NOT_FOUND, store, FAULT_NO_OFFSET,
        "has no store of the rule set hidden: 'unktx index' and then 'unktx hidden --dags' make it");
    return spend_links_tell_partial(store, NULL, status, fault);
}

static enum status block_of_store(const struct store *store, uint32_t height, struct hash256 *hash, struct fault *fault)
{
    struct store_reader *reader = NULL;
    struct block_record block = {0};
    enum status status = store_reader_open(store, &reader, fault);
    if (status == STATUS_OK)
        status = store_block(reader, height, &block, fault);
    store_reader_close(reader);
    *hash = block.hash;
    return status;
}

/* The block of the chain that the two have in common, if they do: the last of the shorter one. *tip is the height of
 * the other one's. A store without blocks is one beside an index, whose chain then counts. */
static enum status block_of_chain(const struct store *store, uint32_t *height, uint32_t *tip, struct hash256 *hash,
                                  struct fault *fault)
{
    struct index_block block = {0};
    struct tx_index *index = NULL;
    uint32_t blocks = store_totals_of(store).blocks;
    enum status status = STATUS_OK;
    if (store_is_empty(store)) {
        status = index_open(store_path(store), &index, fault);
        blocks = status == STATUS_OK ? index_totals_of(index).blocks : 0;
    }
    if (status == STATUS_OK) {
        *tip = blocks - 1;
        *height = *tip < *height ? *tip : *height;
        status = index ? index_block_at(index, *height, &block, fault) : block_of_store(store, *height, hash, fault);
    }
    if (index)
        *hash = block.hash;
    index_close(index);
    return status;
}

/* Its chain is that of the store, up to where one of them ends. */
static enum status check_chain(const struct store *store, const struct store *hidden, uint32_t *tip,
                               struct fault *fault)
{
    const struct store_identity *a = store_identity_of(store), *b = store_identity_of(hidden);
    uint32_t height = store_totals_of(hidden).blocks - 1;
    struct hash256 expected, found;
    if (store_first_height(store) > 0 || store_first_height(hidden) > 0)
        return fault_set(fault, STATUS_REFUSED, store_first_height(hidden) > 0 ? store_path(hidden) : store_path(store),
                         FAULT_NO_OFFSET,
                         "is partial: the rule set hidden takes all blk files from the genesis block on");
    if (memcmp(a->magic, b->magic, sizeof a->magic) != 0 || !hash256_equal(&a->genesis, &b->genesis))
        return fault_set(fault, STATUS_REFUSED, store_path(hidden), FAULT_NO_OFFSET,
                         "is of another network than the store: " HIDDEN_AGAIN);
    enum status status = block_of_chain(store, &height, tip, &expected, fault);
    if (status == STATUS_OK)
        status = block_of_store(hidden, height, &found, fault);
    if (status == STATUS_OK && !hash256_equal(&expected, &found))
        return fault_set(
            fault, STATUS_REFUSED, store_path(hidden), FAULT_NO_OFFSET,
            "has another block %u than the store: the chain was reorganised, or this is another chain's; " HIDDEN_AGAIN,
            (unsigned)height);
    return status;
}

static enum status check_found(const struct settings *settings, const char *folder, struct hidden_found *found,
                               struct fault *fault)
{
    struct store *store = NULL, *hidden = NULL;
    enum status status = store_open(settings->store, STORE_READ, NULL, &store, fault);
    if (status == STATUS_OK)
        status = store_open(folder, STORE_READ, NULL, &hidden, fault);
    if (!hidden && store && (status == STATUS_NOT_FOUND || status == STATUS_REFUSED))
        status = fault_set(fault, STATUS_FORMAT, folder, FAULT_NO_OFFSET,
                           "has no data.mdb, or an empty one: " HIDDEN_AGAIN);
    if (status == STATUS_OK && store_is_empty(hidden))
        status = fault_set(fault, STATUS_REFUSED, folder, FAULT_NO_OFFSET, "has no block: " HIDDEN_AGAIN);
    if (status == STATUS_OK)
        status = check_chain(store, hidden, &found->chain_tip, fault);
    if (status == STATUS_OK)
        status = hidden_marks_check(hidden, fault);
    if (status == STATUS_OK)
        found->tip = store_totals_of(hidden).blocks - 1;
    store_close(hidden);
    store_close(store);
    return status;
}

enum status hidden_store_find(const struct settings *settings, struct hidden_found *found, struct fault *fault)
{
    *found = (struct hidden_found){0};
    enum status status = find_folder(settings->store, &found->folder, fault);
    return status == STATUS_OK ? check_found(settings, found->folder, found, fault) : status;
}

/* ---- for another command ---- */

/* What spenders of its outputs showed opens a hidden script, which unlocks, keys and ties know nothing of. */
enum status hidden_store_use(struct settings *settings, char **folder, struct fault *fault)
{
    struct hidden_found found;
    if (settings->rules != RULES_HIDDEN || settings->main_store)
        return STATUS_OK;
    enum status status = hidden_store_find(settings, &found, fault);
    *folder = found.folder;
    if (status != STATUS_OK)
        return status;
    if (found.tip > found.chain_tip)
        return fault_set(
            fault, STATUS_REFUSED, found.folder, FAULT_NO_OFFSET,
            "ends at block %u, the store that it lies in at block %u: 'unktx scan' brings that there, or " HIDDEN_AGAIN,
            (unsigned)found.tip, (unsigned)found.chain_tip);
    if (settings->to_height != UINT32_MAX && settings->to_height != found.tip)
        return fault_set(
            fault, STATUS_REFUSED, found.folder, FAULT_NO_OFFSET,
            "is as of block %u, and what is shown by block %u is another rule set hidden: 'unktx hidden "
            "--dags --to-height %u' makes that, and then this command goes as it is or without --to-height",
            (unsigned)found.tip, (unsigned)settings->to_height, (unsigned)settings->to_height);
    if (!settings->quiet)
        message(HIDDEN_STORE_IS);
    if (settings->to_height == UINT32_MAX && found.chain_tip > found.tip)
        message("the store has block %u, its rule set hidden block %u: 'unktx index', where the index is not there "
                "yet, and 'unktx hidden --dags' bring it there",
                (unsigned)found.chain_tip, (unsigned)found.tip);
    settings->no_unlocks = true;
    settings->main_store = settings->store;
    settings->store = found.folder;
    return STATUS_OK;
}
