#include <stdio.h>

#include "cli/output/partial.h"
#include "cli/views/export.h"
#include "parser/stop.h"

/* Transactions: those of T-DAGs, those that create single unknown outputs, and all that spend either. A txid can occur
 * twice (before BIP 30), but not in one block. */
static const char make_txs[] =
    "CREATE TABLE n_tx (id INTEGER PRIMARY KEY, height INTEGER, txid TEXT, tx_index INTEGER, time INTEGER,"
    " value_out_sat INTEGER, is_root INTEGER, depth INTEGER, dag_id INTEGER, UNIQUE (height, txid));"
    "INSERT INTO n_tx SELECT NULL, height, txid, tx_index, time, value_out_sat, is_root, depth, dag_id FROM txs"
    " ORDER BY height, tx_index;"
    "INSERT OR IGNORE INTO n_tx (height, txid, tx_index, time) SELECT height, txid, tx_index, time FROM outputs"
    " ORDER BY height, tx_index;"
    "INSERT OR IGNORE INTO n_tx (height, txid) SELECT spender_height, spender_txid FROM outputs"
    " WHERE spender_txid IS NOT NULL ORDER BY 1, 2";

/* What only a partial store tells of a transaction. */
static const char add_maybe[] =
    "ALTER TABLE n_tx ADD COLUMN maybe_root INTEGER; ALTER TABLE n_tx ADD COLUMN inputs_before INTEGER;"
    "UPDATE n_tx SET maybe_root = t.maybe_root, inputs_before = t.inputs_before FROM txs t"
    " WHERE t.height = n_tx.height AND t.txid = n_tx.txid";

/* Outputs: all unknown ones, and the known ones of T-DAGs. */
static const char make_outputs[] =
    "CREATE TABLE n_output (id INTEGER PRIMARY KEY, height INTEGER, txid TEXT, vout INTEGER, value_sat INTEGER,"
    " kind TEXT, script_hex TEXT, protocol TEXT, spendable TEXT, unknown INTEGER, address TEXT, payer INTEGER,"
    " UNIQUE (height, txid, vout));"
    "INSERT INTO n_output SELECT NULL, height, txid, vout, value_sat, kind, script_hex, protocol, spendable, 1, NULL, "
    "NULL"
    " FROM outputs ORDER BY height, tx_index, vout;"
    "INSERT OR IGNORE INTO n_output (height, txid, vout, value_sat, kind, unknown)"
    " SELECT height, txid, vout, value_sat, kind, unknown FROM leaves ORDER BY height, tx_index, vout;"
    "CREATE INDEX n_output_place ON n_output (txid, vout, height);"
    "CREATE TABLE n_spend (output INTEGER PRIMARY KEY, tx INTEGER, vin INTEGER);"
    "INSERT INTO n_spend SELECT n.id, t.id, o.spender_vin FROM outputs o"
    " JOIN n_output n ON n.height = o.height AND n.txid = o.txid AND n.vout = o.vout"
    " JOIN n_tx t ON t.height = o.spender_height AND t.txid = o.spender_txid;"
    "CREATE TABLE n_address (address TEXT PRIMARY KEY) WITHOUT ROWID;"
    "CREATE TABLE n_label (label TEXT PRIMARY KEY) WITHOUT ROWID;"
    "CREATE TABLE n_address_label (address TEXT, label TEXT, PRIMARY KEY (address, label)) WITHOUT ROWID;"
    "CREATE TABLE n_tdag_label (dag_id INTEGER, label TEXT, PRIMARY KEY (dag_id, label)) WITHOUT ROWID";

/* What the index tells: who spends the known outputs of T-DAGs, and the outputs that were paid in, those of other
 * transactions without a height: one for each input, since each output is spent once, also where a txid is repeated. Of
 * known outputs of T-DAGs with a repeated txid the latest below the spender is meant. */
static const char add_payments[] =
    "INSERT OR IGNORE INTO n_tx (height, txid) SELECT spender_height, spender_txid FROM payees"
    " WHERE spender_txid IS NOT NULL ORDER BY 1, 2;"
    "UPDATE n_output SET address = p.address FROM payees p"
    " WHERE p.height = n_output.height AND p.txid = n_output.txid AND p.vout = n_output.vout;"
    "INSERT OR IGNORE INTO n_spend SELECT n.id, t.id, p.spender_vin FROM payees p"
    " JOIN n_output n ON n.height = p.height AND n.txid = p.txid AND n.vout = p.vout"
    " JOIN n_tx t ON t.height = p.spender_height AND t.txid = p.spender_txid;"
    "INSERT INTO n_output (txid, vout, value_sat, kind, unknown, address, payer)"
    " SELECT from_txid, from_vout, value_sat, kind, 0, address, rowid FROM payers p WHERE NOT EXISTS (SELECT 1"
    " FROM n_output n WHERE n.txid = p.from_txid AND n.vout = p.from_vout AND n.height <= p.height) ORDER BY p.rowid;"
    "CREATE INDEX n_output_payer ON n_output (payer);"
    "INSERT OR IGNORE INTO n_spend SELECT ifnull((SELECT id FROM n_output n WHERE n.payer = p.rowid),"
    " (SELECT id FROM n_output n WHERE n.txid = p.from_txid AND n.vout = p.from_vout AND n.height <= p.height"
    " ORDER BY n.height DESC LIMIT 1)), t.id, p.vin"
    " FROM payers p JOIN n_tx t ON t.height = p.height AND t.txid = p.txid;"
    "INSERT INTO n_address SELECT address FROM payers WHERE address IS NOT NULL"
    " UNION SELECT address FROM payees WHERE address IS NOT NULL";

