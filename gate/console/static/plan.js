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
  const joins = fragments.filter((f) => !f.first).flatMap((f) => f.joins ?? []);
  const names = named(fragments, joins.length > 0 || plan.combine_query);
  return el("div", { className: "tree", role: "group", "aria-label": "Plan" },
    el("div", { className: "node top" }, el("h4", {}, "Result"),
      columns.length > 0 ? columns.join(", ") : "the number of rows that were written"),
    el("div", { className: "link" }),
    el("div", { className: "node" },
      el("h4", {}, "Combine ", el("span", { className: "badge" }, plan.combine)), combines[plan.combine] ?? "",
      joins.map((j) => el("pre", {}, j)),
      plan.combine_query ? el("pre", {}, plan.combine_query) : null),
    el("div", { className: "link" }),
    el("div", { className: "fragments" + (fragments.length === 1 ? " one" : "") }, fragments.map((f, i) => fragment(f, i, names[i], all))));
}

const writes = (f) => f.combine === "rows" || f.combine === "by key" || f.combine.startsWith("effect of ");

// named gives the names by which the combine speaks of fragments, if it does.
function named(fragments, spoken) {
  let n = 0;
  return fragments.map((f) => spoken && !f.first && !writes(f) ? "f" + n++ : "");
}

function fragment(f, i, name, all) {
  const here = all.filter((s) => s.startsWith(f.keyspace + "/")).map((s) => s.slice(f.keyspace.length + 1));
  const asked = f.shards;
  const known = asked.every((s) => here.includes(s)) && asked.length > 0;
  // What the fragment is for by itself; the plan's combine stands above.
  const own = [f.first ? "first " + f.first : "", writes(f) && f.combine !== "rows" ? f.combine : "",
    ...(f.first ? f.joins ?? [] : []).map((j) => "join " + j), f.first && f.combine_query ? f.combine_query : ""].filter((s) => s !== "");
  return el("div", { className: "node fragment" },
    el("h4", {}, "Fragment " + (i + 1), badge(f.plan_type), el("code", {}, f.keyspace), name ? el("code", {}, name) : null),
    own.map((s) => el("p", { className: "hint" }, s)),
    el("pre", {}, f.query),
    known
      ? el("ul", { className: "chips", "aria-label": asked.length + " of " + here.length + " shards" },
        here.map((s) => el("li", { className: asked.includes(s) ? "asked" : "", "aria-label": s + (asked.includes(s) ? ", asked" : ", not asked") }, s)))
      : el("p", { className: "hint" }, asked.length > 0 ? "shards: " + asked.join(", ") : "answered by the gate"));
}
