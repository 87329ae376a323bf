// Runs against a gate that the Go test beside this folder has started: the table
// item(id, name, price) is there, with a pen and an ink.
import assert from "node:assert/strict";
import { after, beforeEach, describe, test } from "node:test";
import { WebSocket } from "ws";
import { type Client, type ClientOptions, createClient, VitessdoError } from "../src/index.js";
import { onlyReads } from "../src/retry.js";

const endpoint = process.env["GATE"]!;
const token = process.env["GATE_TOKEN"]!;
const reader = process.env["GATE_READER"]!;

const impatient = process.env["GATE_IMPATIENT"]!; // ends after 2 s what it hears nothing of

const ways: Record<string, string> = { http: endpoint, ws: endpoint.replace("http", "ws") };

function open(way: string, options: Partial<ClientOptions> = {}): Client {
  return createClient({ endpoint: ways[way]!, token, WebSocket: WebSocket as unknown as ClientOptions["WebSocket"] & {}, ...options });
}

const thousands = (n: number) => `WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < ${n}) SELECT i, REPEAT('x', 100) AS pad FROM n`;

for (const way of Object.keys(ways)) {
  describe(way, () => {
    const client = open(way);
    after(() => client.close());
    beforeEach(async () => {
      await client.batch(["DELETE FROM item", "INSERT INTO item(id, name, price) VALUES(1, 'pen', 1.5), (2, 'ink', 3)"]);
    });

    test("queries give rows with their columns' types", async () => {
      const r = await client.query("SELECT id, name, price FROM item WHERE id = ?", [1]);
      assert.deepEqual(r, { columns: ["id", "name", "price"], types: ["BIGINT", "VARCHAR", "DECIMAL"], rows: [{ id: 1, name: "pen", price: "1.50" }], rowsAffected: 0 });
    });

    test("values are exact", async () => {
      await client.execute("CREATE TABLE IF NOT EXISTS v (id BIGINT PRIMARY KEY, b BLOB, d DECIMAL(30,5), f DOUBLE, at DATETIME(3), s VARCHAR(20), j JSON)");
      const at = new Date("2026-01-31T12:00:00.250Z");
      await client.execute("REPLACE INTO v VALUES(?, ?, ?, ?, ?, ?, ?)", [9223372036854775807n, new Uint8Array([0, 255]), "1234567890123456789012345.5", 0.1, at, "ünï 𝄞", '{"a": [1]}']);
      const { rows } = await client.query("SELECT * FROM v");
      const { b, ...rest } = rows[0]!;
      assert.deepEqual([...(b as Uint8Array)], [0, 255]);
      assert.deepEqual(rest, { id: 9223372036854775807n, d: "1234567890123456789012345.50000", f: 0.1, at: "2026-01-31 12:00:00.250", s: "ünï 𝄞", j: '{"a": [1]}' });
      assert.deepEqual((await client.query("SELECT ? AS a, ? AS b", [null, true])).rows, [{ a: null, b: 1 }]);
      const big = open(way, { integers: "bigint" });
      assert.deepEqual((await big.query("SELECT id FROM item WHERE id = 1")).rows, [{ id: 1n }]);
      big.close();
      await assert.rejects(client.query("SELECT ?", [undefined as never]), /parameter 1 .* write null/);
    });

    test("writes tell what they have done", async () => {
      const w = await client.execute("INSERT INTO item(name, price) VALUES(?, ?)", ["nib", 0.25]);
      assert.equal(w.rowsAffected, 1);
      assert.ok(Number(w.lastInsertId) > 2);
      assert.deepEqual(await client.execute("UPDATE item SET price = price + 1 WHERE id < 3"), { rowsAffected: 2 });
    });

    test("a batch is done as a whole or not at all", async () => {
      const [deleted, left] = await client.batch([{ sql: "DELETE FROM item WHERE id = ?", params: [1] }, "SELECT COUNT(*) AS n FROM item"]);
      assert.equal(deleted!.rowsAffected, 1);
      assert.deepEqual(left!.rows, [{ n: 1 }]);
      await assert.rejects(client.batch(["DELETE FROM item", "SELECT nothing FROM item"]), (e: VitessdoError) => e.statement === 1 && e.errno === 1054);
      assert.deepEqual((await client.query("SELECT COUNT(*) AS n FROM item")).rows, [{ n: 1 }]);
    });

    test("errors say what is wrong and where", async () => {
      await assert.rejects(client.execute("INSERT INTO item(name) VALUES('pen')"), (e: VitessdoError) => {
        assert.ok(e instanceof VitessdoError);
        assert.deepEqual([e.code, e.errno, e.sqlState, e.table, e.columns, e.retryable, e.outcomeUnknown], ["UNIQUE_VIOLATION", 1062, "23000", "item", ["name"], false, false]);
        return true;
      });
      await assert.rejects(client.query("SELECT 1 +"), (e: VitessdoError) => e.code === "SYNTAX_ERROR" && e.line === 1);
    });

    test("transactions commit, and roll back when their work throws", async () => {
      const n = await client.transaction(async tx => {
        await tx.execute("DELETE FROM item WHERE id = 1");
        assert.deepEqual((await client.query("SELECT COUNT(*) AS n FROM item")).rows, [{ n: 2 }]);
        return (await tx.query<{ n: number }>("SELECT COUNT(*) AS n FROM item")).rows[0]!.n;
      });
      assert.equal(n, 1);
      await assert.rejects(client.transaction(async tx => {
        await tx.execute("DELETE FROM item");
        throw new Error("no");
      }), /^Error: no$/);
      assert.deepEqual((await client.query("SELECT COUNT(*) AS n FROM item")).rows, [{ n: 1 }]);
      await assert.rejects(client.transaction(tx => tx.execute("DELETE FROM item"), { readOnly: true }), (e: VitessdoError) => e.code === "READ_ONLY");
    });

    test("a transaction of which nothing was done is run again", async () => {
      let runs = 0;
      await client.transaction(async tx => {
        await tx.execute("DELETE FROM item WHERE id = 1");
        if (++runs < 3) throw new VitessdoError("as if another one had been first", { code: "CONFLICT", retryable: true });
      });
      assert.equal(runs, 3);
      await assert.rejects(client.transaction(async () => {
        runs++;
        throw new VitessdoError("always", { code: "DEADLOCK", retryable: true });
      }, { attempts: 2, delay: 1 }), /always/);
      assert.equal(runs, 5);
    });

    test("rows stream, and a result that is left is closed", async () => {
      let sum = 0;
      for await (const row of client.stream<{ i: number }>(thousands(5000))) sum += row.i;
      assert.equal(sum, 12502500);
      assert.equal((await client.query(thousands(3000))).rows.length, 3000);
      for (const last of [1, 1500]) {
        for await (const row of client.stream<{ i: number }>(thousands(1_000_000))) if (row.i === last) break;
      }
      assert.equal((await client.status()).version.includes("vitessdo"), true);
    });

    test("a statement that is interrupted tells so", async () => {
      await assert.rejects(client.query("SELECT SLEEP(30)", [], { timeout: 20 }), (e: VitessdoError) => e.code === "CANCELED");
      const abort = new AbortController();
      const running = client.query("SELECT SLEEP(30)", [], { signal: abort.signal });
      setTimeout(() => abort.abort(), 50);
      await assert.rejects(running, (e: VitessdoError) => e.code === "CANCELED");
    });

    test("the gate tells of itself", async () => {
      await client.health();
      assert.deepEqual((await client.status()).shards, [{ keyspace: "shop", shard: "-80" }, { keyspace: "shop", shard: "80-" }]);
      assert.ok(Object.keys(await client.vschema()).includes("keyspaces"));
      const item = (await client.schema()).find(t => t.name === "item")!;
      assert.deepEqual(item.columns[0], { name: "id", type: "bigint", nullable: false, key: "PRI", extra: "auto_increment" });
    });

    test("keyspaces and shards can be chosen", async () => {
      assert.deepEqual((await client.query("SELECT COUNT(*) AS n FROM item", [], { keyspace: "shop/80-" })).rows, [{ n: 0 }]);
      const other = open(way, { keyspace: "nowhere" });
      await assert.rejects(other.query("SELECT 1"), (e: VitessdoError) => e.code === "UNKNOWN_DATABASE");
      other.close();
    });

    test("a client chooses the dialect of its statements", async () => {
      const lite = open(way, { dialect: "sqlite" });
      const quotient = async (c: { query: Client["query"] }) => (await c.query("SELECT 7 / 2 AS q")).rows[0]!["q"];
      assert.equal(await quotient(lite), 3);
      assert.equal(await lite.transaction(tx => quotient(tx), { isolation: "SERIALIZABLE" }), 3);
      assert.equal(Number(await quotient(client)), 3.5);
      lite.close();
      const other = open(way, { dialect: "postgres" });
      await assert.rejects(other.query("SELECT 1"), /"postgres" is not part of this program, which knows mysql, sqlite: .* vitessdo-gate serves it/);
      other.close();
    });

    test("nobody comes in without a token, and a reader only reads", async () => {
      const none = open(way, { token: "wrong-wrong-wrong-wrong", retry: { attempts: 1 } });
      await assert.rejects(none.query("SELECT 1"), (e: VitessdoError) => ["REFUSED", "CONNECTION_LOST"].includes(e.code));
      none.close();
      const r = open(way, { token: reader });
      assert.equal((await r.query("SELECT * FROM item")).rows.length, 2);
      await assert.rejects(r.execute("DELETE FROM item"), (e: VitessdoError) => e.errno === 1290);
      r.close();
    });
  });
}

