// Speaks package rpc's messages to a tablet server: node messages.mjs
// http://host:port. It fails by exiting with an error.
import assert from "node:assert/strict";
import { newHttpBatchRpcSession, newWebSocketRpcSession } from "capnweb";
import { WebSocket } from "ws";

globalThis.WebSocket = WebSocket;
const url = process.argv[2];
let last = 0;
const message = (type, fields) => ({ type, id: `js-${++last}`, timestamp: Date.now(), keyspace: "ks", shard: "-80", ...fields });

async function talk(name, call, stream) {
  const ask = async (type, fields) => {
    const m = message(type, fields);
    const answer = await call(m);
    assert.equal(answer.id, m.id);
    return answer;
  };
  const table = `t_${name}`;
  await ask(0x31, { sql: `CREATE TABLE ${table}(id INTEGER PRIMARY KEY, v UNIQUE)` });
  const values = [null, 9223372036854775807n, 5, 5.5, "text", Buffer.from([0, 255])];
  const wrote = await ask(0x31, { sql: `INSERT INTO ${table}(v) VALUES(?1)`, params: values, count: values.length });
  assert.deepEqual([wrote.type, wrote.rowsAffected, wrote.changed, wrote.insertIds], [0x80, 6, [1, 1, 1, 1, 1, 1], [1, 2, 3, 4, 5, 6]]);
  const read = await ask(0x30, { sql: `SELECT id, v, typeof(v) AS kind FROM ${table} ORDER BY id` });
  assert.deepEqual(read.columns, ["id", "v", "kind"]);
  assert.deepEqual(read.rows.map(r => r[1]), values);
  assert.deepEqual(read.rows.map(r => r[2]), ["null", "integer", "integer", "real", "text", "blob"]);
  // JavaScript has no 5.0 of its own.
  const real = await ask(0x30, { sql: "SELECT typeof(?1), typeof(?2)", params: [{ real: 5 }, 5] });
  assert.deepEqual(real.rows, [["real", "integer"]]);

  await assert.rejects(ask(0x31, { sql: `INSERT INTO ${table}(v) VALUES('text')` }), err => {
    assert.deepEqual([err.type, err.code, err.sqlState, err.shard, err.table, err.columns], [0x81, "UNIQUE_VIOLATION", "23000", "-80", table, ["v"]]);
    return true;
  });

  // A transaction, which begins with its first statement.
  const txId = `js-${name}-tx`;
  await ask(0x31, { txId, begin: {}, sql: `DELETE FROM ${table}` });
  const inside = await ask(0x30, { txId, sql: `SELECT count(*) FROM ${table}` });
  assert.deepEqual([inside.rows, inside.wrote], [[[0]], true]);
  assert.equal((await ask(0x42, { txId })).type, 0x82);
  assert.deepEqual((await ask(0x30, { sql: `SELECT count(*) FROM ${table}` })).rows, [[6]]);

  // Rows that don't fit into one answer.
  const series = "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM s WHERE i < 5000) SELECT i FROM s";
  let answer = await ask(0x30, { sql: series, stream });
  const rows = [...answer.rows];
  if (stream) {
    for await (const chunk of answer.more) rows.push(...chunk);
  } else {
    const { cursor } = answer;
    for (; !answer.end; rows.push(...answer.rows)) answer = await ask(0x33, { cursor });
  }
  assert.equal(rows.length, 5000);
  assert.deepEqual(rows[4999], [5000]);
  console.log(name);
}

await talk("batch", m => newHttpBatchRpcSession(url).call(m), false);
const api = newWebSocketRpcSession(url.replace("http", "ws"));
await talk("websocket", m => api.call(m), true);
api[Symbol.dispose]();
