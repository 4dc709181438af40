/* The table of --timings. */
#include "cli/output/schema.h"

#define COUNT(columns) (sizeof(columns) / sizeof *(columns))

static const struct column timings[] = {
    {"stage", COLUMN_STRING, 0, NULL,
     "what was done, in order. All: open, before and between the others; end, what is left after them. scan: files, "
     "each read as a whole (--sequential); headers, where the blocks stand in the files; table, the unspent unknown "
     "outputs of before; blocks. index: files and headers, as of scan; walk, every block; join, which input spends "
     "which output; outputs and txs, the tables. dags: forest, the store into memory; classes; other-rules, the "
     "numbers of the other rule sets; measures, for --top alone; payments; tables, with those of transactions first; "
     "scripts, the known ones of classes; unlocks, with keys and ties; changes"},
    {"thread", COLUMN_STRING, 0, NULL,
     "0, the main thread, and the numbers of the others; writer: the one of index that writes the tables meanwhile, "
     "only in stages in which it did something"},
    {"elapsed_s", COLUMN_NUMBER, 0, "seconds",
     "time that passed in the stage, the same for each thread; what the next six columns add up to"},
    {"busy_s", COLUMN_NUMBER, 0, "seconds",
     "the thread worked, or waited for what cannot be seen: a processor, a page of a mapped file"},
    {"lock_s", COLUMN_NUMBER, 0, "seconds", "it waited for a lock that another thread held"},
    {"disk_s", COLUMN_NUMBER, 0, "seconds",
     "it was in a call that reads, writes or makes durable, also where memory had the bytes"},
    {"order_s", COLUMN_NUMBER, 0, "seconds", "it waited for another thread's piece, which comes before its own"},
    {"threads_s", COLUMN_NUMBER, 0, "seconds", "it waited until the other threads had come to an end too"},
    {"idle_s", COLUMN_NUMBER, 0, "seconds", "there was nothing for it to do"},
    {"alone_s", COLUMN_NUMBER, 0, "seconds",
     "of busy_s, lock_s and disk_s: work that is not divided, while the others have nothing to do"},
    {"in_turn_s", COLUMN_NUMBER, 0, "seconds",
     "of busy_s, lock_s and disk_s: work that one thread at a time can do, while the others do something else"},
    {"longest_s", COLUMN_NUMBER, 0, "seconds",
     "of a stage whose work is a few pieces, each of which one thread does whole: how long the longest took, below "
     "which "
     "more threads cannot bring the stage; else 0"},
    {"read_bytes", COLUMN_INTEGER, 0, "bytes", "that it read from files; of what is mapped into memory none"},
    {"written_bytes", COLUMN_INTEGER, 0, "bytes", "that it wrote to files; of what LMDB writes none"},
};

const struct table_schema schema_timings = {
    .name = "timings",
    .command = "scan",
    .rows = "a row for each stage and thread, written with --timings by scan, index and dags; the only table that is "
            "another one in each run",
    .columns = timings,
    .columns_count = COUNT(timings),
    .primary_key = "stage,thread",
};
