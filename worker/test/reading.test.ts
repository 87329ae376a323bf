import { describe, expect, it } from "vitest";
import { Settings } from "../src/env";
import { type Reply, TabletError } from "../src/failure";
import { Readings } from "../src/readings";
import { type Form, type Raw, Reading } from "../src/sql/reading";
import { Streams } from "../src/streams";

/** A query of n rows, whose text in row odd isn't UTF-8; left counts what was left unread. */
function numbers(n: number, odd = 0, text = "x") {
  const left: Iterator<Raw>[] = [];
  const forms: Form[] = [];
  const bytes = (odd: boolean) => Uint8Array.of(odd ? 255 : 120).buffer as ArrayBuffer;
  function* rows(form: Form): Generator<Raw> {
    forms.push(form);
    for (let i = 1; i <= n; i++) yield [i, form === "bytes" ? bytes(i === odd) : i === odd ? "\ufffd" : text, "it"];
  }
  const reading = new Reading(["i", "s"], "plain", rows, (l) => left.push(l));
  return { reading, left, forms };
}

const settings = new Settings({ CHUNK_ROWS: "10" } as never);

describe("a reading", () => {
  it("gives chunks, and knows the last one", () => {
    const { reading, left } = numbers(25);
    const sizes = [];
    for (let end = false; !end; ) {
      const c = reading.next(10, Infinity);
      sizes.push(c.rows.length);
      end = c.end;
    }
    expect(sizes).toEqual([10, 10, 5]);
    reading.close();
    expect(left).toHaveLength(0);
  });
  it("ends a chunk by its bytes", () => {
    expect(numbers(25).reading.next(10, 1).rows).toHaveLength(1);
    expect(numbers(10).reading.next(10, Infinity).end).toBe(true);
    expect(numbers(0).reading.next(10, Infinity)).toEqual({ rows: [], end: true });
  });
  it.each([1, 10, 11, 25])("begins anew, where it was, for odd text in row %i", (odd) => {
    const { reading, forms } = numbers(25, odd);
    const rows = [];
    for (let end = false; !end; ) {
      const c = reading.next(10, Infinity);
      rows.push(...c.rows);
      end = c.end;
    }
    expect(rows.map((r) => r[0])).toEqual(Array.from({ length: 25 }, (_, i) => i + 1));
    expect(rows.map((r) => r[1])).toEqual(Array.from({ length: 25 }, (_, i) => (i + 1 === odd ? { text: Uint8Array.of(255) } : "x")));
    expect(forms).toEqual(["plain", "bytes"]);
  });
  it("refuses too much at once, and leaves it", () => {
    const { reading, left } = numbers(25);
    expect(() => reading.all(100)).toThrow("more than 100 bytes");
    expect(left).toHaveLength(1);
  });
});

describe("streams", () => {
  function over(n: number, text?: string) {
    const readings = new Readings(settings);
    const asked: string[] = [];
    const reply = <T>(what: string, f: () => T): Promise<Reply<T>> => {
      asked.push(what);
      return Promise.resolve().then(() => ({ value: f() }));
    };
    const store = {
      next: (name: string) => reply("next", () => readings.next(name)),
      close: async (name: string) => readings.close(name),
      rest: (room: number) => reply("rest", () => readings.rest(room)),
    };
    const streams = new Streams(store, settings, () => new TabletError("WRITE_CONFLICT", "overtaken"));
    const open = () => streams.opening(() => reply("query", () => ({ rows: readings.open(numbers(n, 0, text).reading) })));
    return { streams, open, asked };
  }
  it("are read from the store", async () => {
    const { streams, open, asked } = over(25);
    const { answer } = await open();
    expect(answer.rows).toHaveLength(10);
    expect(await answer.more?.next()).toMatchObject({ end: false });
    expect(await answer.more?.next()).toMatchObject({ end: true });
    streams.overtake();
    expect(asked).toEqual(["query", "next", "next"]);
  });
  it("are taken over by a write, once", async () => {
    const { streams, open, asked } = over(25);
    const { answer } = await open();
    await streams.overtake();
    await streams.overtake();
    expect(await answer.more?.next()).toMatchObject({ rows: Array.from({ length: 10 }, (_, i) => [11 + i, "x"]), end: false });
    expect((await answer.more?.next())?.end).toBe(true);
    await answer.more?.close();
    await streams.overtake();
    expect(asked).toEqual(["query", "rest"]);
  });
  it("are given up where more is left than has room beside what others hold", async () => {
    const { streams, open } = over(40, "x".repeat(250_000));
    const first = await open();
    await streams.overtake();
    const second = await open();
    await streams.overtake();
    await expect(second.answer.more?.next()).rejects.toThrow("overtaken");
    expect((await first.answer.more?.next())?.rows).toHaveLength(2);
    await first.answer.more?.close();
    const third = await open();
    await streams.overtake();
    expect((await third.answer.more?.next())?.rows).toHaveLength(2);
  });
  it("are closed while they are taken over", async () => {
    const { streams, open, asked } = over(25);
    const { answer } = await open();
    const taking = streams.overtake();
    await answer.more?.close();
    await taking;
    await expect(answer.more?.close()).resolves.toBeUndefined();
    expect(asked).toEqual(["query", "rest"]);
  });
  it("are taken over while they are opened", async () => {
    const { streams, open } = over(25);
    const opening = open();
    void streams.overtake();
    expect((await (await opening).answer.more?.next())?.rows).toHaveLength(10);
  });
  it("need nothing of the store where all rows fit, or when they are closed", async () => {
    const { streams, open, asked } = over(25);
    (await open()).answer.more?.close();
    expect((await over(10).open()).answer.more).toBeUndefined();
    streams.overtake();
    expect(asked).toEqual(["query"]);
  });
});
