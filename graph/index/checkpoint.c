#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "graph/index/work.h"
#include "parser/mem.h"
#include "parser/parallel.h"
#include "parser/sha256.h"
#include "parser/file.h"

/* The checkpoint: magic (8), boot (36), stage, first, end, walked (u32 each), tip (32), seed (16), state of the index
 * (STATE_SIZE), bits (u32 each), count of late spends, ranges (u64 each), number of the build that cut the tables last
 * (8); the blocks; the sums (u128 each, low half first); what each spill saves; SHA-256 of all that. */
#define CHECKPOINT_MAGIC "uXTWork9"
#define CHECKPOINT_HEAD (8u + 36u + 16u + 32u + 16u + STATE_SIZE + 8u + 32u + INDEX_BEGUN_SIZE)
#define HEAD_FIRST 48u
#define HEAD_END 52u
#define CHECKPOINT_MAX (256u << 20)
#define WORK_BLOCK_SIZE (28u + (8u + 4u) * WORK_STREAMS)

static void path_of(const struct index_work *work, const char *name, char path[4096])
{
    snprintf(path, 4096, "%s/%s", work->folder, name);
}

/* Files of a small build are not worth waiting for the disk: its checkpoint is believed until the machine starts
 * again. */
static void read_boot(const struct index_work *work, uint8_t boot[36])
{
    memset(boot, '-', 36);
    if (work->durable)
        return;
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && read(fd, boot, 36) != 36)
        memset(boot, '-', 36);
    if (fd >= 0)
        close(fd);
}

/* What a checkpoint of this work begins with, whatever its stage. */
static void write_head(const struct index_work *work, uint8_t head[CHECKPOINT_HEAD])
{
    uint8_t *p = head;
    memcpy(p, CHECKPOINT_MAGIC, 8);
    read_boot(work, p + 8);
    p += 44;
    store_le32(p, work->stage);
    store_le32(p + 4, work->first);
    store_le32(p + 8, work->end);
    store_le32(p + 12, work->walked);
    memcpy(p + 16, chain_active(work->chain, work->end - 1)->hash.bytes, HASH256_SIZE);
    memcpy(p + 48, work->seed, INDEX_SEED_SIZE);
    index_state_write(&work->base, p + 64);
    p += 64 + STATE_SIZE;
    store_le32(p, work->part_bits);
    store_le32(p + 4, work->key_bits);
    store_le64(p + 8, work->late_count);
    store_le64(p + 16, work->out_range);
    store_le64(p + 24, work->in_range);
    store_le64(p + 32, work->late_range);
    memcpy(p + 40, work->begun, INDEX_BEGUN_SIZE);
}

/* The spills that the stages after this one need. */
static size_t spills_of(struct index_work *work, struct spill ***list, const char **names)
{
    struct spill **all[] = {&work->creators, &work->spenders, &work->links, &work->values, &work->late_spends};
    static const char *const all_names[] = {"creators", "spenders", "links", "values", "later"};
    size_t first = work->stage <= WORK_WALKED ? 0 : work->stage == WORK_JOINED ? 2 : 3;
    size_t end = work->stage <= WORK_WALKED ? 2 : 5, count = 0;
    for (size_t i = first; i < end; i++) {
        list[count] = all[i];
        names[count++] = all_names[i];
    }
    return count;
}

