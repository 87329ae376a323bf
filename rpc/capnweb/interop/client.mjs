// Calls a Go server: node client.mjs http://host:port. It fails by exiting
// with an error.
import assert from "node:assert/strict";
import { newHttpBatchRpcSession, newWebSocketRpcSession, RpcStub, RpcTarget } from "capnweb";
import { WebSocket } from "ws";

globalThis.WebSocket = WebSocket;
const url = process.argv[2];
const tests = {};

async function until(f) {
  for (let i = 0; i < 500; i++) {
    if (await f()) return;
    await new Promise(r => setTimeout(r, 10));
  }
  throw new Error(`never became true: ${f}`);
}

// Values come back as they went; JavaScript's own view of each is told too.
const values = [
  [null, "null"], [true, "bool true"], [undefined, "undefined"], [0, "int64 0"], [-5, "int64 -5"], [1.5, "float64 1.5"],
  [2 ** 53 - 1, "int64 9007199254740991"], [1e21, "float64 1e+21"], [Infinity, "float64 +Inf"], [-Infinity, "float64 -Inf"], [NaN, "float64 NaN"],
  ["", "string "], ["ünï \u0000\n\u2028 𝄞 \"\\", "string ünï \u0000\n\u2028 𝄞 \"\\"],
  [123n, "int64 123"], [-(2n ** 63n), "int64 -9223372036854775808"], [2n ** 64n, "*big.Int 18446744073709551616"],
  [new Date(1234567890123), "time.Time 2009-02-13T23:31:30.123Z"],
  [[], "[] 0"], [[[]], "[] 1"], [[1, [2, [3]]], "[] 2"], [{}, "map[]"], [{ a: 1, b: [{}] }, "map[a b]"],
  [new URL("https://example.com/x?y"), "*url.URL https://example.com/x?y"],
  [Buffer.from([0, 1, 255]), "[]uint8 [0 1 255]"], [Buffer.alloc(0), "[]uint8 []"],
  [new Float64Array([1, 2]), "capnweb.TypedBytes Float64Array 16"],
  [new Headers({ "x-a": "1" }), "http.Header 1"],
];

tests.values = async api => {
  for (const [v, told] of values) {
    assert.equal(await api.describe(v), told);
    const back = await api.echo(v);
    if (v instanceof Headers) assert.deepEqual([...back], [...v]);
    else if (v instanceof URL) assert.equal(back.href, v.href);
    else if (typeof v === "bigint" && v >= -(2n ** 53n) && v <= 2n ** 53n) assert.equal(back, Number(v));
    else assert.deepEqual(back, v, told);
  }
  assert.deepEqual(await api.echo(new Uint8Array([1, 2]).buffer), Buffer.from([1, 2]));
  for (const kind of [Int8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, BigInt64Array, BigUint64Array, Float32Array, Float64Array, DataView]) {
    const v = new kind(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]).buffer);
    assert.equal(await api.describe(v), `capnweb.TypedBytes ${kind.name} 8`);
    assert.deepEqual(await api.echo(v), v);
  }
  assert.equal(await api.describe(new Date(NaN)), "time.Time 0001-01-01T00:00:00Z");
};

tests.errors = async api => {
  await assert.rejects(async () => await api.fail(), err => {
    assert.ok(err instanceof RangeError);
    assert.equal(err.message, "too much");
    assert.equal(err.code, "TOO_BIG");
    assert.equal(err.limit, 7);
    return true;
  });
  await assert.rejects(async () => await api.nothing(), /'nothing' is not a function/);
  const back = await api.echo(Object.assign(new TypeError("m"), { code: 3, list: [1, [2]] }));
  assert.ok(back instanceof TypeError);
  assert.deepEqual([back.message, back.code, back.list], ["m", 3, [1, [2]]]);
  const several = await api.echo(new AggregateError([new RangeError("a"), 2], "both", { cause: "c" }));
  assert.ok(several instanceof AggregateError && several.errors[0] instanceof RangeError);
  assert.deepEqual([several.message, several.errors[0].message, several.errors[1], several.cause], ["both", "a", 2, "c"]);
};

tests.pipelining = async api => {
  const c = api.counter();
  assert.equal(await c.add(c.add(3)), 6);
  assert.equal(await c.n, 6);
  assert.equal(await api.echo({ list: ["x", "y"] }).list[1], "y");
  assert.deepEqual(await api.echo([1, 2, 3]).map(n => ({ n, sum: c.add(n) })), [{ n: 1, sum: 7 }, { n: 2, sum: 9 }, { n: 3, sum: 12 }]);
  assert.deepEqual(await api.echo([[1], []]).map(l => l.map(n => [n, c.add(n)])), [[[1, 13]], []]);
};

const sockets = {};

sockets.release = async api => {
  const before = (await api.stats()).released;
  const c = await api.counter();
  const d = c.dup();
  c[Symbol.dispose]();
  assert.equal(await d.add(1), 1);
  assert.equal((await api.stats()).released, before);
  d[Symbol.dispose]();
  await until(async () => (await api.stats()).released === before + 1);
  // Only the main object is left here, and there that and the call that asks.
  await until(async () => { const s = await api.stats(); return s.exports <= 2 && s.imports <= 1; });
};

