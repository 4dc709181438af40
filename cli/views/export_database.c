#include <stdio.h>

#include "cli/views/export.h"

/* What is asked first. Times are seconds in the tables, and dates here. v_table3 is the paper's Table III of this
 * chain, as `unktx dags` prints it. */
static const char views[] =
    "CREATE VIEW v_tdag AS SELECT d.*, c.tdags AS class_tdags, d.last_height - d.first_height AS span_blocks,"
    " datetime(d.first_time, 'unixepoch') AS first_date, datetime(d.last_time, 'unixepoch') AS last_date,"
    " d.root_value_sat / 1e8 AS root_value_btc, d.moved_value_sat / 1e8 AS moved_value_btc"
    " FROM tdags d JOIN classes c USING (class_id);"
    "CREATE VIEW v_tx AS SELECT t.*, datetime(t.time, 'unixepoch') AS date, t.value_out_sat / 1e8 AS value_out_btc,"
    " d.class_id, d.family FROM txs t JOIN tdags d USING (dag_id);"
    "CREATE TABLE unktx_provenance (name TEXT NOT NULL PRIMARY KEY, value TEXT)";

/* Views that name their columns; of a partial store the last is that of the tables. */
#define TABLE3(partial)                                                                                                \
    "CREATE VIEW v_table3 AS SELECT * FROM (SELECT 'common' AS part, row_number() OVER (ORDER BY tdags DESC, "         \
    "class_id)"                                                                                                        \
    " AS place, tdags, height, nodes, edges, roots, family, class_id, first_dag" partial " FROM classes)"              \
    " WHERE place <= 10 UNION ALL SELECT * FROM (SELECT 'highest', row_number() OVER (ORDER BY height DESC,"           \
    " nodes DESC, class_id) AS place, tdags, height, nodes, edges, roots, family, class_id, first_dag" partial         \
    " FROM classes) WHERE place <= 5;"
#define MEASURES(partial)                                                                                              \
    "CREATE VIEW v_measures AS SELECT dag_id, dag, orderliness, symmetry, repetition, fan_out_regularity,"             \
    " equal_values, cadence, chain_frequency, automation" partial " FROM tdags"
static const char views_whole[] = TABLE3("") MEASURES("");
static const char views_partial[] = TABLE3(", partial") MEASURES(", partial");

static enum status add(struct sqlite *database, const char *name, const char *value, struct fault *fault)
{
    const char *const texts[] = {name, value};
    return sqlite_run_with(database, "INSERT INTO unktx_provenance VALUES (?, ?)", texts, fault);
}

/* What datapackage.json says under "unktx" beside tables in a folder. */
static enum status add_provenance(struct sqlite *database, const struct datapackage_provenance *provenance,
                                  struct fault *fault)
{
    char tip[HASH256_HEX_SIZE + 1] = "", height[16], first[16];
    hash256_hex(&provenance->tip, tip);
    snprintf(height, sizeof height, "%u", (unsigned)provenance->tip_height);
    const char *const values[][2] = {{"version", provenance->version},
                                     {"network", provenance->network},
                                     {"tip_hash", tip},
                                     {"tip_height", height},
                                     {"rules", rules_name(provenance->rules)},
                                     {"compress", provenance->compress ? "true" : "false"},
                                     {"exclude_scripts", provenance->exclude_scripts.path},
                                     {"scripts", provenance->scripts.path},
                                     {"nulldata", provenance->nulldata},
                                     {"index", provenance->with_index ? "true" : "false"}};
    enum status status = STATUS_OK;
    snprintf(first, sizeof first, "%u", (unsigned)provenance->first_height);
    if (provenance->first_height > 0)
        status = add(database, "partial", first, fault);
    for (size_t i = 0; i < sizeof values / sizeof *values && status == STATUS_OK; i++)
        status = add(database, values[i][0], values[i][1], fault);
    return status;
}

enum status export_finish(struct sqlite *database, const struct datapackage_provenance *provenance, struct fault *fault)
{
    enum status status = sqlite_index(database, fault);
    if (status == STATUS_OK)
        status = sqlite_run(database, views, fault);
    if (status == STATUS_OK)
        status = sqlite_run(database, provenance->first_height > 0 ? views_partial : views_whole, fault);
    if (status == STATUS_OK)
        status = add_provenance(database, provenance, fault);
    return status == STATUS_OK ? sqlite_finish(database, fault) : status;
}
