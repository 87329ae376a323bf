// The store's end of results that are read by and by. Before the tablet sends
// anything that writes, it takes the rest of them away: see streams.ts.

import type { Settings } from "./env";
import { TabletError } from "./failure";
import type { Chunk, Reading } from "./sql/reading";
import { maxResultBytes } from "./sql/limits";
import { type Value, sizeOf } from "./value";

/** The first rows of a result, and by which name the others can be had, if there are any. */
export interface Opened {
  columns: string[];
  rows: Value[][];
  more?: string;
}

/** What is left of a result; undefined where that is too much. */
export type Left = Value[][] | undefined;

export class Readings {
  readonly #settings: Settings;
  readonly #open = new Map<string, Reading>();

  constructor(settings: Settings) {
    this.#settings = settings;
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

  /** Reads all to their ends and forgets them. */
  rest(): Map<string, Left> {
    const out = new Map<string, Left>();
    let room = maxResultBytes;
    for (const [name, r] of this.#open) {
      try {
        const rows = r.all(room);
        for (const row of rows) for (const v of row) room -= sizeOf(v);
        out.set(name, rows);
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

/** Fails the reader whose rest a write couldn't wait for. */
export function overtaken(): TabletError {
  return new TabletError("WRITE_CONFLICT", `a write has overtaken the result, of which more than ${maxResultBytes} bytes were left; read it in parts, and retry`);
}