sockets.callbacks = async api => {
  assert.equal(await api.twice(async n => n + 10), 21);
  let disposed = 0;
  class Target extends RpcTarget {
    hello(s) { return "hello " + s; }
    [Symbol.dispose]() { disposed++; }
  }
  await api.keep(new Target());
  assert.equal(disposed, 0);
  assert.equal(await api.use("x"), "hello x");
  await api.drop();
  await until(() => disposed === 1);
  // A stub that comes home is the object itself.
  const own = new RpcStub(new Target());
  assert.equal(await api.echo(own).hello("me"), "hello me");
  own[Symbol.dispose]();
};

sockets.streams = async api => {
  let sum = 0;
  for await (const n of await api.numbers(1000)) sum += n;
  assert.equal(sum, 500500);
  const list = [1, 2, 3, 4];
  assert.equal(await api.sum(new ReadableStream({ pull(c) { list.length ? c.enqueue(list.shift()) : c.close(); } })), 10);
  let got = [], closed = false;
  await api.fill(new WritableStream({ write(v) { got.push(v); }, close() { closed = true; } }), 100);
  assert.deepEqual([got.length, got[99], closed], [100, 100, true]);
  await assert.rejects(async () => { for await (const _ of await api.broken()); }, /broken on purpose/);
  // Given up in the middle: the source is closed.
  const before = (await api.stats()).closed;
  const r = (await api.numbers(1e9)).getReader();
  await r.read();
  await r.cancel("enough");
  await until(async () => (await api.stats()).closed === before + 1);
};

// The source must not run ahead of a reader who reads nothing by more than the
// window, which the server has set to 1000 bytes.
sockets.pressure = async api => {
  const before = (await api.stats()).made;
  const r = (await api.numbers(1e9)).getReader();
  for (let i = 0; i < 20; i++) await r.read();
  const made = (await api.stats()).made - before;
  assert.ok(made < 80, `the source has made ${made} values for 20`);
  await r.cancel();
};

sockets.fetch = async api => {
  assert.equal(await api.describe(new Request("https://example.com/p", { method: "PUT", headers: { "x-a": "1" }, body: "text" })), "request PUT https://example.com/p 1 text");
  assert.equal(await api.describe(new Response("text", { status: 404, headers: { "x-a": "2" } })), "response 404 2 text");
  assert.equal(await api.describe(new Blob(["hello"], { type: "text/css" })), "blob text/css hello");
  const req = await api.make("request");
  assert.deepEqual([req.method, req.url, req.headers.get("x-a"), await req.text()], ["PUT", "https://example.com/p?q", "1", "text"]);
  const resp = await api.make("response");
  assert.deepEqual([resp.status, resp.headers.get("x-a"), await resp.text()], [404, "2", "text"]);
  const blob = await api.make("blob");
  assert.deepEqual([blob.type, await blob.text()], ["text/css", "hello"]);
};

// A peer that breaks the protocol gets an abort and a close with code 3000.
async function raw(lines) {
  const ws = new WebSocket(url.replace("http", "ws"));
  const got = [];
  ws.on("message", m => got.push(String(m)));
  ws.on("open", () => lines.forEach(l => ws.send(l)));
  const code = await new Promise(r => ws.on("close", r));
  return [code, got];
}

async function aborts() {
  for (const line of ["nonsense", "[]", '["nothing"]', '["push",["pipeline",99,["x"]]]', '["release",0,5]', '["pull",7]', '["push",["what",1]]', '["push",[1]]',
    Buffer.from("binary")]) {
    const [code, got] = await raw([line]);
    assert.equal(code, 3000, line);
    assert.equal(JSON.parse(got.at(-1))[0], "abort", line);
  }
  const response = await fetch(url, { method: "POST", body: "nonsense" });
  assert.equal(response.status, 500);
}

process.on("unhandledRejection", () => {});
for (const [name, test] of Object.entries({ values: tests.values, errors: tests.errors })) {
  // One batch can't be awaited twice, so each call of a test gets its own.
  await test(new Proxy({}, { get: (_, method) => newHttpBatchRpcSession(url)[method] }));
  console.log(`batch ${name}`);
}
{
  const api = newHttpBatchRpcSession(url);
  // Calls whose arguments aren't known yet let others pass: so each has a counter
  // of its own.
  const [a, b, c] = [api.counter(), api.counter(), api.counter()];
  assert.deepEqual(await Promise.all([a.add(a.add(3)), b.n, api.echo([1, 2]).map(n => c.add(n))]), [6, 0, [1, 3]]);
}
for (const [name, test] of Object.entries({ ...tests, ...sockets })) {
  const api = newWebSocketRpcSession(url.replace("http", "ws"));
  await test(api);
  api[Symbol.dispose]();
  console.log(`websocket ${name}`);
}
await aborts();
console.log("aborts");
