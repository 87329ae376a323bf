// The tablet's end of a transaction that is open in the store: the store asks for
// commands, one after the other, and the tablet has one when its client has.

import { type Reply, TabletError, failureOf, unwrap } from "./failure";
import type { Command, Done, Next } from "./store";

export class Link {
  #give: ((c: Command) => void) | undefined;
  #answer: PromiseWithResolvers<Reply<Done>> = Promise.withResolvers();
  readonly #over: Promise<Reply<boolean>>;
  #ended = false;

  /** Opens a transaction; open gives the call of the store that lasts as long. */
  constructor(open: (next: Next) => Promise<Reply<boolean>>) {
    const next: Next = (answer) => {
      const command = new Promise<Command>((give) => (this.#give = give));
      this.#answer.resolve(answer);
      return command;
    };
    this.#over = open(next).catch((error: unknown) => ({ failure: lost(error) }));
    void this.#over.then((r) => {
      this.#ended = true;
      this.#answer.resolve(r.failure ? { failure: r.failure } : { failure: expired.failure });
    });
  }

  /** Waits until the store has opened the transaction. */
  async opened(): Promise<void> {
    unwrap(await this.#answer.promise);
  }

  /** Lets the store carry out a command. */
  async run(c: Command): Promise<Done> {
    if (this.#ended) throw expired;
    const answer = this.#send(c);
    return unwrap(await answer);
  }

  /** Commits. A failure leaves the transaction open, unless the store is lost. */
  async commit(c: Omit<Extract<Command, { op: "commit" }>, "op">): Promise<void> {
    if (this.#ended) throw expired;
    const refused = this.#send({ op: "commit", ...c });
    if (unwrap<unknown>(await Promise.race([this.#over, refused])) !== true) throw expired;
  }

  async rollback(): Promise<void> {
    if (!this.#ended) {
      void this.#send({ op: "rollback" });
      await this.#over;
    }
  }

  #send(c: Command): Promise<Reply<Done>> {
    this.#answer = Promise.withResolvers();
    const give = this.#give;
    this.#give = undefined;
    give?.(c);
    return this.#answer.promise;
  }
}

const expired = new TabletError("TRANSACTION_EXPIRED", "the transaction isn't known: it has ended, or the tablet has ended it");

function lost(error: unknown) {
  return { ...failureOf(error), code: "IO_ERROR" as const };
}
