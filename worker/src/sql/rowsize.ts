// How large a row can be that a statement writes. A Durable Object that is deployed
// takes one of 2 MB, the runtime on one's own machine takes four times that: what is
// larger is refused here, so that both do the same.
//
// What an INSERT has as parameters and literals is counted before it is run. Where a
// row is computed, or changed, the statement counts for itself: it returns, of each
// row, nothing, or fails. That costs some microseconds for each row, where it is done.

import { maxValueBytes } from "./limits";
import { type Token, balanced } from "./tokens";

/** When the rows that a statement writes are to be counted by itself: "large" is with parameters that aren't short. */
export type Count = "never" | "large" | "always";

/** The parameters that are in each row behind VALUES, and whether nothing else is but literals. */
export function rowsOf(list: Token[]): { rows: number[][]; plain: boolean } {
  const rows: number[][] = [];
  let plain = true;
  let at = list.findIndex((t) => t.depth === 0 && t.kind === "word" && t.text === "VALUES") + 1;
  if (at === 0) return { rows, plain: false };
  for (let row: number[] = []; at < list.length; at++) {
    const t = list[at] as Token;
    if (t.depth === 0) {
      if (t.text === "(") row = [];
      else if (t.text === ")") rows.push(row);
      else if (t.text !== ",") break;
      continue;
    }
    const first = t.depth === 1 && isEdge(list[at - 1]);
    const signed = first && (t.text === "+" || t.text === "-") && list[at + 1]?.kind === "number";
    if (!isLiteral(t) && t.text !== "," && !signed) plain = false;
    if (t.kind === "param" && first && isEdge(list[at + 1])) row.push(Number(t.text.slice(1)));
  }
  return { rows, plain };
}

/** Says whether a token is where an item of a row begins or ends. */
function isEdge(t: Token | undefined): boolean {
  return t?.text === "," || t?.text === "(" || t?.text === ")";
}

function isLiteral(t: Token): boolean {
  return t.kind === "param" || t.kind === "number" || t.kind === "text" || (t.kind === "word" && (t.text === "NULL" || t.text === "DEFAULT"));
}

const behindSet = new Set(["WHERE", "FROM", "RETURNING", "ORDER", "LIMIT"]);

/** Says of an UPDATE whether it makes anything longer than its parameters: it may set values, and compute numbers. */
export function setsShort(list: Token[]): boolean {
  const from = list.findIndex((t) => t.depth === 0 && t.kind === "word" && t.text === "SET") + 1;
  if (from === 0) return false;
  const to = list.findIndex((t, i) => i > from && t.depth === 0 && t.kind === "word" && behindSet.has(t.text));
  const items: Token[][] = [[]];
  for (const t of list.slice(from, to < 0 ? undefined : to)) {
    if (t.text === "," && t.depth === 0) items.push([]);
    else items[items.length - 1]?.push(t);
  }
  return items.every((item) => item[1]?.text === "=" && isShort(item.slice(2)));
}

function isShort(value: Token[]): boolean {
  const [first] = value;
  if (!first) return false;
  if (value.length === 1) return isLiteral(first);
  let computes = false;
  for (const [i, t] of value.entries()) {
    const next = value[i + 1]?.text;
    if (t.kind === "op") {
      if (!"+-*/%()".includes(t.text)) return false;
      const before = value[i - 1];
      computes ||= t.depth === first.depth && "+-*/%".includes(t.text) && before !== undefined && (before.kind !== "op" || before.text === ")");
    } else if (t.text === "CASE" || t.text === "SELECT" || next === "(") return false;
  }
  return computes;
}

/** An expression that fails where the sum of the columns is too large, and is an empty text elsewhere. */
export function counted(columns: string[]): string {
  const sum = balanced(columns.map((c) => `ifnull(octet_length(${c}),0)`), "+");
  return `(CASE WHEN ${sum}>${maxValueBytes} THEN zeroblob(2000000000) ELSE '' END)`;
}
