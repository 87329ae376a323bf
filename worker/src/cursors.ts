// Results that didn't fit into their answer, until they are read, closed or
// forgotten.

import type { Settings } from "./env";
import { TabletError } from "./failure";
import type { Fields } from "./message";
import type { Answer, Stream } from "./streams";
import { type Value, sizeOf } from "./value";

interface Cursor {
  /** Rows that are here already. */
  rows: Value[][];
  at: number;
  /** Where the others are. */
  more: Stream | undefined;
  timer: ReturnType<typeof setTimeout>;
}

type Rest = Omit<Cursor, "timer">;

export class Cursors {
  readonly #settings: Settings;
  readonly #open = new Map<string, Cursor>();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** The fields of an answer with rows: all of them, or the first and a cursor. */
  answer(a: Answer): Fields {
    const c: Rest = { rows: a.rows, at: 0, more: a.more };
    const rows = this.#chunk(c);
    if (isOver(c)) return { columns: a.columns, rows };
    const cursor = crypto.randomUUID();
    this.#open.set(cursor, { ...c, timer: this.#patience(cursor) });
    return { columns: a.columns, rows, cursor };
  }

  async fetch(id: string): Promise<Fields> {
    const c = this.#open.get(id);
    if (!c) throw new TabletError("CLOSED", "the cursor isn't known: it was read to its end, or nobody has read it for long");
    clearTimeout(c.timer);
    try {
      if (c.at === c.rows.length && c.more) {
        const { rows, end } = await c.more.next();
        c.rows = rows;
        c.at = 0;
        if (end) c.more = undefined;
      }
    } catch (error) {
      this.#open.delete(id);
      c.more?.close();
      throw error;
    }
    const rows = this.#chunk(c);
    if (isOver(c)) {
      this.#open.delete(id);
      return { rows, end: true };
    }
    if (this.#open.has(id)) c.timer = this.#patience(id); // else it was closed meanwhile
    return { rows };
  }

  close(id: string): void {
    const c = this.#open.get(id);
    if (!c) return;
    clearTimeout(c.timer);
    this.#open.delete(id);
    c.more?.close();
  }

  #patience(id: string): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.close(id), this.#settings.idle);
  }

  #chunk(c: Rest): Value[][] {
    const from = c.at;
    let size = 0;
    while (c.at < c.rows.length && c.at - from < this.#settings.chunkRows && size < this.#settings.chunkBytes) {
      for (const v of c.rows[c.at] ?? []) size += sizeOf(v);
      c.at++;
    }
    return c.rows.slice(from, c.at);
  }
}

function isOver(c: Rest): boolean {
  return c.at === c.rows.length && !c.more;
}
