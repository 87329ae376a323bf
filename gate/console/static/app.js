import { el, byId, show, grid, note, badge, bar, size, time, number } from "./dom.js";
import { draw } from "./plan.js";

let token = "";
let me = null; // the overview, once signed in
const sections = ["query", "shards", "tables", "statements", "transactions"];

// Failure is an answer that says what is wrong.
class Failure extends Error {
  constructor(status, body) {
    super(body.error ?? "the server has answered with status " + status);
    Object.assign(this, { status, code: body.code, line: body.line, column: body.column });
  }
}

// api asks the server; with a body it posts that.
async function api(name, body) {
  const headers = {};
  if (token !== "") headers.Authorization = "Bearer " + token;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let r;
  try {
    r = await fetch("api/" + name, {
      method: body === undefined ? "GET" : "POST", headers, cache: "no-store", credentials: "omit", redirect: "error",
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Failure(0, { error: "The server can't be reached. Is it still running?" });
  }
  let answer = {};
  try { answer = await r.json(); } catch { /* the status says it */ }
  if (!r.ok) {
    if (r.status === 401) signIn(token === "" ? "" : "This token isn't valid, or not any more.");
    throw new Failure(r.status, answer);
  }
  return answer;
}

function failed(err) {
  const text = err instanceof Failure ? err.message : "The console itself has failed: " + err;
  return el("p", { className: "error", role: "alert" }, text);
}

// signIn shows the form that asks for the token.
function signIn(why) {
  token = "";
  me = null;
  for (const id of [...sections, "nav", "who", "banner"]) byId(id).hidden = true;
  byId("login").hidden = false;
  byId("refused").hidden = why === "";
  byId("refused").textContent = why;
  byId("token").focus();
}

async function start() {
  try {
    me = await api("overview");
  } catch (err) {
    if (err.status === 401) return;
    byId("banner").hidden = false;
    byId("banner").textContent = err.message;
    return;
  }
  byId("banner").hidden = true;
  byId("login").hidden = true;
  byId("nav").hidden = false;
  byId("who").hidden = !me.tokens;
  byId("name").textContent = me.name + (me.readOnly ? ", read-only" : "");
  byId("where").textContent = me.keyspace + ", " + (me.shards.length === 1 ? "1 shard" : me.shards.length + " shards");
  byId("write").disabled = me.readOnly;
  if (me.readOnly) byId("writehint").textContent = "This token may only read.";
  go("query");
  byId("sql").focus();
}

function go(name) {
  for (const s of sections) byId(s).hidden = s !== name;
  for (const b of document.querySelectorAll("nav button")) {
    if (b.dataset.section === name) b.setAttribute("aria-current", "page");
    else b.removeAttribute("aria-current");
  }
  load[name]?.();
}

// fill shows what an answer makes of a section, or what is wrong.
async function fill(ids, name, make) {
  try {
    const answer = await api(name);
    make(answer);
  } catch (err) {
    show(ids[0], failed(err));
    for (const id of ids.slice(1)) show(id);
  }
}

const load = {
  shards: () => fill(["shardlist", "cache"], "overview", (a) => {
    const most = Math.max(...a.shards.map((s) => s.bytes ?? 0));
    const calls = Math.max(...a.shards.map((s) => Number(s.load?.Calls ?? 0)));
    show("shardlist", grid("Shards", [
      { name: "Keyspace" }, { name: "Shard" }, { name: "Size" }, { name: "Questions" }, { name: "Errors", number: true }, { name: "Rows", number: true },
      { name: "Mean", number: true }, { name: "99 %", number: true }, { name: "Longest", number: true },
    ], a.shards.map((s) => [
      s.keyspace, el("code", {}, s.name), s.bytes === null ? "elsewhere" : bar(s.bytes, most, size(s.bytes)),
      ...(s.load
        ? [bar(Number(s.load.Calls), calls, number(s.load.Calls)), number(s.load.Errors), number(s.load.Rows), time(s.load.Mean_us), time(s.load.P99_us), time(s.load.Max_us)]
        : ["none yet", "", "", "", "", ""]),
    ])), a.counted ? [] : note("No statistics are kept: open the database with statement_stats=1000."));
    show("cache", grid("Plan cache", [{ name: "Figure" }, { name: "Value", number: true }],
      a.status.map(([name, value]) => [name.replace("Vitess_plan_cache_", ""), number(value)])));
  }),

  tables: () => fill(["tablelist"], "tables", (a) => {
    const list = a.tables.filter((t) => !t.name.startsWith("_vt"));
    if (list.length === 0) return show("tablelist", note("There are no tables yet."));
    show("tablelist", grid("Tables", [{ name: "Table" }, { name: "Sharded by" }, { name: "Lookups" }, { name: "Rows by shard" }],
      list.map((t) => {
        const v = a.vschema.keyspaces?.[t.ks]?.tables?.[t.name];
        const vindexes = v?.column_vindexes ?? [];
        const counts = el("div");
        const button = el("button", { type: "button", "aria-label": "Count the rows of " + t.name }, "Count");
        button.addEventListener("click", () => count(t, counts, button));
        return [
          el("code", {}, t.ks + "." + t.name), t.kind === "VIEW" ? "a view" : how(v, a.vschema.keyspaces?.[t.ks], vindexes),
          vindexes.slice(1).map((x) => el("div", {}, el("code", {}, spell(x)))), t.kind === "VIEW" ? "" : [button, counts],
        ];
      })));
  }),

  statements: () => fill(["statementlist", "slowlist"], "statements", (a) => {
    show("statementlist", a.statements.length === 0 ? note("None were run yet.") : grid("Statements", [
      { name: "Statement", wide: true }, { name: "Plan" }, { name: "Runs", number: true }, { name: "Errors", number: true }, { name: "Shards", number: true },
      { name: "Asked all", number: true }, { name: "In all", number: true }, { name: "Mean", number: true }, { name: "99 %", number: true },
    ], a.statements.slice(0, 200).map((s) => [
      el("code", {}, s.Statement), s.Plan_type ? badge(s.Plan_type) : "", number(s.Count), number(s.Errors), s.Shards,
      Math.round(100 * Number(s.Scatter_ratio)) + " %", time(s.Total_us), time(s.Mean_us), time(s.P99_us),
    ])));
    show("slowlist", a.slow.length === 0 ? note("None yet.") : grid("Slow statements", [
      { name: "At", fixed: true }, { name: "Took", number: true }, { name: "Statement", wide: true }, { name: "Plan" }, { name: "Shards" }, { name: "Rows", number: true }, { name: "Error" }, { name: "Labels" },
    ], a.slow.slice(0, 50).map((s) => [
      s.Start.slice(0, 19), time(s.Duration_us), el("code", {}, s.Statement), s.Plan_type ? badge(s.Plan_type) : "", el("code", {}, s.Shards.replaceAll(",", " ")),
      number(s.Rows), s.Code, s.Labels,
    ])));
  }),

  transactions: () => fill(["doubtlist"], "transactions", (a) => {
    const list = a.transactions ?? [];
    if (list.length === 0) return show("doubtlist", note("None. Every commit has reached all of its shards."));
    const names = Object.keys(list[0]);
    show("doubtlist", grid("Transactions in doubt", names.map((name) => ({ name })), list.map((t) => names.map((n) => t[n]))));
  }),
};

const spell = (v) => v.name + "(" + (v.columns ?? [v.column]).join(", ") + ")";

// how tells how a table is sharded.
function how(table, keyspace, vindexes) {
  if (table?.type === "reference") return "a copy on every shard";
  if (table?.type === "sequence") return "a sequence";
  if (keyspace && !keyspace.sharded) return "one shard";
  if (vindexes.length > 0) return el("code", {}, spell(vindexes[0]));
  return "on one shard";
}

async function count(t, into, button) {
  button.disabled = true;
  try {
    const { counts } = await api("count", { sql: t.ks + "." + t.name });
    const most = Math.max(...counts.map(([, n]) => Number(n)));
    into.replaceChildren(el("div", { className: "counts" }, counts.map(([shard, n]) => [el("code", {}, shard), bar(Number(n), most, number(n))]).flat()));
  } catch (err) {
    into.replaceChildren(failed(err));
  }
  button.disabled = false;
}

// statement is what the form asks.
function statement() {
  const text = byId("args").value.trim();
  let args = [];
  if (text !== "") {
    try { args = JSON.parse(text); } catch { args = null; }
    if (!Array.isArray(args)) throw new Failure(0, { error: 'The arguments are no JSON list, as [7, "text", null].' });
  }
  const sql = byId("sql").value.trim().replace(/;\s*$/, "");
  if (sql === "") throw new Failure(0, { error: "There is no statement yet." });
  return { sql, args };
}

// ask sends the form and shows the answer; one at a time.
async function ask(name, more, make) {
  const buttons = [byId("draw"), byId("run")];
  if (buttons[0].disabled) return;
  for (const b of buttons) b.disabled = true;
  show("plan");
  show("rows");
  show("answer", note("Working…"));
  try {
    make(await api(name, { ...statement(), ...more }));
  } catch (err) {
    show("answer", failed(err));
    if (err.line > 0) mark(err.line, err.column);
  }
  for (const b of buttons) b.disabled = false;
}

// mark puts the cursor where the error is.
function mark(line, column) {
  const box = byId("sql");
  let at = 0;
  for (let i = 1; i < line; i++) at = box.value.indexOf("\n", at) + 1;
  at += column - 1;
  box.focus();
  box.setSelectionRange(at, at + 1);
}

const drawPlan = () => ask("explain", {}, (a) => {
  const n = a.plan.fragments?.length ?? 0;
  show("answer", note(n === 1 ? "One fragment." : n + " fragments."));
  show("plan", draw(a.plan, a.shards ?? []));
});

const run = () => ask("run", { write: byId("write").checked }, (a) => {
  byId("write").checked = false;
  writing();
  if (!a.columns) return show("answer", note("Done in " + time(a.micros) + ": " + number(a.affected) + " rows affected."));
  const n = a.rows.length;
  show("answer", note((a.cut ? "The first " : "") + (n === 1 ? "1 row" : number(n) + " rows") + " in " + time(a.micros) + "."));
  const numeric = /INT|DECIMAL|DOUBLE|FLOAT/;
  show("rows", grid("Rows", a.columns.map((c) => ({ name: c.name, number: numeric.test(c.type) })), a.rows));
});

byId("login").addEventListener("submit", (e) => {
  e.preventDefault();
  token = byId("token").value.trim();
  byId("token").value = "";
  start();
});
byId("leave").addEventListener("click", () => {
  for (const id of ["answer", "plan", "rows", "shardlist", "cache", "tablelist", "statementlist", "slowlist", "doubtlist"]) show(id);
  byId("sql").value = "";
  byId("args").value = "";
  byId("write").checked = false;
  writing();
  signIn("");
});
byId("nav").addEventListener("click", (e) => { if (e.target.dataset.section) go(e.target.dataset.section); });
for (const b of document.querySelectorAll("[data-again]")) b.addEventListener("click", () => load[b.dataset.again]());
byId("draw").addEventListener("click", drawPlan);
byId("ask").addEventListener("submit", (e) => { e.preventDefault(); run(); });
byId("sql").addEventListener("keydown", (e) => {
  if (e.key !== "Enter" || !(e.ctrlKey || e.metaKey)) return;
  e.preventDefault();
  if (e.shiftKey) drawPlan(); else run();
});

// writing shows that the next run may change something.
function writing() {
  byId("run").className = byId("write").checked ? "danger" : "";
  byId("run").textContent = byId("write").checked ? "Run and write" : "Run";
  if (!me?.readOnly) byId("writehint").textContent = byId("write").checked ? "The next run may change rows or tables." : "Without this, what would change something is refused.";
}
byId("write").addEventListener("change", writing);

start();
