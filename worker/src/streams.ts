// The tablet's end of results that are read by and by from the store. A write may
// come before a result is read: what is left of it is taken over first, so that
// the reader sees one state, keeps nobody from writing, and needs the store no more,
// which may be open for a transaction from then on.

import { type Reply, unwrap } from "./failure";
import { type Left, type Opened, overtaken } from "./readings";
import type { Chunk } from "./sql/reading";
import type { VTStore } from "./store";

type Store = Pick<VTStore, "next" | "close" | "rest">;

/** The rows behind the first ones of a result. */
export interface Stream {
  next(): Promise<Chunk>;
  close(): void;
}

/** An answer's rows, and the stream of those that didn't fit. */
export interface Answer {
  columns: string[];
  rows: Opened["rows"];
  more?: Stream | undefined;
}

export class Streams {
  readonly #store: Store;
  /** How many results the store may have open. */
  #open = 0;
  readonly #left = new Map<string, Left>();
  #taking: Promise<unknown> = Promise.resolve();

  constructor(store: Store) {
    this.#store = store;
  }

  /** Runs a query in the store, by which a result may be opened. */
  async opening<T extends { rows: Opened }>(query: () => Promise<Reply<T>>): Promise<Omit<T, "rows"> & { answer: Answer }> {
    this.#open++;
    let more: string | undefined;
    try {
      const { rows, ...others } = unwrap(await query());
      more = rows.more;
      return { ...others, answer: { columns: rows.columns, rows: rows.rows, more: more === undefined ? undefined : this.#stream(more) } };
    } finally {
      if (more === undefined) this.#open--;
    }
  }

  /** Is called right before anything is sent to the store that writes. */
  overtake(): void {
    if (this.#open === 0) return;
    const rest = this.#store.rest();
    this.#taking = Promise.all([this.#taking, rest]).then(
      ([, r]) => {
        for (const [name, left] of unwrap(r)) this.#left.set(name, left);
      },
      () => undefined, // the store, started anew, doesn't know them
    );
  }

  #stream(name: string): Stream {
    let over = false;
    const end = () => {
      if (!over) this.#open--;
      over = true;
      this.#left.delete(name);
    };
    return {
      next: async () => {
        await this.#taking;
        if (this.#left.has(name)) {
          const left = this.#left.get(name);
          end();
          if (!left) throw overtaken();
          return { rows: left, end: true };
        }
        const chunk = unwrap(await this.#store.next(name));
        if (chunk.end) end();
        return chunk;
      },
      close: () => {
        if (over) return;
        end();
        void this.#store.close(name).catch(() => undefined);
      },
    };
  }
}
