import { expect, test } from "vitest";
import { Lock, type Wish, youngest } from "../src/lock";

const wish = (age: number | bigint, more: Partial<Wish> = {}): Wish => ({ age, holds: false, wait: 60_000, signal: new AbortController().signal, ...more });

test("first come, first served", async () => {
  const lock = new Lock();
  await lock.acquire(wish(youngest));
  const order: number[] = [];
  const all = [1, 2, 3].map((n) => lock.acquire(wish(youngest)).then(() => order.push(n)));
  for (let i = 0; i < 4; i++) {
    lock.release();
    await Promise.resolve();
  }
  await Promise.all(all);
  expect(order).toEqual([1, 2, 3]);
  expect(lock.taken).toBe(false);
});

test("who holds another lock doesn't wait for an older one", async () => {
  const lock = new Lock();
  await lock.acquire(wish(5));
  await expect(lock.acquire(wish(6, { holds: true }))).rejects.toMatchObject({ code: "DEADLOCK" });
  await expect(lock.acquire(wish(5, { holds: true }))).rejects.toMatchObject({ code: "DEADLOCK" });
  const older = lock.acquire(wish(4n, { holds: true }));
  // The one ahead in the queue counts as well.
  await expect(lock.acquire(wish(4.5, { holds: true }))).rejects.toMatchObject({ code: "DEADLOCK" });
  lock.release();
  await older;
});

test("what is shared waits for what isn't, and the other way round", async () => {
  const lock = new Lock();
  const order: string[] = [];
  const take = (name: string, shared: boolean) => lock.acquire(wish(youngest), shared).then(() => order.push(name));
  await take("a", true);
  await take("b", true);
  const all = [take("c", false), take("d", true), take("e", true), take("f", false)];
  for (let i = 0; i < 2; i++) lock.release();
  await Promise.all(all.slice(0, 1));
  expect(order).toEqual(["a", "b", "c"]);
  lock.release();
  await Promise.all(all.slice(1, 3));
  expect(order).toEqual(["a", "b", "c", "d", "e"]);
  for (let i = 0; i < 2; i++) lock.release();
  await Promise.all(all);
  lock.release();
  expect(lock.taken).toBe(false);
});

test("patience ends", async () => {
  const lock = new Lock();
  await lock.acquire(wish(1));
  await expect(lock.acquire(wish(2, { wait: -1 }))).rejects.toMatchObject({ code: "LOCK_NOT_FREE" });
  await expect(lock.acquire(wish(2, { wait: 1 }))).rejects.toMatchObject({ code: "LOCK_WAIT_TIMEOUT" });
  const abort = new AbortController();
  const waits = lock.acquire(wish(2, { signal: abort.signal }));
  abort.abort(new Error("enough"));
  await expect(waits).rejects.toMatchObject({ code: "CANCELED", message: "the statement was interrupted: enough" });
  lock.release();
  expect(lock.taken).toBe(false);
});