/* n_entry is what the files of --labels say. A T-DAG has the labels that name it or a txid in it (address_labels.h),
 * and those of its payers and payees. */
static const char make_entries[] = "CREATE TABLE n_entry (address TEXT, label TEXT)";
static const char add_labels[] =
    "CREATE INDEX n_entry_address ON n_entry (address); CREATE INDEX n_txs_txid ON txs (txid);"
    "INSERT OR IGNORE INTO n_tdag_label SELECT t.dag_id, e.label FROM n_entry e JOIN txs t"
    " ON t.txid >= lower(e.address) AND t.txid < lower(e.address) || 'g'"
    " WHERE length(e.address) BETWEEN 16 AND 64 AND lower(e.address) NOT GLOB '*[^0-9a-f]*'";
static const char add_end_labels[] =
    "INSERT INTO n_address_label SELECT a.address, e.label FROM n_address a JOIN n_entry e ON e.address = a.address;"
    "INSERT OR IGNORE INTO n_tdag_label SELECT p.dag_id, l.label FROM payers p JOIN n_address_label l USING (address);"
    "INSERT OR IGNORE INTO n_tdag_label SELECT p.dag_id, l.label FROM payees p JOIN n_address_label l USING (address)";
static const char name_labels[] =
    "INSERT INTO n_label SELECT label FROM n_tdag_label UNION SELECT label FROM n_address_label";

/* A file of nodes or of relationships. */
struct file {
    const char *name;
    const char *ids;        /* fields of the header */
    const char *id_values;  /* SQL, as many */
    const char *properties; /* TABLE.COLUMN with spaces between: described there, and a column of n. here */
    const char *kind;       /* label of the nodes, or type of the relationships */
    const char *from;       /* SQL from FROM on */
    const char *needs;      /* a table without which there are no rows; NULL: none */
};

#define TDAG_PROPERTIES                                                                                                \
    "tdags.dag tdags.class_id tdags.family tdags.txs tdags.nodes tdags.edges tdags.roots tdags.leaves tdags.height "   \
    "tdags.width tdags.spent_unknown tdags.unspent_unknown tdags.known_leaves tdags.mixed_spenders "                   \
    "tdags.first_height tdags.last_height tdags.first_time tdags.last_time tdags.root_value_sat "                      \
    "tdags.moved_value_sat tdags.leaf_value_sat tdags.first_txid tdags.scripts tdags.orderliness tdags.symmetry "      \
    "tdags.repetition tdags.fan_out_regularity tdags.equal_values tdags.cadence tdags.chain_frequency "                \
    "tdags.automation tdags.fee_sat tdags.payer_value_sat tdags.label tdags.maybe_roots tdags.inputs_before"

/* Of two outputs with a repeated txid that of the T-DAG. */
#define TIED(txid, vout, dag_id)                                                                                       \
    " ifnull((SELECT o.id FROM n_output o JOIN n_tx x ON x.height = o.height AND x.txid = o.txid WHERE o.txid = " txid \
    " AND o.vout = " vout " AND x.dag_id IS " dag_id " ORDER BY o.height DESC LIMIT 1),"                               \
    " (SELECT o.id FROM n_output o WHERE o.txid = " txid " AND o.vout = " vout " ORDER BY o.height DESC LIMIT 1))"

