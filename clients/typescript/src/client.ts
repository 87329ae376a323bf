import type { Connection } from "./connection.js";
import { failure, VitessdoError } from "./errors.js";
import { type Answer, argument, type Message, type Param, Type, type Value } from "./messages.js";
import { mayReadAgain, onlyReads, type RetryOptions, retrying } from "./retry.js";
import { Wanted } from "./wanted.js";

export interface Row {
  [column: string]: Value;
}

/** What a statement has given. */
export interface Result<T = Row> {
  columns: string[];
  /** MySQL's types of the columns in every dialect, as "BIGINT UNSIGNED"; "" when not known. */
  types: string[];
  rows: T[];
  rowsAffected: number;
  /** The first AUTO_INCREMENT value that an INSERT has made. */
  lastInsertId?: number | bigint;
}

export interface Written {
  rowsAffected: number;
  lastInsertId?: number | bigint;
}

export interface StatementOptions {
  /** The database; "main/-80" is one of its shards. */
  keyspace?: string;
  /** Milliseconds after which the statement is interrupted. */
  timeout?: number;
  /** Interrupts the statement; its outcome is waited for. */
  signal?: AbortSignal;
  /**
   * For `query`: whether it may be sent again when its answer is lost. By default
   * that is so for a statement that can be seen to only read.
   */
  retry?: boolean;
}

export interface TransactionOptions extends RetryOptions {
  keyspace?: string;
  readOnly?: boolean;
  isolation?: "READ-COMMITTED" | "REPEATABLE-READ" | "SNAPSHOT" | "SERIALIZABLE";
}

export interface Statement {
  sql: string;
  params?: Param[];
}

export interface Status {
  version: string;
  keyspace: string;
  shards: { keyspace: string; shard: string }[];
  readOnly: boolean;
  sessions: number;
  transactions: number;
  running: number;
}

export interface Table {
  name: string;
  kind: "table" | "view";
  columns: { name: string; type: string; nullable: boolean; key?: string; default?: string; extra?: string }[];
}

/** How a client's statements are sent and its values read. */
export interface Settings {
  connection: Connection;
  keyspace?: string;
  dialect?: string;
  timeout?: number;
  integers: "auto" | "bigint";
  retry: RetryOptions;
  keepAlive: number;
}

/** A request whose answer doesn't come for so long beyond its time is given up. */
const grace = 5000;

/** Runs statements: of a client, each alone, or of one transaction. */
export class Runner {
  /** @internal */ protected readonly settings: Settings;
  readonly #txId: string | undefined;
  readonly #wanted: Wanted | undefined;

  /** @internal */
  constructor(settings: Settings, txId?: string, wanted?: Wanted) {
    this.settings = settings;
    this.#txId = txId;
    this.#wanted = wanted;
  }

