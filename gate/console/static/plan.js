// Draws a plan, as VEXPLAIN PLAN gives it: what the client gets on top, the combine
// below it, and below that the fragments with the shards that they ask.

import { el, badge } from "./dom.js";

const combines = {
  pass: "the shard's rows, as they come",
  concat: "the shards' rows side by side",
  merge: "sorted streams, merged",
  aggregate: "partial aggregates, put together",
  join: "joined at the gate",
  query: "the rest of the statement, as SQL over the fragments' rows",
  sum: "each shard writes its part",
  rows: "each row goes to the shard that owns it",
};

// draw gives the plan's tree; all lists every shard as keyspace/name.
export function draw(plan, all) {
  const columns = plan.columns ?? [];
  const fragments = plan.fragments ?? [];
  return el("div", { className: "tree", role: "group", "aria-label": "Plan" },
    el("div", { className: "node top" }, el("h4", {}, "Result"),
      columns.length > 0 ? columns.join(", ") : "the number of rows that were written"),
    el("div", { className: "link" }),
    el("div", { className: "node" },
      el("h4", {}, "Combine ", el("span", { className: "badge" }, plan.combine)), combines[plan.combine] ?? "",
      plan.combine_query ? el("pre", {}, plan.combine_query) : null),
    el("div", { className: "link" }),
    el("div", { className: "fragments" + (fragments.length === 1 ? " one" : "") }, fragments.map((f, i) => fragment(f, i, all))));
}

function fragment(f, i, all) {
  const here = all.filter((s) => s.startsWith(f.keyspace + "/")).map((s) => s.slice(f.keyspace.length + 1));
  const asked = f.shards.split(",").filter((s) => s !== "");
  const known = asked.every((s) => here.includes(s)) && asked.length > 0;
  // A combine of the fragment's own says what it is for; the plan's stands above.
  const own = f.combine.match(/^(first \?\d+|effect of .*|by key|join (?:(?!; query:).)*)/);
  return el("div", { className: "node fragment" },
    el("h4", {}, "Fragment " + (i + 1), badge(f.plan_type), el("code", {}, f.keyspace)),
    own ? el("p", { className: "hint" }, own[0]) : null,
    el("pre", {}, f.query),
    known
      ? el("ul", { className: "chips", "aria-label": asked.length + " of " + here.length + " shards" },
        here.map((s) => el("li", { className: asked.includes(s) ? "asked" : "", "aria-label": s + (asked.includes(s) ? ", asked" : ", not asked") }, s)))
      : el("p", { className: "hint" }, asked.length > 0 ? "shards: " + f.shards : "answered by the gate"));
}
