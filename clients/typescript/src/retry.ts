import { VitessdoError } from "./errors.js";

/** How often, and after which pauses, something safe is tried again. */
export interface RetryOptions {
  /** Tries in all, the first included. */
  attempts?: number;
  /** The first pause in milliseconds; each further one is twice as long, up to 2 s. */
  delay?: number;
}

export const defaultRetry = { attempts: 4, delay: 20 } as const;

/** Tries again as long as `again` says that it is safe and may help. */
export async function retrying<T>(options: RetryOptions, again: (e: VitessdoError) => boolean, run: () => Promise<T>): Promise<T> {
  const attempts = options.attempts ?? defaultRetry.attempts;
  for (let attempt = 1; ; attempt++) {
    try {
      return await run();
    } catch (err) {
      if (!(err instanceof VitessdoError) || attempt >= attempts || !again(err)) throw err;
      const pause = Math.min(2000, (options.delay ?? defaultRetry.delay) * 2 ** (attempt - 1));
      await new Promise(done => setTimeout(done, pause * (0.5 + Math.random() / 2)));
    }
  }
}

/** A read that failed so has changed nothing, and may succeed. */
export function mayReadAgain(e: VitessdoError): boolean {
  return e.retryable || e.code === "CONNECTION_LOST" || e.code === "CLOSED";
}

/**
 * Says whether a statement surely only reads. What may write, lock or take a
 * number from a sequence isn't one, and neither is what can't be told.
 */
export function onlyReads(sql: string, dialect = "mysql"): boolean {
  // Where a string ends is another matter in other dialects, so that all words count.
  const text = dialect !== "mysql" ? sql : sql.replace(/\/\*[^]*?\*\/|--[^\n]*|'(?:[^'\\]|''|\\.)*'|"(?:[^"\\]|""|\\.)*"|`[^`]*`/g, " ");
  return /^[\s(]*(SELECT|SHOW|DESC|DESCRIBE|VALUES|TABLE|WITH)\b/i.test(text) && !/\b(INTO|UPDATE|DELETE|INSERT|REPLACE|SHARE|NEXT|GET_LOCK|RELEASE_LOCK|RELEASE_ALL_LOCKS|LAST_INSERT_ID)\b|:=|;\s*\S/i.test(text);
}
