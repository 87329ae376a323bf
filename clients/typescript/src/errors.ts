import { Type } from "./messages.js";

/** Why a request has failed. */
export class VitessdoError extends Error {
  override readonly name = "VitessdoError";
  /** Stable: "UNIQUE_VIOLATION", "DEADLOCK", "CONNECTION_LOST", … */
  readonly code: string;
  /** MySQL's number, as 1062; 0 when the gate wasn't reached. */
  readonly errno: number;
  readonly sqlState: string;
  readonly keyspace?: string;
  readonly shard?: string;
  readonly table?: string;
  readonly columns?: string[];
  readonly constraint?: string;
  /** Where in the statement, counted from 1. */
  readonly line?: number;
  readonly column?: number;
  /** Which statement of a batch, counted from 0. */
  readonly statement?: number;
  /** The same transaction, begun anew, may succeed; nothing of it was done. */
  readonly retryable: boolean;

  constructor(message: string, fields: Record<string, unknown>, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = String(fields["code"] ?? "INTERNAL");
    this.errno = Number(fields["errno"] ?? 0);
    this.sqlState = String(fields["sqlState"] ?? "HY000");
    this.retryable = fields["retryable"] === true;
    for (const name of ["keyspace", "shard", "table", "columns", "constraint", "line", "column", "statement"] as const) {
      if (fields[name] !== undefined) Object.defineProperty(this, name, { value: fields[name], enumerable: true });
    }
  }

  /** The statement or commit may have been done, or not: look before trying again. */
  get outcomeUnknown(): boolean {
    return this.code === "OUTCOME_UNKNOWN";
  }
}

/** A request was never sent. */
export class Unsent extends Error {}

/** Makes of what a call failed with what the client fails with. */
export function failure(err: unknown, changes: boolean): VitessdoError {
  if (err instanceof VitessdoError) return err;
  const e = err as { message?: string; type?: number } & Record<string, unknown>;
  if (e !== null && typeof e === "object" && e.type === Type.ERROR) return new VitessdoError(String(e.message), e);
  const text = e instanceof Error ? e.message : String(err);
  if (refused(text)) return new VitessdoError(`the gate refuses: ${text}`, { code: "REFUSED", sqlState: "28000" }, err);
  if (changes && !(err instanceof Unsent)) return new VitessdoError(`nobody knows whether it was done: ${text}`, { code: "OUTCOME_UNKNOWN", sqlState: "08007" }, err);
  return new VitessdoError(`the gate can't be reached: ${text}`, { code: "CONNECTION_LOST", sqlState: "08S01" }, err);
}

/** HTTP's answers that say that nothing was done, and won't be. */
function refused(text: string): boolean {
  return /\b(400|401|403|404|405|413)\b/.test(text) && /HTTP|RPC|response|server/i.test(text);
}