static const struct file files[] = {
    {"nodes-transactions.csv", ":ID(Transaction)", "n.id",
     "txs.txid txs.height txs.tx_index txs.time txs.value_out_sat txs.is_root txs.depth txs.dag_id "
     "txs.maybe_root txs.inputs_before",
     "Transaction", "n_tx n ORDER BY n.id", NULL},
    {"nodes-outputs.csv", ":ID(Output)", "n.id",
     "outputs.txid outputs.vout outputs.height outputs.value_sat outputs.kind outputs.script_hex outputs.protocol "
     "outputs.spendable leaves.unknown payees.address",
     "Output", "n_output n ORDER BY n.id", NULL},
    {"nodes-tdags.csv", "dag_id:ID(TDag)", "n.dag_id", TDAG_PROPERTIES, "TDag", "tdags n ORDER BY n.dag_id", NULL},
    {"nodes-classes.csv", "class_id:ID(Class)", "n.class_id",
     "classes.tdags classes.height classes.nodes classes.edges classes.roots classes.txs classes.family "
     "classes.automorphisms_log10 classes.first_dag classes.scripts",
     "Class", "classes n ORDER BY n.rowid", NULL},
    {"nodes-keys.csv", "key:ID(Key)", "n.key",
     "keys.compressed keys.on_curve keys.marker keys.p2pkh keys.p2sh_p2wpkh keys.p2wpkh keys.p2tr keys.first_height "
     "keys.last_height keys.dags keys.members",
     "Key", "keys n GROUP BY n.key ORDER BY min(n.rowid)", "keys"},
    {"nodes-addresses.csv", "address:ID(Address)", "n.address", "", "Address", "n_address n ORDER BY 1", NULL},
    {"nodes-labels.csv", "label:ID(Label)", "n.label", "", "Label", "n_label n ORDER BY 1", NULL},
    {"relationships-creates.csv", ":START_ID(Transaction),:END_ID(Output)", "t.id, n.id", "", "CREATES",
     "n_output n JOIN n_tx t ON t.height = n.height AND t.txid = n.txid ORDER BY n.id", NULL},
    {"relationships-spends.csv", ":START_ID(Transaction),:END_ID(Output)", "n.tx, n.output", "payers.vin", "SPENDS",
     "(SELECT output, tx, vin FROM n_spend) n ORDER BY n.output", NULL},
    {"relationships-tx-in-tdag.csv", ":START_ID(Transaction),:END_ID(TDag)", "n.id, n.dag_id", "", "IN",
     "n_tx n WHERE n.dag_id IS NOT NULL ORDER BY n.id", NULL},
    {"relationships-tdag-in-class.csv", ":START_ID(TDag),:END_ID(Class)", "n.dag_id, n.class_id", "", "IN",
     "tdags n ORDER BY n.dag_id", NULL},
    {"relationships-tdag-in-label.csv", ":START_ID(TDag),:END_ID(Label)", "n.dag_id, n.label", "", "IN",
     "n_tdag_label n ORDER BY 1, 2", NULL},
    {"relationships-address-in-label.csv", ":START_ID(Address),:END_ID(Label)", "n.address, n.label", "", "IN",
     "n_address_label n ORDER BY 1, 2", NULL},
    {"relationships-address-pays-tdag.csv", ":START_ID(Address),:END_ID(TDag)", "n.address, n.dag_id",
     "payers.value_sat payers.time payers.txid payers.vin payers.from_txid payers.from_vout", "PAYS",
     "payers n WHERE n.address IS NOT NULL ORDER BY n.rowid", "payers"},
    {"relationships-tdag-pays-address.csv", ":START_ID(TDag),:END_ID(Address)", "n.dag_id, n.address",
     "payees.value_sat payees.time payees.txid payees.vout", "PAYS",
     "payees n WHERE n.address IS NOT NULL ORDER BY n.rowid", "payees"},
    {"relationships-output-shares-key.csv", ":START_ID(Output),:END_ID(Key)", "o.id, n.key", "keys.role keys.number",
     "SHARES", "keys n JOIN n_output o ON o.height = n.height AND o.txid = n.txid AND o.vout = n.vout ORDER BY n.rowid",
     "keys"},
    {"relationships-tdag-shares-tdag.csv", ":START_ID(TDag),:END_ID(TDag)", "n.dag_id, n.tied_dag_id",
     "ties.kind ties.value ties.role ties.tied_role ties.members ties.group_id", "SHARES",
     "ties n WHERE n.dag_id IS NOT NULL AND n.tied_dag_id IS NOT NULL ORDER BY n.rowid", "ties"},
    {"relationships-output-shares-output.csv", ":START_ID(Output),:END_ID(Output)", "n.a, n.b",
     "ties.kind ties.value ties.role ties.tied_role ties.members ties.group_id", "SHARES",
     "(SELECT t.*, t.rowid AS place," TIED("t.txid", "t.vout", "t.dag_id") " AS a," TIED(
         "t.tied_txid", "t.tied_vout",
         "t.tied_dag_id") " AS b FROM ties t) n WHERE n.a IS NOT NULL AND n.b IS NOT NULL ORDER BY n.place",
     "ties"},
};

/* As Neo4j calls it. */
static const char *neo4j_type(enum column_type type)
{
    static const char *const names[] = {
        [COLUMN_INTEGER] = "long",    [COLUMN_NUMBER] = "double",     [COLUMN_STRING] = "string",
        [COLUMN_BOOLEAN] = "boolean", [COLUMN_DATETIME] = "datetime",
    };
    return names[type];
}

