// Who may do what. The secret TOKENS holds a line for each bearer token:
//
//	TOKEN [read-only] [KEYSPACE ...]
//
// Without keyspaces a token is good for all of them.

import { TabletError } from "./failure";
import { type Request, Type } from "./message";
import { parse } from "./sql/statement";

const reads: ReadonlySet<number> = new Set([
  Type.STATUS, Type.HEALTH, Type.CANCEL, Type.SHARD_QUERY, Type.SHARD_FETCH, Type.SHARD_CLOSE, Type.SHARD_BEGIN, Type.SHARD_COMMIT,
  Type.SHARD_ROLLBACK, Type.SHARD_LOCK, Type.SAVEPOINT, Type.ROLLBACK_TO, Type.RELEASE, Type.SNAPSHOT, Type.NEWEST, Type.LIST_PREPARED,
  Type.LIST_DECISIONS,
]);

/** What a token allows. */
export class Grant {
  readonly #readOnly: boolean;
  readonly #keyspaces: readonly string[];

  constructor(words: string[]) {
    this.#readOnly = words[0] === "read-only";
    this.#keyspaces = this.#readOnly ? words.slice(1) : words;
  }

  /** Refuses a request that the token isn't good for, and marks one that comes of a reader. */
  check(r: Request): void {
    if (this.#keyspaces.length > 0 && !this.#keyspaces.includes(r.target.keyspace))
      throw new TabletError("ACCESS_DENIED", `the token isn't good for keyspace ${r.target.keyspace}`);
    if (!this.#readOnly) return;
    if (!reads.has(r.type) || r.dtid !== "" || (r.type === Type.SHARD_QUERY && !isRead(r.sql)))
      throw new TabletError("READ_ONLY", "the token is for reading only");
    r.reader = true;
  }
}

function isRead(sql: string): boolean {
  const kind = parse(sql).kind;
  return kind === "read" || kind === "info";
}

/** Gives what the token of a request with these headers allows; undefined if it has none that is good. */
export async function grantOf(headers: Headers, tokens: string): Promise<Grant | undefined> {
  const given = /^Bearer +(\S+)$/i.exec(headers.get("Authorization") ?? "")?.[1];
  if (given === undefined) return undefined;
  const digest = await sha256(given);
  let found: Grant | undefined;
  for (const line of tokens.split("\n")) {
    const [token, ...words] = line.trim().split(/\s+/);
    // Of equal length, and compared in constant time: what is compared are digests.
    if (token && crypto.subtle.timingSafeEqual(digest, await sha256(token))) found = new Grant(words);
  }
  return found;
}

function sha256(text: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
}
