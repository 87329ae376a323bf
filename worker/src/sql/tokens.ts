// SQLite's tokens, as far as a statement must be understood to be run here.

export type Kind = "word" | "quoted" | "text" | "number" | "param" | "op";

export interface Token {
  kind: Kind;
  /** The token as it is written; words in upper case. */
  text: string;
  start: number;
  end: number;
  /** How many parentheses it is in. */
  depth: number;
}

// In this order: blanks, comments, strings and blobs, quoted names, parameters, numbers, words, anything else.
const pattern =
  /\s+|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|([xX]?'(?:[^']|'')*')|("(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])|(\?\d*|[:@$][\w$]+)|(0[xX][\da-fA-F]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)|([A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)|([\s\S])/g;

/** Cuts a statement into tokens; blanks and comments are none. */
export function tokens(sql: string): Token[] {
  const out: Token[] = [];
  let depth = 0;
  for (const m of sql.matchAll(pattern)) {
    const kind = kindOf(m);
    if (!kind) continue;
    if (m[0] === ")") depth--;
    out.push({ kind, text: kind === "word" ? m[0].toUpperCase() : m[0], start: m.index, end: m.index + m[0].length, depth });
    if (m[0] === "(") depth++;
  }
  return out;
}

function kindOf(m: RegExpMatchArray): Kind | undefined {
  if (m[1] !== undefined) return "text";
  if (m[2] !== undefined) return "quoted";
  if (m[3] !== undefined) return "param";
  if (m[4] !== undefined) return "number";
  if (m[5] !== undefined) return "word";
  return m[6] === undefined ? undefined : "op";
}

/** The name that a token spells, without its quotes. */
export function nameOf(sql: string, t: Token): string {
  const written = sql.slice(t.start, t.end);
  if (t.kind !== "quoted") return written;
  const q = written[0] as string;
  const inner = written.slice(1, -1);
  return q === "[" ? inner : inner.replaceAll(q + q, q);
}

/** Joins expressions by an operator, so that what comes of it is no deeper than it must be. */
export function balanced(list: string[], operator: string): string {
  if (list.length <= 1) return list[0] ?? "";
  const half = list.length >> 1;
  return `(${balanced(list.slice(0, half), operator)})${operator}(${balanced(list.slice(half), operator)})`;
}

/** Writes a name so that SQLite reads it as one. */
export function quote(name: string): string {
  return '"' + name.replaceAll('"', '""') + '"';
}