/** Loses the answers that the list says; what was asked is done. */
function flaky(answers: ("lost" | "pass")[], client: { settings?: unknown }): { sent: number } {
  const settings = (client as { settings: { connection: { send(m: unknown): Promise<unknown> } } }).settings;
  const { send } = settings.connection;
  const count = { sent: 0 };
  settings.connection.send = async m => {
    count.sent++;
    const lost = (answers.shift() ?? "pass") === "lost";
    const answer = await send.call(settings.connection, m).catch((e: unknown) => { if (!lost) throw e; });
    if (lost) throw new Error("the connection was broken off");
    return answer;
  };
  return count;
}

for (const way of ["http", "ws"]) {
  test(`what is idle is kept over ${way}, or isn't`, async () => {
    const thinks = () => new Promise(done => setTimeout(done, 5000));
    const run = async (keepAlive: number) => {
      const client = open(way, { endpoint: impatient.replace("http", way), keepAlive, retry: { attempts: 1 } });
      try {
        const inTx = client.transaction(async tx => {
          await tx.query("SELECT COUNT(*) FROM item");
          await thinks();
          return (await tx.query("SELECT COUNT(*) AS n FROM item")).rows[0]!["n"];
        });
        const inStream = (async () => {
          let rows = 0;
          for await (const _ of client.stream(thousands(20_000))) if (++rows === 1) await thinks();
          return rows;
        })();
        return await Promise.allSettled([inTx, inStream]);
      } finally {
        client.close();
      }
    };
    const [kept, lost] = await Promise.all([run(200), run(0)]);
    assert.deepEqual(kept.map(r => r.status === "fulfilled" ? r.value : r.reason), [2, 20_000]);
    assert.equal(lost[0]!.status === "rejected" && (lost[0]!.reason as VitessdoError).code, "TRANSACTION_EXPIRED");
    assert.equal(lost[1]!.status === "rejected" && (lost[1]!.reason as VitessdoError).code, "CLOSED");
  });
}

