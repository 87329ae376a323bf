// The store's end of results that are read by and by. Before the tablet sends
// anything that writes, it takes the rest of them away: see streams.ts.

import type { Settings } from "./env";
import { TabletError } from "./failure";
import type { Query } from "./message";
import type { Engine } from "./sql/engine";
import { type Chunk, Reading } from "./sql/reading";
import { type Value, rowSize } from "./value";

/** The first rows of a result, and by which name the others can be had, if there are any. */
export interface Opened {
  columns: string[];
  rows: Value[][];
  more?: string;
}

/** What is left of a result, and about how many bytes that takes; undefined where it is too much. */
export type Left = { rows: Value[][]; bytes: number } | undefined;

export class Readings {
  readonly #settings: Settings;
  readonly #open = new Map<string, Reading>();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** Runs a statement that returns rows, and gives the first of them. */
  query(engine: Engine, q: Query): Opened {
    const r = engine.open(q);
    return r instanceof Reading ? this.open(r) : r;
  }

  /** Gives the beginning of a reading, and keeps it if there is more. */
  open(r: Reading): Opened {
    const { rows, end } = this.#chunk(r);
    if (end) return { columns: r.columns, rows };
    const more = crypto.randomUUID();
    this.#open.set(more, r);
    return { columns: r.columns, rows, more };
  }

  next(name: string): Chunk {
    const r = this.#open.get(name);
    if (!r) throw new TabletError("CLOSED", "the rest of the result is lost: the shard was started anew");
    const chunk = this.#chunk(r);
    if (chunk.end) this.#open.delete(name);
    return chunk;
  }

  close(name: string): void {
    this.#open.get(name)?.close();
    this.#open.delete(name);
  }

  /** Reads all to their ends and forgets them. What is left of them may take so many bytes. */
  rest(room: number): Map<string, Left> {
    const out = new Map<string, Left>();
    for (const [name, r] of this.#open) {
      try {
        const rows = r.all(room);
        const bytes = rows.reduce((sum, row) => sum + rowSize(row), 0);
        room -= bytes;
        out.set(name, { rows, bytes });
      } catch {
        out.set(name, undefined);
      }
    }
    this.#open.clear();
    return out;
  }

  closeAll(): void {
    for (const r of this.#open.values()) r.close();
    this.#open.clear();
  }

  #chunk(r: Reading): Chunk {
    return r.next(this.#settings.chunkRows, this.#settings.chunkBytes);
  }
}
