// Runs duckdb.sql through the npm package @duckdb/node-api: node duckdb.mjs FOLDER [SQL FILE]. Prints what the queries give, tab by tab.
import { readFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';

const [folder, file = new URL('duckdb.sql', import.meta.url)] = process.argv.slice(2);
const instance = await DuckDBInstance.create(':memory:');
const connection = await instance.connect();
const sql = readFileSync(file, 'utf8').replace(/^SET VARIABLE folder = .*$/m, `SET VARIABLE folder = '${folder.replaceAll("'", "''")}';`);
const statements = await connection.extractStatements(sql);
for (let i = 0; i < statements.count; i++) {
    const statement = await statements.prepare(i);
    const reader = await statement.runAndReadAll();
    if (/^(Count|Success|)$/.test(reader.columnNames().join('')) || reader.currentRowCount === 0) continue;
    console.log(reader.columnNames().join('\t'));
    for (const row of reader.getRows()) console.log(row.map(String).join('\t'));
}