static enum status encode(struct index_work *work, struct buffer *checkpoint)
{
    struct spill **spills[5];
    const char *names[5];
    uint8_t head[CHECKPOINT_HEAD], digest[32];
    write_head(work, head);
    enum status status = buffer_add(checkpoint, head, sizeof head);
    for (uint32_t i = 0; i <= work->end - work->first && status == STATUS_OK; i++) {
        uint8_t bytes[WORK_BLOCK_SIZE];
        store_le64(bytes, work->blocks[i].first_tx);
        store_le64(bytes + 8, work->blocks[i].first_input);
        store_le64(bytes + 16, work->blocks[i].first_output);
        store_le32(bytes + 24, work->blocks[i].window);
        for (size_t s = 0; s < WORK_STREAMS; s++) {
            store_le64(bytes + 28 + 12 * s, work->blocks[i].at[s]);
            store_le32(bytes + 28 + 12 * s + 8, work->blocks[i].sums[s]);
        }
        status = buffer_add(checkpoint, bytes, sizeof bytes);
    }
    for (size_t part = 0; part < (size_t)1 << work->part_bits && status == STATUS_OK; part++) {
        uint8_t bytes[16];
        store_le64(bytes, (uint64_t)work->sums[part]);
        store_le64(bytes + 8, (uint64_t)(work->sums[part] >> 64));
        status = buffer_add(checkpoint, bytes, sizeof bytes);
    }
    size_t count = spills_of(work, spills, names);
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = spill_save(*spills[i], checkpoint);
    if (status != STATUS_OK)
        return status;
    sha256(checkpoint->bytes, checkpoint->size, digest);
    return buffer_add(checkpoint, digest, sizeof digest);
}

/* The files of the spills, then those in the order of the chain. */
struct syncing {
    struct index_work *work;
    struct spill **spills[5];
    size_t files; /* of the spills */
    enum status *statuses;
    struct fault *faults;
};

static void sync_file(void *context, unsigned worker, size_t i)
{
    struct syncing *syncing = context;
    (void)worker;
    if (i < syncing->files) {
        const struct spill *spill = *syncing->spills[i / SPILL_FILES];
        syncing->statuses[i] = spill_sync(spill, (unsigned)(i % SPILL_FILES), &syncing->faults[i]);
        return;
    }
    const struct index_work *work = syncing->work;
    int fd = work->streams[i - syncing->files];
    if (fd >= 0 && file_sync(fd) != 0)
        syncing->statuses[i] = fault_errno_place(&syncing->faults[i], work->folder, FAULT_NO_OFFSET, SPILL_OTHER,
                                                 "cannot write a temporary file");
}

/* Waits until the disk has all that the checkpoint is going to name: on all threads a file each, so that it has several
 * to write at once. */
static enum status sync_files(struct index_work *work)
{
    struct syncing syncing = {.work = work};
    const char *names[5];
    enum status status = STATUS_OK;
    if (!work->durable)
        return STATUS_OK;
    syncing.files = spills_of(work, syncing.spills, names) * SPILL_FILES;
    size_t files = syncing.files + WORK_STREAMS;
    syncing.statuses = mem_alloc(files, sizeof *syncing.statuses);
    syncing.faults = mem_alloc(files, sizeof *syncing.faults);
    if (!syncing.statuses || !syncing.faults)
        status = fault_nomem(work->fault);
    else
        parallel_whole(work->options->threads, files, sync_file, &syncing);
    for (size_t i = 0; i < files && status == STATUS_OK; i++) {
        status = syncing.statuses[i];
        if (status != STATUS_OK && work->fault)
            *work->fault = syncing.faults[i];
    }
    mem_free(syncing.statuses);
    mem_free(syncing.faults);
    return status;
}