  /** Runs a query and gives all of its rows. */
  async query<T = Row>(sql: string, params: Param[] = [], options: StatementOptions = {}): Promise<Result<T>> {
    const again = this.#txId === undefined && (options.retry ?? onlyReads(sql, this.settings.dialect));
    return await retrying(again ? this.settings.retry : { attempts: 1 }, mayReadAgain, async () => {
      const answer = await this.#send(this.#statement(Type.QUERY, sql, params, options), !again, options);
      const result = this.#result<T>(answer, []);
      for await (const chunk of this.#chunks(answer, options)) this.#add(result, chunk);
      return result;
    });
  }

  /** Runs a query and gives its rows one after the other, at the reader's pace. */
  async *stream<T = Row>(sql: string, params: Param[] = [], options: StatementOptions = {}): AsyncGenerator<T, void, void> {
    const message = this.#statement(Type.QUERY, sql, params, options);
    if (this.settings.connection.streams) message["stream"] = true;
    const answer = await this.#send(message, !onlyReads(sql, this.settings.dialect), options);
    const result = this.#result<T>(answer, []);
    for await (const chunk of this.#chunks(answer, options)) {
      result.rows = [];
      this.#add(result, chunk);
      yield* result.rows;
    }
  }

  /** Runs a statement for what it does. It is never sent twice. */
  async execute(sql: string, params: Param[] = [], options: StatementOptions = {}): Promise<Written> {
    const answer = await this.#send(this.#statement(Type.EXECUTE, sql, params, options), true, options);
    return written(answer);
  }

  /** Runs several statements, all or none of them. It is never sent twice. */
  async batch(statements: (Statement | string)[], options: StatementOptions = {}): Promise<Result[]> {
    const message = this.#message(Type.BATCH, options);
    message["statements"] = statements.map(s => typeof s === "string" ? { sql: s } : { sql: s.sql, params: (s.params ?? []).map(argument) });
    const answer = await this.#send(message, true, options);
    return (answer.results ?? []).map(r => this.#result(r, r.rows ?? []));
  }

  #message(type: number, options: StatementOptions): Message {
    const message: Message = { type };
    const [keyspace, shard] = (options.keyspace ?? (this.#txId === undefined ? this.settings.keyspace : undefined) ?? "").split("/");
    if (keyspace) message["keyspace"] = keyspace;
    if (shard) message["shard"] = shard;
    if (this.#txId !== undefined) message["txId"] = this.#txId;
    if (this.settings.dialect !== undefined) message["dialect"] = this.settings.dialect;
    const timeout = options.timeout ?? this.settings.timeout;
    if (timeout !== undefined && timeout > 0) message["timeout"] = Math.ceil(timeout);
    return message;
  }

  #statement(type: number, sql: string, params: Param[], options: StatementOptions): Message {
    const message = this.#message(type, options);
    message["sql"] = sql;
    if (params.length > 0) message["params"] = params.map(argument);
    return message;
  }

  /** @internal Sends a message that isn't a statement. */
  protected async ask(type: number, fields: Record<string, unknown>, changes: boolean): Promise<Answer> {
    return await this.#send({ ...this.#message(type, {}), ...fields }, changes, {});
  }

  async #send(message: Message, changes: boolean, options: StatementOptions): Promise<Answer> {
    const request = () => this.#request(message, changes, options);
    return await (this.#wanted === undefined ? request() : this.#wanted.during(request));
  }

  async #request(message: Message, changes: boolean, options: StatementOptions): Promise<Answer> {
    options.signal?.throwIfAborted();
    const id = newId();
    const { connection } = this.settings;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const cancel = () => void connection.send({ type: Type.CANCEL, id: newId(), ref: id }).catch(() => {});
    options.signal?.addEventListener("abort", cancel, { once: true });
    try {
      const answer = connection.send({ ...message, id, timestamp: Date.now() });
      answer.catch(() => {}); // also when nobody waits for it any more
      const timeout = message["timeout"];
      if (typeof timeout !== "number") return await answer;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`there was no answer within ${timeout + grace} ms`)), timeout + grace);
      });
      return await Promise.race([answer, late]);
    } catch (err) {
      throw failure(err, changes);
    } finally {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", cancel);
    }
  }

  #result<T>(answer: Answer, rows: Value[][]): Result<T> {
    const result: Result<T> = { columns: answer.columns ?? [], types: answer.types ?? [], rows: [], ...written(answer) };
    this.#add(result, rows);
    return result;
  }

  #add<T>(result: Result<T>, rows: Value[][]): void {
    const { columns, types } = result;
    for (const values of rows) {
      const row: Row = {};
      columns.forEach((name, i) => {
        let v = values[i] ?? null;
        if (this.settings.integers === "bigint" && typeof v === "number" && /^BIGINT/.test(types[i] ?? "")) v = BigInt(v);
        row[name] = v;
      });
      result.rows.push(row as T);
    }
  }

  /** An answer's rows, and the chunks behind it. A result that is left in the middle is closed. */
  async *#chunks(answer: Answer, options: StatementOptions): AsyncGenerator<Value[][], void, void> {
    const { cursor, more, rows } = answer;
    if (cursor === undefined) return yield rows ?? [];
    let open = true;
    const named = { ...this.#message(Type.HEALTH, options), cursor };
    const wanted = new Wanted(this.settings.keepAlive, () => this.#request(named, false, {}));
    try {
      yield rows ?? [];
      if (more !== undefined) {
        const reader = more.getReader();
        for (;;) {
          const { done, value } = await wanted.during(() => reader.read());
          if (done) break;
          yield value;
        }
        open = false;
        return;
      }
      while (open) {
        const next = await wanted.during(() => this.#send({ ...named, type: Type.FETCH }, false, options));
        if (next.end === true) open = false;
        yield next.rows ?? [];
      }
    } catch (err) {
      throw failure(err, false);
    } finally {
      wanted.end();
      if (open) await this.settings.connection.send({ type: Type.CLOSE, id: newId(), cursor }).catch(() => {});
      (answer as Partial<Disposable>)[Symbol.dispose]?.();
    }
  }
}

function written(answer: Answer): Written {
  const w: Written = { rowsAffected: Number(answer.rowsAffected ?? 0) };
  if (answer.lastInsertId !== undefined) w.lastInsertId = answer.lastInsertId;
  return w;
}

const prefix = Array.from(crypto.getRandomValues(new Uint8Array(8)), b => b.toString(16).padStart(2, "0")).join("");
let last = 0;
const newId = () => `${prefix}-${(++last).toString(36)}`;

/** A transaction, as `transaction` gives it to its work. */
export class Transaction extends Runner {}

/** A client of one gate. */
export class Client extends Runner {
  /**
   * Runs work in a transaction and commits it. When the work throws, the transaction
   * is rolled back; when the gate says that the same transaction, begun anew, may
   * succeed, nothing of it was done, and the work is run again: it must not have
   * effects beside those of the transaction.
   */
  async transaction<T>(work: (tx: Transaction) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    return await retrying({ ...this.settings.retry, ...options }, e => e.retryable, async () => {
      const fields: Record<string, unknown> = {};
      if (options.keyspace !== undefined) fields["keyspace"] = options.keyspace;
      if (options.isolation !== undefined) fields["isolation"] = options.isolation;
      if (options.readOnly) fields["begin"] = { readOnly: true };
      const txId = String((await this.ask(Type.BEGIN, fields, false)).txId);
      const wanted = new Wanted(this.settings.keepAlive, () => this.ask(Type.HEALTH, { txId }, false));
      let value: T;
      try {
        value = await work(new Transaction(this.settings, txId, wanted));
      } catch (err) {
        await this.ask(Type.ROLLBACK, { txId }, false).catch(() => {}); // it ends by itself then
        throw err;
      } finally {
        wanted.end();
      }
      await this.ask(Type.COMMIT, { txId }, true);
      return value;
    });
  }

  async #read<T>(type: number, field?: string): Promise<T> {
    return await retrying(this.settings.retry, mayReadAgain, async () => {
      const answer = await this.ask(type, {}, false);
      return (field === undefined ? answer : answer[field]) as T;
    });
  }

  /** Who serves, and how much is going on. */
  async status(): Promise<Status> {
    return await this.#read<Status>(Type.STATUS);
  }

  /** Fails unless every shard can be read. */
  async health(): Promise<void> {
    await this.#read(Type.HEALTH);
  }

  /** The tables and views of the keyspace. */
  async schema(): Promise<Table[]> {
    return await this.#read<Table[]>(Type.SCHEMA, "tables");
  }

  /** How tables are sharded, as Vitess's JSON has it. */
  async vschema(): Promise<Record<string, unknown>> {
    return await this.#read<Record<string, unknown>>(Type.VSCHEMA, "vschema");
  }

  /** Ends the connection. Transactions that are open over a WebSocket are rolled back. */
  close(): void {
    this.settings.connection.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

export { VitessdoError };
