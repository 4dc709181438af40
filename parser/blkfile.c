#include "parser/blkfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "parser/blkkey.h"
#include "parser/file.h"
#include "parser/mem.h"
#include "parser/search.h"

/* ---- what this user may read ---- */

static bool is_refusal(int error) { return error == EACCES || error == EPERM; }

/* Takes what a call has just failed with. What the user may not read says nothing about the data, so it is no damage:
 * the way out is another one. */
static enum status with_way_out(enum status status, struct fault *fault)
{
    if (status != STATUS_IO || !is_refusal(errno))
        return status;
    if (fault) {
        size_t used = strlen(fault->text);
        snprintf(fault->text + used, sizeof fault->text - used,
                 ": run unktx as the user of the node, or let your group read the files");
        fault->status = STATUS_RESOURCES;
    }
    return STATUS_RESOURCES;
}

enum status blk_file_open(const char *path, const char *what, int *fd, struct stat *info, struct fault *fault)
{
    return with_way_out(file_open(path, what, fd, info, fault), fault);
}

/* access asks for the real user, without the capabilities of the process: where it says no, opening tells. */
static bool may_read(const char *path)
{
    if (access(path, R_OK) == 0 || !is_refusal(errno))
        return true;
    int fd = file_open_again(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return !is_refusal(errno);
    close(fd);
    return true;
}

enum status blkdir_check_access(const struct blkdir *dir, struct fault *fault)
{
    const char *first = NULL;
    char more[40] = "";
    size_t refused = 0;
    for (size_t i = 0; i < dir->count; i++)
        if (!may_read(dir->files[i].path) && refused++ == 0)
            first = dir->files[i].path;
    if (refused == 0)
        return STATUS_OK;
    if (refused > 1)
        snprintf(more, sizeof more, " (and %zu more)", refused - 1);
    errno = EACCES;
    return with_way_out(fault_errno(fault, first, FAULT_NO_OFFSET, "cannot open the file%s", more), fault);
}

/* ---- the folder ---- */

static char *path_join(const char *folder, const char *name)
{
    size_t folder_size = strlen(folder), name_size = strlen(name);
    while (folder_size > 1 && folder[folder_size - 1] == '/')
        folder_size--;
    char *path = mem_alloc(folder_size + name_size + 2, 1);
    if (path)
        snprintf(path, folder_size + name_size + 2, "%.*s%s%s", (int)folder_size, folder, name_size ? "/" : "", name);
    return path;
}

#define STAGED ".reobfuscated" /* bitcoin/bitcoin pull request 33324 */

/* blk, five digits or more, .dat; *staged: and the ending of a file under a new key. */
static bool blk_number(const char *name, uint32_t *number, bool *staged)
{
    static const char suffix[] = ".dat";
    if (strncmp(name, "blk", 3) != 0)
        return false;
    uint64_t value = 0;
    size_t digits = 0;
    for (name += 3; *name >= '0' && *name <= '9'; name++, digits++) {
        value = value * 10 + (uint64_t)(*name - '0');
        if (value > UINT32_MAX)
            return false;
    }
    *number = (uint32_t)value;
    *staged = strcmp(name, ".dat" STAGED) == 0;
    return digits >= 5 && (*staged || strcmp(name, suffix) == 0);
}

static int compare_files(const void *a, const void *b)
{
    const struct blkfile *x = a, *y = b;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return strcmp(x->path, y->path);
}

static void read_size(struct blkfile *file, const struct stat *info)
{
    file->size = (uint64_t)info->st_size;
    file->mtime_ns = (int64_t)info->st_mtim.tv_sec * 1000000000 + info->st_mtim.tv_nsec;
}

/* A list of files under way. */
struct listing {
    struct blkdir *dir;
    size_t capacity;
    size_t misfits_capacity;
};

/* Notes a name that is no regular file. Takes over `path`. */
static enum status add_misfit(struct listing *list, char *path, mode_t mode, struct fault *fault)
{
    struct blkdir *dir = list->dir;
    if (mem_reserve(&dir->misfits, &list->misfits_capacity, dir->misfits_count + 1, sizeof *dir->misfits)) {
        mem_free(path);
        return fault_nomem(fault);
    }
    dir->misfits[dir->misfits_count++] = (struct blk_misfit){.path = path, .what = file_kind(mode)};
    return STATUS_OK;
}

/* Appends a file; one that has just gone is passed over. Takes over `path`. */
static enum status add_file(struct listing *list, char *path, uint32_t number, struct fault *fault)
{
    struct blkdir *dir = list->dir;
    struct stat info;
    enum status status = STATUS_OK;
    if (!path)
        return fault_nomem(fault);
    if (stat(path, &info) != 0) {
        int error = errno;
        if ((error == ENOENT || error == ELOOP) && lstat(path, &info) == 0 && S_ISLNK(info.st_mode))
            return add_misfit(list, path, info.st_mode, fault);
        errno = error;
        if (error != ENOENT)
            status = with_way_out(fault_errno(fault, path, FAULT_NO_OFFSET, "cannot look at the file"), fault);
    } else if (!S_ISREG(info.st_mode)) {
        return add_misfit(list, path, info.st_mode, fault);
    } else if (mem_reserve(&dir->files, &list->capacity, dir->count + 1, sizeof *dir->files) == STATUS_OK) {
        dir->files[dir->count] = (struct blkfile){.number = number, .path = path};
        read_size(&dir->files[dir->count++], &info);
        return STATUS_OK;
    } else {
        status = fault_nomem(fault);
    }
    mem_free(path);
    return status;
}

/* Reads the key of xor.dat, if that is there. */
static enum status read_xor_key(struct blkdir *dir, struct fault *fault)
{
    int fd;
    struct stat info;
    ssize_t got = 0;
    char *path = path_join(dir->path, "xor.dat");
    if (!path)
        return fault_nomem(fault);
    enum status status = blk_file_open(path, "the XOR key", &fd, &info, fault);
    dir->key_found = fd >= 0;
    if (status == STATUS_NOT_FOUND)
        status = STATUS_OK;
    else if (status == STATUS_OK && (got = file_read_at(fd, dir->key, XOR_KEY_SIZE, 0)) < 0)
        status = fault_errno(fault, path, FAULT_NO_OFFSET, "cannot read the XOR key");
    else if (status == STATUS_OK && (info.st_size != XOR_KEY_SIZE || got != XOR_KEY_SIZE))
        status = blk_key_missized(dir, path, info.st_size, fault);
    if (fd >= 0)
        close(fd);
    mem_free(path);
    return status;
}

static enum status take_key(struct blkdir *dir, const uint8_t *key, struct fault *fault)
{
    static const uint8_t zeros[XOR_KEY_SIZE];
    enum status status = STATUS_OK;
    dir->key_given = key != NULL;
    if (key)
        memcpy(dir->key, key, XOR_KEY_SIZE);
    else
        status = read_xor_key(dir, fault);
    dir->xored = memcmp(dir->key, zeros, XOR_KEY_SIZE) != 0;
    if (status != STATUS_OK)
        blkdir_free(dir);
    return status;
}

/* Of two names for one number (a file and its staged copy, which may not be whole yet) the original counts. */
static void drop_staged_copies(struct blkdir *dir)
{
    size_t kept = 0;
    for (size_t i = 0; i < dir->count; i++) {
        bool copy = kept > 0 && dir->files[i].number == dir->files[kept - 1].number;
        const char *path = dir->files[i].path;
        if (copy && strlen(path) > strlen(STAGED) && strcmp(path + strlen(path) - strlen(STAGED), STAGED) == 0)
            mem_free(dir->files[i].path);
        else
            dir->files[kept++] = dir->files[i];
    }
    dir->count = kept;
}

static enum status list_entries(DIR *folder, const char *path, struct listing *list, struct fault *fault)
{
    enum status status = STATUS_OK;
    const struct dirent *entry;
    bool staged;
    while (status == STATUS_OK && (errno = 0, entry = readdir(folder)) != NULL) {
        uint32_t number;
        if (!blk_number(entry->d_name, &number, &staged))
            continue;
        list->dir->staged += staged;
        status = add_file(list, path_join(path, entry->d_name), number, fault);
    }
    if (status == STATUS_OK && errno != 0)
        status = fault_errno(fault, path, FAULT_NO_OFFSET, "cannot list the folder");
    return status;
}

/* Lists the blk files of exactly `path`. A missing folder counts as one without blk files; *exists tells them apart. */
static enum status list_folder(const char *path, struct blkdir *dir, bool *exists, struct fault *fault)
{
    struct listing list = {.dir = dir};
    struct timespec now;
    memset(dir, 0, sizeof *dir);
    clock_gettime(CLOCK_REALTIME, &now);
    dir->listed_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    DIR *folder = opendir(path);
    *exists = folder != NULL;
    if (!folder)
        return errno == ENOENT || errno == ENOTDIR
                   ? STATUS_OK
                   : with_way_out(fault_errno(fault, path, FAULT_NO_OFFSET, "cannot open the folder"), fault);
    enum status status = list_entries(folder, path, &list, fault);
    closedir(folder);
    if (status == STATUS_OK && dir->count > 0) {
        qsort(dir->files, dir->count, sizeof *dir->files, compare_files);
        drop_staged_copies(dir);
        dir->path = path_join(path, "");
        status = dir->path ? STATUS_OK : fault_nomem(fault);
    } else if (status == STATUS_OK && dir->misfits_count > 0) {
        status = fault_set(fault, STATUS_NOT_FOUND, dir->misfits[0].path, FAULT_NO_OFFSET,
                           "it is %s, and there is no blk file beside it", dir->misfits[0].what);
    }
    if (status != STATUS_OK)
        blkdir_free(dir);
    return status;
}

/* Lists FOLDER/SUB/blocks, or FOLDER/blocks for an empty SUB. */
static enum status list_blocks_of(const char *folder, const char *sub, struct blkdir *dir, bool *exists,
                                  struct fault *fault)
{
    enum status status = STATUS_NOMEM;
    char *inner = path_join(folder, sub);
    char *blocks = inner ? path_join(inner, "blocks") : NULL;
    if (blocks)
        status = list_folder(blocks, dir, exists, fault);
    else
        fault_nomem(fault);
    mem_free(blocks);
    mem_free(inner);
    return status;
}

/* Takes the only test network below a data directory. Leaves dir->count 0 if there is none. */
static enum status take_only_network(const char *path, struct blkdir *dir, struct fault *fault)
{
    struct blkdir found = {0};
    char names[64] = "";
    size_t networks = 0;
    enum status status = STATUS_OK;
    const struct network *network;
    for (unsigned i = 0; status == STATUS_OK && (network = network_at(i)) != NULL; i++) {
        bool exists;
        if (network->folder[0] == '\0')
            continue;
        status = list_blocks_of(path, network->folder, &found, &exists, fault);
        if (status != STATUS_OK || found.count == 0)
            continue;
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", networks ? ", " : "", network->name);
        if (networks++ == 0) {
            *dir = found;
            dir->chain = network;
        } else {
            blkdir_free(&found);
        }
    }
    if (status == STATUS_OK && networks > 1)
        status = fault_set(fault, STATUS_REFUSED, path, FAULT_NO_OFFSET,
                           "several networks and no main chain: choose one with --chain: %s", names);
    if (status != STATUS_OK)
        blkdir_free(dir);
    return status;
}

/* No folder had a blk file: says where they were looked for. */
static enum status nothing_found(const char *path, const struct network *network, bool self, bool blocks, bool sub,
                                 struct fault *fault)
{
    if (!self)
        return fault_set(fault, STATUS_NOT_FOUND, path, FAULT_NO_OFFSET, "%s: name a node's data directory",
                         access(path, F_OK) == 0 ? "is no folder" : "no such folder");
    char looked[512];
    snprintf(looked, sizeof looked, "%s%s%s/blocks", path, sub ? "/" : "", sub ? network->folder : "");
    if (blocks || sub)
        return fault_set(fault, STATUS_NOT_FOUND, looked, FAULT_NO_OFFSET,
                         "its blocks folder has no blk*.dat: "
                         "the node has not begun to download, or keeps its blocks elsewhere (blocksdir)");
    return fault_set(fault, STATUS_NOT_FOUND, path, FAULT_NO_OFFSET,
                     "no blk*.dat in it, nor in a blocks folder below it: "
                     "name a node's data directory%s",
                     network ? " of that --chain" : "");
}

/* Finds the folder with the blk files and lists it. */
static enum status find_folder(const char *path, const char *chain, struct blkdir *dir, struct fault *fault)
{
    memset(dir, 0, sizeof *dir);
    const struct network *network = chain ? network_by_name(chain) : NULL;
    if (chain && !network)
        return fault_set(fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET, "no network is called %s", chain);
    bool sub = false, blocks = false, self = false;
    enum status status;
    if (network && network->folder[0]) {
        status = list_blocks_of(path, network->folder, dir, &sub, fault);
        dir->chain = network;
        if (status != STATUS_OK || dir->count)
            return status;
    }
    status = list_blocks_of(path, "", dir, &blocks, fault);
    if (status != STATUS_OK || dir->count)
        return status;
    status = list_folder(path, dir, &self, fault);
    if (status != STATUS_OK || dir->count)
        return status;
    if (!network) {
        status = take_only_network(path, dir, fault);
        if (status != STATUS_OK || dir->count)
            return status;
    }
    return nothing_found(path, network, self, blocks, sub, fault);
}

enum status blkdir_open_with_key(const char *path, const char *chain, const uint8_t key[XOR_KEY_SIZE],
                                 struct blkdir *dir, struct fault *fault)
{
    enum status status = find_folder(path, chain, dir, fault);
    return status == STATUS_OK ? take_key(dir, key, fault) : status;
}

enum status blkdir_open(const char *path, const char *chain, struct blkdir *dir, struct fault *fault)
{
    return blkdir_open_with_key(path, chain, NULL, dir, fault);
}

enum status blkdir_open_any(const char *path, const uint8_t key[XOR_KEY_SIZE], struct blkdir *dir, struct fault *fault)
{
    struct stat info;
    memset(dir, 0, sizeof *dir);
    if (stat(path, &info) != 0)
        return errno != ENOENT ? fault_errno(fault, path, FAULT_NO_OFFSET, "cannot look at it")
               : lstat(path, &info) == 0
                   ? fault_set(fault, STATUS_NOT_FOUND, path, FAULT_NO_OFFSET, "it is a link that leads nowhere")
                   : fault_set(fault, STATUS_NOT_FOUND, path, FAULT_NO_OFFSET, "no such file or folder");
    if (S_ISDIR(info.st_mode))
        return blkdir_open_with_key(path, NULL, key, dir, fault);
    if (!S_ISREG(info.st_mode))
        return fault_set(fault, STATUS_FORMAT, path, FAULT_NO_OFFSET, "neither a file nor a folder");
    const char *slash = strrchr(path, '/');
    struct listing list = {.dir = dir};
    uint32_t number = 0;
    bool staged;
    if (!blk_number(slash ? slash + 1 : path, &number, &staged))
        number = 0;
    dir->path = path_join(slash ? path : ".", "");
    if (!dir->path)
        return fault_nomem(fault);
    if (slash)
        dir->path[slash == path ? 1 : slash - path] = '\0';
    enum status status = add_file(&list, path_join(path, ""), number, fault);
    if (status == STATUS_OK)
        return take_key(dir, key, fault);
    blkdir_free(dir);
    return status;
}

/* Takes over what a newer listing says. */
static enum status take_over(struct blkdir *dir, struct blkdir *now, bool *changed, struct fault *fault)
{
    size_t before = dir->count, capacity = before;
    uint32_t last = dir->files[before - 1].number;
    for (size_t i = 0; i < now->count; i++) {
        struct blkfile *file = &now->files[i];
        size_t at = LOWER_BOUND(k, 0, before, dir->files[k].number < file->number);
        if (file->number > last) {
            if (mem_reserve(&dir->files, &capacity, dir->count + 1, sizeof *dir->files))
                return fault_nomem(fault);
            dir->files[dir->count++] = *file;
            file->path = NULL;
            *changed = true;
        } else if (at < before && dir->files[at].number == file->number &&
                   (dir->files[at].size != file->size || dir->files[at].mtime_ns != file->mtime_ns)) {
            dir->files[at].size = file->size;
            dir->files[at].mtime_ns = file->mtime_ns;
            *changed = true;
        }
    }
    dir->listed_ns = now->listed_ns;
    return STATUS_OK;
}

enum status blkdir_refresh(struct blkdir *dir, bool *changed, struct fault *fault)
{
    struct blkdir now;
    bool exists;
    *changed = false;
    enum status status = list_folder(dir->path, &now, &exists, fault);
    if (status == STATUS_OK && now.count > 0)
        status = take_over(dir, &now, changed, fault);
    if (status == STATUS_OK)
        blkdir_free(&now);
    return status;
}

void blkdir_free(struct blkdir *dir)
{
    for (size_t i = 0; i < dir->count; i++)
        mem_free(dir->files[i].path);
    for (size_t i = 0; i < dir->misfits_count; i++)
        mem_free(dir->misfits[i].path);
    mem_free(dir->files);
    mem_free(dir->misfits);
    mem_free(dir->path);
    memset(dir, 0, sizeof *dir);
}