/* Replaces the checkpoint before by this one: at any time the disk has the one or the other. */
static bool write_checkpoint(const struct index_work *work, const struct buffer *checkpoint, const char *path)
{
    char new_path[4096];
    path_of(work, "note.new", new_path);
    int fd = open(new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ssize_t written = fd >= 0 ? write(fd, checkpoint->bytes, checkpoint->size) : -1;
    if (written >= 0 && (size_t)written < checkpoint->size)
        errno = ENOSPC; /* a disk without room takes a part, and says nothing */
    bool ok = written == (ssize_t)checkpoint->size && (!work->durable || file_sync(fd) == 0);
    if (fd >= 0)
        ok = close(fd) == 0 && ok;
    if (!ok || rename(new_path, path) != 0)
        return false;
    if (!work->durable)
        return true;
    int folder = open(work->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ok = folder >= 0 && fsync(folder) == 0;
    if (folder >= 0)
        close(folder);
    return ok;
}

enum status work_save_checkpoint(struct index_work *work, enum work_stage stage)
{
    struct buffer checkpoint = {0};
    char path[4096];
    work->stage = stage;
    enum status status = work->in_memory ? STATUS_OK : sync_files(work);
    if (status != STATUS_OK || work->in_memory)
        return status;
    if (encode(work, &checkpoint) != STATUS_OK) {
        buffer_free(&checkpoint);
        return fault_nomem(work->fault);
    }
    path_of(work, "note", path);
    bool ok = write_checkpoint(work, &checkpoint, path);
    buffer_free(&checkpoint);
    if (!ok)
        return fault_errno_place(work->fault, path, FAULT_NO_OFFSET, SPILL_OTHER, "cannot write a temporary file");
    work_goes_on(work, true);
    return STATUS_OK;
}

bool work_empty_folder(const char *path)
{
    struct stat info;
    DIR *folder = lstat(path, &info) == 0 && S_ISDIR(info.st_mode) ? opendir(path) : NULL;
    const struct dirent *entry;
    bool deleted = false;
    while (folder && (entry = readdir(folder)))
        deleted |= unlinkat(dirfd(folder), entry->d_name, 0) == 0; /* no folder */
    if (folder)
        closedir(folder);
    return deleted;
}

/* ---- going on ---- */

static bool read_checkpoint(const struct index_work *work, uint8_t **bytes, size_t *size)
{
    char path[4096];
    struct stat info;
    uint8_t digest[32];
    path_of(work, "note", path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    *bytes = NULL;
    if (fd < 0)
        return false;
    bool ok = fstat(fd, &info) == 0 && info.st_size >= (off_t)(CHECKPOINT_HEAD + 32) &&
              info.st_size <= (off_t)CHECKPOINT_MAX;
    *size = ok ? (size_t)info.st_size : 0;
    *bytes = ok ? mem_alloc(*size, 1) : NULL;
    ok = *bytes && file_read_at(fd, *bytes, *size, 0) == (ssize_t)*size;
    close(fd);
    if (!ok)
        return false;
    *size -= 32;
    sha256(*bytes, *size, digest);
    return memcmp(*bytes + *size, digest, 32) == 0;
}

/* Sets what the head says; false if it is about other work. */
static bool take_head(struct index_work *work, struct cursor *checkpoint)
{
    uint8_t expected[CHECKPOINT_HEAD];
    const uint8_t *head = cursor_take(checkpoint, CHECKPOINT_HEAD), *p = head + 108 + STATE_SIZE;
    uint32_t stage = load_le32(head + 44), end = load_le32(head + HEAD_END), walked = load_le32(head + 56);
    if (stage < WORK_WALKING || stage > WORK_OUTPUTS_BUILT || end <= work->first || end > work->end ||
        walked <= work->first || walked > end || (walked < end && stage > WORK_WALKING))
        return false;
    uint32_t end_before = work->end;
    work->stage = (enum work_stage)stage;
    work->end = end;
    work->walked = walked;
    work->part_bits = load_le32(p);
    work->key_bits = load_le32(p + 4);
    work->late_count = load_le64(p + 8);
    work->out_range = load_le64(p + 16);
    work->in_range = load_le64(p + 24);
    work->late_range = load_le64(p + 32);
    write_head(work, expected);
    /* of what was walked nothing is in the tables yet */
    size_t size = CHECKPOINT_HEAD - (stage <= WORK_WALKED ? INDEX_BEGUN_SIZE : 0);
    if (memcmp(head, expected, size) == 0)
        return true;
    work->end = end_before;
    return false;
}

uint32_t work_checkpoint_end(const struct index_work *work)
{
    uint8_t *bytes;
    size_t size;
    bool ok = read_checkpoint(work, &bytes, &size) && memcmp(bytes, CHECKPOINT_MAGIC, 8) == 0 &&
              load_le32(bytes + HEAD_FIRST) == work->base.totals.blocks;
    uint32_t end = ok ? load_le32(bytes + HEAD_END) : 0;
    mem_free(bytes);
    return end;
}

static bool take_blocks(struct index_work *work, struct cursor *checkpoint)
{
    size_t count = (size_t)(work->end - work->first) + 1;
    const uint8_t *bytes = cursor_take(checkpoint, count * WORK_BLOCK_SIZE);
    work->blocks = bytes ? mem_alloc(count, sizeof *work->blocks) : NULL;
    work->blocks_capacity = work->blocks ? count : 0;
    bool ok = work->blocks != NULL;
    for (size_t i = 0; work->blocks && i < count; i++, bytes += WORK_BLOCK_SIZE) {
        work->blocks[i] = (struct work_block){.first_tx = load_le64(bytes),
                                              .first_input = load_le64(bytes + 8),
                                              .first_output = load_le64(bytes + 16),
                                              .window = load_le32(bytes + 24)};
        for (size_t s = 0; s < WORK_STREAMS; s++) {
            work->blocks[i].at[s] = load_le64(bytes + 28 + 12 * s);
            work->blocks[i].sums[s] = load_le32(bytes + 28 + 12 * s + 8);
        }
        uint32_t window = work->blocks[i].window, height = work->first + (uint32_t)i;
        ok &= height >= work->walked || (window >= work->first && window <= height);
    }
    return ok;
}

/* Numbers of outputs and inputs are divided by these, and so much memory is taken. */
static bool has_ranges(const struct index_work *work)
{
    uint64_t outputs = work_outputs(work), inputs = work_inputs(work);
    return work->stage <= WORK_WALKED || (work->out_range > 0 && work->out_range <= outputs + 1 && work->in_range > 0 &&
                                          work->in_range <= inputs + 1 && work->late_range > 0);
}

static bool take_sums(struct index_work *work, struct cursor *checkpoint)
{
    if (work->part_bits > 20 || work_alloc_sums(work) != STATUS_OK)
        return false;
    for (size_t part = 0; part < (size_t)1 << work->part_bits; part++) {
        uint64_t low = cursor_u64(checkpoint);
        work->sums[part] = (unsigned __int128)cursor_u64(checkpoint) << 64 | low;
    }
    return cursor_ok(checkpoint);
}

/* Opens the files in the order of the chain, which must be at least as long as the checkpoint says. */
static bool open_streams(struct index_work *work)
{
    char path[4096];
    struct stat info;
    bool ok = true;
    for (size_t s = 0; s < WORK_STREAMS && ok; s++) {
        int *fd = &work->streams[s];
        path_of(work, work_stream_names[s], path);
        *fd = open(path, O_RDWR | O_CLOEXEC);
        ok = *fd >= 0 && fstat(*fd, &info) == 0 &&
             (uint64_t)info.st_size >= work->blocks[work->walked - work->first].at[s];
    }
    return ok;
}

/* Whether there is a checkpoint at all, if only in name. */
static bool is_there(const struct index_work *work)
{
    char path[4096];
    path_of(work, "note", path);
    return access(path, F_OK) == 0;
}

bool work_load_checkpoint(struct index_work *work)
{
    uint8_t *bytes;
    size_t size;
    bool ok = read_checkpoint(work, &bytes, &size);
    struct cursor checkpoint = cursor_over(bytes, ok ? size : 0);
    ok = ok && take_head(work, &checkpoint) && take_blocks(work, &checkpoint) && has_ranges(work) &&
         take_sums(work, &checkpoint) && open_streams(work);
    struct spill **spills[5];
    const char *names[5];
    size_t count = ok ? spills_of(work, spills, names) : 0;
    for (size_t i = 0; i < count && ok; i++) {
        struct spill_shape shape = {.folder = work->folder, .name = names[i], .workers = work->options->threads};
        ok = spill_resume(&shape, &checkpoint, spills[i], NULL) == STATUS_OK;
    }
    mem_free(bytes);
    if (!ok && is_there(work))
        work_message(work, "what an interrupted build left is of other blocks or another version, or damaged: it "
                           "is deleted, and the work begins anew");
    return ok;
}
