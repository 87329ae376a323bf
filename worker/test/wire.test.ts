import { deserialize, serialize } from "capnweb";
import { describe, expect, test } from "vitest";
import { grantOf } from "../src/auth";
import { TabletError, failureOf, wireError } from "../src/failure";
import { readRequest, request, Type } from "../src/message";
import { markReals } from "../src/transport";
import { type Value, readValue, realOf } from "../src/value";

test.each([
  ['["a",1,-2,[3]]', '["a",1,-2,[3]]'],
  ["[1.0,-2.50,1e3,1E-7]", '[{"real":1.0},{"real":-2.50},{"real":1e3},{"real":1E-7}]'],
  ['["1.0 \\" 2.5",{"3.5":4.5}]', '["1.0 \\" 2.5",{"3.5":{"real":4.5}}]'],
  ['["bytes","AQ1.5e7"]', '["bytes","AQ1.5e7"]'],
])("reals of %s", (json, want) => expect(markReals(json)).toBe(want));

describe("values", () => {
  const values: Value[] = [null, 1, 1n << 62n, 1.5, realOf(3), "x", new Uint8Array([0, 255]), { text: new Uint8Array([255]) }];
  test("keep their form", () => {
    for (const v of values) expect(serialize(readValue(deserialize(markReals(serialize(v))), "?"))).toEqual(serialize(v));
  });
  test("what is none", () => {
    for (const v of [undefined, {}, [1], { real: "x" }, 1n << 63n]) expect(() => readValue(v, "?")).toThrow(TabletError);
  });
});

test("requests", () => {
  const r = request(Type.SHARD_QUERY, { keyspace: "k", shard: "-80" }, { sql: "SELECT 1" });
  expect(r).toMatchObject({ type: 0x30, target: { keyspace: "k", shard: "-80" }, sql: "SELECT 1", params: [], begin: undefined });
  expect(readRequest({ type: 0x41, begin: { age: 1n << 63n } }).begin?.age).toBe(1n << 63n);
  expect(() => readRequest(null)).toThrow(/must be an object/);
  expect(() => readRequest({ type: "x" })).toThrow('field "type" of a message is a string; it must be a number');
});

test("errors", () => {
  expect(wireError("i", { keyspace: "k", shard: "-" }, failureOf(new TabletError("SCHEMA_CHANGED", "no", { schemaVersion: 7 })))).toMatchObject({
    message: "no", type: 0x81, code: "SCHEMA_CHANGED", id: "i", keyspace: "k", shard: "-", schemaVersion: 7, retryable: true, sqlState: "HY000",
  });
  expect(failureOf("x")).toEqual({ code: "SHARD_ERROR", message: "x" });
});

test("tokens", async () => {
  (crypto.subtle as unknown as { timingSafeEqual: unknown }).timingSafeEqual = (a: ArrayBuffer, b: ArrayBuffer) => String(new Uint8Array(a)) === String(new Uint8Array(b));
  const tokens = "first\n  second read-only\nthird read-only a b\n fourth a\n";
  const grant = (token: string) => grantOf(new Headers({ Authorization: token }), tokens);
  expect(await grant("Bearer wrong")).toBeUndefined();
  expect(await grant("Bearer ")).toBeUndefined();
  expect(await grant("first")).toBeUndefined();
  const write = request(Type.SHARD_EXECUTE, { keyspace: "a", shard: "-" }, { sql: "DELETE FROM t" });
  const read = request(Type.SHARD_QUERY, { keyspace: "b", shard: "-" }, { sql: "WITH x AS (SELECT 1) SELECT * FROM x" });
  const sly = request(Type.SHARD_QUERY, { keyspace: "a", shard: "-" }, { sql: "WITH x AS (SELECT 1) DELETE FROM t RETURNING *" });
  const all = async (token: string) => {
    const g = await grant("Bearer " + token);
    return [write, read, sly].map((r) => {
      try {
        g?.check(r);
        return "";
      } catch (e) {
        return failureOf(e).code;
      }
    });
  };
  expect(await all("first")).toEqual(["", "", ""]);
  expect(await all("second")).toEqual(["READ_ONLY", "", "READ_ONLY"]);
  expect(await all("third")).toEqual(["READ_ONLY", "", "READ_ONLY"]);
  expect(await all("fourth")).toEqual(["", "ACCESS_DENIED", ""]);
});
