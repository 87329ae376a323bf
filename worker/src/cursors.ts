// Results that didn't fit into their answer. Their rows are in memory already:
// a Durable Object can't leave a statement half read.

import type { Settings } from "./env";
import { TabletError } from "./failure";
import type { Fields } from "./message";
import type { Rows } from "./sql/engine";
import { type Value, sizeOf } from "./value";

interface Cursor {
  rows: Value[][];
  at: number;
  timer: ReturnType<typeof setTimeout>;
}

export class Cursors {
  readonly #settings: Settings;
  readonly #open = new Map<string, Cursor>();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** The fields of an answer with rows: all of them, or the first and a cursor. */
  answer(r: Rows): Fields {
    const c = { rows: r.rows, at: 0 };
    const rows = this.#chunk(c);
    if (c.at === r.rows.length) return { columns: r.columns, rows };
    const cursor = crypto.randomUUID();
    this.#open.set(cursor, { ...c, timer: this.#patience(cursor) });
    return { columns: r.columns, rows, cursor };
  }

  fetch(id: string): Fields {
    const c = this.#open.get(id);
    if (!c) throw new TabletError("CLOSED", "the cursor isn't known: it was read to its end, or nobody has read it for long");
    clearTimeout(c.timer);
    const rows = this.#chunk(c);
    if (c.at === c.rows.length) {
      this.#open.delete(id);
      return { rows, end: true };
    }
    c.timer = this.#patience(id);
    return { rows };
  }

  close(id: string): void {
    clearTimeout(this.#open.get(id)?.timer ?? null);
    this.#open.delete(id);
  }

  #patience(id: string): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.close(id), this.#settings.idle);
  }

  #chunk(c: { rows: Value[][]; at: number }): Value[][] {
    const from = c.at;
    let size = 0;
    while (c.at < c.rows.length && c.at - from < this.#settings.chunkRows && size < this.#settings.chunkBytes) {
      for (const v of c.rows[c.at] ?? []) size += sizeOf(v);
      c.at++;
    }
    return c.rows.slice(from, c.at);
  }
}