static const struct column *find_column(const char *table, const char *name)
{
    const struct table_schema *schema = schema_find(table);
    for (size_t i = 0; schema && i < schema->columns_count; i++) {
        if (strcmp(schema->columns[i].name, name) == 0)
            return &schema->columns[i];
    }
    return NULL;
}

/* The field of the header, and what is selected for it. A column that this database has not (without an index, say) is
 * left out. Booleans are words here. */
static void print_property(const struct sqlite *database, const char *property, size_t size, struct printer *header,
                           struct printer *sql)
{
    char table[COLUMN_NAME_SIZE];
    snprintf(table, sizeof table, "%.*s", (int)size, property);
    char *name = strchr(table, '.');
    if (!name)
        return;
    *name++ = '\0';
    const struct column *column = find_column(table, name);
    if (!column || (column->flags & (COLUMN_WITH_INDEX | COLUMN_WITH_LABELS | COLUMN_WITH_PARTIAL) &&
                    !sqlite_has_column(database, table, name)))
        return;
    PRINT(header, ",%s:%s", name, neo4j_type(column->type));
    if (column->type == COLUMN_BOOLEAN)
        PRINT(sql, ", iif(n.\"%s\", 'true', iif(n.\"%s\" IS NULL, NULL, 'false'))", name, name);
    else
        PRINT(sql, ", n.\"%s\"", name);
}

static void print_file(const struct sqlite *database, const struct file *file, struct printer *header,
                       struct printer *sql)
{
    bool is_node = strncmp(file->name, "nodes-", 6) == 0;
    PRINT(header, "%s", file->ids);
    PRINT(sql, "SELECT %s", file->id_values);
    for (const char *at = file->properties; *at; at += strspn(at, " ")) {
        size_t size = strcspn(at, " ");
        print_property(database, at, size, header, sql);
        at += size;
    }
    if (partial_from() > 0) {
        PRINT(header, ",%s:%s", schema_partial.name, neo4j_type(schema_partial.type));
        PRINT(sql, ", %u", (unsigned)partial_from());
    }
    PRINT(header, ",%s\n", is_node ? ":LABEL" : ":TYPE");
    PRINT(sql, ", '%s' FROM %s", file->kind, file->from);
}

static enum status write_file(struct sqlite *database, const struct file *file, struct outfolder *folder,
                              struct fault *fault)
{
    struct outfile out = {0};
    struct printer header = {0}, sql = {0};
    print_file(database, file, &header, &sql);
    enum status status = header.status == STATUS_OK && sql.status == STATUS_OK ? STATUS_OK : fault_nomem(fault);
    if (status == STATUS_OK)
        status = outfolder_begin(folder, &out, file->name, fault);
    if (status == STATUS_OK)
        status = outfile_flush(&out, &header.text, fault);
    if (status == STATUS_OK && (!file->needs || sqlite_has(database, file->needs)))
        status = sqlite_write_csv(database, sql.text.bytes, &out, fault);
    text_free(&header.text);
    text_free(&sql.text);
    return outfile_finish(&out, status, fault);
}

static enum status put_labels(struct sqlite *database, const struct address_labels *labels, struct fault *fault)
{
    enum status status = sqlite_run(database, make_entries, fault);
    for (size_t i = 0; i < labels->count && status == STATUS_OK; i++) {
        const char *const texts[] = {labels->entries[i].address, labels->entries[i].label};
        status = stop_due(i) ? stop_check(fault) : STATUS_OK;
        if (status == STATUS_OK)
            status = sqlite_run_with(database, "INSERT INTO n_entry VALUES (?, ?)", texts, fault);
    }
    if (status == STATUS_OK)
        status = sqlite_run(database, add_labels, fault);
    if (status == STATUS_OK && sqlite_has(database, "payers"))
        status = sqlite_run(database, add_end_labels, fault);
    return status == STATUS_OK ? sqlite_run(database, name_labels, fault) : status;
}

enum status export_neo4j(struct sqlite *database, const struct address_labels *labels, struct outfolder *folder,
                         struct fault *fault)
{
    enum status status = sqlite_run(database, make_txs, fault);
    if (status == STATUS_OK && partial_from() > 0)
        status = sqlite_run(database, add_maybe, fault);
    if (status == STATUS_OK)
        status = sqlite_run(database, make_outputs, fault);
    if (status == STATUS_OK && sqlite_has(database, "payers"))
        status = sqlite_run(database, add_payments, fault);
    if (status == STATUS_OK && labels->count > 0)
        status = put_labels(database, labels, fault);
    for (size_t i = 0; i < sizeof files / sizeof *files && status == STATUS_OK; i++)
        status = write_file(database, &files[i], folder, fault);
    return status;
}