describe("lost answers", () => {
  test("a read is sent again, with pauses, as often as is allowed", async () => {
    const client = open("http", { retry: { attempts: 3, delay: 1 } });
    const count = flaky(["lost", "lost"], client as never);
    assert.equal((await client.query("SELECT 1 AS one")).rows[0]!["one"], 1);
    assert.equal(count.sent, 3);
    flaky(["lost", "lost", "lost"], client as never);
    await assert.rejects(client.query("SELECT 1"), (e: VitessdoError) => e.code === "CONNECTION_LOST");
  });

  test("a write is never sent again", async () => {
    for (const write of [
      (c: Client) => c.execute("DELETE FROM item"),
      (c: Client) => c.batch(["DELETE FROM item"]),
      (c: Client) => c.query("DELETE FROM item RETURNING id"),
      (c: Client) => c.query("SELECT NEXT VALUE FOR s"),
      (c: Client) => c.query("SELECT 1", [], { retry: false }),
    ]) {
      const client = open("http");
      const count = flaky(["lost"], client as never);
      await assert.rejects(write(client), (e: VitessdoError) => e.outcomeUnknown);
      assert.equal(count.sent, 1);
    }
  });

  test("a commit whose answer is lost is neither sent nor run again", async () => {
    const client = open("http");
    const count = flaky(["pass", "pass", "lost"], client as never);
    let runs = 0;
    await assert.rejects(client.transaction(async tx => {
      runs++;
      await tx.execute("UPDATE item SET price = 9");
    }), (e: VitessdoError) => e.outcomeUnknown);
    assert.deepEqual([count.sent, runs], [3, 1]);
  });
});

test("what surely only reads", () => {
  for (const sql of ["SELECT 1", " select * from t where a = 'UPDATE; INTO'", "(SELECT 1) UNION (SELECT 2)", "SHOW TABLES", "/* INTO */ SELECT `into` FROM t", "WITH a AS (SELECT 1) SELECT * FROM a", "SELECT 1;"]) {
    assert.equal(onlyReads(sql), true, sql);
  }
  assert.equal(onlyReads("SELECT $1 -- a's", "postgres"), true);
  assert.equal(onlyReads(String.raw`SELECT '\' INTO t2 FROM t WHERE a = 'x'`, "postgres"), false);
  for (const sql of ["INSERT INTO t VALUES(1)", "SELECT 1 FOR UPDATE", "SELECT a INTO @a FROM t", "SELECT NEXT VALUE FOR s", "SELECT @a := 1", "WITH a AS (SELECT 1) DELETE FROM t", "SELECT 1; DELETE FROM t", "SELECT GET_LOCK('a', 1)", "EXPLAIN ANALYZE SELECT 1", "CALL p()", ""]) {
    assert.equal(onlyReads(sql), false, sql);
  }
});

test("options that are wrong", () => {
  assert.throws(() => createClient({ endpoint: "mysql://localhost" }), /http, https, ws or wss/);
  assert.throws(() => createClient({ endpoint: "ws://localhost", token: "a/b", WebSocket: WebSocket as never }), /subprotocol/);
});
