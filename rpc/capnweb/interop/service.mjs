// The objects that both roles serve: the Go side has the same.
import { RpcPromise, RpcTarget } from "capnweb";

export const stats = { released: 0, cancelled: 0, pulled: 0 };

export class Counter extends RpcTarget {
  #n = 0;
  add(by) { return (this.#n += by); }
  get n() { return this.#n; }
  [Symbol.dispose]() { stats.released++; }
}

export class Service extends RpcTarget {
  #session;
  session(s) { this.#session = s; }
  echo(v) { return v; }
  counter() { return new Counter(); }
  fail() {
    throw Object.assign(new RangeError("too much"), { code: "TOO_BIG", limit: 7 });
  }
  async twice(f) { return await f(await f(1)); }
  // keep holds a callback beyond the call, drop gives it up.
  keep(f) { this.kept = f.dup(); }
  async use(v) { return await this.kept(v); }
  drop() { this.kept[Symbol.dispose](); }
  numbers(n) {
    let i = 0;
    return new ReadableStream({
      pull(c) { if (i < n) { stats.pulled++; c.enqueue(++i); } else c.close(); },
      cancel() { stats.cancelled++; },
    }, { highWaterMark: 0 });
  }
  async sum(stream) {
    let sum = 0;
    for await (const n of stream) sum += n;
    return sum;
  }
  async fill(writable, n) {
    const w = writable.getWriter();
    for (let i = 1; i <= n; i++) await w.write(i);
    await w.close();
  }
  broken() {
    let i = 0;
    return new ReadableStream({ pull(c) { if (i++ < 2) c.enqueue(i); else throw new TypeError("broken on purpose"); } });
  }
  async describe(v) {
    if (v instanceof Request) return `request ${v.method} ${v.url} ${v.headers.get("x-a")} ${await v.text()}`;
    if (v instanceof Response) return `response ${v.status} ${v.headers.get("x-a")} ${await v.text()}`;
    if (v instanceof Headers) return `headers ${v.get("x-a")}`;
    if (v instanceof Blob) return `blob ${v.type} ${await v.text()}`;
    if (v instanceof Date) return `date ${v.getTime()}`;
    if (v instanceof URL) return `url ${v.href}`;
    if (v instanceof Error) return `error ${v.constructor.name} ${v.name} ${v.message} ${JSON.stringify(v.code)}`;
    if (ArrayBuffer.isView(v)) return `${Buffer.isBuffer(v) ? "bytes" : v.constructor.name} ${[...v]}`;
    if (v instanceof ArrayBuffer) return `ArrayBuffer ${[...new Uint8Array(v)]}`;
    if (Object.is(v, -0)) return "number -0";
    if (Array.isArray(v)) return `array ${v.length} ${(await Promise.all(v.map(x => this.describe(x)))).join(";")}`;
    if (v !== null && typeof v === "object") return `object ${Object.keys(v).join()}`;
    return `${typeof v} ${v}`;
  }
  make(kind) {
    switch (kind) {
      case "request": return new Request("https://example.com/p?q", { method: "PUT", headers: { "x-a": "1" }, body: "text" });
      case "response": return new Response("text", { status: 404, headers: { "x-a": "2" } });
      case "headers": return new Headers({ "x-a": "3" });
      case "blob": return new Blob(["hello"], { type: "text/css" });
      case "url": return new URL("https://example.com/p?q#f");
      case "floats": return new Float64Array([1.5, -2]);
      case "buffer": return new Uint8Array([1, 2, 3]).buffer;
      case "big": return 2n ** 100n;
      case "long": return 9007199254740993n;
      case "invalid": return new Date(NaN);
      case "error": return Object.assign(new TypeError("m"), { code: 3, cause: new Error("c") });
      case "promise": return [new RpcPromise(Promise.resolve(1)), 2];
      case "nested": return { a: [[1], [[]], { b: undefined }], inf: Infinity, nan: NaN, neg: -Infinity };
    }
  }
  stats() { return { ...stats, ...this.#session?.getStats() }; }
}
