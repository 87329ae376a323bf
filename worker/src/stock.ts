// Rows that are here already, and are given out a chunk at a time.

import type { Settings } from "./env";
import { type Value, rowSize } from "./value";

export class Stock {
  readonly #rows: Value[][];
  #at = 0;

  constructor(rows: Value[][]) {
    this.#rows = rows;
  }

  get empty(): boolean {
    return this.#at === this.#rows.length;
  }

  /** Gives the next rows: as many as may travel together. */
  take(s: Settings): Value[][] {
    const from = this.#at;
    for (let size = 0; !this.empty && this.#at - from < s.chunkRows && size < s.chunkBytes; this.#at++) size += rowSize(this.#rows[this.#at] ?? []);
    return this.#rows.slice(from, this.#at);
  }
}
