import { expect, test } from "vitest";
import { Keeper } from "../src/keeper";

const a = { keyspace: "ks", shard: "a" };
const b = { keyspace: "ks", shard: "b" };

test("a decision is told when it is durable, and forgotten when all have committed", () => {
  const k = new Keeper([]);
  k.record("d", [a, b]);
  expect(k.ask("d", true)).toBe("undecided");
  expect(k.untold()).toEqual([]);
  k.recorded("d");
  expect(k.ask("d", false)).toBe("commits");
  expect(k.admit("d")).toBe("decided");
  expect(k.untold().map((u) => u.to)).toEqual([a, b]);
  expect(k.confirm("d", a)).toBe(false);
  expect(k.confirm("d", a)).toBe(false);
  expect(k.untold().map((u) => u.to)).toEqual([b]);
  expect(k.confirm("d", b)).toBe(true);
  expect(k.pending).toBe(false);
});

test("who was told that it aborts is not contradicted", () => {
  const k = new Keeper([]);
  expect(k.ask("d", true)).toBe("aborts");
  expect(k.admit("d")).toBe("dead");
  k.unlocked();
  expect(k.admit("d")).toBe("open");
  expect(k.ask("e", false)).toBe("aborts");
  expect(k.admit("e")).toBe("open");
});

test("decisions that were found are told", () => {
  const k = new Keeper([{ dtid: "d", participants: [a], since: 1 }]);
  expect(k.ask("d", false)).toBe("commits");
  expect(k.forget("d")).toBe(true);
  expect(k.forget("d")).toBe(false);
});
